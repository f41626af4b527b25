"""Calls are placed once, with the numbers on record; the sweep tells visits what they have not heard."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlmodel import select

from activities.calls import CallActivities
from activities.contracts import DeliveredWebhooks, PlaceCallInput, SweepInput
from activities.notices import NoticeDelivery
from activities.ports import BridgeCall, CallReceipt, CaseStarter, SweepRecords
from activities.sweep import SweepActivities
from db import calls
from db.calls import SqlCallRecords
from db.session import Database
from db.sweep import SqlWebhookInbox
from db.tables import CallAttempt, Clinician, OutboxNotice, Patient, WebhookEvent
from domain.errors import CarewaveError, GatewayRejected, GatewayUnavailable, NotFound, Refused
from domain.visit_calls import CallEvent, CallOutcome, CallReport
from embedded import seed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORDER = PlaceCallInput(key="visit:v-1:call:a-1", visit_id=seed.VISIT_COMPLETED, attempt_id="a-1", requested_at=NOON)


@dataclass
class Telephone:
    """The port `Voice`: keeps every call."""

    calls: list[BridgeCall] = field(default_factory=list)
    fault: CarewaveError | None = None
    placing: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def bridge(self, call: BridgeCall) -> CallReceipt:
        self.calls.append(call)
        self.placing.set()
        await self.may_answer.wait()
        if self.fault:
            raise self.fault
        return CallReceipt(call_sid=f"CA{len(self.calls)}", status="queued")


@pytest.fixture
async def house(database: Database) -> Database:
    await seed.seed(database)
    return database


async def attempts(database: Database) -> list[CallAttempt]:
    async with database.transaction() as session:
        return list((await session.exec(select(CallAttempt))).all())


async def record(database: Database, status: str, outcome: CallOutcome | None = None) -> CallEvent | None:
    report = CallReport(
        event_id=f"CA1:{status}",
        attempt_id="a-1",
        leg_sid="CA2",
        call_sid="CA1",
        status=status,
        outcome=outcome,
        ended=outcome is not None,
        occurred_at=NOON,
    )
    async with database.transaction() as session:
        return await calls.record(session, report)


async def test_rings_the_numbers_of_the_visits_clinician_and_patient(house: Database) -> None:
    telephone = Telephone()
    result = await CallActivities(telephone, SqlCallRecords(house)).place_call(ORDER)
    (call,) = telephone.calls
    assert (call.clinician_phone, call.patient_phone) == ("+12025550141", "+12025550142")
    assert (call.key, call.visit_id, call.attempt_id) == (ORDER.key, ORDER.visit_id, "a-1")
    (row,) = await attempts(house)
    assert (row.call_sid, row.status, row.requested_by) == (result.call_sid, "queued", seed.CLINICIAN)
    assert row.requested_at == NOON


async def test_one_call_however_often_it_runs(house: Database) -> None:
    telephone = Telephone()
    activities = CallActivities(telephone, SqlCallRecords(house))
    results = [await activities.place_call(ORDER) for _ in range(2)]
    assert [result.call_sid for result in results] == ["CA1", "CA1"]
    assert len(telephone.calls) == 1


async def test_two_workers_at_once_place_one_call(house: Database) -> None:
    telephone = Telephone()
    telephone.may_answer.clear()
    activities = CallActivities(telephone, SqlCallRecords(house))
    both = asyncio.gather(activities.place_call(ORDER), activities.place_call(ORDER))
    await asyncio.wait_for(telephone.placing.wait(), timeout=10)
    telephone.may_answer.set()
    assert [result.call_sid for result in await both] == ["CA1", "CA1"]
    assert len(telephone.calls) == 1


async def test_a_callback_that_comes_while_the_call_is_placed_waits_for_its_attempt(house: Database) -> None:
    telephone = Telephone()
    telephone.may_answer.clear()
    placed = asyncio.create_task(CallActivities(telephone, SqlCallRecords(house)).place_call(ORDER))
    await asyncio.wait_for(telephone.placing.wait(), timeout=10)
    reported = asyncio.create_task(record(house, "ringing"))
    telephone.may_answer.set()
    await placed
    assert await reported is not None
    assert [(row.call_sid, row.status) for row in await attempts(house)] == [("CA1", "ringing")]


async def test_a_call_whose_answer_was_lost_is_not_placed_again_once_a_callback_has_named_it(house: Database) -> None:
    telephone = Telephone(fault=GatewayUnavailable("call.unavailable", "no answer"))
    activities = CallActivities(telephone, SqlCallRecords(house))
    with pytest.raises(GatewayUnavailable):
        await activities.place_call(ORDER)
    await record(house, "initiated")
    telephone.fault = None
    assert (await activities.place_call(ORDER)).call_sid == "CA1"
    assert len(telephone.calls) == 1


async def test_a_call_that_twilio_could_not_take_is_tried_again(house: Database) -> None:
    telephone = Telephone(fault=GatewayUnavailable("call.unavailable", "no answer"))
    activities = CallActivities(telephone, SqlCallRecords(house))
    with pytest.raises(GatewayUnavailable):
        await activities.place_call(ORDER)
    telephone.fault = None
    assert (await activities.place_call(ORDER)).call_sid == "CA2"


async def test_a_call_refused_for_good_has_failed(house: Database) -> None:
    telephone = Telephone(fault=GatewayRejected("call.number_invalid", "no"))
    with pytest.raises(GatewayRejected):
        await CallActivities(telephone, SqlCallRecords(house)).place_call(ORDER)
    assert [(row.status, row.outcome) for row in await attempts(house)] == [("rejected", "failed")]


@pytest.mark.parametrize(
    ("person", "person_id", "missing"),
    [(Clinician, seed.CLINICIAN, "clinician.phone"), (Patient, seed.PATIENT, "patient.phone")],
)
async def test_says_whose_number_is_missing(
    house: Database, person: type[Clinician | Patient], person_id: str, missing: str
) -> None:
    async with house.transaction() as session:
        (await session.get_one(person, person_id)).phone = None
    with pytest.raises(Refused) as raised:
        await CallActivities(Telephone(), SqlCallRecords(house)).place_call(ORDER)
    assert (raised.value.code, raised.value.missing) == ("call.no_number", (missing,))


async def test_calls_nobody_without_a_telephone_service_or_a_visit(house: Database) -> None:
    with pytest.raises(Refused) as raised:
        await CallActivities(None, SqlCallRecords(house)).place_call(ORDER)
    assert raised.value.code == "call.not_configured"
    with pytest.raises(NotFound):
        await CallActivities(Telephone(), SqlCallRecords(house)).place_call(
            ORDER.model_copy(update={"visit_id": "v-unknown"})
        )
    assert await attempts(house) == []


async def test_lists_the_attempts_of_a_visit_in_their_order(house: Database) -> None:
    activities = CallActivities(Telephone(), SqlCallRecords(house))
    for minute, attempt_id in enumerate(("a-2", "a-1")):
        later = {"attempt_id": attempt_id, "requested_at": NOON + timedelta(minutes=minute)}
        await activities.place_call(ORDER.model_copy(update=later))
    async with house.transaction() as session:
        assert [row.id for row in await calls.of_visit(session, seed.VISIT_COMPLETED)] == ["a-2", "a-1"]


@dataclass
class Visits:
    """As much of `CaseStarter` as hears of calls."""

    running: bool = True
    told: list[tuple[str, CallEvent]] = field(default_factory=list)

    async def report_call(self, visit_id: str, event: CallEvent) -> bool:
        if self.running:
            self.told.append((visit_id, event))
        return self.running


async def store_event(database: Database, age: timedelta) -> None:
    event = CallEvent(
        event_id="CA2:no-answer:2",
        visit_id="v-1",
        attempt_id="a-1",
        call_sid="CA1",
        status="no-answer",
        outcome=CallOutcome.NO_ANSWER,
        occurred_at=NOON,
    )
    async with database.transaction() as session:
        session.add(
            WebhookEvent(
                provider="twilio",
                event_id=event.event_id,
                type="call",
                event=event.model_dump(mode="json"),
                received_at=datetime.now(UTC) - age,
            )
        )


async def sweep(database: Database, visits: Visits) -> DeliveredWebhooks:
    unused_records, unused_notices = cast("SweepRecords", None), cast("NoticeDelivery", None)
    activities = SweepActivities(unused_records, SqlWebhookInbox(database), cast("CaseStarter", visits), unused_notices)
    return await activities.deliver_pending_webhooks(SweepInput(limit=10))


async def test_the_sweep_tells_a_visit_of_a_call_that_it_missed(database: Database) -> None:
    await store_event(database, timedelta(minutes=5))
    visits = Visits(running=False)
    assert await sweep(database, visits) == DeliveredWebhooks(waiting=1)
    visits.running = True
    assert await sweep(database, visits) == DeliveredWebhooks(delivered=1)
    ((visit_id, event),) = visits.told
    assert (visit_id, event.outcome) == ("v-1", CallOutcome.NO_ANSWER)
    assert await sweep(database, visits) == DeliveredWebhooks()


async def test_a_call_that_no_visit_ever_hears_of_is_given_up_without_a_letter(database: Database) -> None:
    await store_event(database, timedelta(days=8))
    assert await sweep(database, Visits(running=False)) == DeliveredWebhooks(undeliverable=1)
    async with database.transaction() as session:
        assert (await session.get_one(WebhookEvent, ("twilio", "CA2:no-answer:2"))).code == "webhook.no_case"
        assert (await session.exec(select(OutboxNotice))).all() == []
