"""Visits, with where each stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, false, literal, or_, true, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from db.econsults import Scope
from db.tables import CaseState, Visit
from domain import names
from domain.errors import Invalid, NotFound
from domain.visit.states import VisitStatus
from domain.visit.view import VisitSnapshot


@dataclass(frozen=True)
class Filters:
    status: str | None = None
    clinician_id: str | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None


class VisitCase(NamedTuple):
    visit: Visit
    state: CaseState | None

    @property
    def clinician_id(self) -> str:
        return self.visit.clinician_id

    @property
    def patient_id(self) -> str:
        return self.visit.patient_id

    @property
    def snapshot(self) -> VisitSnapshot | None:
        """Where the visit stands after its latest step; None until the first one."""
        return VisitSnapshot.model_validate(self.state.snapshot) if self.state else None


async def place(session: AsyncSession, visit: Visit) -> Visit:
    """Keep a visit with its pinned order, or find the one kept with this id before.

    Raises `Invalid` (`request.idempotency_key_reused`) when that one was asked for otherwise.
    """
    row = visit.model_dump(exclude={"created_at"})
    await session.exec(insert(Visit).values(row).on_conflict_do_nothing(index_elements=["id"]))
    placed = await session.get_one(Visit, visit.id)
    check_same(placed, visit)
    return placed


def check_same(placed: Visit, asked: Visit) -> None:
    """Raises as `place`. A visit that was moved since is still the one that was asked for."""
    if _wanted(placed) != _wanted(asked):
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")


def _wanted(visit: Visit) -> dict[str, object]:
    order = visit.order or {}
    return {name: value for name, value in order.items() if name not in {"policy", "scheduled_by"}}


async def find_visit(session: AsyncSession, visit_id: str) -> Visit | None:
    return await session.get(Visit, visit_id)


async def get_visit(session: AsyncSession, visit_id: str, *, lock: bool = False) -> Visit:
    """The visit with this id, locked until the transaction ends if asked. Raises `NotFound` (`visit.unknown`)."""
    visit = await session.get(Visit, visit_id, with_for_update=lock)
    if visit is None:
        raise unknown_visit()
    return visit


async def get(session: AsyncSession, visit_id: str, scope: Scope) -> VisitCase:
    """Raises `NotFound` (`visit.unknown`), also for what is outside the scope."""
    found = (await session.exec(_cases().where(col(Visit.id) == visit_id, _visible(scope)))).one_or_none()
    if found is None:
        raise unknown_visit()
    return VisitCase(*found)


async def page(
    session: AsyncSession, scope: Scope, filters: Filters, *, after: str | None, limit: int
) -> list[VisitCase]:
    """Up to `limit` visits, the latest start first, that follow the one named."""
    place_of = tuple_(col(Visit.scheduled_start), col(Visit.id))
    statement = _cases().where(_visible(scope), *_chosen(filters))
    if after is not None:
        last = select(Visit.scheduled_start, Visit.id).where(col(Visit.id) == after).scalar_subquery()
        statement = statement.where(place_of < last)
    ordered = statement.order_by(col(Visit.scheduled_start).desc(), col(Visit.id).desc()).limit(limit)
    return [VisitCase(*row) for row in await session.exec(ordered)]


def unknown_visit() -> NotFound:
    return NotFound("visit.unknown", "there is no such visit")


async def has_met(session: AsyncSession, clinician_id: str, patient_id: str) -> bool:
    """Whether a visit of the two has begun: one that is only scheduled opens nothing, nor one that nobody came to."""
    return await _has_visit(session, clinician_id, patient_id, (VisitStatus.IN_PROGRESS, VisitStatus.COMPLETED))


async def has_visit(session: AsyncSession, clinician_id: str, patient_id: str) -> bool:
    """Whether the clinician has, or had, a visit with the patient.

    A cancelled one does not count. A patient's no-show does: they were the clinician's patient for that visit.
    """
    return await _has_visit(
        session, clinician_id, patient_id, [status for status in VisitStatus if status is not VisitStatus.CANCELLED]
    )


async def _has_visit(session: AsyncSession, clinician_id: str, patient_id: str, statuses: Iterable[str]) -> bool:
    statement = (
        select(Visit.id)
        .where(
            col(Visit.clinician_id) == clinician_id,
            col(Visit.patient_id) == patient_id,
            col(Visit.status).in_(statuses),
        )
        .limit(1)
    )
    return (await session.exec(statement)).first() is not None


def _cases() -> Select[Visit, CaseState]:
    case_id = literal(names.visit_case("")) + col(Visit.id)
    return select(Visit, CaseState).join(CaseState, col(CaseState.case_id) == case_id, isouter=True)


def _visible(scope: Scope) -> ColumnElement[bool]:
    if scope.everything:
        return true()
    ways = []
    if scope.clinician_id:
        ways.append(col(Visit.clinician_id) == scope.clinician_id)
    if scope.patient_id:
        ways.append(col(Visit.patient_id) == scope.patient_id)
    return or_(false(), *ways)


def _chosen(filters: Filters) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if filters.status:
        chosen.append(col(Visit.status) == filters.status)
    if filters.clinician_id:
        chosen.append(col(Visit.clinician_id) == filters.clinician_id)
    if filters.starts_from:
        chosen.append(col(Visit.scheduled_start) >= filters.starts_from)
    if filters.starts_before:
        chosen.append(col(Visit.scheduled_start) < filters.starts_before)
    return chosen
