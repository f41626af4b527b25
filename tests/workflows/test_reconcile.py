"""The sweep finds what was lost between records and cases, and repairs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col
from temporalio.worker import Worker

from activities.contracts import DeliveredWebhooks, ReconcileReport, SweepInput
from activities.interceptor import StableErrors
from activities.notices import NoticeDelivery
from activities.ports import Email, Letter, OutgoingNotice
from activities.sweep import SweepActivities
from db.outbox import SqlOutbox
from db.sweep import SqlSweep, SqlWebhookInbox
from db.tables import (
    CaseState,
    ClinicianLicence,
    ConductReportRow,
    CredentialEventRow,
    EConsult,
    RateRequestRow,
    WebhookEvent,
    new_id,
)
from domain import names, policy
from domain.actors import Actor, Audience
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.errors import Invalid
from domain.rates import RateRequestOrder
from embedded.rehearsal import Rehearsal
from tests.workflows.consult import Consult, invite_people
from tests.workflows.standards import file_report, invite_clinician, record_licence
from worker import BUILD, sandbox
from workflows.reconcile import Reconcile

QUEUE = "reconcile-test"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Post:
    mails: list[Email] = field(default_factory=list)

    async def send(self, email: Email) -> None:
        self.mails.append(email)

    def render(self, notice: OutgoingNotice) -> Letter:
        return Letter(subject=notice.template, text="A letter.\n")


class NoRecords(SqlSweep):
    """Records that cannot be read."""

    async def open_cases(self, after: str, limit: int) -> list[str]:
        raise Invalid("records.unreadable", "no")


@dataclass
class Sweeper:
    world: Rehearsal
    post: Post
    people: Consult

    async def sweep(self, limit: int = 100) -> ReconcileReport:
        """Run the sweep once; no time passes meanwhile."""
        with self.world.env.auto_time_skipping_disabled():
            return await self.world.client.execute_workflow(
                Reconcile.run, SweepInput(limit=limit), id=new_id(), task_queue=QUEUE
            )

    async def lost_order(self, *, started: bool = False, age: timedelta = timedelta(minutes=5)) -> Consult:
        """An order whose workflow was never started."""
        consult = self.people.another()
        await consult.insert_order()
        async with self.world.database.transaction() as session:
            values = {"started": started, "created_at": datetime.now(UTC) - age}
            await session.exec(update(EConsult).where(col(EConsult.id) == consult.econsult_id).values(values))
        return consult

    async def store_webhook(self, econsult_id: str | None, *, received_at: datetime | None = None, **event: str) -> str:
        """A payment that Stripe reported; its event id."""
        reported = PaymentEvent(
            event_id=new_id(),
            kind=PaymentEventKind(event.get("kind", "succeeded")),
            case_id=econsult_id,
            session_id=None,
            payment_id=event.get("payment_id", "pi_1"),
            amount_cents=14_000,
            currency="usd",
            occurred_at=await self.world.env.get_current_time(),
            reference=event.get("reference"),
            outcome=None,
        )
        async with self.world.database.transaction() as session:
            row = WebhookEvent(
                provider="stripe",
                event_id=reported.event_id,
                type="test",
                event=reported.model_dump(mode="json"),
                econsult_id=econsult_id,
                received_at=received_at or datetime.now(UTC) - timedelta(minutes=5),
            )
            session.add(row)
        return reported.event_id

    async def webhook(self, event_id: str) -> WebhookEvent:
        async with self.world.database.transaction() as session:
            return await session.get_one(WebhookEvent, ("stripe", event_id))

    async def pretend_open(self, *case_ids: str) -> None:
        """Cases that are open by the records alone."""
        async with self.world.database.transaction() as session:
            for case_id in case_ids:
                session.add(
                    CaseState(
                        case_id=case_id,
                        process="EConsult",
                        business_state="PAID",
                        sequence=1,
                        sla_state="on_time",
                        escalation_level=0,
                        snapshot={},
                        updated_at=LONG_AGO,
                    )
                )


@pytest.fixture
async def sweeper(world: Rehearsal) -> AsyncIterator[Sweeper]:
    post = Post()
    async with _worker(world, post, SqlSweep(world.database)):
        yield Sweeper(world, post, Consult(world, await invite_people(world.database)))


def _worker(world: Rehearsal, post: Post, records: SqlSweep) -> Worker:
    staff = {Audience.OPERATIONS: "operations@example.com"}
    notices = NoticeDelivery(SqlOutbox(world.database, staff), post, None, post)
    activities = SweepActivities(records, SqlWebhookInbox(world.database), world.cases, notices)
    return Worker(
        world.client,
        task_queue=QUEUE,
        workflows=[Reconcile],
        activities=[
            activities.start_missing_cases,
            activities.deliver_pending_webhooks,
            activities.deliver_due_notices,
            activities.find_stranded,
        ],
        interceptors=[StableErrors()],
        workflow_runner=sandbox(),
        build_id=BUILD,
    )


async def test_starts_orders_whose_start_was_lost_once(sweeper: Sweeper) -> None:
    lost = await sweeper.lost_order()
    report = await sweeper.sweep()
    assert report.cases.started == (names.econsult_case(lost.econsult_id),)
    assert (await lost.status()).stage == "AWAITING_PAYMENT"
    assert (await sweeper.sweep()).cases.started == ()


async def test_starts_an_order_that_was_marked_as_started_too_early(sweeper: Sweeper) -> None:
    lost = await sweeper.lost_order(started=True)
    assert len((await sweeper.sweep()).cases.started) == 1
    assert (await lost.status()).stage == "AWAITING_PAYMENT"


async def test_starts_rate_requests_too(sweeper: Sweeper) -> None:
    clinician_id = sweeper.people.people.clinician.id
    order = RateRequestOrder(
        request_id=new_id(),
        clinician_id=clinician_id,
        portion_cents=3000,
        requested_by=Actor(role="clinician", id=clinician_id),
        policy=policy.load().rate_request,
    )
    async with sweeper.world.database.transaction() as session:
        row = RateRequestRow(
            id=order.request_id,
            clinician_id=clinician_id,
            portion_cents=3000,
            order=order.model_dump(mode="json"),
            created_at=datetime.now(UTC) - timedelta(minutes=5),
        )
        session.add(row)
    assert (await sweeper.sweep()).cases.started == (names.rate_request_case(order.request_id),)


async def test_starts_licences_and_reports_too(sweeper: Sweeper) -> None:
    world = sweeper.world
    clinician_id = await invite_clinician(world)
    licence = await record_licence(world, clinician_id, timedelta(days=90), start=False)
    event = await file_report(world, clinician_id, "board_action", start=False)
    report = await file_report(world, clinician_id, "conduct", process="ConductReport", start=False)
    async with world.database.transaction() as session:
        session.add(ClinicianLicence(clinician_id=clinician_id, state="UT"))  # nothing to watch
        for table in (ClinicianLicence, CredentialEventRow, ConductReportRow):
            await session.exec(update(table).values(created_at=datetime.now(UTC) - timedelta(minutes=5)))
    lost = {licence.case_id, event.case_id, report.case_id}
    assert set((await sweeper.sweep()).cases.started) == lost
    for case in (licence, event, report):
        await case.status()
    assert (await sweeper.sweep()).cases.started == ()


async def test_leaves_an_order_alone_that_was_placed_a_moment_ago(sweeper: Sweeper) -> None:
    await sweeper.lost_order(age=timedelta(seconds=5))
    assert (await sweeper.sweep()).cases.started == ()


async def test_does_not_count_a_running_case_as_repaired(sweeper: Sweeper) -> None:
    placed = await sweeper.lost_order()
    await sweeper.world.cases.start_econsult(placed.order)
    await placed.status()
    assert (await sweeper.sweep()).cases.started == ()
    async with sweeper.world.database.transaction() as session:
        assert (await session.get_one(EConsult, placed.econsult_id)).started


async def test_a_webhook_that_beat_its_workflow_reaches_it(sweeper: Sweeper) -> None:
    lost = await sweeper.lost_order()
    event_id = await sweeper.store_webhook(lost.econsult_id)
    assert (await sweeper.sweep()).webhooks == DeliveredWebhooks(delivered=1)
    assert "paid" in await lost.happened("paid")
    assert (await sweeper.webhook(event_id)).status == "delivered"
    assert (await sweeper.sweep()).webhooks == DeliveredWebhooks()


async def test_a_dispute_finds_its_case_by_the_payment(sweeper: Sweeper) -> None:
    lost = await sweeper.lost_order()
    await sweeper.store_webhook(lost.econsult_id)
    await sweeper.sweep()
    await lost.happened("paid")
    event_id = await sweeper.store_webhook(None, kind="dispute_opened", reference="dp_1")
    assert (await sweeper.sweep()).webhooks.delivered == 1
    assert (await sweeper.webhook(event_id)).econsult_id == lost.econsult_id
    await lost.happened("dispute_opened")


async def test_a_webhook_without_a_case_waits_a_week_and_is_given_up(sweeper: Sweeper) -> None:
    young = await sweeper.store_webhook(new_id())
    old = await sweeper.store_webhook(new_id(), received_at=datetime.now(UTC) - timedelta(days=7, minutes=1))
    assert (await sweeper.sweep()).webhooks == DeliveredWebhooks(waiting=1, undeliverable=1)
    waits, given_up = await sweeper.webhook(young), await sweeper.webhook(old)
    assert (waits.status, waits.attempts) == ("received", 1)
    assert (given_up.status, given_up.code) == ("undeliverable", "webhook.no_case")


async def test_webhooks_without_a_case_do_not_keep_others_waiting(sweeper: Sweeper) -> None:
    for _ in range(2):
        await sweeper.store_webhook(new_id(), received_at=datetime.now(UTC) - timedelta(days=1))
    await sweeper.sweep(limit=2)
    lost = await sweeper.lost_order()
    await sweeper.store_webhook(lost.econsult_id)
    assert (await sweeper.sweep(limit=2)).webhooks.delivered == 1


async def test_sends_notices_that_nobody_sent(sweeper: Sweeper) -> None:
    await sweeper.people.place()
    assert [(await sweeper.sweep()).notices.sent for _ in range(2)] == [1, 0]
    assert [mail.subject for mail in sweeper.post.mails] == ["payment_link"]


async def test_reports_cases_that_nothing_runs(sweeper: Sweeper) -> None:
    running = await sweeper.lost_order()
    await sweeper.sweep()
    await running.status()
    await sweeper.pretend_open("econsult:stranded")
    found = (await sweeper.sweep()).stranded
    assert (found.checked, found.stranded, found.after) == (2, ("econsult:stranded",), "")


async def test_says_where_to_go_on_when_there_are_more_cases(sweeper: Sweeper) -> None:
    await sweeper.pretend_open("econsult:a", "econsult:b", "econsult:c")
    found = (await sweeper.sweep(limit=2)).stranded
    assert (found.stranded, found.after) == (("econsult:a", "econsult:b"), "econsult:b")


async def test_a_part_that_fails_does_not_keep_the_others_from_work(world: Rehearsal) -> None:
    post = Post()
    async with _worker(world, post, NoRecords(world.database)):
        sweeper = Sweeper(world, post, Consult(world, await invite_people(world.database)))
        await sweeper.lost_order()
        report = await sweeper.sweep()
    assert len(report.cases.started) == 1
    assert report.failures == ("find_stranded: records.unreadable",)
