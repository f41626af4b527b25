"""The at-risk board over all processes: which breaches come next, and which are open, in the order of their times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col
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

    due: datetime
    case_id: str


class AtRisk(NamedTuple):
    """A case, and the clock of it that breaches next or has breached, with the time of that."""

    due: datetime
    case_id: str
    clock: str
    process: str
    business_state: str
    owner: str | None
    waits_for: str | None
    """What the owner has to do."""
    escalation_level: int
    sla_state: str
    clinician_id: str | None
    breached_at: datetime | None
    unacknowledged: bool

    @property
    def position(self) -> Position:
        return Position(self.due, self.case_id)


class Listing(NamedTuple):
    items: list[AtRisk]
    more: bool
    """Something follows after these."""
    total: int
    """On all pages; counted to `COUNTED` and one more."""


async def at_risk(
    session: AsyncSession,
    now: datetime,
    within: timedelta,
    filters: Filters,
    *,
    after: Position | None = None,
    limit: int,
) -> Listing:
    """Up to `limit` open cases that breach within that time of `now`, if nobody acts; the next one first."""
    due, clock = col(CaseState.breach_due), col(CaseState.next_clock)
    return await _listing(session, due, clock, [due <= now + within, *_chosen(filters)], after, limit)


async def breaches(
    session: AsyncSession,
    filters: Filters,
    *,
    unacknowledged: bool = False,
    after: Position | None = None,
    limit: int,
) -> Listing:
    """Up to `limit` cases with a breach that is not over, the oldest first; or only those that nobody has taken on."""
    due, clock = col(CaseState.breached_at), col(CaseState.breached_clock)
    chosen = [due.is_not(None), *_chosen(filters)]
    if unacknowledged:
        chosen.append(col(CaseState.unacknowledged).is_(True))
    return await _listing(session, due, clock, chosen, after, limit)


async def _listing(
    session: AsyncSession,
    due: Mapped[datetime | None],
    clock: Mapped[str | None],
    chosen: list[ColumnElement[bool]],
    after: Position | None,
    limit: int,
) -> Listing:
    # Plain rows: to make objects of them would take longer than to find them.
    connection = await session.connection()
    page = _page(due, clock, chosen, after).limit(limit + 1)
    found = [AtRisk._make(row) for row in await connection.execute(page)]
    total = len(found)
    if after is not None or total > limit:
        # In the order of the list, so that its index is read and not the table, whose closed cases come first.
        some = select(literal(1)).where(*chosen).order_by(due, col(CaseState.case_id)).limit(COUNTED + 1).subquery()
        total = (await connection.execute(select(func.count()).select_from(some))).scalar_one()
    return Listing(found[:limit], len(found) > limit, total)


def _page(
    due: Mapped[datetime | None], clock: Mapped[str | None], chosen: list[ColumnElement[bool]], after: Position | None
) -> Select[*tuple[Any, ...]]:
    columns: list[SQLCoreOperations[Any]] = [
        due,
        col(CaseState.case_id),
        clock,
        col(CaseState.process),
        col(CaseState.business_state),
        col(CaseState.owner),
        col(CaseState.snapshot)["waits_for"][0]["what"].astext,
        col(CaseState.escalation_level),
        col(CaseState.sla_state),
        col(CaseState.clinician_id),
        col(CaseState.breached_at),
        col(CaseState.unacknowledged),
    ]
    statement = select(*columns).where(*chosen).order_by(due, col(CaseState.case_id))
    if after is None:
        return statement
    reached = tuple_(literal(after.due, Utc), literal(after.case_id))
    return statement.where(tuple_(due, col(CaseState.case_id)) > reached)


def _chosen(filters: Filters) -> list[ColumnElement[bool]]:
    wanted = (
        (CaseState.process, filters.process),
        (CaseState.owner, filters.owner),
        (CaseState.clinician_id, filters.clinician_id),
    )
    return [col(column) == value for column, value in wanted if value is not None]
