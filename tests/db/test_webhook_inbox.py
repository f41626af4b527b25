"""A webhook that no case ever claims is given up, and people hear of it, once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from activities.notices import NoticeDelivery
from activities.ports import Email, PendingWebhook
from db import webhook_inbox
from db.outbox import SqlOutbox
from db.session import Database
from db.sweep import WAIT_FOR_CASE, SqlWebhookInbox
from db.tables import WebhookEvent
from domain.actors import Audience
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from integrations.templates import TemplateRenderer
from tests.db.notices import rows

EVENT_ID = "evt_1OpaqueEvent"
STAFF = {Audience.SUPPORT: "support@example.com", Audience.OPERATIONS: "operations@example.com"}


@dataclass
class Post:
    """The port `Mailer`."""

    mails: list[Email] = field(default_factory=list)

    async def send(self, email: Email) -> None:
        self.mails.append(email)


class Pages:
    def payment_link(self, econsult_id: str, number: int) -> str:
        raise AssertionError("no case, no link")


def dispute() -> PaymentEvent:
    return PaymentEvent(
        event_id=EVENT_ID,
        kind=PaymentEventKind.DISPUTE_OPENED,
        case_id=None,
        session_id=None,
        payment_id="pi_of_nobody",
        amount_cents=14_000,
        currency="usd",
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
        reference="dp_1",
        outcome="needs_response",
    )


async def arrived(database: Database, age: timedelta) -> PendingWebhook:
    """A dispute about a payment that no case knows, stored that long ago and now up for delivery."""
    async with database.transaction() as session:
        session.add(
            WebhookEvent(
                provider="stripe",
                event_id=EVENT_ID,
                type="charge.dispute.created",
                event=dispute().model_dump(mode="json"),
                received_at=datetime.now(UTC) - age,
            )
        )
    (pending,) = await SqlWebhookInbox(database).pending(10)
    return pending


async def stored(database: Database) -> WebhookEvent:
    async with database.transaction() as session:
        return await webhook_inbox.get(session, "stripe", EVENT_ID)


async def test_one_that_still_may_find_its_case_waits_and_nobody_is_told(database: Database) -> None:
    webhook = await arrived(database, WAIT_FOR_CASE - timedelta(hours=1))
    await SqlWebhookInbox(database).mark_undelivered(webhook)
    event = await stored(database)
    assert (event.status, event.code, event.attempts) == ("received", None, 1)
    assert await rows(database) == []


async def test_support_and_operations_are_told_of_one_given_up_once(database: Database) -> None:
    webhook = await arrived(database, WAIT_FOR_CASE + timedelta(minutes=1))
    inbox = SqlWebhookInbox(database)
    await asyncio.gather(inbox.mark_undelivered(webhook), inbox.mark_undelivered(webhook))
    await inbox.mark_undelivered(webhook)
    event = await stored(database)
    assert (event.status, event.code, event.attempts) == ("undeliverable", "webhook.no_case", 1)
    assert {(row.audience, row.case_id, row.template) for row in await rows(database)} == {
        ("support", f"webhook:stripe:{EVENT_ID}", "webhook_undeliverable"),
        ("operations", f"webhook:stripe:{EVENT_ID}", "webhook_undeliverable"),
    }
    assert len(await rows(database)) == 2


async def test_one_that_was_delivered_in_between_is_not_given_up(database: Database) -> None:
    webhook = await arrived(database, WAIT_FOR_CASE + timedelta(minutes=1))
    inbox = SqlWebhookInbox(database)
    await inbox.mark_delivered(webhook)
    await inbox.mark_undelivered(webhook)
    assert (await stored(database)).status == "delivered"
    assert await rows(database) == []


async def test_the_letter_goes_out_and_names_the_event_to_look_up(database: Database) -> None:
    await SqlWebhookInbox(database).mark_undelivered(await arrived(database, WAIT_FOR_CASE + timedelta(minutes=1)))
    post = Post()
    renderer = TemplateRenderer(Pages(), brand="Sesame", clinician_contact="c", patient_contact="p")
    delivery = NoticeDelivery(SqlOutbox(database, STAFF), post, None, renderer)
    assert await delivery.deliver_due(10) == 2
    assert sorted(mail.to for mail in post.mails) == ["operations@example.com", "support@example.com"]
    for mail in post.mails:
        assert f"Case: webhook:stripe:{EVENT_ID}\n" in mail.text
    assert {row.status for row in await rows(database)} == {"sent"}
