"""Reading what happened to a case."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import Timeline


async def page(session: AsyncSession, case_id: str, *, after: int, limit: int) -> list[Timeline]:
    """Up to `limit` steps that follow the one numbered `after`, in order."""
    statement = (
        select(Timeline)
        .where(col(Timeline.case_id) == case_id, col(Timeline.sequence) > after)
        .order_by(col(Timeline.sequence))
        .limit(limit)
    )
    return list((await session.exec(statement)).all())
