"""What an order refers to: notes of its visit, attachments of its patient."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import Attachment, Note
from domain.errors import NotFound


class AttachmentLine(NamedTuple):
    id: str
    kind: str
    media_type: str
    title: str


async def check_notes(session: AsyncSession, visit_id: str, note_ids: Collection[str]) -> None:
    """Raises `NotFound` (`note.unknown`) unless every note is one of the visit."""
    saved = col(Note.saved_at).is_not(None)
    statement = select(Note.id).where(col(Note.visit_id) == visit_id, col(Note.id).in_(note_ids), saved)
    if set(note_ids) - set((await session.exec(statement)).all()):
        raise NotFound("note.unknown", "a note that is referred to is not one of this visit")


async def attachment_kinds(session: AsyncSession, patient_id: str, ids: Collection[str]) -> dict[str, str]:
    """Kind by id. Raises `NotFound` (`attachment.unknown`) unless every attachment is the patient's."""
    statement = select(Attachment.id, Attachment.kind).where(
        col(Attachment.patient_id) == patient_id, col(Attachment.id).in_(ids)
    )
    kinds = dict((await session.exec(statement)).all())
    if set(ids) - set(kinds):
        raise NotFound("attachment.unknown", "an attachment that is referred to is not one of this patient")
    return kinds


async def attachment_lines(session: AsyncSession, ids: Collection[str]) -> list[AttachmentLine]:
    statement = (
        select(Attachment.id, Attachment.kind, Attachment.media_type, Attachment.title)
        .where(col(Attachment.id).in_(ids))
        .order_by(col(Attachment.id))
    )
    return [AttachmentLine(*row) for row in await session.exec(statement)]


async def notes(session: AsyncSession, ids: Collection[str]) -> list[Note]:
    statement = select(Note).where(col(Note.id).in_(ids)).order_by(col(Note.id))
    return list((await session.exec(statement)).all())
