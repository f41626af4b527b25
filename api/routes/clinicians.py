"""Clinicians, as records."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, EmailStr, Field, field_validator
from pydantic.config import JsonDict

from api import licensing
from api.auth import require
from api.dependencies import AppServices
from api.people import STAFF, CurrentClinician, actor_of, persons_of
from api.problems import responses
from api.schemas.standards import NewLicence
from api.scopes import BACK_OFFICE
from api.values import EXAMPLE_ID, Line, PhoneNumber, RecordId, State, TimeZone, TokenSubject
from db import people
from db.tables import Clinician
from domain.access import Principal, Role

router = APIRouter(prefix="/clinicians", tags=["clinicians"])

_EXAMPLE: JsonDict = {
    "subject": "oidc|clinician-1",
    "name": "Dr. Avery Lindqvist",
    "email": "avery.lindqvist@example.com",
    "phone": "+12025550141",
    "time_zone": "America/Denver",
    "licence_states": ["CO", "UT"],
}


class NewClinician(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    subject: TokenSubject
    name: Line
    email: EmailStr
    phone: PhoneNumber | None = Field(default=None, description="Rung by Call Patient; no patient sees it (V-07).")
    time_zone: TimeZone
    licence_states: list[State] = Field(min_length=1, max_length=60)
    licences: list[NewLicence] = Field(
        default=[], max_length=60, description="Those whose number and expiry are known; nobody is told of the others'."
    )

    @field_validator("licences")
    @classmethod
    def _one_a_state(cls, licences: list[NewLicence]) -> list[NewLicence]:
        if len({one.state for one in licences}) < len(licences):
            raise ValueError("There is one licence for each state.")
        return licences


class ClinicianView(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [{"id": EXAMPLE_ID, **_EXAMPLE, "created_at": "2026-03-02T09:00:00Z"}]},
    )

    id: str
    subject: str
    name: str
    email: str
    phone: str | None
    time_zone: str
    licence_states: list[str]
    created_at: datetime


@router.post(
    "",
    status_code=201,
    summary="Add a clinician",
    responses=responses(401, 403, 409, 422),
)
async def add_clinician(
    new: NewClinician, services: AppServices, principal: Annotated[Principal, require(*BACK_OFFICE)]
) -> ClinicianView:
    """409 `person.subject_taken` when a clinician has this subject already."""
    async with services.database.transaction() as session:
        clinician = await people.add(session, Clinician(**new.model_dump(exclude={"licences"})))
        recorded = await licensing.record_all(session, services, clinician, new.licences, actor_of(principal, None))
    for licence in recorded:
        await licensing.watch(services, licence)
    return ClinicianView.model_validate(clinician)


@router.get("/me", summary="The clinician who calls", responses=responses(401, 403))
async def read_own_clinician(clinician: CurrentClinician) -> ClinicianView:
    return ClinicianView.model_validate(clinician)


@router.get("/{clinician_id}", summary="A clinician", responses=responses(401, 403, 404, 422))
async def read_clinician(
    clinician_id: RecordId,
    services: AppServices,
    principal: Annotated[Principal, require(Role.CLINICIAN, *STAFF)],
) -> ClinicianView:
    """A clinician reads only their own record."""
    async with services.database.transaction() as session:
        persons = await persons_of(session, principal)
        if not principal.has(*STAFF) and clinician_id not in {person.id for person in persons}:
            raise people.unknown(Clinician)
        return ClinicianView.model_validate(await people.get(session, Clinician, clinician_id))
