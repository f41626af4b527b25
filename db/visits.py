"""Visits, and the notes written about them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import Note, Visit
from domain.errors import NotFound
from domain.visit.states import VisitStatus


async def add_visit(session: AsyncSession, visit: Visit) -> Visit:
    session.add(visit)
    await session.flush()
    return visit


async def get_visit(session: AsyncSession, visit_id: str, *, lock: bool = False) -> Visit:
    """The visit with this id, locked until the transaction ends if asked. Raises `NotFound` (`visit.unknown`)."""
    visit = await session.get(Visit, visit_id, with_for_update=lock)
    if visit is None:
        raise unknown_visit()
    return visit


def unknown_visit() -> NotFound:
    return NotFound("visit.unknown", "there is no such visit")


async def has_met(session: AsyncSession, clinician_id: str, patient_id: str) -> bool:
    """Whether a visit of the two has begun: one that is only scheduled opens nothing."""
    return await _has_visit(session, clinician_id, patient_id, (VisitStatus.IN_PROGRESS, VisitStatus.COMPLETED))


async def has_visit(session: AsyncSession, clinician_id: str, patient_id: str) -> bool:
    """Whether the clinician has, or had, a visit with the patient; a cancelled one does not count."""
    return await _has_visit(
        session, clinician_id, patient_id, [status for status in VisitStatus if status is not VisitStatus.CANCELLED]
    )


async def _has_visit(session: AsyncSession, clinician_id: str, patient_id: str, statuses: Iterable[str]) -> bool:
    statement = (
        select(Visit.id)
        .where(
            col(Visit.clinician_id) == clinician_id,
            col(Visit.patient_id) == patient_id,
            col(Visit.status).in_(statuses),
        )
        .limit(1)
    )
    return (await session.exec(statement)).first() is not None


async def add_note(session: AsyncSession, note: Note) -> Note:
    session.add(note)
    await session.flush()
    return note


async def list_notes(session: AsyncSession, visit_id: str) -> list[Note]:
    """The notes of a visit, oldest first."""
    statement = select(Note).where(col(Note.visit_id) == visit_id).order_by(col(Note.id))
    return list((await session.exec(statement)).all())
