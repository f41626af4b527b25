"""The outbox: each notice goes out, to the right reader, and not twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from activities.notices import NoticeDelivery, NudgingRecords, message_id
from activities.ports import Email, Letter, OutgoingNotice, TextMessage, TextReceipt
from db import outbox
from db.outbox import SqlOutbox
from db.session import Database
from domain.actors import Audience
from domain.errors import CarewaveError, GatewayRejected, GatewayUnavailable
from domain.notices import MAX_ATTEMPTS, wait_after
from tests.db.notices import NOON, STAFF, add_people, queue, row, rows, wait_is_over, was_tried

OPTED_OUT = GatewayRejected("text.opted_out", "opted out")
AWAY = GatewayUnavailable("mail.unavailable", "away")


@dataclass
class Post:
    """Mail and texts, as far as they were handed over."""

    mails: list[Email] = field(default_factory=list)
    texts: list[TextMessage] = field(default_factory=list)
    rendered: list[OutgoingNotice] = field(default_factory=list)
    mail_fault: Exception | None = None
    text_fault: CarewaveError | None = None
    busy: asyncio.Event | None = None
    """Mail waits for it."""
    handed_over: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released with each mail."""

    def delivery(self, database: Database, *, texting: bool = True) -> NoticeDelivery:
        return NoticeDelivery(SqlOutbox(database, STAFF), _Mail(self), _Texts(self) if texting else None, _Words(self))


@dataclass
class _Mail:
    post: Post

    async def send(self, email: Email) -> None:
        if self.post.mail_fault:
            raise self.post.mail_fault
        self.post.mails.append(email)
        self.post.handed_over.release()
        if self.post.busy:
            await self.post.busy.wait()


@dataclass
class _Texts:
    post: Post

    async def send(self, message: TextMessage) -> TextReceipt:
        if self.post.text_fault:
            raise self.post.text_fault
        self.post.texts.append(message)
        return TextReceipt(message_sid="SM1", status="queued")


@dataclass
class _Words:
    post: Post

    def render(self, notice: OutgoingNotice) -> Letter:
        self.post.rendered.append(notice)
        return Letter(subject=notice.template, text="A letter.\n")


@pytest.fixture
async def house(database: Database) -> Database:
    await add_people(database)
    return database


async def test_sends_what_a_step_calls_for_to_its_readers(house: Database) -> None:
    await queue(
        house,
        (Audience.PATIENT, "payment_link"),
        (Audience.CLINICIAN, "order_paid"),
        (Audience.SPECIALIST, "case_offered"),
        (Audience.OPERATIONS, "reassignment_offered"),
    )
    post = Post()
    assert await post.delivery(house).deliver_due(10) == 4
    assert {mail.subject: mail.to for mail in post.mails} == {
        "payment_link": "patient@example.com",
        "order_paid": "clinician@example.com",
        "case_offered": "specialist@example.com",
        "reassignment_offered": "operations@example.com",
    }
    assert {row.status for row in await rows(house)} == {"sent"}


async def test_tells_the_price_of_the_order_and_the_zone_of_the_reader(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "payment_link"))
    post = Post()
    await post.delivery(house).deliver_due(10)
    notice = post.rendered[0]
    assert (notice.price_cents, notice.currency) == (15_500, "usd")
    assert (notice.time_zone, notice.link_number) == ("America/Chicago", 1)
    assert notice.link_expires_at == NOON + timedelta(days=7)
    assert "patient@example.com" not in repr(notice)


async def test_sends_once_however_often_a_step_is_recorded(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "payment_link"))
    await queue(house, (Audience.PATIENT, "payment_link"))
    post = Post()
    delivery = post.delivery(house)
    assert [await delivery.deliver_due(10), await delivery.deliver_due(10)] == [1, 0]
    assert len(post.mails) == 1


async def test_two_workers_never_send_the_same_notice(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "payment_link"), (Audience.CLINICIAN, "order_paid"))
    post = Post(busy=asyncio.Event())
    first = asyncio.create_task(post.delivery(house).deliver_due(1))
    second = asyncio.create_task(post.delivery(house).deliver_due(1))
    third = post.delivery(house)
    for _ in range(2):
        await asyncio.wait_for(post.handed_over.acquire(), 10)
    assert await third.deliver_due(10) == 0
    assert post.busy is not None
    post.busy.set()
    assert [await first, await second] == [1, 1]
    assert {mail.subject for mail in post.mails} == {"payment_link", "order_paid"}


async def test_a_worker_that_dies_between_sending_and_marking_leaves_the_notice_due(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "payment_link"))
    post = Post(busy=asyncio.Event())
    dying = asyncio.create_task(post.delivery(house).deliver_due(1))
    await asyncio.wait_for(post.handed_over.acquire(), 10)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    post.busy = None
    assert await post.delivery(house).deliver_due(10) == 1
    first, again = post.mails
    assert first.message_id == again.message_id


