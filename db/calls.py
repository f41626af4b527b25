"""Attempts to call patients: placed once, and kept up to date by what the telephone company reports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import PlaceCallInput
from activities.ports import CallParties, CallReceipt
from db import people, visits
from db.session import Database
from db.tables import CallAttempt, Clinician, Patient
from domain.errors import GatewayRejected, Refused
from domain.visit_calls import CallEvent, CallOutcome, CallReport, later, settled


class SqlCallRecords:
    """The port `CallRecords` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place_once(self, order: PlaceCallInput, place: Callable[[CallParties], Awaitable[CallReceipt]]) -> str:
        """The attempt is on record before it is placed, so that no callback comes too early for it.

        Its row stays locked meanwhile: callbacks and repeats wait. A worker that dies just then leaves it without a
        SID; the callbacks, which name the SID, then fill it in, and a repeat that comes after them places nothing.
        """
        async with self._database.transaction() as session:
            await _keep(session, order)
        async with self._database.transaction() as session:
            row = await session.get_one(CallAttempt, order.attempt_id, with_for_update=True)
            if row.call_sid is not None:
                return row.call_sid
            parties = await _parties(session, order.visit_id)
            try:
                receipt = await place(parties)
            except GatewayRejected as error:
                refusal = error
            else:
                row.call_sid, row.status = receipt.call_sid, later(row.status, receipt.status)
                return receipt.call_sid
            row.status, row.outcome = "rejected", CallOutcome.FAILED
        raise refusal


async def record(session: AsyncSession, report: CallReport) -> CallEvent | None:
    """Bring the attempt up to date; None for an attempt that is not ours. A repeat changes nothing.

    The event has an outcome only if this report tells something new of how the call ended.
    """
    row = await session.get(CallAttempt, report.attempt_id, with_for_update=True)
    if row is None:
        return None
    known = row.outcome if row.ended_at else None
    moment = report.occurred_at or row.ended_at or row.requested_at
    _update(row, report, moment)
    concluded = CallOutcome(row.outcome) if row.outcome and row.ended_at and row.outcome != known else None
    return CallEvent(
        event_id=report.event_id,
        visit_id=row.visit_id,
        attempt_id=row.id,
        call_sid=row.call_sid or report.leg_sid,
        status=report.status or row.status,
        outcome=concluded,
        occurred_at=moment,
        duration_seconds=row.duration_seconds,
    )


async def of_visit(session: AsyncSession, visit_id: str) -> list[CallAttempt]:
    """The attempts to call the patient of a visit, oldest first."""
    statement = (
        select(CallAttempt)
        .where(col(CallAttempt.visit_id) == visit_id)
        .order_by(col(CallAttempt.requested_at), col(CallAttempt.id))
    )
    return list((await session.exec(statement)).all())


def _update(row: CallAttempt, report: CallReport, moment: datetime) -> None:
    row.call_sid = row.call_sid or report.call_sid
    if report.status is not None:
        row.status = later(row.status, report.status)
    known = CallOutcome(row.outcome) if row.outcome else None
    row.outcome = settled(known, report.outcome)
    if report.ended and row.ended_at is None:
        row.ended_at = moment
        row.duration_seconds = report.duration_seconds


async def _keep(session: AsyncSession, order: PlaceCallInput) -> None:
    visit = await visits.get_visit(session, order.visit_id)
    attempt = {
        "id": order.attempt_id,
        "visit_id": visit.id,
        "requested_by": visit.clinician_id,
        "requested_at": order.requested_at,
        "status": "requested",
    }
    await session.exec(insert(CallAttempt).values(attempt).on_conflict_do_nothing())


async def _parties(session: AsyncSession, visit_id: str) -> CallParties:
    visit = await visits.get_visit(session, visit_id)
    clinician = await people.get(session, Clinician, visit.clinician_id)
    patient = await people.get(session, Patient, visit.patient_id)
    if clinician.phone is None or patient.phone is None:
        found = {"clinician.phone": clinician.phone, "patient.phone": patient.phone}
        missing = tuple(name for name, number in found.items() if number is None)
        raise Refused("call.no_number", "a number to call is not on record", missing=missing)
    return CallParties(clinician_phone=clinician.phone, patient_phone=patient.phone)
