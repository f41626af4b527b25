"""A patient's no-show: only with evidence, and with the patient's say afterwards (V-04 to V-09)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain.visit.states import VisitStage
from domain.visit_calls import CallOutcome
from embedded.rehearsal import Rehearsal
from embedded.twilio_sandbox.calls import Answer
from tests.workflows.consult import invite_people
from tests.workflows.visit import DAY, HOUR, MINUTE, SECOND, Appointment, refused

UNPROVEN = "visit.no_show_unproven"


async def test_is_refused_with_what_is_missing_and_then_accepted_with_evidence(visit: Appointment) -> None:
    await visit.to(timedelta())
    refusal = await refused(visit.flag())
    assert (refusal.code, refusal.missing) == (
        UNPROVEN,
        ("visit.clinician_joined", "visit.minimum_wait", "visit.call_attempts"),
    )
    assert (await refused(visit.call())).code == "visit.clinician_absent"
    await visit.join()
    assert (await visit.status()).no_show_from is not None
    await visit.to(4 * MINUTE)
    await visit.call()
    refusal = await refused(visit.flag())
    assert refusal.missing == ("visit.minimum_wait", "visit.call_attempts")
    await visit.to(6 * MINUTE)
    await visit.call(Answer.MACHINE)
    assert (await visit.flag()).stage is VisitStage.PATIENT_NO_SHOW

    view = await visit.status()
    assert [call.outcome for call in view.calls] == [CallOutcome.NO_ANSWER, CallOutcome.MACHINE]
    row, no_show = await visit.visit_row(), await visit.no_show()
    assert no_show is not None
    assert (row.status, no_show.flagged_at, no_show.voided_at) == ("no_show", view.ended_at, None)
    assert ("patient", "no_show_recorded", 6) in await visit.told()
    assert (await refused(visit.patient_joins())).code == "visit.over"
    await visit.to(8 * DAY)
    assert await visit.has_ended()
    assert (await visit.recorded()).stage is VisitStage.PATIENT_NO_SHOW
    assert (await visit.events())[-1] == "visit_closed"


async def test_flagging_succeeds_at_the_time_that_the_refusal_named(world: Rehearsal) -> None:
    visit = Appointment(world, await invite_people(world.database), duration_minutes=30)
    await visit.place()
    await visit.to(12 * MINUTE)
    await visit.join()
    await visit.call()
    await visit.to(13 * MINUTE + 2 * SECOND)
    await visit.call()
    refusal = await refused(visit.flag())
    assert refusal.missing == ("visit.minimum_wait",)
    joined = (await visit.status()).clinician_joined_at
    assert joined is not None
    assert refusal.earliest == joined + 10 * MINUTE, "a late clinician does not shorten the wait"
    await world.advance(refusal.earliest - await visit.now() - 5 * SECOND)
    assert (await refused(visit.flag())).code == UNPROVEN
    # A second later than that: this server cannot cancel the timer of the same instant.
    await world.advance(refusal.earliest - await visit.now() + SECOND)
    assert (await visit.flag()).stage is VisitStage.PATIENT_NO_SHOW


async def test_calls_that_did_not_ring_or_came_too_close_do_not_count(visit: Appointment) -> None:
    await visit.to(-5 * MINUTE)
    await visit.join()
    assert (await refused(visit.call())).earliest == visit.starts_at
    await visit.to(MINUTE)
    await visit.call(Answer.BUSY)
    await visit.to(MINUTE + 30 * SECOND)
    await visit.call()
    await visit.to(3 * MINUTE)
    await visit.call(Answer.FAILED)
    await visit.to(6 * MINUTE)
    refusal = await refused(visit.flag())
    assert refusal.missing == ("visit.call_attempts",)
    assert refusal.earliest is not None
    assert refusal.earliest <= await visit.now()
    await visit.call(Answer.ANSWERED)
    assert (await visit.flag()).stage is VisitStage.PATIENT_NO_SHOW
    assert [attempt.outcome for attempt in await visit.attempts()] == ["busy", "no_answer", "failed", "answered"]


async def test_a_call_that_cannot_be_placed_is_no_attempt(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    await visit.to(MINUTE)
    visit.world.twilio.fail_next(503, times=10)
    with pytest.raises(WorkflowUpdateFailedError):
        await visit.call()
    assert (await visit.status()).calls == ()
    assert "call_placed" not in await visit.events()


async def test_a_patient_who_joins_during_the_wait_is_no_no_show(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    await visit.to(MINUTE)
    await visit.call()
    await visit.to(4 * MINUTE)
    assert (await visit.patient_joins()).stage is VisitStage.IN_PROGRESS
    assert (await refused(visit.flag())).code == "visit.patient_joined"
    assert (await refused(visit.call())).code == "visit.over"
    await visit.to(6 * MINUTE)
    assert "visit_wait_over" not in [template for _, template, _ in await visit.told()]


async def test_a_clinician_does_not_call_off_before_the_wait_is_over_and_may_afterwards(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    refusal = await refused(visit.cancel(visit.clinician))
    assert (refusal.code, refusal.earliest) == ("visit.wait_not_over", visit.starts_at + 5 * MINUTE)
    await visit.to(5 * MINUTE)
    await visit.cancel(visit.clinician)
    assert await visit.has_ended()
    view = await visit.recorded()
    assert (view.stage, view.missed) == (VisitStage.CANCELLED, False)


async def test_an_overturned_no_show_is_undone(visit: Appointment) -> None:
    await visit.flagged()
    await visit.to(2 * DAY)
    assert (await refused(visit.decide(uphold=False))).code == "no_show.not_disputed"
    await visit.dispute()
    assert (await refused(visit.dispute())).code == "no_show.already_disputed"
    await visit.to(5 * DAY + HOUR)
    assert [letter for letter in await visit.told() if letter[2] > 6] == [
        ("clinician", "no_show_disputed_clinician", 2880),
        ("support", "no_show_disputed", 2880),
        ("support", "no_show_disputed", 2 * 2880),
        ("operations", "no_show_disputed", 2880 + 72 * 60),
    ]
    await visit.decide(uphold=False)
    assert await visit.has_ended()
    view, no_show = await visit.recorded(), await visit.no_show()
    assert (view.stage, view.end_reason, view.missed) == (VisitStage.CANCELLED, "no_show_overturned", False)
    assert no_show is not None
    assert no_show.voided_at == (await visit.steps())[-1].at
    assert (await visit.visit_row()).status == "cancelled"


async def test_an_upheld_no_show_stands(visit: Appointment) -> None:
    await visit.flagged()
    await visit.dispute()
    await visit.to(8 * DAY)
    assert (await visit.status()).closed_at is None, "it waits for the decision, however long"
    await visit.decide(uphold=True)
    assert await visit.has_ended()
    no_show = await visit.no_show()
    assert no_show is not None
    assert (no_show.voided_at, (await visit.recorded()).stage) == (None, VisitStage.PATIENT_NO_SHOW)
    assert ("patient", "no_show_upheld") in await visit.notices()


async def test_a_dispute_in_the_last_seconds_is_heard(visit: Appointment) -> None:
    await visit.flagged()
    flagged_at = (await visit.status()).ended_at
    assert flagged_at is not None
    await visit.world.advance(flagged_at + 7 * DAY - await visit.now() - 5 * SECOND)
    await visit.dispute()
    await visit.decide(uphold=True)
    assert await visit.has_ended()


async def test_a_no_show_that_nobody_disputed_is_final(visit: Appointment) -> None:
    await visit.flagged()
    await visit.to(7 * DAY + 7 * MINUTE)
    assert (await refused(visit.dispute())).code in {"no_show.final", "case.not_running"}
    assert await visit.has_ended()


# -- what the telephone company says


async def test_reports_that_come_twice_or_out_of_order_change_nothing(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    await visit.to(MINUTE)
    attempt = await visit.call(Answer.ANSWERED)
    steps = len(await visit.steps())
    for outcome in (CallOutcome.ANSWERED, CallOutcome.NO_ANSWER, None, CallOutcome.ANSWERED):
        assert await visit.reported(attempt, outcome)
    assert [call.outcome for call in (await visit.status()).calls] == [CallOutcome.ANSWERED]
    assert len(await visit.steps()) == steps
    await visit.reported(attempt, CallOutcome.MACHINE)
    assert [call.outcome for call in (await visit.status()).calls] == [CallOutcome.MACHINE], "it was no conversation"


async def test_a_call_whose_placing_was_lost_counts_when_it_is_reported(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    await visit.to(6 * MINUTE)
    await visit.reported("lost", CallOutcome.BUSY)
    await visit.call()
    assert (await visit.flag()).stage is VisitStage.PATIENT_NO_SHOW


async def test_reports_of_a_call_to_a_visit_that_is_over_are_let_go(visit: Appointment) -> None:
    await visit.cancel()
    assert await visit.has_ended()
    assert not await visit.reported("late", CallOutcome.BUSY)


async def test_a_call_placed_twice_rings_once(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    await visit.to(MINUTE)
    await asyncio.gather(visit.call(attempt_id="one"), visit.call(attempt_id="one"))
    await visit.call(attempt_id="one", update_id="again")
    await visit.call(attempt_id="one", update_id="again")
    assert len(visit.world.twilio.calls) == len(await visit.attempts()) == 1
    assert (await visit.events()).count("call_placed") == 1
    await visit.to(HOUR)
    assert (await visit.events()).count("call_ended") == 1