async def test_waits_longer_after_each_attempt_in_vain(house: Database) -> None:
    await queue(house, (Audience.CLINICIAN, "order_paid"))
    post = Post(mail_fault=AWAY)
    for attempt, expected in enumerate([30, 60, 120], start=1):
        before = datetime.now(UTC)
        assert await post.delivery(house).deliver_due(10) == 0
        tried = await row(house, "order_paid")
        assert (tried.status, tried.attempts, tried.error_code) == ("pending", attempt, "mail.unavailable")
        assert timedelta(seconds=expected - 5) < tried.not_before - before < timedelta(seconds=expected + 30)
        await wait_is_over(house)
    post.mail_fault = None
    assert await post.delivery(house).deliver_due(10) == 1
    sent = await row(house, "order_paid")
    assert (sent.status, sent.error_code) == ("sent", None)
    assert sent.sent_at is not None


def test_gives_up_about_a_day_after_the_first_attempt() -> None:
    waits = [wait_after(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    known = [wait for wait in waits if wait is not None]
    assert len(known) == MAX_ATTEMPTS - 1
    assert max(known) == timedelta(hours=1)
    assert timedelta(hours=23) < sum(known, timedelta()) < timedelta(hours=25)
    assert wait_after(MAX_ATTEMPTS) is None


async def test_gives_up_after_the_last_attempt(house: Database) -> None:
    await queue(house, (Audience.CLINICIAN, "order_paid"))
    await was_tried(house, MAX_ATTEMPTS - 1)
    await Post(mail_fault=AWAY).delivery(house).deliver_due(10)
    assert (await row(house, "order_paid")).status == "failed"


async def test_gives_up_at_once_on_an_address_refused_for_good(house: Database) -> None:
    await queue(house, (Audience.CLINICIAN, "order_paid"))
    await Post(mail_fault=GatewayRejected("mail.address_refused", "no")).delivery(house).deliver_due(10)
    async with house.transaction() as session:
        failed = await outbox.failed(session, after=None, limit=10)
    assert [(row.template, row.error_code) for row in failed] == [("order_paid", "mail.address_refused")]


async def test_a_faulty_notice_does_not_hold_up_the_others(house: Database) -> None:
    await queue(house, (Audience.CLINICIAN, "order_paid"))
    await Post(mail_fault=KeyError("a fault of ours")).delivery(house).deliver_due(10)
    faulty = await row(house, "order_paid")
    assert (faulty.status, faulty.error_code) == ("pending", "notice.unforeseen")
    await queue(house, (Audience.PATIENT, "payment_link"), sequence=2)
    assert await Post().delivery(house).deliver_due(10) == 1


async def test_fails_when_there_is_nobody_to_tell(house: Database) -> None:
    await queue(house, (Audience.SUPPORT, "refund_requested"))  # no address was configured
    await Post().delivery(house).deliver_due(10)
    assert (await row(house, "refund_requested")).error_code == "notice.no_recipient"


async def test_texts_a_patient_beside_the_letter(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "payment_reminder"), (Audience.PATIENT, "payment_link"))
    post = Post()
    assert await post.delivery(house).deliver_due(10) == 3
    assert [(text.to, text.key.rsplit(":", 1)[1]) for text in post.texts] == [("+13125550100", "payment_reminder_text")]
    assert (await row(house, "payment_reminder_text")).provider_id == "SM1"


async def test_texts_even_when_the_letter_fails_and_only_once(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "result_available"))
    post = Post(mail_fault=AWAY)
    assert await post.delivery(house).deliver_due(10) == 1
    await wait_is_over(house)
    post.mail_fault = None
    assert await post.delivery(house).deliver_due(10) == 1
    assert (len(post.mails), len(post.texts)) == (1, 1)


async def test_a_text_refused_by_an_opt_out_is_recorded_and_no_failure(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "payment_reminder"))
    post = Post(text_fault=OPTED_OUT)
    assert await post.delivery(house).deliver_due(10) == 1
    assert [mail.subject for mail in post.mails] == ["payment_reminder"]
    assert (await row(house, "payment_reminder_text")).error_code == "text.opted_out"
    async with house.transaction() as session:
        assert await outbox.failed(session, after=None, limit=10) == []


@pytest.mark.parametrize(("phone", "texting"), [(None, True), ("+13125550100", False)])
async def test_texts_nobody_without_a_number_or_a_gateway(
    database: Database, phone: str | None, *, texting: bool
) -> None:
    await add_people(database, phone=phone)
    await queue(database, (Audience.PATIENT, "payment_reminder"))
    assert await Post().delivery(database, texting=texting).deliver_due(10) == 1
    assert [row.template for row in await rows(database)] == ["payment_reminder"]


async def test_the_loop_sends_when_nudged_by_a_recorded_step(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "payment_link"))
    post, nudge = Post(), asyncio.Event()
    loop = asyncio.create_task(post.delivery(house).run_forever(nudge, interval=3600))
    await asyncio.wait_for(post.handed_over.acquire(), 10)

    class Records:
        async def record(self, step: object) -> None:
            await queue(house, (Audience.CLINICIAN, "order_paid"), sequence=2)

    await NudgingRecords(Records(), nudge).record(None)  # type: ignore[arg-type]
    await asyncio.wait_for(post.handed_over.acquire(), 10)
    loop.cancel()
    assert [mail.subject for mail in post.mails] == ["payment_link", "order_paid"]


def test_a_message_id_is_the_same_for_a_repeat_and_tells_nothing() -> None:
    key = "econsult:e-1:notice:1:patient:payment_link"
    assert message_id(key) == message_id(key)
    assert message_id(key) != message_id(key + "x")
    assert "e-1" not in message_id(key)
