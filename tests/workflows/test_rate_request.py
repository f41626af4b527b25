"""A rate request through its life: reminders, one decision, and what it changes."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from sqlmodel import col, select
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from db.tables import Clinician, OutboxNotice, Rate, Timeline, new_id
from domain import names, policy
from domain.actors import Actor
from domain.case import CaseSnapshot
from domain.clock import SlaState
from domain.errors import Refused
from domain.rates import DecideRate, RateReceipt, RateRequestOrder, RateRequestSnapshot, RateStage
from domain.work_calendar import OpeningHours, WorkCalendar, add_working_time
from embedded.rehearsal import Rehearsal
from workflows.rate_request import RateRequest

OPERATIONS = Actor(role="operations", id="operations-1")


class Request:
    """One request under test."""

    def __init__(self, world: Rehearsal, clinician_id: str, calendar: WorkCalendar | None = None) -> None:
        chosen = policy.load().rate_request
        clock = chosen.decision.model_copy(update={"calendar": calendar})
        self.world = world
        self.order = RateRequestOrder(
            request_id=new_id(),
            clinician_id=clinician_id,
            portion_cents=3500,
            requested_by=Actor(role="clinician", id=clinician_id),
            policy=chosen.model_copy(update={"decision": clock}),
        )
        self.case_id = names.rate_request_case(self.order.request_id)

    async def decide(self, *, approve: bool, update_id: str | None = None) -> RateReceipt:
        decision = DecideRate(actor=OPERATIONS, approve=approve)
        return await self.world.cases.decide_rate(self.order.request_id, decision, update_id or new_id())

    async def status(self) -> RateRequestSnapshot:
        handle = self.world.client.get_workflow_handle(self.case_id)
        found: RateRequestSnapshot = await handle.query(RateRequest.status)
        return found

    async def events(self) -> list[str]:
        async with self.world.database.transaction() as session:
            found = select(Timeline).where(Timeline.case_id == self.case_id).order_by(col(Timeline.sequence))
            return [step.event for step in (await session.exec(found)).all()]

    async def notices(self) -> list[tuple[str, str]]:
        async with self.world.database.transaction() as session:
            found = select(OutboxNotice).where(OutboxNotice.case_id == self.case_id)
            return sorted((row.audience, row.template) for row in (await session.exec(found)).all())

    async def rates(self) -> list[int]:
        async with self.world.database.transaction() as session:
            return list((await session.exec(select(Rate.portion_cents))).all())


@pytest.fixture
async def request_(world: Rehearsal) -> Request:
    """A request that is placed and waits for its decision."""
    async with world.database.transaction() as session:
        clinician = Clinician(subject="c", name="C", email="c@example.com", time_zone="UTC", licence_states=["IL"])
        session.add(clinician)
    placed = Request(world, clinician.id)
    await world.cases.start_rate_request(placed.order)
    await placed.status()
    return placed


async def test_tells_operations_and_waits_for_them(request_: Request) -> None:
    view: CaseSnapshot = await request_.status()
    assert (view.business_state, [wait.who for wait in view.waits_for]) == ("REQUESTED", ["operations"])
    assert await request_.notices() == [("operations", "rate_requested")]


async def test_an_approval_sets_the_rate_and_ends_the_case(request_: Request) -> None:
    receipt = await request_.decide(approve=True)
    assert receipt == RateReceipt(sequence=2, stage=RateStage.APPROVED)
    assert await request_.rates() == [3500]
    assert ("clinician", "rate_approved") in await request_.notices()
    handle = request_.world.client.get_workflow_handle(request_.case_id, result_type=RateReceipt)
    assert await handle.result() == receipt


async def test_a_rejection_sets_no_rate(request_: Request) -> None:
    assert (await request_.decide(approve=False)).stage is RateStage.REJECTED
    assert await request_.rates() == []
    assert ("clinician", "rate_rejected") in await request_.notices()


async def test_a_second_decision_is_refused(request_: Request) -> None:
    await request_.decide(approve=True)
    with pytest.raises((Refused, WorkflowUpdateFailedError)) as refusal:
        await request_.decide(approve=False)
    assert code(refusal.value) in {"rate.already_decided", "case.not_running"}
    assert await request_.rates() == [3500]
    assert await request_.events() == ["rate_requested", "rate_approved"]


async def test_reminds_operations_then_reports_the_decision_as_late(request_: Request) -> None:
    await request_.world.advance(timedelta(days=2, minutes=1))
    assert await request_.notices() == [("operations", "rate_requested")] * 2
    await request_.world.advance(timedelta(days=3))
    view = await request_.status()
    assert (view.sla_state, view.escalation_level) == (SlaState.BREACHED, 1)
    assert ("provider_success", "rate_decision_late") in await request_.notices()
    assert (await request_.decide(approve=True)).stage is RateStage.APPROVED


async def test_starting_twice_asks_once(request_: Request) -> None:
    await request_.world.cases.start_rate_request(request_.order)
    await request_.decide(approve=True)
    await request_.world.cases.start_rate_request(request_.order)
    assert await request_.events() == ["rate_requested", "rate_approved"]


OFFICE_HOURS = WorkCalendar(
    time_zone="America/Denver",
    hours=tuple(OpeningHours(weekday=day, opens=time(9), closes=time(17)) for day in range(1, 6)),
)


async def test_with_a_calendar_only_office_hours_count(request_: Request) -> None:
    """Two and five days of working time are six and fifteen working days."""
    placed = Request(request_.world, request_.order.clinician_id, OFFICE_HOURS)
    await placed.world.cases.start_rate_request(placed.order)
    view = await placed.status()
    due = add_working_time(view.requested_at, timedelta(days=5), OFFICE_HOURS)
    assert view.next_deadline == due
    await placed.world.advance(due - view.requested_at - timedelta(minutes=1))
    assert (await placed.status()).sla_state is SlaState.AT_RISK
    await placed.world.advance(timedelta(minutes=2))
    view = await placed.status()
    assert view.clocks[0].breached_at == due


def code(error: BaseException) -> str | None:
    if isinstance(error, Refused):
        return error.code
    cause = error.__cause__
    return cause.type if isinstance(cause, ApplicationError) else None
