"""Rows written before an act that may be refused: texts, notes, reasons, a visit to be booked.

Such a row counts for nothing until the workflow has accepted the act, and goes when it was refused.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement, delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from db import visits
from db.tables import Message, Note, RefundRequestRow, RolloutEvidence, ThreadMessage, Visit
from domain.errors import Invalid

Row = TypeVar("Row", Message, Note, RefundRequestRow, RolloutEvidence, ThreadMessage, Visit)

_SET_LATER = {"accepted_at", "created_at", "saved_at", "sequence", "shared_at", "status"}


async def keep(session: AsyncSession, draft: Row) -> bool:
    """Write the row; False when an earlier try has written it.

    Raises `Invalid` (`request.idempotency_key_reused`) when that try said something else.
    """
    table = type(draft)
    written = await session.exec(
        insert(table)
        .values(draft.model_dump(exclude={"created_at"}))
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(col(table.id))
    )
    if written.first() is not None:
        return True
    earlier = await session.get_one(table, draft.id)
    if isinstance(draft, Visit):
        visits.check_same(earlier, draft)
    elif earlier.model_dump(exclude=_SET_LATER) != draft.model_dump(exclude=_SET_LATER):
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")
    return False


async def discard(session: AsyncSession, draft: Row) -> None:
    """Delete the row, unless an act that came before the refused one has made it count."""
    table = type(draft)
    await session.exec(delete(table).where(col(table.id) == draft.id, *_untouched(draft)))


def _untouched(draft: Row) -> list[ColumnElement[bool]]:
    if isinstance(draft, Message):
        return [col(Message.accepted_at).is_(None)]
    if isinstance(draft, ThreadMessage):
        return [col(ThreadMessage.accepted_at).is_(None)]
    if isinstance(draft, Note):
        return [col(Note.saved_at).is_(None)]
    if isinstance(draft, Visit):
        return [col(Visit.status) == draft.status, col(Visit.started_at).is_(None)]
    return []
