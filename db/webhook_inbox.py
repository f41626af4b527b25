"""Verified webhooks, each kept once by the provider's own event id."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import WebhookEvent

Status = Literal["received", "delivered", "ignored", "undeliverable"]


async def store(session: AsyncSession, event: WebhookEvent) -> bool:
    """Keep the event; False when it is there already, whose row then stays as it is."""
    written = await session.exec(
        insert(WebhookEvent)
        .values(event.model_dump(exclude={"received_at"}))
        .on_conflict_do_nothing()
        .returning(col(WebhookEvent.event_id))
    )
    return written.first() is not None


async def get(session: AsyncSession, provider: str, event_id: str) -> WebhookEvent:
    return await session.get_one(WebhookEvent, (provider, event_id))


async def tried(
    session: AsyncSession, provider: str, event_id: str, status: Status, econsult_id: str | None = None
) -> None:
    """Note a try to deliver: what the event's status is now, and the case where that was found out."""
    values: dict[str, object] = {"status": status, "attempts": col(WebhookEvent.attempts) + 1}
    if status == "delivered":
        values["delivered_at"] = datetime.now(UTC)
    if econsult_id is not None:
        values["econsult_id"] = econsult_id
    await session.exec(
        update(WebhookEvent)
        .where(col(WebhookEvent.provider) == provider, col(WebhookEvent.event_id) == event_id)
        .values(values)
    )
