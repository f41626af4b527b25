"""Threads of messages through their lives: answered, late, closed, begun anew (M-01, M-02, decision 09)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from crypto import Keyring
from db.session import Database
from db.tables import new_id
from domain.actors import Actor
from domain.clock import SlaState
from domain.errors import Refused
from domain.threads import ThreadReceipt, ThreadSource, ThreadStage
from embedded.rehearsal import Rehearsal, rehearse
from tests.workflows.consult import OPERATIONS, SUPPORT, invite_people
from tests.workflows.thread import Thread
from workflows.message_thread import MessageThread

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

NEW = ("clinician", "new_message_clinician")


@pytest.fixture
async def thread(world: Rehearsal) -> Thread:
    """A patient has written."""
    opened = Thread(world, await invite_people(world.database))
    await opened.open()
    return opened


async def letters(thread: Thread) -> list[tuple[str, str]]:
    return [(audience, template) for audience, template, _ in await thread.told()]


def code_of(refusal: pytest.ExceptionInfo[BaseException]) -> str | None:
    if isinstance(refusal.value, Refused):
        return refusal.value.code
    cause = refusal.value.__cause__
    return cause.type if isinstance(cause, ApplicationError) else None


async def test_a_message_answered_in_time_tells_both_sides(thread: Thread) -> None:
    await thread.world.advance(11 * HOUR)
    assert (await thread.reply()).stage is ThreadStage.ANSWERED
    await thread.world.advance(5 * DAY)
    view = await thread.status()
    assert (view.sla_state, view.next_deadline, view.waits_for) == (SlaState.ON_TIME, None, ())
    assert await thread.events() == ["thread_opened", "reply_sent"]
    assert await letters(thread) == [NEW, ("patient", "new_reply_patient")]


async def test_an_unanswered_message_climbs_the_ladder_until_somebody_takes_it_on(thread: Thread) -> None:
    await thread.world.advance(28 * HOUR + MINUTE)
    view = await thread.status()
    assert (view.sla_state, view.escalation_level) == (SlaState.BREACHED, 2)
    await thread.acknowledge()
    await thread.world.advance(2 * DAY)
    assert await thread.told() == [
        (*NEW, timedelta()),
        ("clinician", "thread_reminder", 12 * HOUR),
        ("clinician", "thread_reminder", 20 * HOUR),
        ("clinician", "thread_late", 24 * HOUR),
        ("provider_success", "thread_late_provider_success", 24 * HOUR),
        ("operations", "thread_late_operations", 28 * HOUR),
    ]
    await thread.reply()
    assert (await thread.status()).clocks[0].outcome == "met"


async def test_operations_are_told_again_while_nobody_takes_it_on(thread: Thread) -> None:
    await thread.world.advance(4 * DAY)
    told = [at / HOUR for who, _, at in await thread.told() if who == "operations"]
    assert told == [28, 32, 36, 40, 44, 48]


async def test_of_two_acknowledgements_the_first_stands(thread: Thread) -> None:
    await thread.world.advance(25 * HOUR)
    receipts = await asyncio.gather(thread.acknowledge(OPERATIONS), thread.acknowledge(SUPPORT))
    assert receipts[0].sequence == receipts[1].sequence
    assert (await thread.events()).count("escalation_acknowledged") == 1


async def test_nothing_is_acknowledged_before_it_is_late(thread: Thread) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await thread.acknowledge()
    assert code_of(refusal) == "escalation.none"


async def test_a_second_message_neither_restarts_the_clock_nor_writes_another_letter(thread: Thread) -> None:
    due = (await thread.status()).next_deadline
    await thread.world.advance(6 * HOUR)
    await thread.receive()
    assert (await thread.status()).next_deadline == due
    assert await letters(thread) == [NEW]


async def test_the_next_message_after_a_reply_has_its_own_24_hours(thread: Thread) -> None:
    await thread.reply()
    await thread.world.advance(10 * DAY)
    await thread.receive()
    now = await thread.world.env.get_current_time()
    due = (await thread.status()).next_deadline
    assert due is not None
    assert abs(due - now - 24 * HOUR) < MINUTE
    assert (await letters(thread)).count(NEW) == 2


async def test_a_patient_who_closes_stops_the_clock(thread: Thread) -> None:
    await thread.world.advance(HOUR)
    assert (await thread.close()).stage is ThreadStage.CLOSED
    await thread.world.advance(3 * DAY)
    assert await letters(thread) == [NEW]
    clock = (await thread.status()).clocks[0]
    assert (clock.outcome, clock.breached_at) == ("cancelled", None)


async def test_a_clinician_closes_only_what_is_answered(thread: Thread) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await thread.close(thread.clinician)
    assert code_of(refusal) == "thread.unanswered"
    await thread.reply()
    assert (await thread.close(thread.clinician)).stage is ThreadStage.CLOSED


async def test_reopening_lets_an_unanswered_message_wait_again(thread: Thread) -> None:
    for _ in range(2):
        await thread.close()
        await thread.world.advance(DAY)
        assert (await thread.reopen()).stage is ThreadStage.AWAITING_REPLY
    await thread.world.advance(25 * HOUR)
    assert (await thread.status()).sla_state is SlaState.BREACHED
    assert [at for who, template, at in await thread.told() if (who, template) == NEW] == [timedelta(), DAY, 2 * DAY]


async def test_reopening_an_answered_thread_tells_nobody(thread: Thread) -> None:
    await thread.reply()
    await thread.close()
    assert (await thread.reopen()).stage is ThreadStage.ANSWERED
    assert (await letters(thread)).count(NEW) == 1


async def test_a_message_opens_a_closed_thread(thread: Thread) -> None:
    await thread.reply()
    await thread.close()
    await thread.world.advance(29 * DAY)
    assert (await thread.receive()).stage is ThreadStage.AWAITING_REPLY
    await thread.world.advance(2 * DAY)
    assert (await thread.status()).sla_state is SlaState.BREACHED
    assert (await thread.events())[3] == "thread_reopened"


async def test_a_waived_answer_is_not_late(thread: Thread) -> None:
    await thread.world.advance(23 * HOUR)
    assert (await thread.waive()).stage is ThreadStage.ANSWERED
    await thread.world.advance(2 * DAY)
    assert (await thread.status()).clocks[0].outcome == "waived"
    assert "thread_late" not in [template for _, template in await letters(thread)]
    assert (await thread.steps())[-1].detail == {"code": "answered_elsewhere"}


@pytest.mark.parametrize(
    ("source", "audience"),
    [(ThreadSource.PROVIDER_SUCCESS, "provider_success"), (ThreadSource.CUSTOMER_SUPPORT, "support")],
)
async def test_messages_of_support_have_the_same_clock_and_their_own_reader(
    world: Rehearsal, source: ThreadSource, audience: str
) -> None:
    thread = Thread(world, await invite_people(world.database), source)
    await thread.open()
    await world.advance(25 * HOUR)
    assert (await thread.status()).sla_state is SlaState.BREACHED
    await thread.reply()
    assert (audience, "new_reply_support") in await letters(thread)
    assert (await thread.status()).source is source


async def test_a_stranger_neither_writes_nor_closes(thread: Thread) -> None:
    stranger = Actor(role="clinician", id=new_id())
    for act in (thread.reply(actor=stranger), thread.close(stranger), thread.close(SUPPORT)):
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await act
        assert code_of(refusal) == "thread.not_taking_part"
    assert await thread.events() == ["thread_opened"]


# -- races and repeats


async def test_two_replies_at_once_meet_the_clock_once(thread: Thread) -> None:
    receipts = await asyncio.gather(thread.reply(), thread.reply())
    assert sorted(receipt.sequence for receipt in receipts) == [2, 3]
    view = await thread.status()
    assert (view.stage, [clock.outcome for clock in view.clocks]) == (ThreadStage.ANSWERED, ["met"])
    assert len(await thread.accepted()) == 3


async def test_a_message_sent_twice_counts_once(thread: Thread) -> None:
    message = await thread.write(thread.writer)
    receipts = await asyncio.gather(thread.receive(message), thread.receive(message))
    assert receipts[0] == receipts[1]
    assert await thread.receive(message) == receipts[0]
    assert await thread.events() == ["thread_opened", "message_received"]


async def test_a_reply_and_a_close_at_once_leave_no_clock_running(thread: Thread) -> None:
    await asyncio.gather(thread.reply(), thread.close(), return_exceptions=True)
    view = await thread.status()
    assert view.stage in {ThreadStage.ANSWERED, ThreadStage.CLOSED}
    assert not any(clock.running for clock in view.clocks)


async def test_starting_twice_opens_once(thread: Thread) -> None:
    order = thread.order((await thread.accepted())[0][0])
    await thread.world.cases.start_thread(order)
    assert await thread.events() == ["thread_opened"]


async def test_an_operator_who_cancels_the_execution_closes_the_thread(thread: Thread) -> None:
    handle = thread.world.client.get_workflow_handle(thread.case_id)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert await thread.events() == ["thread_opened", "thread_closed"]
    assert (await thread.steps())[-1].detail == {"code": "execution_cancelled"}
    await thread.start_again()
    assert (await thread.status()).stage is ThreadStage.AWAITING_REPLY


# -- long lives


async def test_a_closed_and_silent_thread_ends_and_a_message_begins_it_anew(thread: Thread) -> None:
    await thread.reply()
    await thread.close()
    await thread.world.advance(30 * DAY + MINUTE)
    handle = thread.world.client.get_workflow_handle(thread.case_id, result_type=ThreadReceipt)
    assert await handle.result() == ThreadReceipt(sequence=3, stage=ThreadStage.CLOSED)
    with pytest.raises(Refused) as refusal:
        await thread.receive()
    assert refusal.value.code == "case.not_running"
    first_run = await thread.run_id()
    message = await thread.start_again()
    assert await thread.run_id() != first_run
    assert [(step.sequence, step.event) for step in await thread.steps()][3:] == [(4, "thread_reopened")]
    assert (await thread.accepted())[-1] == (message, 4)
    await thread.receive(message)
    assert len(await thread.steps()) == 4
    await thread.world.advance(25 * HOUR)
    assert (await thread.status()).sla_state is SlaState.BREACHED


async def test_two_who_begin_a_thread_anew_at_once_both_are_heard(thread: Thread) -> None:
    await thread.close()
    await thread.world.advance(30 * DAY + MINUTE)
    await thread.world.client.get_workflow_handle(thread.case_id).result()
    first, second = await thread.write(thread.writer), await thread.write(thread.clinician)
    orders = (thread.order(first, 2), thread.order(second, 2, thread.clinician))
    await asyncio.gather(*map(thread.world.cases.start_thread, orders))
    await asyncio.gather(thread.receive(first), thread.reply(second))
    assert {message for message, _ in (await thread.accepted())[1:]} == {first, second}
    assert [step.sequence for step in await thread.steps()] == [1, 2, 3, 4]


async def test_a_silence_that_a_message_breaks_begins_again(thread: Thread) -> None:
    await thread.reply()
    await thread.close()
    await thread.world.advance(20 * DAY)
    await thread.reopen()
    await thread.close()
    await thread.world.advance(20 * DAY)
    assert (await thread.receive()).stage is ThreadStage.AWAITING_REPLY


async def test_a_long_history_goes_on_in_a_fresh_run_with_all_that_counts(thread: Thread) -> None:
    busy = Thread(thread.world, thread.people)
    busy.policy = busy.policy.model_copy(update={"history_limit": 40})
    first = await busy.open()
    runs = {await busy.run_id()}
    due = (await busy.status()).next_deadline
    for _ in range(20):
        await busy.receive()
        runs.add(await busy.run_id())
    assert len(runs) >= 3
    view = await busy.status()
    assert (view.next_deadline, view.sequence, view.stage) == (due, 21, ThreadStage.AWAITING_REPLY)
    assert (await busy.receive(first)).sequence == 21, "it counted two runs ago"
    await busy.world.advance(25 * HOUR)
    assert (await busy.status()).sla_state is SlaState.BREACHED
    await busy.reply()
    assert [step.sequence for step in await busy.steps()] == list(range(1, len(await busy.steps()) + 1))
    assert (await busy.events()).count("clock_milestone") == 3


async def test_messages_that_come_while_a_run_gives_way_to_the_next_are_all_heard(thread: Thread) -> None:
    busy = Thread(thread.world, thread.people)
    busy.policy = busy.policy.model_copy(update={"history_limit": 20})
    await busy.open()
    for _ in range(4):
        await asyncio.gather(*(busy.receive() for _ in range(4)), busy.reply())
    assert len(await busy.accepted()) == 1 + 4 * 5
    assert [step.sequence for step in await busy.steps()] == list(range(1, 22))


async def test_lives_the_same_when_nothing_is_cached(database: Database, keyring: Keyring) -> None:
    async with rehearse(database, keyring=keyring, max_cached_workflows=0) as world:
        thread = Thread(world, await invite_people(database))
        thread.policy = thread.policy.model_copy(update={"history_limit": 40})
        await thread.open()
        for _ in range(6):
            await thread.receive()
        await world.advance(25 * HOUR)
        await thread.acknowledge()
        await thread.reply()
        await thread.close()
        await thread.reopen()
        assert (await thread.status()).stage is ThreadStage.ANSWERED


async def test_explains_every_hour_of_its_clock(thread: Thread) -> None:
    await thread.world.advance(30 * HOUR)
    await thread.reply()
    (found,) = await thread.world.client.get_workflow_handle(thread.case_id).query(MessageThread.explain)
    lengths = [(stretch.kind, round((stretch.end - stretch.start) / HOUR)) for stretch in found.stretches]
    assert lengths == [("running", 24), ("overdue", 6)]
