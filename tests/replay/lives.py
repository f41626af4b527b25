"""Lives whose histories are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from temporalio import activity
from temporalio.worker import Worker

from activities.contracts import DeliveredNotices, DeliveredWebhooks, StartedCases, StrandedCases, SweepInput
from db.tables import new_id
from domain import names, policy
from domain.actors import Actor
from domain.rates import DecideRate, RateRequestOrder
from embedded.rehearsal import Rehearsal
from tests.replay.settling import placed, settled
from tests.replay.standards_lives import STANDARDS
from tests.replay.visit_lives import VISITS
from tests.workflows.consult import OPERATIONS, People
from tests.workflows.thread import Thread
from worker import BUILD, sandbox
from workflows.reconcile import Reconcile

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Life = Callable[[Rehearsal, People], Awaitable[str]]
"""Plays a life and answers with the id of its execution."""


async def answered_and_followed_up(world: Rehearsal, people: People) -> str:
    consult = await placed(world, people)
    await consult.pay_at_once()
    await consult.accept()
    await consult.reply(in_person=True)
    question = await consult.ask()
    await consult.pass_time(HOUR)
    await consult.answer(question)
    visit = await consult.book(after=3 * DAY)
    await consult.pass_time(4 * DAY)
    await consult.complete_visit(visit)
    await consult.judge_outcome()
    await consult.pass_time(7 * DAY)
    return await consult.watch_out()


async def reissued_and_never_paid(world: Rehearsal, people: People) -> str:
    consult = await placed(world, people)
    await consult.open_checkout()
    await consult.settle()
    await consult.pass_time(8 * DAY)
    await consult.reissue()
    await consult.pass_time(8 * DAY)
    await world.env.sleep(consult.policy.unpaid_watch + DAY)
    await consult.settle()
    return consult.case_id


async def answered_late_by_another(world: Rehearsal, people: People) -> str:
    consult = await placed(world, people)
    await consult.pay_at_once()
    await consult.accept()
    await consult.pass_time(2 * DAY + HOUR)
    await consult.pass_time(DAY)
    await consult.acknowledge("turnaround")
    await consult.reassign()
    await consult.assigned()
    await consult.settle()
    await consult.accept()
    await consult.reply()
    await consult.pass_time(5 * DAY)
    await consult.book(after=9 * DAY)
    await consult.pass_time(6 * DAY)
    await consult.decline_visit()
    await consult.settle()
    return await consult.watch_out()


async def declined_by_everybody(world: Rehearsal, people: People) -> str:
    consult = await placed(world, people)
    await consult.pay_at_once()
    for _ in range(consult.policy.max_assignments):
        await consult.decline()
        await consult.settle()
    await consult.happened("refunded")
    return await consult.watch_out()


async def cancelled_with_an_open_checkout(world: Rehearsal, people: People) -> str:
    consult = await placed(world, people)
    await consult.open_checkout()
    await consult.settle()
    await consult.cancel()
    await consult.settle()
    return await consult.watch_out()


async def paid_by_a_slow_method(world: Rehearsal, people: People) -> str:
    """The first payment fails after days, the second succeeds after the link would have run out."""
    consult = await placed(world, people)
    for succeeds in (False, True):
        session = await consult.open_checkout()
        world.stripe.pay_later(session)
        await consult.settle()
        await consult.pass_time(4 * DAY)
        world.stripe.settle_async(session, succeeded=succeeds)
        await consult.settle()
    await consult.assigned()
    await consult.settle()
    await consult.decide_refund(await consult.request_refund(), consult.order.price.total_cents)
    await consult.happened("refunded")
    return await consult.watch_out()


async def asked_for_information(world: Rehearsal, people: People) -> str:
    consult = await placed(world, people)
    await consult.pay_at_once()
    await consult.accept()
    await consult.pass_time(10 * HOUR)
    await consult.request_information()
    await consult.pass_time(3 * DAY + HOUR)
    await consult.provide_information()
    await consult.pass_time(HOUR)
    await consult.reply()
    refund = await consult.request_refund()
    await consult.pass_time(2 * DAY)
    await consult.decide_refund(refund, 4000)
    await consult.happened("refunded")
    await consult.settle()
    await consult.decide_refund(await consult.request_refund(), None)
    await consult.pass_time(10 * DAY)
    return await consult.watch_out()


async def disputed(world: Rehearsal, people: People) -> str:
    consult = await placed(world, people)
    payment = await consult.pay_at_once()
    await consult.accept()
    await consult.reply()
    await consult.pass_time(11 * DAY)
    world.stripe.dispute(payment)
    await consult.settle()
    await consult.pass_time(DAY)
    world.stripe.close_dispute(payment, won=False)
    await consult.settle()
    return await consult.watch_out()


async def cancelled_by_an_operator(world: Rehearsal, people: People) -> str:
    """In the Temporal UI, while a specialist has the case: the money goes back and the execution ends."""
    consult = await placed(world, people)
    await consult.pay_at_once()
    await world.client.get_workflow_handle(consult.case_id).cancel()
    await consult.happened("refunded")
    await consult.settle()
    return consult.case_id


async def rate_approved_late(world: Rehearsal, people: People) -> str:
    order = RateRequestOrder(
        request_id=new_id(),
        clinician_id=people.clinician.id,
        portion_cents=3500,
        requested_by=Actor(role="clinician", id=people.clinician.id),
        policy=policy.load().rate_request,
    )
    case_id = names.rate_request_case(order.request_id)
    await world.cases.start_rate_request(order)
    await settled(world, case_id)
    await world.advance(6 * DAY)
    await settled(world, case_id)
    await world.cases.decide_rate(order.request_id, DecideRate(actor=OPERATIONS, approve=True), new_id())
    await settled(world, case_id)
    return case_id


async def message_answered_late_and_reopened(world: Rehearsal, people: People) -> str:
    thread = Thread(world, people)
    await thread.open()
    await settled(world, thread.case_id)
    for hours in (6, 19):
        await thread.receive()
        await world.advance(hours * HOUR)
        await settled(world, thread.case_id)
    await thread.acknowledge()
    await world.advance(DAY)
    await thread.reply()
    await thread.close()
    await world.advance(DAY)
    await thread.reopen()
    await thread.receive()
    await thread.waive()
    await thread.close()
    await world.advance(31 * DAY)
    await settled(world, thread.case_id)
    return thread.case_id


async def messages_carried_into_a_fresh_run(world: Rehearsal, people: People) -> str:
    """The history kept is that of the latest run."""
    thread = Thread(world, people)
    thread.policy = thread.policy.model_copy(update={"history_limit": 40})
    await thread.open()
    await settled(world, thread.case_id)
    for _ in range(7):
        await thread.receive()
        await settled(world, thread.case_id)
    await world.advance(21 * HOUR)
    await settled(world, thread.case_id)
    await thread.reply()
    await thread.close()
    await world.advance(31 * DAY)
    await settled(world, thread.case_id)
    return thread.case_id


async def reconciled(world: Rehearsal, _: People) -> str:
    sweep_id, queue = f"{names.RECONCILE_SCHEDULE}-{new_id()}", "replay-reconcile"
    work = NothingToRepair()
    activities = [
        work.start_missing_cases,
        work.deliver_pending_webhooks,
        work.deliver_due_notices,
        work.find_stranded,
    ]
    worker = Worker(
        world.client,
        task_queue=queue,
        workflows=[Reconcile],
        activities=activities,
        workflow_runner=sandbox(),
        build_id=BUILD,  # by default the SDK reads all loaded code to make one
    )
    with world.env.auto_time_skipping_disabled():
        async with worker:
            await world.client.execute_workflow(Reconcile.run, SweepInput(limit=10), id=sweep_id, task_queue=queue)
    return sweep_id


class NothingToRepair:
    """The sweep's activities by name."""

    @activity.defn
    async def start_missing_cases(self, _: SweepInput) -> StartedCases:
        return StartedCases()

    @activity.defn
    async def deliver_pending_webhooks(self, _: SweepInput) -> DeliveredWebhooks:
        return DeliveredWebhooks()

    @activity.defn
    async def deliver_due_notices(self, _: SweepInput) -> DeliveredNotices:
        return DeliveredNotices()

    @activity.defn
    async def find_stranded(self, _: SweepInput) -> StrandedCases:
        return StrandedCases()


LIVES: Mapping[str, Life] = {
    life.__name__: life
    for life in (
        answered_and_followed_up,
        reissued_and_never_paid,
        answered_late_by_another,
        declined_by_everybody,
        cancelled_with_an_open_checkout,
        paid_by_a_slow_method,
        asked_for_information,
        disputed,
        cancelled_by_an_operator,
        rate_approved_late,
        message_answered_late_and_reopened,
        messages_carried_into_a_fresh_run,
        *STANDARDS,
        *VISITS,
        reconciled,
    )
}
