"""How notes flow: the text is kept, the visit's process takes it; where none runs, the records do so themselves."""

from __future__ import annotations

from api.callers import Caller
from api.visit_acting import VisitActs
from db import notes
from db.tables import Note
from db.visits import VisitCase
from domain import names
from domain.errors import Refused
from domain.visit.acts import SaveNote
from domain.visit.states import NoteStatus
from workflows.visit.workflow import Visit


async def write(act: VisitActs, case: VisitCase, who: Caller, status: NoteStatus, body: str) -> Note:
    """Bring a note into the visit, once for its id. Raises what `Cases.ask` and `rules.may_note` raise."""
    note = Note(id=act.record_id(who), visit_id=case.visit.id, author_id=case.clinician_id, status=status, body=body)
    async with act.bringing(note):
        await save(act, who, note, status)
    return note


async def save(act: VisitActs, who: Caller, note: Note, status: NoteStatus) -> None:
    """Let the note count, and the patient see it when it is complete. Raises as `write`."""
    asked = SaveNote(actor=..., note_id=note.id, status=status)
