"""Lives of rollouts whose histories are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import time, timedelta

from activities.rollout_contracts import CadenceOrder
from db.tables import new_id
from domain import names
from domain.names import Process, TaskQueue
from domain.rollout.cadences import Cadence
from domain.rollout.gate.state import Decision
from domain.rollout.news import IssueClass, WavePlanned
from domain.rollout.phases import LocationPhase, WavePhase
from domain.rollout.programme import acts
from domain.rollout.wave.policy import Artefact
from tests.domain.rollout.gates import good
from tests.domain.rollout.locations import PROGRAM
from tests.domain.rollout.programmes import CEO, VP
from tests.replay.rollout_people import SettlingRollback, Theatre, brief
from tests.workflows.wave import CDO, HOLD, IT
from workflows.rollout.programme import Rollout

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SYNC = IssueClass.SYNC_FAILURE

RolloutLife = Callable[[Theatre], Awaitable[str]]
"""Plays a life and answers with the id of its execution."""


# -- programmes


async def programme_to_its_end(stage: Theatre) -> str:
    """Two waves; the second slips, for the first closes late."""
    programme = await stage.programme(brief(), 2, 1)
    await programme.prepare()
    await programme.rests()
    await programme.advance_to_wave(1)
    await programme.goes_live("l-01", "l-02")
    await programme.pass_time(24 * DAY)
    await programme.close_wave(1)
    await programme.advance_to_wave(2)
    await programme.goes_live("l-03")
    await programme.pass_time(18 * DAY)
    await programme.close_wave(2)
    await programme.rests()
    await programme.pass_time(8 * DAY)
    await programme.complete("z_04_refinement", "z_04_roi_report")
    await programme.pass_time(35 * DAY)
    assert await programme.has_ended()
    return programme.case_id


async def programme_held_paused_resumed_and_cancelled(stage: Theatre) -> str:
    programme = await stage.programme(brief(), 2, 1)
    await programme.prepare()
    await programme.advance_to_wave(1)
    await programme.goes_live("l-01", "l-02")
    await programme.ask(Rollout.hold, acts.HoldProgramme(actor=VP, reason="budget"))
    for location_id in ("l-01", "l-02"):
        await programme.location(location_id, LocationPhase.ROLLED_BACK, issue=SYNC, rollbacks=1)
    await programme.ask(Rollout.resume_program, acts.ResumeProgramme(actor=CEO, override="vendor_fix_is_coming"))
    await programme.ask(Rollout.release, acts.ReleaseProgramme(actor=VP, reason="budget"))
    await programme.wave(1, WavePhase.EXTENDED, extended_weeks=1)
    move = acts.MoveLocation(actor=VP, location_id="l-03", to_wave=None, reason="renovation")
    await programme.ask(Rollout.move_location, move)
    await programme.ask(Rollout.cancel_program, acts.CancelProgramme(actor=CEO, reason="budget"))
    assert await programme.has_ended()
    return programme.case_id


async def programme_carried_into_a_fresh_run(stage: Theatre) -> str:
    """The history kept is that of the latest run. A single location answers: runs are equally long each time."""
    programme = await stage.programme(brief(history_limit=60), 1)
    await programme.prepare()
    await programme.pass_time(3 * DAY)
    assert await programme.runs() > 1
    await programme.ask(Rollout.cancel_program, acts.CancelProgramme(actor=CEO, reason="budget"))
    assert await programme.has_ended()
    return programme.case_id


# -- waves


async def pilot_with_a_no_go_and_then_a_go(stage: Theatre) -> str:
    stage.evidence.evidence = good()
    pilot = await stage.wave()
    await pilot.start()
    await pilot.launches()
    await pilot.check_in_at(4, time(13, 45), "loc-1")
    await pilot.check_in_at(4, time(17), "loc-2")
    await pilot.to(18, time(9, 30))
    for adviser in (CDO, IT):
        await pilot.advise(adviser)
        await pilot.rests()
    await pilot.decide(Decision.NO_GO)
    await pilot.rests()
    await pilot.to(25, time(9, 30))
    await pilot.refresh()
    await pilot.rests()
    await pilot.advise(CDO)
    await pilot.to(30, time(12))
    await pilot.decide()
    await pilot.rests()
    for artefact in (Artefact.LESSONS_LEARNED, Artefact.PLAYBOOK_UPDATE):
        await pilot.file(artefact)
        await pilot.rests()
    assert await pilot.has_ended()
    return pilot.case_id


async def wave_held_over_its_launch(stage: Theatre) -> str:
    """The launch moves by a week; after it nobody decides, and an operator ends the wave."""
    stage.evidence.evidence = good()
    held = await stage.wave()
    await held.start()
    await held.to(3, time(7))
    await held.hear(HOLD)
    await held.rests()
    await held.to(4, time(12))
    await held.hear()
    await held.happened("wave_launch_moved")
    await held.rests()
    await held.to(10, time(8, 30))
    await held.to(10, time(9, 30))
    await held.to(33, time(12))
    await held.world.client.get_workflow_handle(held.case_id).cancel()
    assert await held.has_ended()
    return held.case_id


async def wave_carried_into_a_fresh_run(stage: Theatre) -> str:
    """The history kept is that of the latest run."""
    stage.evidence.evidence = good()
    carried = await stage.wave(history_limit=60)
    await carried.start()
    for holds in ((HOLD,), (), (HOLD,), ()):
        await carried.hear(*holds)
        await carried.rests()
    await carried.to(3, time(7))
    await carried.hear(ended=True)
    assert await carried.has_ended()
    return carried.case_id


# -- locations


async def location_from_first_day_to_last(stage: Theatre) -> str:
    site = await stage.site("whole-life")
    now = await site.now()
    await site.open(planned=WavePlanned(sequence=1, wave=1, integration_from=now + 2 * DAY, go_live_at=now + 14 * DAY))
    await site.do_tasks()
    await site.do_baseline()
    await site.pass_time(3 * DAY)
    await site.do_integration()
    await site.do_validation()
    await site.do_champions()
    await site.do_staff()
    await site.hold()
    await site.call_for_launch()
    await site.programme()
    await site.happened("went_live")
    await site.pass_time(8 * DAY)
    await site.programme(ended=True)
    assert await site.has_ended()
    return site.case_id


async def location_rolled_back_and_relapsed(stage: Theatre) -> str:
    site = await stage.site("rolled-back")
    await site.live()
    for _ in range(2):
        begin = await site.now()
        await site.pass_time(13 * HOUR)
        await site.samples(begin, 13)
    await site.happened("rolled_back")
    await site.child()
    rolled_back = SettlingRollback(stage.world, program_id=PROGRAM, location_id=site.location_id)
    await rolled_back.rests()
    await rolled_back.made_safe()
    await rolled_back.cleared()
    await rolled_back.re_enable()
    await site.wrong_message()
    await rolled_back.rests()
    await rolled_back.made_safe()
    await rolled_back.cleared()
    for _ in rolled_back.policy.stages:
        await rolled_back.re_enable()
        await rolled_back.pass_time(2 * DAY)
    await site.programme(ended=True)
    assert await site.has_ended()
    return site.case_id


async def location_carried_into_a_fresh_run(stage: Theatre) -> str:
    """The history kept is that of the latest run."""
    site = await stage.site("carried")
    location = site.policy.location.model_copy(update={"history_limit": 50})
    site.policy = site.policy.model_copy(update={"location": location})
    await site.live()
    for _ in range(2):
        await site.hold()
        await site.programme()
    await site.pass_time(8 * DAY)
    await site.programme(ended=True)
    assert await site.has_ended()
    return site.case_id


# -- rollbacks


async def rollback_resolved_after_a_relapse(stage: Theatre) -> str:
    rolled_back = await stage.rollback("relapse")
    await rolled_back.begin()
    await rolled_back.made_safe()
    await rolled_back.cleared()
    await rolled_back.re_enable()
    await rolled_back.pass_time(HOUR)
    await rolled_back.relapse()
    await rolled_back.rests()
    await rolled_back.made_safe()
    await rolled_back.provide()
    await rolled_back.validate(passed=False)
    await rolled_back.cleared()
    for _ in rolled_back.policy.stages:
        await rolled_back.re_enable()
        await rolled_back.pass_time(3 * DAY)
    assert await rolled_back.has_ended()
    return rolled_back.case_id


async def rollback_late_and_cancelled(stage: Theatre) -> str:
    late = await stage.rollback("late")
    await late.begin(ago=HOUR + 30 * MINUTE)
    await late.acknowledge("central_contacted")
    await late.pass_time(2 * HOUR)
    await late.take_on("immediate")
    await late.pass_time(2 * DAY)
    await stage.world.client.get_workflow_handle(late.case_id).cancel()
    assert await late.has_ended()
    return late.case_id


# -- regular reports


async def regular_report(stage: Theatre) -> str:
    report_id = f"{names.cadence_schedule(Cadence.BOARD_REPORT)}-{new_id()}"
    with stage.world.env.auto_time_skipping_disabled():
        await stage.world.client.execute_workflow(
            Process.CADENCE,
            CadenceOrder(cadence=Cadence.BOARD_REPORT),
            id=report_id,
            task_queue=TaskQueue.ROLLOUTS,
        )
    return report_id


ROLLOUT_LIVES: Mapping[str, RolloutLife] = {
    life.__name__: life
    for life in (
        programme_to_its_end,
        programme_held_paused_resumed_and_cancelled,
        pilot_with_a_no_go_and_then_a_go,
        wave_held_over_its_launch,
        wave_carried_into_a_fresh_run,
        location_from_first_day_to_last,
        location_rolled_back_and_relapsed,
        location_carried_into_a_fresh_run,
        rollback_resolved_after_a_relapse,
        rollback_late_and_cancelled,
        programme_carried_into_a_fresh_run,
        regular_report,  # both last: on this server no time passes any more after either
    )
}
