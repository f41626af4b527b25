"""Two at once, twice the same, an end from outside, a change of the clocks: the visit comes to one and the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from crypto import Keyring
from db.session import Database
from db.tables import new_id
from domain.visit.acts import VisitReceipt
from domain.visit.states import NoteStatus, Obligation, VisitStage
from embedded.rehearsal import Rehearsal, rehearse
from tests.workflows.consult import OPERATIONS, SUPPORT, invite_people
from tests.workflows.test_econsult_races import RunsTwice
from tests.workflows.visit import DAY, HOUR, MINUTE, ORDERS, Appointment


async def ready_to_flag(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    for minute in (1, 3):
        await visit.to(minute * MINUTE)
        await visit.call()
    await visit.to(6 * MINUTE)


def refusals(results: Sequence[VisitReceipt | BaseException]) -> int:
    assert all(isinstance(result, VisitReceipt | WorkflowUpdateFailedError) for result in results)
    return sum(isinstance(result, WorkflowUpdateFailedError) for result in results)


# -- two at once


@pytest.mark.parametrize("patient_first", [True, False])
async def test_a_patient_who_joins_as_the_no_show_is_flagged_is_there_or_flagged_and_never_both(
    visit: Appointment, patient_first: bool
) -> None:
    await ready_to_flag(visit)
    acts = [visit.patient_joins(), visit.flag()]
    results = await asyncio.gather(*(acts if patient_first else reversed(acts)), return_exceptions=True)
    assert refusals(results) == 1
    view, events = await visit.status(), await visit.events()
    flagged = view.stage is VisitStage.PATIENT_NO_SHOW
    assert view.stage in {VisitStage.PATIENT_NO_SHOW, VisitStage.IN_PROGRESS}
    assert (view.patient_joined_at is None) is flagged
    assert (await visit.no_show() is not None) is flagged
    assert ("patient_no_show" in events, "patient_joined" in events) == (flagged, not flagged)


async def test_a_patient_who_joins_as_the_clinician_calls_off_is_heard_or_too_late(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    await visit.to(6 * MINUTE)
    results = await asyncio.gather(visit.patient_joins(), visit.cancel(visit.clinician), return_exceptions=True)
    assert refusals(results) == 1
    assert {"visit_cancelled", "patient_joined"} - set(await visit.events()) != set()


async def test_a_visit_in_progress_is_completed_and_not_cancelled(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.both_join()
    await visit.to(10 * MINUTE)
    results = await asyncio.gather(visit.complete(), visit.cancel(), visit.complete(), return_exceptions=True)
    assert refusals(results) == 1
    assert isinstance(results[1], WorkflowUpdateFailedError)
    assert (await visit.events()).count("visit_completed") == 1


async def test_both_join_at_once_and_the_visit_begins_once(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await asyncio.gather(visit.join(), visit.patient_joins())
    assert (await visit.status()).stage is VisitStage.IN_PROGRESS
    assert sorted((await visit.events())[-2:]) == ["clinician_joined", "patient_joined"]


async def test_of_two_acknowledgements_the_first_stands(visit: Appointment) -> None:
    await visit.to(6 * MINUTE)
    receipts = await asyncio.gather(visit.acknowledge("join", OPERATIONS), visit.acknowledge("join", SUPPORT))
    assert receipts[0].sequence == receipts[1].sequence
    steps = [step for step in await visit.steps() if step.event == "escalation_acknowledged"]
    assert len(steps) == 1
    explained = await visit.explained("join")
    assert explained.clock.acknowledged


async def test_an_obligation_is_settled_or_waived_and_not_both(visit: Appointment) -> None:
    await visit.held()
    results = await asyncio.gather(visit.settle(Obligation.LABS), visit.waive(Obligation.LABS), return_exceptions=True)
    assert refusals(results) == 1
    assert (await visit.events()).count("obligation_settled") == 1


async def test_an_operator_who_cancels_the_execution_leaves_an_honest_record(world: Rehearsal) -> None:
    people = await invite_people(world.database)
    waiting, owing, flagged = (Appointment(world, people) for _ in range(3))
    for visit in (waiting, owing, flagged):
        await visit.place()
    await flagged.flagged()
    await owing.to(-MINUTE)
    await owing.both_join()
    await owing.complete()
    for visit in (waiting, owing, flagged):
        await world.client.get_workflow_handle(visit.case_id).cancel()
    assert all([await visit.has_ended() for visit in (waiting, owing, flagged)])
    stages = [(await visit.recorded()).stage for visit in (waiting, owing, flagged)]
    assert stages == [VisitStage.CANCELLED, VisitStage.CLOSED_WITH_BREACH, VisitStage.PATIENT_NO_SHOW]
    assert not [clock for clock in (await owing.recorded()).clocks if clock.running]


# -- twice the same


async def test_every_act_sent_twice_happens_once_and_answers_alike(world: Rehearsal) -> None:
    people = await invite_people(world.database)
    held, missed = Appointment(world, people), Appointment(world, people)
    await held.place()
    await missed.place(ahead=4 * HOUR)

    async def twice(act: Callable[..., Awaitable[VisitReceipt]], *args: object, **options: object) -> None:
        key = new_id()
        assert await act(*args, **options, update_id=key) == await act(*args, **options, update_id=key)

    await held.world.cases.start_visit(held.order)
    await held.to(6 * MINUTE)
    await twice(held.acknowledge, "join")
    await twice(held.join)
    await twice(held.patient_joins)
    await twice(held.excuse)
    await twice(held.complete)
    await twice(held.settle, Obligation.LABS)
    await twice(held.waive, Obligation.IMAGING)
    note = await held.write_note(NoteStatus.DRAFT)
    await twice(held.save_note, note, NoteStatus.COMPLETE)
    key = new_id()
    moved = await missed.reschedule(HOUR, update_id=key)
    missed.starts_at -= HOUR
    assert await missed.reschedule(HOUR, update_id=key) == moved
    await ready_to_flag(missed)
    await twice(missed.flag)
    await twice(missed.dispute)
    await twice(missed.decide, uphold=False)

    for visit in (held, missed):
        once = [event for event in await visit.events() if event != "clock_milestone"]
        repeated = {event for event in once if once.count(event) > 1}
        assert repeated <= {"obligation_settled", "note_saved", "call_placed", "call_ended"}
        keys = await visit.notice_keys()
        assert len(keys) == len(set(keys))
    assert (await held.events()).count("obligation_settled") == (await held.events()).count("note_saved") == 2


async def a_busy_life(visit: Appointment) -> None:
    """With everything that has an effect outside the workflow."""
    await visit.place()
    await visit.flagged()
    await visit.dispute()
    await visit.decide(uphold=False)
    other = Appointment(visit.world, visit.people)
    await other.place()
    await other.reschedule(HOUR)
    await other.to(6 * MINUTE)
    await other.join()
    await other.to(7 * MINUTE)
    await other.call()
    await other.patient_joins()
    note = await other.write_note(NoteStatus.DRAFT)
    await other.complete()
    await other.save_note(note, NoteStatus.COMPLETE)
    await other.to(5 * HOUR)
    await other.acknowledge("labs")
    await other.settle(*ORDERS)
    await other.excuse()

    assert await visit.has_ended()
    assert await other.has_ended()
    assert (await other.recorded()).stage is VisitStage.CLOSED_WITH_BREACH
    no_show = await visit.no_show()
    assert no_show is not None
    assert no_show.voided_at is not None
    assert len(visit.world.twilio.calls) == len([*await visit.attempts(), *await other.attempts()]) == 3
    for each in (visit, other):
        assert [step.sequence for step in await each.steps()] == list(range(1, len(await each.steps()) + 1))
        keys = await each.notice_keys()
        assert len(keys) == len(set(keys))
    assert [template for _, template, _ in await other.told()].count("note_shared") == 1


async def test_every_side_effect_run_twice_happens_once(database: Database, keyring: Keyring) -> None:
    """As after a crash between an activity's effect and its report."""
    async with rehearse(database, keyring=keyring, interceptors=(RunsTwice(),)) as world:
        await a_busy_life(Appointment(world, await invite_people(database)))


