"""What a clinician has booked and may not go on with, because a licence expired or is suspended (K-03)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import func, literal
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db import econsults, licences
from db.tables import CaseState, EConsult, Patient, Visit
from domain import names, standing
from domain.econsult.states import ENDED, Stage
from domain.standing import Block
from domain.visit.states import VisitStatus

_OVER = (*ENDED, Stage.PAYMENT_EXPIRED)


class Booked(NamedTuple):
    kind: Literal["visit", "econsult"]
    id: str
    patient_state: str
    business_state: str
    scheduled_start: datetime | None
    """Of a visit."""


class Affected(NamedTuple):
    booked: Booked
    block: Block


async def page(
    session: AsyncSession, clinician_id: str, at: datetime, *, after: str | None, limit: int
) -> list[Affected]:
    """Up to `limit` scheduled visits and open eConsults with ids after `after`, in the order of ids."""
    held = licences.held(await licences.of_clinician(session, clinician_id))
    allowed = [one.licence_state for one in held if standing.block(held, one.licence_state, at) is None]
    visits = await _visits(session, clinician_id, allowed, after, limit)
    consults = await _econsults(session, clinician_id, allowed, after, limit)
    first = sorted((*visits, *consults), key=lambda one: one.id)[:limit]
    return [Affected(one, found) for one in first if (found := standing.block(held, one.patient_state, at))]


async def _visits(
    session: AsyncSession, clinician_id: str, allowed: list[str], after: str | None, limit: int
) -> list[Booked]:
    statement = (
        select(Visit.id, Patient.state, Visit.status, Visit.scheduled_start)
        .join(Patient, col(Patient.id) == col(Visit.patient_id))
        .where(
            col(Visit.clinician_id) == clinician_id,
            col(Visit.status) == VisitStatus.SCHEDULED.value,
            col(Patient.state).not_in(allowed),
            col(Visit.id) > (after or ""),
        )
        .order_by(col(Visit.id))
        .limit(limit)
    )
    return [Booked("visit", *row) for row in (await session.exec(statement)).all()]


async def _econsults(
    session: AsyncSession, clinician_id: str, allowed: list[str], after: str | None, limit: int
) -> list[Booked]:
    stage = func.coalesce(col(CaseState.business_state), econsults.ORDERED)
    statement = (
        select(EConsult.id, Patient.state, stage)
        .join(Patient, col(Patient.id) == col(EConsult.patient_id))
        .join(CaseState, col(CaseState.case_id) == literal(names.econsult_case("")) + col(EConsult.id), isouter=True)
        .where(
            col(EConsult.clinician_id) == clinician_id,
            stage.not_in([state.value for state in _OVER]),
            col(Patient.state).not_in(allowed),
            col(EConsult.id) > (after or ""),
        )
        .order_by(col(EConsult.id))
        .limit(limit)
    )
    return [Booked("econsult", *row, None) for row in (await session.exec(statement)).all()]
