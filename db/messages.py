"""The texts inside a consult."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import Message


async def thread(session: AsyncSession, econsult_id: str) -> list[Message]:
    """What the workflow has accepted, in that order."""
    statement = (
        select(Message)
        .where(col(Message.econsult_id) == econsult_id, col(Message.accepted_at).is_not(None))
        .order_by(col(Message.accepted_at), col(Message.id))
    )
    return list((await session.exec(statement)).all())
