"""Clinical notes of a visit: written here, by its clinician; shared with the patient once complete (V-12 to V-16)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from api import noting
from api.acting import IdempotencyKey
from api.callers import Caller, caller
from api.dependencies import AppServices
from api.problems import responses
from api.schemas.visits import Reference
from api.values import RecordId
from api.visit_acting import VisitActsOfRequest
from db import notes, visits
from db.disclosures import disclose
from db.tables import Note
from domain.access import Role
from domain.visit.states import NoteStatus

router = APIRouter(prefix="/visits/{visit_id}/notes", tags=["visits"])
PROBLEMS = responses(401, 403, 404, 409, 422, 503)

_EXAMPLE: JsonDict = {
    "status": "complete",
    "body": "Two weeks of palpitations at rest, no syncope. Working diagnosis: PVCs.",
}

ItsClinician = Annotated[Caller, caller(Role.CLINICIAN)]
Readers = Annotated[Caller, caller(Role.CLINICIAN, Role.PATIENT)]
...
