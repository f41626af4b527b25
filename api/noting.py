"""How notes flow: the text is kept, the visit's process takes it; where none runs, the records do so themselves."""

from __future__ import annotations

from api.callers import Caller
from api.visit_acting import VisitActs
from db import notes
from db.tables import Note
from db.visits import VisitCase
from domain import names
from domain.errors import NotFound, Refused
from domain.visit.acts import SaveNote
from domain.visit.states import NoteStatus
from workflows.visit.workflow import Visit


async def write(act: VisitActs, case: VisitCase, who: Caller, status: NoteStatus, body: str) -> str:
    """Bring a note into the visit, once for its id, which is the answer. Raises as `_save`."""
    note = Note(id=act.record_id(who), visit_id=case.visit.id, author_id=case.clinician_id, status=status, body=body)
    async with act.bringing(note):
        await _save(act, case, who, note, status)
    return note.id


async def complete(act: VisitActs, case: VisitCase, who: Caller, note_id: str) -> None:
    """Done before, it changes nothing. Raises `NotFound` (`note.unknown`), also for another's note, and as `_save`."""
    async with act.services.database.transaction() as session:
        note = await notes.get(session, case.visit.id, note_id)
    if note.author_id != who.scope.clinician_id:
        raise NotFound("note.unknown", "there is no such note")
    if note.status != NoteStatus.COMPLETE:
        await _save(act, case, who, note, NoteStatus.COMPLETE)


async def _save(act: VisitActs, case: VisitCase, who: Caller, note: Note, status: NoteStatus) -> None:
    """Raises what `Cases.ask` and `rules.may_note` raise."""
    asked = SaveNote(actor=who.actor(case), note_id=note.id, status=status)
    try:
        await act.update(names.visit_case(case.visit.id), who, Visit.save_note, asked)
    except Refused as refusal:
        if refusal.code != "case.not_running":
            raise
        async with act.services.database.transaction() as session:
            await notes.save_without_process(session, note, status, act.services.clock())
