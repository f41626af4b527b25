"""Patients, as records. Whatever is shown of one is recorded (G-03)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, EmailStr, PastDate
from pydantic.config import JsonDict
from sqlmodel.ext.asyncio.session import AsyncSession

from api.auth import require
from api.dependencies import AppServices
from api.people import CurrentPatient, actor_of, carer_or_self, persons_of
from api.problems import responses
from api.values import EXAMPLE_ID, Line, PhoneNumber, RecordId, State, TimeZone, TokenSubject
from db import people
from db.disclosures import disclose
from db.tables import Clinician, Patient
from domain.access import Principal, Role
from domain.actors import Actor

router = APIRouter(prefix="/patients", tags=["patients"])

_EXAMPLE: JsonDict = {
    "subject": "oidc|patient-1",
    "name": "Jordan Example",
    "email": "jordan@example.com",
    "phone": "+12025550142",
    "birth_date": "1980-04-17",
    "state": "CO",
    "time_zone": "America/Denver",
}


class NewPatient(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    subject: TokenSubject | None = None
    name: Line
    email: EmailStr
    phone: PhoneNumber | None = None
    birth_date: PastDate
    state: State
    time_zone: TimeZone


class PatientView(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [{"id": EXAMPLE_ID, **_EXAMPLE, "created_at": "2026-03-02T09:00:00Z"}]},
    )

    id: str
    subject: str | None
    name: str
    email: str
    phone: str | None
    birth_date: date
    state: str
    time_zone: str
    created_at: datetime


@router.post("", status_code=201, summary="Add a patient", responses=responses(401, 403, 409, 422))
async def add_patient(
    new: NewPatient,
    services: AppServices,
    principal: Annotated[Principal, require(Role.ADMINISTRATOR, Role.OPERATIONS, Role.CLINICIAN)],
) -> PatientView:
    """409 `person.subject_taken` when a patient has this subject already."""
    row = Patient(**new.model_dump(exclude={"birth_date"}), birth_date=new.birth_date.isoformat())
    async with services.database.transaction() as session:
        persons = await persons_of(session, principal)
        clinician = next((person for person in persons if isinstance(person, Clinician)), None)
        patient = await people.add(session, row)
        return await _show(session, patient, actor_of(principal, clinician))


@router.get("/me", summary="The patient who calls", responses=responses(401, 403))
async def read_own_patient(
    patient: CurrentPatient, services: AppServices, principal: Annotated[Principal, require(Role.PATIENT)]
) -> PatientView:
    async with services.database.transaction() as session:
        return await _show(session, patient, actor_of(principal, patient))


@router.get("/{patient_id}", summary="A patient", responses=responses(401, 403, 404, 422))
async def read_patient(
    patient_id: RecordId,
    services: AppServices,
    principal: Annotated[Principal, require(Role.PATIENT, Role.CLINICIAN, Role.ADMINISTRATOR)],
) -> PatientView:
    """For the patient themselves, a clinician who has a visit with them, and administrators."""
    async with services.database.transaction() as session:
        reader = await carer_or_self(session, principal, patient_id)
        if reader is None and principal.has(Role.ADMINISTRATOR):
            reader = actor_of(principal, None)
        if reader is None:
            raise people.unknown(Patient)
        return await _show(session, await people.get(session, Patient, patient_id), reader)


async def _show(session: AsyncSession, patient: Patient, reader: Actor) -> PatientView:
    await disclose(session, patient.id, reader.role, reader.id, "patient")
    return PatientView.model_validate(patient)
