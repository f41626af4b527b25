"""What steps of a visit bring with them."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import RecordNoShow, RecordStepInput, SaveNote, SaveVisit, VoidNoShow
from db import notes
from db.tables import NoShow, Visit


async def save_visit(session: AsyncSession, _: RecordStepInput, effect: SaveVisit) -> None:
    values = {
        "status": effect.status,
        "scheduled_start": effect.starts_at,
        "started_at": effect.started_at,
        "completed_at": effect.completed_at,
    }
    await session.exec(update(Visit).where(col(Visit.id) == effect.visit_id).values(values))


async def save_note(session: AsyncSession, step: RecordStepInput, effect: SaveNote) -> None:
    await notes.save(session, effect.note_id, effect.status, step.at)


async def record_no_show(session: AsyncSession, step: RecordStepInput, effect: RecordNoShow) -> None:
    row = {"visit_id": effect.visit_id, "patient_id": effect.patient_id, "flagged_at": step.at}
    await session.exec(insert(NoShow).values(row).on_conflict_do_nothing())


async def void_no_show(session: AsyncSession, step: RecordStepInput, effect: VoidNoShow) -> None:
    undone = update(NoShow).where(col(NoShow.visit_id) == effect.visit_id, col(NoShow.voided_at).is_(None))
    await session.exec(undone.values(voided_at=step.at))
