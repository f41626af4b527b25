"""Verified webhooks, each kept once by the provider's own event id."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import OutboxNotice, WebhookEvent
from domain import names
from domain.actors import Audience
from domain.notices import WEBHOOK_UNDELIVERABLE

NO_CASE = "webhook.no_case"

STRIPE = "stripe"
TWILIO = "twilio"

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


async def give_up(session: AsyncSession, provider: str, event_id: str, econsult_id: str | None) -> None:
    """Mark an event that no running case ever claimed, and tell people of it if money moved; once."""
    given_up = await session.exec(
        update(WebhookEvent)
        .where(
            col(WebhookEvent.provider) == provider,
            col(WebhookEvent.event_id) == event_id,
            col(WebhookEvent.status) == "received",
        )
        .values(
            status="undeliverable",
            code=NO_CASE,
            attempts=col(WebhookEvent.attempts) + 1,
            econsult_id=func.coalesce(econsult_id, col(WebhookEvent.econsult_id)),
        )
        .returning(col(WebhookEvent.event_id))
    )
    if given_up.first() is None or provider != STRIPE:
        return
    case_id = names.webhook_case(provider, event_id)
    for audience in (Audience.SUPPORT, Audience.OPERATIONS):
        notice = {
            "key": names.operation_key(case_id, "notice", audience, WEBHOOK_UNDELIVERABLE),
            "case_id": case_id,
            "audience": audience,
            "template": WEBHOOK_UNDELIVERABLE,
            "queued_at": func.now(),
            "status": "pending",
            "attempts": 0,
        }
        await session.exec(insert(OutboxNotice).values(notice).on_conflict_do_nothing())
