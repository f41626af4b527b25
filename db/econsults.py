"""Orders of eConsults, with where each stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, false, inspect, literal, literal_column, or_, true
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from db.tables import AssignmentRow, CaseState, EConsult, Rate
from domain import names
from domain.econsult.states import AssignmentStatus
from domain.econsult.view import EConsultSnapshot
from domain.errors import Invalid, NotFound

LIVE = (AssignmentStatus.OFFERED, AssignmentStatus.ACCEPTED, AssignmentStatus.REPLIED)
"""An eConsult has at most one such assignment: the case is that specialist's."""

ORDERED = "ORDERED"
"""The state of an order whose workflow has recorded nothing yet."""


@dataclass(frozen=True)
class Scope:
    """Whose cases somebody may see: all of them, or those of any of these people."""

    everything: bool = False
    clinician_id: str | None = None
    patient_id: str | None = None
    specialist_id: str | None = None


ALL = Scope(everything=True)


@dataclass(frozen=True)
class Filters:
    states: tuple[str, ...] = ()
    """Stages, or `ORDERED`; none for all."""
    not_states: tuple[str, ...] = ()
    sla_state: str | None = None
    clinician_id: str | None = None
    patient_id: str | None = None
    specialist_id: str | None = None
    """The specialist who has the case."""


class Case(NamedTuple):
    order: EConsult
    state: CaseState | None

    @property
    def clinician_id(self) -> str:
        return self.order.clinician_id

    @property
    def patient_id(self) -> str:
        return self.order.patient_id

    @property
    def snapshot(self) -> EConsultSnapshot | None:
        """Where the case stands after its latest step; None until the first one."""
        return EConsultSnapshot.model_validate(self.state.snapshot) if self.state else None

    @property
    def stage(self) -> str:
        return self.state.business_state if self.state else ORDERED


async def placed_with(
    session: AsyncSession, clinician_id: str, idempotency_key: str, request_hash: str
) -> EConsult | None:
    """The order that the clinician placed with this key.

    Raises `Invalid` (`request.idempotency_key_reused`) when it was placed with another request.
    """
    statement = select(EConsult).where(
        col(EConsult.clinician_id) == clinician_id, col(EConsult.idempotency_key) == idempotency_key
    )
    found = (await session.exec(statement)).one_or_none()
    if found and found.request_hash != request_hash:
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")
    return found


async def place(session: AsyncSession, order: EConsult) -> EConsult:
    """Keep the order, or find the one placed with its key a moment ago; raises as `placed_with`."""
    row = order.model_dump(exclude={"created_at"})
    await session.exec(
        insert(EConsult).values(row).on_conflict_do_nothing(index_elements=["clinician_id", "idempotency_key"])
    )
    placed = await placed_with(session, order.clinician_id, order.idempotency_key, order.request_hash)
    assert placed is not None
    return placed


async def mark_started(session: AsyncSession, econsult_id: str) -> None:
    (await session.get_one(EConsult, econsult_id)).started = True


async def get(session: AsyncSession, econsult_id: str, scope: Scope = ALL, *, texts: bool = False) -> Case:
    """One case; question and history are left out unless `texts`.

    Raises `NotFound` (`econsult.unknown`), also for what is outside the scope.
    """
    statement = _cases(texts=texts).where(col(EConsult.id) == econsult_id, _visible(scope))
    found = (await session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound("econsult.unknown", "there is no such eConsult")
    return Case(*found)


async def page(session: AsyncSession, scope: Scope, filters: Filters, *, before: str | None, limit: int) -> list[Case]:
    """Up to `limit` cases ordered before the one named, newest first, without question and history."""
    statement = _cases(texts=False).where(_visible(scope), *_chosen(filters))
    if before is not None:
        statement = statement.where(col(EConsult.id) < before)
    found = await session.exec(statement.order_by(col(EConsult.id).desc()).limit(limit))
    return [Case(*row) for row in found]


async def of_payment(session: AsyncSession, payment_id: str) -> str | None:
    """Id of the eConsult that knows this payment."""
    # In the very form of the index case_state_payments: a bound key or a subscript would pass it by.
    payments = col(CaseState.snapshot).op("->", return_type=JSONB())(literal_column("'payments'"))
    case_id = await session.exec(
        select(CaseState.case_id).where(
            col(CaseState.process) == names.Process.ECONSULT,
            payments.contains([{"payment_id": payment_id}]),
        )
    )
    found = case_id.first()
    return found.removeprefix(names.econsult_case("")) if found else None


async def portion_of(session: AsyncSession, clinician_id: str, default_cents: int) -> int:
    """The clinician's portion for orders placed now: the one approved last, or the default (E-22)."""
    statement = (
        select(Rate.portion_cents)
        .where(col(Rate.clinician_id) == clinician_id)
        .order_by(col(Rate.effective_from).desc(), col(Rate.request_id).desc())
        .limit(1)
    )
    approved = (await session.exec(statement)).first()
    return default_cents if approved is None else approved


async def current_assignment(session: AsyncSession, econsult_id: str, specialist_id: str) -> AssignmentRow:
    """Raises `NotFound` (`econsult.unknown`) unless the case is this specialist's now."""
    statement = select(AssignmentRow).where(
        col(AssignmentRow.econsult_id) == econsult_id,
        col(AssignmentRow.specialist_id) == specialist_id,
        col(AssignmentRow.status).in_(LIVE),
    )
    found = (await session.exec(statement)).first()
    if found is None:
        raise NotFound("econsult.unknown", "there is no such eConsult")
    return found


def _cases(*, texts: bool) -> Select[EConsult, CaseState]:
    statement = select(EConsult, CaseState).join(
        CaseState, col(CaseState.case_id) == literal(names.econsult_case("")) + col(EConsult.id), isouter=True
    )
    if texts:
        return statement
    # Decrypting what nobody asked for costs time, and the less is opened the better.
    question, history = inspect(EConsult).attrs.question, inspect(EConsult).attrs.history
    return statement.options(
        defer(question.class_attribute, raiseload=True), defer(history.class_attribute, raiseload=True)
    )


def _visible(scope: Scope) -> ColumnElement[bool]:
    if scope.everything:
        return true()
    ways = []
    if scope.clinician_id:
        ways.append(col(EConsult.clinician_id) == scope.clinician_id)
    if scope.patient_id:
        ways.append(col(EConsult.patient_id) == scope.patient_id)
    if scope.specialist_id:
        ways.append(_assigned_to(scope.specialist_id))
    return or_(false(), *ways)


def _assigned_to(specialist_id: str) -> ColumnElement[bool]:
    theirs = select(AssignmentRow.econsult_id).where(
        col(AssignmentRow.specialist_id) == specialist_id, col(AssignmentRow.status).in_(LIVE)
    )
    return col(EConsult.id).in_(theirs)


def _chosen(filters: Filters) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    state = col(CaseState.business_state)
    if filters.states:
        unstarted = state.is_(None) if ORDERED in filters.states else false()
        chosen.append(or_(state.in_(filters.states), unstarted))
    if filters.not_states:
        chosen.append(state.not_in(filters.not_states))
    if filters.sla_state:
        chosen.append(col(CaseState.sla_state) == filters.sla_state)
    if filters.clinician_id:
        chosen.append(col(EConsult.clinician_id) == filters.clinician_id)
    if filters.patient_id:
        chosen.append(col(EConsult.patient_id) == filters.patient_id)
    if filters.specialist_id:
        chosen.append(_assigned_to(filters.specialist_id))
    return chosen
