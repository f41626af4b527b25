"""Photos and diagnostics of patients."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import AssignmentRow, Attachment, EConsult
from domain.econsult.states import AssignmentStatus
from domain.errors import NotFound

NO_LONGER_THEIRS = (AssignmentStatus.DECLINED, AssignmentStatus.WITHDRAWN)


class AttachmentInfo(NamedTuple):
    """What is known of an attachment without opening it."""

    id: str
    patient_id: str
    uploaded_by: str
    kind: str
    media_type: str
    title: str
    size_bytes: int
    created_at: datetime


_COLUMNS = tuple(getattr(Attachment, name) for name in AttachmentInfo._fields)


async def add(session: AsyncSession, attachment: Attachment) -> AttachmentInfo:
    session.add(attachment)
    await session.flush()
    return AttachmentInfo(*(getattr(attachment, name) for name in AttachmentInfo._fields))


async def get_info(session: AsyncSession, attachment_id: str) -> AttachmentInfo:
    """Raises `NotFound` (`attachment.unknown`)."""
    row = (await session.exec(select(*_COLUMNS).where(col(Attachment.id) == attachment_id))).one_or_none()
    if row is None:
        raise unknown()
    return AttachmentInfo(*row)


async def get_content(session: AsyncSession, attachment_id: str) -> bytes:
    """The bytes of an attachment that is known to exist."""
    return (await session.exec(select(Attachment.content).where(col(Attachment.id) == attachment_id))).one()


def unknown() -> NotFound:
    return NotFound("attachment.unknown", "there is no such attachment")


async def case_for_specialist(session: AsyncSession, attachment_id: str, specialist_id: str) -> str | None:
    """An eConsult that refers to the attachment and whose latest assignment is this specialist's, still theirs."""
    later = aliased(AssignmentRow)
    latest_number = (
        select(func.max(later.number))
        .where(later.econsult_id == col(EConsult.id))
        .correlate(EConsult)
        .scalar_subquery()
    )
    statement = (
        select(EConsult.id)
        .join(AssignmentRow, col(AssignmentRow.econsult_id) == col(EConsult.id))
        .where(
            col(AssignmentRow.specialist_id) == specialist_id,
            col(AssignmentRow.status).not_in(NO_LONGER_THEIRS),
            col(AssignmentRow.number) == latest_number,
            col(EConsult.attachment_ids).contains([attachment_id]),
        )
        .limit(1)
    )
    return (await session.exec(statement)).first()
