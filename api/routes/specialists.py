"""The panel of specialists (E-05)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from pydantic.config import JsonDict

from api.auth import require
from api.dependencies import AppServices
from api.people import CurrentSpecialist
from api.problems import responses
from api.values import EXAMPLE_ID, Cursor, Limit, Line, Page, RecordId, State, TokenSubject
from db import people
from db.tables import Specialist
from domain import specialties
from domain.access import Role

router = APIRouter(prefix="/specialists", tags=["specialists"])

_EXAMPLE: JsonDict = {
    "subject": "oidc|specialist-1",
    "name": "Dr. Rowan Castellane",
    "email": "rowan.castellane@example.com",
    "specialty_codes": ["207RC0000X"],
    "licence_states": ["CO"],
    "licence_expires_on": "2030-06-30",
    "board_certified": True,
    "us_based": True,
    "active": True,
    "open_cases_limit": 10,
}


class NewSpecialist(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    subject: TokenSubject
    name: Line
    email: EmailStr
    specialty_codes: list[Annotated[str, Field(max_length=40)]] = Field(
        min_length=1, max_length=50, description="Codes of the catalogue, see GET /specialties."
    )
    licence_states: list[State] = Field(min_length=1, max_length=60)
    licence_expires_on: date
    board_certified: bool
    us_based: bool
    active: bool = True
    open_cases_limit: int = Field(default=10, ge=1, le=1000)


class SpecialistView(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [{"id": EXAMPLE_ID, **_EXAMPLE, "created_at": "2026-03-02T09:00:00Z"}]},
    )

    id: str
    subject: str
    name: str
    email: str
    specialty_codes: list[str]
    licence_states: list[str]
    licence_expires_on: date
    board_certified: bool
    us_based: bool
    active: bool
    open_cases_limit: int
    created_at: datetime


@router.post(
    "",
    status_code=201,
    summary="Add a specialist to the panel",
    dependencies=[require(Role.OPERATIONS, Role.ADMINISTRATOR)],
    responses=responses(401, 403, 409, 422),
)
async def add_specialist(new: NewSpecialist, services: AppServices) -> SpecialistView:
    """422 `specialty.unknown`; 409 `person.subject_taken`.

    Cases go only to active, board-certified, US-based specialists whose licence has not expired.
    """
    for code in new.specialty_codes:
        specialties.find(code)
    async with services.database.transaction() as session:
        specialist = await people.add(session, Specialist(**new.model_dump()))
        return SpecialistView.model_validate(specialist)


@router.get(
    "",
    summary="The panel",
    dependencies=[require(Role.OPERATIONS, Role.ADMINISTRATOR)],
    responses=responses(401, 403, 422),
)
async def list_specialists(
    services: AppServices, specialty_code: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[SpecialistView]:
    """In the order of creation. 422 `specialty.unknown`."""
    if specialty_code is not None:
        specialties.find(specialty_code)
    async with services.database.transaction() as session:
        found = await people.list_specialists(session, specialty_code=specialty_code, after=cursor, limit=limit + 1)
    shown = [SpecialistView.model_validate(specialist) for specialist in found[:limit]]
    return Page(items=shown, next_cursor=shown[-1].id if len(found) > limit else None)


@router.get("/me", summary="The specialist who calls", responses=responses(401, 403))
async def read_own_specialist(specialist: CurrentSpecialist) -> SpecialistView:
    return SpecialistView.model_validate(specialist)


@router.get(
    "/{specialist_id}",
    summary="A specialist",
    dependencies=[require(Role.OPERATIONS, Role.ADMINISTRATOR)],
    responses=responses(401, 403, 404, 422),
)
async def read_specialist(specialist_id: RecordId, services: AppServices) -> SpecialistView:
    async with services.database.transaction() as session:
        return SpecialistView.model_validate(await people.get(session, Specialist, specialist_id))
