"""Clinical notes: kept before they count, part of a visit once saved, shown to the patient once shared."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import StepDetail, step_identity
from db import outbox, visits
from db.tables import Note
from domain import names
from domain.errors import NotFound
from domain.visit import rules
from domain.visit.states import NoteStatus, VisitEvent


async def save(session: AsyncSession, note_id: str, status: NoteStatus, at: datetime) -> None:
    """Make it part of its visit, and share it when it is complete.

    A draft becomes complete and never the other way; what was shared stays shared since then (V-15, V-16).
    """
    values: dict[str, object] = {"saved_at": func.coalesce(col(Note.saved_at), at)}
    if status is NoteStatus.COMPLETE:
        values |= {"status": NoteStatus.COMPLETE, "shared_at": func.coalesce(col(Note.shared_at), at)}
    await session.exec(update(Note).where(col(Note.id) == note_id).values(values))


async def get(session: AsyncSession, visit_id: str, note_id: str) -> Note:
    """A saved note of the visit. Raises `NotFound` (`note.unknown`)."""
    statement = select(Note).where(
        col(Note.id) == note_id, col(Note.visit_id) == visit_id, col(Note.saved_at).is_not(None)
    )
    # A note that this session has read before may have been saved since.
    found = (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("note.unknown", "there is no such note")
    return found


async def of_visit(session: AsyncSession, visit_id: str, *, shared_only: bool) -> list[Note]:
    """The saved notes of a visit, oldest first, or those that the patient may see."""
    shown = Note.shared_at if shared_only else Note.saved_at
    statement = select(Note).where(col(Note.visit_id) == visit_id, col(shown).is_not(None))
    return list((await session.exec(statement.order_by(col(Note.created_at), col(Note.id)))).all())


async def save_without_process(session: AsyncSession, note: Note, status: NoteStatus, at: datetime) -> None:
    """What a step of the visit's process would do, where none runs any more: the note counts, the patient is told once.

    Raises as `rules.may_note`.
    """
    visit = await visits.get_visit(session, note.visit_id, lock=True)
    rules.may_note(visit.status)
    await save(session, note.id, status, at)
    if status is NoteStatus.COMPLETE:
        told = step_identity(VisitEvent.NOTE_SAVED, StepDetail(subject=note.id))
        await outbox.queue_for_patient(session, names.visit_case(visit.id), told, "note_shared", at)
