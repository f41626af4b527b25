"""Keeping what Twilio reports of calls and texts, and telling visits how calls ended."""

from __future__ import annotations

from typing import Literal

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.service import RPCError

from api.dependencies import Services
from api.webhooks.inbox import Taken
from db import calls, outbox, webhook_inbox
from db.tables import WebhookEvent
from domain.text_deliveries import TextReport
from domain.visit_calls import CallEvent, CallReport

PROVIDER = webhook_inbox.TWILIO

log = structlog.get_logger(__name__)


async def take_call(services: Services, report: CallReport) -> Taken:
    """Keep the event, once, with what it changes in its attempt. The visit hears of how the call ended, only."""
    async with services.database.transaction() as session:
        event = await calls.record(session, report)
        kept = WebhookEvent(
            provider=PROVIDER,
            event_id=report.event_id,
            type="call",
            event=event.model_dump(mode="json") if event else None,
            status=_status(event),
            code=None if event else "webhook.attempt_unknown",
        )
        return await _store(session, kept)


async def take_text(services: Services, report: TextReport) -> Taken:
    """Keep the event, once, with what it changes in its notice."""
    async with services.database.transaction() as session:
        known = await outbox.record_delivery(session, report)
        kept = WebhookEvent(
            provider=PROVIDER,
            event_id=report.event_id,
            type="message",
            status="delivered" if known else "ignored",
            code=None if known else "webhook.notice_unknown",
        )
        return await _store(session, kept)


async def deliver_call(services: Services, event_id: str) -> None:
    """Tell the visit. What cannot be delivered now stays received, and the sweep tries again."""
    async with services.database.transaction() as session:
        event = CallEvent.model_validate((await webhook_inbox.get(session, PROVIDER, event_id)).event)
    told = False
    try:
        told = await services.cases.report_call(event.visit_id, event)
    except (RPCError, RuntimeError) as error:
        # A lazy client's first connection fails with a RuntimeError.
        log.warning("webhook_delivery_put_off", event_id=event_id, error=type(error).__name__)
    async with services.database.transaction() as session:
        await webhook_inbox.tried(session, PROVIDER, event_id, "delivered" if told else "received")


def _status(event: CallEvent | None) -> str:
    if event is None:
        return "ignored"
    return "received" if event.outcome else "delivered"


async def _store(session: AsyncSession, event: WebhookEvent) -> Taken:
    new = await webhook_inbox.store(session, event)
    kept = await webhook_inbox.get(session, PROVIDER, event.event_id)
    outcome: Literal["accepted", "ignored"] = "ignored" if kept.status == "ignored" else "accepted"
    return Taken(outcome=outcome if new else "duplicate", code=kept.code, to_deliver=kept.status == "received")
