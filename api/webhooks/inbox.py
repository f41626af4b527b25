"""Keeping a payment event, and telling its case."""

from __future__ import annotations

from typing import Literal

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.service import RPCError

from api.dependencies import Services
from api.webhooks.stripe_events import StripeEvent
from db import econsults, webhook_inbox
from db.tables import WebhookEvent
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.econsult.payments import amount_fault
from domain.errors import NotFound
from domain.ledger import Price
from domain.model import Value

PROVIDER = webhook_inbox.STRIPE

log = structlog.get_logger(__name__)


class Taken(Value):
    outcome: Literal["accepted", "duplicate", "ignored"]
    code: str | None = None
    to_deliver: bool = False


async def take(services: Services, received: StripeEvent, event: PaymentEvent | None) -> Taken:
    """Keep the event, once. `event` is None for a type that we do not follow."""
    async with services.database.transaction() as session:
        econsult_id = event.case_id if event else None
        if event and econsult_id is None and event.payment_id:
            econsult_id = await econsults.of_payment(session, event.payment_id)
        code = await _remark(session, event, econsult_id)
        new = await webhook_inbox.store(
            session,
            WebhookEvent(
                provider=PROVIDER,
                event_id=received.id,
                type=received.type,
                event=event.model_dump(mode="json") if event else None,
                econsult_id=econsult_id,
                status="received" if event else "ignored",
                code=code,
            ),
        )
        kept = await webhook_inbox.get(session, PROVIDER, received.id)
    outcome: Literal["accepted", "duplicate", "ignored"] = "accepted" if event else "ignored"
    return Taken(outcome=outcome if new else "duplicate", code=kept.code, to_deliver=kept.status == "received")


async def _remark(session: AsyncSession, event: PaymentEvent | None, econsult_id: str | None) -> str | None:
    """What is odd about an event that is kept all the same: the case deals with it."""
    if event is None:
        return "webhook.event_unknown"
    if econsult_id is None:
        return "webhook.case_unknown"
    if event.kind is not PaymentEventKind.SUCCEEDED:
        return None
    try:
        order = (await econsults.get(session, econsult_id)).order
    except NotFound:
        return "webhook.case_unknown"
    price = Price(
        network_fee_cents=order.network_fee_cents,
        clinician_portion_cents=order.clinician_portion_cents,
        currency=order.currency,
    )
    return amount_fault(event.amount_cents, event.currency, price)


async def deliver(services: Services, event_id: str) -> None:
    """Tell the case. What cannot be delivered now stays received, and the sweep tries again."""
    async with services.database.transaction() as session:
        kept = await webhook_inbox.get(session, PROVIDER, event_id)
        event = PaymentEvent.model_validate(kept.event)
        econsult_id = kept.econsult_id
        if econsult_id is None and event.payment_id:
            econsult_id = await econsults.of_payment(session, event.payment_id)
    told = False
    if econsult_id is not None:
        try:
            told = await services.cases.report_payment(econsult_id, event)
        except (RPCError, RuntimeError) as error:
            # A lazy client's first connection fails with a RuntimeError.
            log.warning("webhook_delivery_put_off", event_id=event_id, error=type(error).__name__)
    async with services.database.transaction() as session:
        await webhook_inbox.tried(session, PROVIDER, event_id, "delivered" if told else "received", econsult_id)