async def test_lives_the_same_when_nothing_stays_in_memory(database: Database, keyring: Keyring) -> None:
    async with rehearse(database, keyring=keyring, max_cached_workflows=0) as world:
        await a_busy_life(Appointment(world, await invite_people(database)))


# -- the clocks change


async def test_a_visit_over_the_change_of_the_clocks_keeps_its_hours(world: Rehearsal) -> None:
    visit = Appointment(world, await invite_people(world.database))
    now = await visit.now()
    visit.policy = visit.policy.model_copy(update={"horizon": timedelta(days=800)})
    await visit.place(ahead=second_sunday_of_march(now.year + 1) + HOUR / 2 - now)
    await visit.held()
    assert [minute for _, template, minute in await visit.told() if template == "visit_reminder"] == [-1440, -60]
    await visit.settle(Obligation.LABS, Obligation.IMAGING, needed=False)
    await visit.to(25 * HOUR)
    clocks = {clock.name: clock for clock in (await visit.status()).clocks}
    completed_at = (await visit.status()).completed_at
    assert completed_at is not None
    assert clocks["prescriptions"].breached_at == completed_at + timedelta(hours=4)
    assert clocks["note"].breached_at == completed_at + DAY
    stretches = (await visit.explained("note")).stretches
    assert stretches[0].end - stretches[0].start == DAY


def second_sunday_of_march(year: int) -> datetime:
    """When the clocks of Chicago are put forward: at two in the morning, 08:00 UTC."""
    first = datetime(year, 3, 1, 8, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7)
