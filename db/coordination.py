"""Help with arranging in-person care that a specialist recommended (E-17, decision 10)."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import CoordinationTask
from domain.errors import NotFound


async def page(session: AsyncSession, *, done: bool | None, after: str | None, limit: int) -> list[CoordinationTask]:
    """Up to `limit` tasks with keys after `after`; keys sort as their eConsults were ordered."""
    statement = select(CoordinationTask).order_by(col(CoordinationTask.key)).limit(limit)
    if done is not None:
        finished = col(CoordinationTask.done_at)
        statement = statement.where(finished.is_not(None) if done else finished.is_(None))
    if after is not None:
        statement = statement.where(col(CoordinationTask.key) > after)
    return list((await session.exec(statement)).all())


async def finish(session: AsyncSession, key: str, by: str) -> CoordinationTask:
    """Mark a task done; who did it first stays. Raises `NotFound` (`coordination_task.unknown`)."""
    task = await session.get(CoordinationTask, key, with_for_update=True)
    if task is None:
        raise NotFound("coordination_task.unknown", "there is no such task")
    if task.done_at is None:
        task.done_at, task.done_by = datetime.now(UTC), by
    return task
