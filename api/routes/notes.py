"""Clinical notes of a visit: written here, by its clinician; shared with the patient once complete (V-12 to V-16)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from sqlmodel.ext.asyncio.session import AsyncSession

from api import noting
from api.callers import Caller, caller
from api.dependencies import AppServices
from api.problems import responses
from api.schemas.visits import Reference
from api.values import EXAMPLE_ID, RecordId
from api.visit_acting import VisitActs, VisitActsOfRequest
from db import notes, visits
from db.disclosures import disclose
from db.tables import Note
from db.visits import VisitCase
from domain.access import Role
from domain.errors import Refused
from domain.visit.states import NoteStatus

router = APIRouter(prefix="/visits/{visit_id}/notes", tags=["visits"])

_AT = "2026-03-02T17:00:00Z"
_NOTE: JsonDict = {
    "status": "complete",
    "body": "Two weeks of palpitations at rest, no syncope. Working diagnosis: PVCs.",
}
_VIEW: JsonDict = {
    "id": EXAMPLE_ID,
    "visit_id": EXAMPLE_ID,
    "author_id": EXAMPLE_ID,
    **_NOTE,
    "created_at": _AT,
    "saved_at": _AT,
    "shared_at": _AT,
}

ItsClinician = Annotated[Caller, caller(Role.CLINICIAN)]
Readers = Annotated[Caller, caller(Role.CLINICIAN, Role.PATIENT)]


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_NOTE]})

    status: NoteStatus
    body: str | None = Field(default=None, min_length=1, max_length=50_000, repr=False)
    external_reference: Reference | None = Field(
        default=None, description="Of a note in another system. It does not stand in for one here: 409 (V-14)."
    )

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.body is None) == (self.external_reference is None):
            raise ValueError("A note has a body, and nothing else.")
        return self


class NoteCompletion(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "complete"}]})

    status: Literal["complete"] = Field(description="A complete note never becomes a draft again.")


class NoteView(BaseModel):
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_VIEW]})

    id: str
    visit_id: str
    author_id: str
    status: NoteStatus
    body: str = Field(repr=False)
    created_at: datetime
    saved_at: datetime
    shared_at: datetime | None = Field(description="Since when the patient can read it; null for a draft.")


class NoteList(BaseModel):
    items: list[NoteView]


@router.post("", status_code=201, summary="Write a note", responses=responses(401, 403, 404, 409, 422, 503))
async def write_note(visit_id: RecordId, new: NewNote, act: VisitActsOfRequest, who: ItsClinician) -> NoteView:
    """By the clinician of the visit, from its beginning on, also when it is long over.

    404 `visit.unknown`; 409 `note.platform_note_needed`, `visit.not_begun`, `visit.cancelled`, `visit.not_held`.
    """
    case = await act.find(visit_id, who)
    if new.body is None:
        raise Refused("note.platform_note_needed", "write the note here: one elsewhere does not stand in for it (V-14)")
    note_id = await noting.write(act, case, who, new.status, new.body)
    return await _answer(act, case, who, note_id)


@router.patch("/{note_id}", summary="Complete a note", responses=responses(401, 403, 404, 409, 422, 503))
async def complete_note(
    visit_id: RecordId, note_id: RecordId, _: NoteCompletion, act: VisitActsOfRequest, who: ItsClinician
) -> NoteView:
    """By its author; the patient then gets to see it, and hears of it once. 404 `visit.unknown`, `note.unknown`."""
    case = await act.find(visit_id, who)
    await noting.complete(act, case, who, note_id)
    return await _answer(act, case, who, note_id)


@router.get("", summary="The notes of a visit", responses=responses(401, 403, 404, 422))
async def list_notes(visit_id: RecordId, services: AppServices, who: Readers) -> NoteList:
    """Oldest first: all for the clinician of the visit, those that are shared for its patient."""
    async with services.database.transaction() as session:
        case = await visits.get(session, visit_id, who.scope)
        found = await notes.of_visit(session, visit_id, shared_only=who.role(case) is Role.PATIENT)
        return NoteList(items=[await _shown(session, case, who, note) for note in found])


async def _answer(act: VisitActs, case: VisitCase, who: Caller, note_id: str) -> NoteView:
    async with act.services.database.transaction() as session:
        return await _shown(session, case, who, await notes.get(session, case.visit.id, note_id))


async def _shown(session: AsyncSession, case: VisitCase, who: Caller, note: Note) -> NoteView:
    """Nothing is shown without a trace."""
    reader = who.actor(case)
    await disclose(session, case.patient_id, reader.role, reader.id, f"note:{note.id}")
    return NoteView.model_validate(note)
