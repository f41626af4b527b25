"""Clinical notes of a visit, for its clinician."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from sqlmodel.ext.asyncio.session import AsyncSession

from api.dependencies import AppServices
from api.people import CurrentClinician
from api.problems import responses
from api.values import RecordId
from db import visits
from db.disclosures import disclose
from db.tables import Clinician, Note, Visit
from domain.access import Role
from domain.errors import Refused
from domain.visit.states import VisitStatus

router = APIRouter(prefix="/visits", tags=["visits"])

_EXAMPLE: JsonDict = {
    "status": "complete",
    "body": "Two weeks of palpitations at rest, no syncope. Working diagnosis: PVCs.",
}


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    status: Literal["draft", "complete"]
    body: str = Field(min_length=1, max_length=50_000)


class NoteView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    visit_id: str
    author_id: str
    status: Literal["draft", "complete"]
    body: str
    created_at: datetime


class NoteList(BaseModel):
    items: list[NoteView]


@router.post("/{visit_id}/notes", status_code=201, summary="Write a note", responses=responses(401, 403, 404, 409, 422))
async def write_note(visit_id: RecordId, new: NewNote, services: AppServices, clinician: CurrentClinician) -> NoteView:
    """By the clinician of the visit. 404 `visit.unknown`, 409 `visit.cancelled`."""
    async with services.database.transaction() as session:
        visit = await _own_visit(session, visit_id, clinician)
        if visit.status == VisitStatus.CANCELLED:
            raise Refused("visit.cancelled", "there is nothing to note of a cancelled visit")
        note = Note(visit_id=visit.id, author_id=clinician.id, status=new.status, body=new.body)
        await visits.add_note(session, note)
        await disclose(session, visit.patient_id, Role.CLINICIAN, clinician.id, f"note:{note.id}")
        return NoteView.model_validate(note)


@router.get("/{visit_id}/notes", summary="The notes of a visit", responses=responses(401, 403, 404, 422))
async def list_notes(visit_id: RecordId, services: AppServices, clinician: CurrentClinician) -> NoteList:
    """Oldest first, for the clinician of the visit."""
    async with services.database.transaction() as session:
        visit = await _own_visit(session, visit_id, clinician)
        notes = await visits.list_notes(session, visit.id)
        for note in notes:
            await disclose(session, visit.patient_id, Role.CLINICIAN, clinician.id, f"note:{note.id}")
        return NoteList(items=[NoteView.model_validate(note) for note in notes])


async def _own_visit(session: AsyncSession, visit_id: str, clinician: Clinician) -> Visit:
    visit = await visits.get_visit(session, visit_id)
    if visit.clinician_id != clinician.id:
        raise visits.unknown_visit()
    return visit
