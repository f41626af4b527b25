"""Visits: plain records in this version, so their times are taken here and not from a workflow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlmodel.ext.asyncio.session import AsyncSession

from api.auth import require
from api.dependencies import AppServices
from api.people import STAFF, CurrentClinician, own_record, persons_of
from api.problems import responses
from api.values import EXAMPLE_ID, RecordId, Time
from db import licences, people, visits
from db.tables import Clinician, Patient, Visit
from domain.access import Principal, Role
from domain.errors import Forbidden, Invalid
from domain.visit.manual import VisitAct, next_status
from domain.visit.states import VisitKind, VisitStatus

router = APIRouter(prefix="/visits", tags=["visits"])

_EXAMPLE: JsonDict = {"patient_id": EXAMPLE_ID, "scheduled_start": "2026-03-02T09:00:00-07:00", "duration_minutes": 30}


class NewVisit(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    patient_id: RecordId
    clinician_id: RecordId | None = Field(default=None, description="Staff names it; a clinician need not.")
    scheduled_start: Time
    duration_minutes: int = Field(ge=5, le=240)


class VisitView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    patient_id: str
    clinician_id: str
    kind: VisitKind
    econsult_id: str | None = Field(description="Of a follow-up visit: the eConsult that it belongs to.")
    status: VisitStatus
    scheduled_start: datetime
    duration_minutes: int
    price_cents: int
    started_at: datetime | None
    completed_at: datetime | None
    created_at: datetime


@router.post("", status_code=201, summary="Schedule a visit", responses=responses(401, 403, 404, 409, 422))
async def schedule_visit(
    new: NewVisit, services: AppServices, principal: Annotated[Principal, require(Role.CLINICIAN, *STAFF)]
) -> VisitView:
    """Staff schedules visits of anybody, a clinician their own with patients whom they have a visit with already.

    403 `visit.of_another_clinician`, `visit.patient_not_yours`; 404 `patient.unknown` and `clinician.unknown`;
    409 `clinician.licence_expired`, `clinician.licence_suspended`, `clinician.no_licence_in_state`, by the patient's
    state; 422 `visit.clinician_missing`.
    """
    async with services.database.transaction() as session:
        clinician_id, by_staff = await _clinician_for(session, new, principal)
        patient = await people.get(session, Patient, new.patient_id)
        if not by_staff and not await visits.has_visit(session, clinician_id, new.patient_id):
            raise Forbidden("visit.patient_not_yours", "staff schedules a clinician's first visit with a patient")
        await licences.check_standing(session, clinician_id, patient.state, services.clock())
        visit = Visit(
            patient_id=new.patient_id,
            clinician_id=clinician_id,
            scheduled_start=new.scheduled_start,
            duration_minutes=new.duration_minutes,
        )
        return VisitView.model_validate(await visits.add_visit(session, visit))


@router.get("/{visit_id}", summary="A visit", responses=responses(401, 403, 404, 422))
async def read_visit(
    visit_id: RecordId,
    services: AppServices,
    principal: Annotated[Principal, require(Role.CLINICIAN, Role.PATIENT, *STAFF)],
) -> VisitView:
    """For its clinician, its patient and staff."""
    async with services.database.transaction() as session:
        persons = await persons_of(session, principal)
        visit = await visits.get_visit(session, visit_id)
        own = {visit.clinician_id, visit.patient_id} & {person.id for person in persons}
        if not own and not principal.has(*STAFF):
            raise visits.unknown_visit()
        return VisitView.model_validate(visit)


@router.post("/{visit_id}/start", summary="Start a visit", responses=responses(401, 403, 404, 409, 422))
async def start_visit(visit_id: RecordId, services: AppServices, clinician: CurrentClinician) -> VisitView:
    """Done before, it changes nothing. 409 `visit.not_scheduled`."""
    return await _act(services, visit_id, clinician, VisitAct.START)


@router.post("/{visit_id}/complete", summary="Complete a visit", responses=responses(401, 403, 404, 409, 422))
async def complete_visit(visit_id: RecordId, services: AppServices, clinician: CurrentClinician) -> VisitView:
    """Done before, it changes nothing. 409 `visit.not_in_progress`, `visit.follow_up_of_econsult`."""
    return await _act(services, visit_id, clinician, VisitAct.COMPLETE)


@router.post("/{visit_id}/cancel", summary="Cancel a visit", responses=responses(401, 403, 404, 409, 422))
async def cancel_visit(visit_id: RecordId, services: AppServices, clinician: CurrentClinician) -> VisitView:
    """Done before, it changes nothing. 409 `visit.not_scheduled`, `visit.follow_up_of_econsult`."""
    return await _act(services, visit_id, clinician, VisitAct.CANCEL)


async def _act(services: AppServices, visit_id: str, clinician: Clinician, act: VisitAct) -> VisitView:
    async with services.database.transaction() as session:
        visit = await visits.get_visit(session, visit_id, lock=True)
        if visit.clinician_id != clinician.id:
            raise visits.unknown_visit()
        reached = next_status(visit.kind, visit.status, act)
        if visit.status != reached:
            visit.status = reached
            if reached is VisitStatus.IN_PROGRESS:
                visit.started_at = datetime.now(UTC)
            if reached is VisitStatus.COMPLETED:
                visit.completed_at = datetime.now(UTC)
        return VisitView.model_validate(visit)


async def _clinician_for(session: AsyncSession, new: NewVisit, principal: Principal) -> tuple[str, bool]:
    """Whose visit it is, and whether staff schedules it."""
    if principal.has(*STAFF) and new.clinician_id is not None:
        return (await people.get(session, Clinician, new.clinician_id)).id, True
    if not principal.has(Role.CLINICIAN):
        raise Invalid("visit.clinician_missing", "name the clinician of the visit")
    own = await own_record(session, Clinician, principal)
    if new.clinician_id not in {None, own.id}:
        raise Forbidden("visit.of_another_clinician", "a clinician schedules only their own visits")
    return own.id, False
