"""The at-risk board over all processes: which breaches come next, and which are open, in the order of their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, inspect, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Mapped, defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import CaseState
from db.types import Utc

COUNTED = 1000
"""Nobody reads on after so many: counting stops there."""


@dataclass(frozen=True)
class Filters:
    process: str | None = None
    owner: str | None = None
    """Whom the case waits for first, such as `specialist`."""
    clinician_id: str | None = None


class Position(NamedTuple):
    """Of a case in the order of a list: its time, then its id."""

    at: datetime
    case_id: str


class AtRisk(NamedTuple):
    case: CaseState
    """Without its snapshot."""
    waits_for: str | None
    """What has to be done first for the case to move."""
    due: datetime
    clock: str


async def at_risk(
    session: AsyncSession,
    now: datetime,
    within: timedelta,
    filters: Filters,
    *,
    after: Position | None = None,
    limit: int,
) -> list[AtRisk]:
    """Up to `limit` open cases that breach within that time of `now`, if nobody acts; the next one first."""
    due, clock = col(CaseState.breach_due), col(CaseState.next_clock)
    return await _page(session, due, clock, [due <= now + within, *_chosen(filters)], after, limit)


async def count_at_risk(session: AsyncSession, now: datetime, within: timedelta, filters: Filters) -> int:
    """How many there are, at most `COUNTED` and one more."""
    return await _count(session, [col(CaseState.breach_due) <= now + within, *_chosen(filters)])


async def breaches(
    session: AsyncSession,
    filters: Filters,
    *,
    unacknowledged: bool = False,
    after: Position | None = None,
    limit: int,
) -> list[AtRisk]:
    """Up to `limit` cases with a breach that is not over, the oldest first; or only those that nobody has taken on."""
    due, clock = col(CaseState.breached_at), col(CaseState.breached_clock)
    return await _page(session, due, clock, _breached(filters, unacknowledged=unacknowledged), after, limit)


async def count_breaches(session: AsyncSession, filters: Filters, *, unacknowledged: bool = False) -> int:
    """How many there are, at most `COUNTED` and one more."""
    return await _count(session, _breached(filters, unacknowledged=unacknowledged))


async def _page(
    session: AsyncSession,
    due: Mapped[datetime | None],
    clock: Mapped[str | None],
    chosen: list[ColumnElement[bool]],
    after: Position | None,
    limit: int,
) -> list[AtRisk]:
    waits_for = col(CaseState.snapshot)["waits_for"][0]["what"].astext
    snapshot: InstrumentedAttribute[object] = inspect(CaseState).attrs.snapshot.class_attribute
    statement = (
        select(CaseState, waits_for, due, clock)
        .where(*chosen)
        .order_by(due, col(CaseState.case_id))
        .limit(limit)
        .options(defer(snapshot, raiseload=True))
    )
    if after is not None:
        reached = tuple_(literal(after.at, Utc), literal(after.case_id))
        statement = statement.where(tuple_(due, col(CaseState.case_id)) > reached)
    # The condition on their time leaves no row without it, which the types do not know.
    found: Sequence[Any] = (await session.exec(statement)).all()
    return [AtRisk(*row) for row in found]


async def _count(session: AsyncSession, chosen: list[ColumnElement[bool]]) -> int:
    some = select(literal(1)).select_from(CaseState).where(*chosen).limit(COUNTED + 1).subquery()
    return (await session.exec(select(func.count()).select_from(some))).one()


def _breached(filters: Filters, *, unacknowledged: bool) -> list[ColumnElement[bool]]:
    chosen = [col(CaseState.breached_at).is_not(None), *_chosen(filters)]
    if unacknowledged:
        chosen.append(col(CaseState.unacknowledged).is_(True))
    return chosen


def _chosen(filters: Filters) -> list[ColumnElement[bool]]:
    wanted = (
        (CaseState.process, filters.process),
        (CaseState.owner, filters.owner),
        (CaseState.clinician_id, filters.clinician_id),
    )
    return [col(column) == value for column, value in wanted if value is not None]
