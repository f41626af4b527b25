"""Holds, the systemic pause, changes of the plan, and a long history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from crypto import Keyring
from db.session import Database
from domain import policy
from domain.rollout.news import IssueClass
from domain.rollout.phases import LocationPhase, ProgrammePhase, WavePhase
from domain.rollout.planning.dates import whole
from domain.rollout.policy import RolloutPolicy
from domain.rollout.programme import acts
from embedded.rehearsal import Rehearsal
from tests.domain.rollout.programmes import CEO, PM, VP, groups
from tests.workflows.rollout.cast import BY_ITSELF
from tests.workflows.rollout.production import DAY, HOUR, Production, on_stage
from workflows.rollout.programme import Rollout

SYNC, OUTAGE = IssueClass.SYNC_FAILURE, IssueClass.OUTAGE


@pytest.fixture
async def world(database: Database, keyring: Keyring) -> AsyncIterator[Rehearsal]:
    async with on_stage(database, keyring) as world:
        yield world


async def piloting(world: Rehearsal, locations: int = 14) -> Production:
    """The first wave runs."""
    production = await Production.open(world, locations)
    await production.prepare()
    await production.advance_to_wave(1)
    return production


async def rolls_back(production: Production, location_id: str, issue: IssueClass = SYNC) -> None:
    await production.location(location_id, LocationPhase.ROLLED_BACK, issue=issue, rollbacks=1)


async def live(production: Production, *location_ids: str) -> None:
    for location_id in location_ids:
        await production.location(location_id)


async def test_one_of_three_pilots_rolled_back_pauses_nothing(world: Rehearsal) -> None:
    production = await piloting(world)
    await live(production, "l-01", "l-02", "l-03")
    await rolls_back(production, "l-01")
    shown = await production.shows(lambda shown: bool(shown.locations[0].issues))
    assert shown.phase is ProgrammePhase.PILOT
    assert shown.holds == ()


async def test_two_of_five_with_the_same_issue_pause_everything_until_an_executive_resumes(world: Rehearsal) -> None:
    production = await piloting(world)
    await live(production, "l-01", "l-02", "l-03", "l-04", "l-05")
    await rolls_back(production, "l-01")
    await rolls_back(production, "l-02", OUTAGE)
    shown = await production.shows(lambda shown: bool(shown.locations[1].issues))
    assert shown.holds == ()  # two classes, one each
    await rolls_back(production, "l-02")
    shown = await production.shows(lambda shown: shown.phase is ProgrammePhase.PAUSED_SYSTEMIC)
    assert [hold.reason for hold in shown.holds] == ["systemic:sync_failure"]
    for location_id in ("l-01", "l-14"):
        await production.until_heard(
            location_id, lambda news: [h.reason for h in news.holds] == ["systemic:sync_failure"]
        )
    assert (await production.heard_by_wave(1))[-1].holds == shown.holds
    resume = acts.ResumeProgramme(actor=CEO)
    assert await production.refused(Rollout.resume_program, resume) == "programme.still_systemic"
    nobody = acts.ResumeProgramme(actor=PM)
    assert await production.refused(Rollout.resume_program, nobody) == "rollout.function_missing"
    await live(production, "l-02")
    await production.shows(lambda shown: not shown.locations[1].issues)
    assert (await production.status()).phase is ProgrammePhase.PAUSED_SYSTEMIC  # only people end it
    first = await production.ask(Rollout.resume_program, resume)
    again = await production.ask(Rollout.resume_program, resume)
    assert first.phase is again.phase is ProgrammePhase.PILOT
    events = await production.events()
    assert (events.count("programme_paused"), events.count("programme_resumed")) == (1, 1)
    assert events[-1] == "reforecast"
    await production.until_heard("l-14", lambda news: news.holds == ())
    told = {template for _, template in await production.notices()}
    assert {"rollout_paused", "rollout_resumed"} <= told


async def test_resuming_in_spite_of_it_holds_for_those_who_are_ill_now_only(world: Rehearsal) -> None:
    production = await piloting(world)
    await live(production, "l-01", "l-02", "l-03", "l-04")
    await rolls_back(production, "l-01")
    await rolls_back(production, "l-02")
    await production.shows(lambda shown: shown.phase is ProgrammePhase.PAUSED_SYSTEMIC)
    override = acts.ResumeProgramme(actor=VP, override="vendor_fix_is_coming", evidence_id="e-1")
    assert (await production.ask(Rollout.resume_program, override)).phase is ProgrammePhase.PILOT
    await production.location("l-02", LocationPhase.RE_ENABLING, issue=SYNC, rollbacks=1)
    shown = await production.shows(lambda shown: shown.locations[1].phase is LocationPhase.RE_ENABLING)
    assert shown.phase is ProgrammePhase.PILOT
    await rolls_back(production, "l-03")
    await production.shows(lambda shown: shown.phase is ProgrammePhase.PAUSED_SYSTEMIC)


async def test_resuming_what_was_never_paused_is_refused(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    assert await production.refused(Rollout.resume_program, acts.ResumeProgramme(actor=CEO)) == "programme.not_paused"


async def test_two_holds_coexist_and_end_apart(world: Rehearsal) -> None:
    production = await piloting(world)
    await live(production, "l-01", "l-02", "l-03")
    held = acts.HoldProgramme(actor=VP, reason="budget", evidence_id="e-1")
    await production.ask(Rollout.hold, held)
    await production.ask(Rollout.hold, held)
    assert (await production.status()).phase is ProgrammePhase.ON_HOLD
    await rolls_back(production, "l-01")
    await rolls_back(production, "l-02")
    shown = await production.shows(lambda shown: shown.phase is ProgrammePhase.PAUSED_SYSTEMIC)
    assert [hold.reason for hold in shown.holds] == ["budget", "systemic:sync_failure"]
    await production.ask(Rollout.resume_program, acts.ResumeProgramme(actor=VP, override="fixed"))
    assert [hold.reason for hold in (await production.status()).holds] == ["budget"]
    other = acts.ReleaseProgramme(actor=VP, reason="weather")
    assert await production.refused(Rollout.release, other) == "hold.none"
    await production.ask(Rollout.release, acts.ReleaseProgramme(actor=VP, reason="budget"))
    assert (await production.status()).phase is ProgrammePhase.PILOT


async def test_a_pause_on_the_eve_of_a_wave_keeps_it_from_starting(world: Rehearsal) -> None:
    production = await piloting(world)
    await live(production, "l-01", "l-02", "l-03")
    await world.advance(17 * DAY)
    await production.close_wave(1)
    await production.advance_to_wave(2, past=-2 * HOUR)
    # Both at once: the pause is recorded first, or the wave, and never neither nor both against each other.
    monday = production.world.advance(20 * HOUR)
    await asyncio.gather(rolls_back(production, "l-01"), rolls_back(production, "l-02"), monday)
    shown = await production.shows(lambda shown: shown.phase is ProgrammePhase.PAUSED_SYSTEMIC)
    events = await production.events()
    started = shown.waves[1].started_at is not None
    assert started == (events.count("wave_started") == 2)
    assert started != any(slip.wave == 2 for slip in shown.slips)
    if started:
        assert (await production.heard_by_wave(2))[-1].holds == shown.holds


async def test_a_hold_makes_the_next_wave_slip_and_dates_follow_its_end(world: Rehearsal) -> None:
    production = await piloting(world)
    await world.advance(17 * DAY)
    await production.close_wave(1)
    await production.ask(Rollout.hold, acts.HoldProgramme(actor=VP, reason="budget"))
    shown = await production.advance_to_wave(2, past=20 * HOUR)
    assert shown.waves[1].started_at is None
    assert [(slip.wave, slip.causes) for slip in shown.slips] == [(2, ("hold:budget",))]
    await production.ask(Rollout.release, acts.ReleaseProgramme(actor=VP, reason="budget"))
    shown = await production.advance_to_wave(2)
    assert shown.waves[1].started_at is not None
    assert shown.waves[1].forecast_from == production.order.plan.waves[1].starts_on + 7 * DAY
    assert ("hold:budget", 2) in {(shift.cause, shift.wave) for shift in shown.forecast.shifts}


async def test_a_wave_that_closes_late_pushes_the_next_by_the_buffer(world: Rehearsal) -> None:
    production = await piloting(world)
    await production.wave(1, WavePhase.EXTENDED, extended_weeks=1)
    shown = await production.shows(lambda shown: shown.waves[0].extended_weeks == 1)
    assert [one.cause for one in shown.reforecasts] == ["no_go:1"]
    planned = production.order.plan.waves[1].starts_on
    assert shown.waves[1].forecast_from == planned + 7 * DAY
    await production.advance_to(planned, 20 * HOUR)
    assert (await production.status()).slips == ()
    await production.advance_to_wave(2, past=-2 * DAY)  # a Saturday
    await production.close_wave(1)
    shown = await production.status()
    assert shown.waves[1].forecast_from == planned + 14 * DAY
    started = (await production.advance_to_wave(2)).waves[1].started_at
    assert started is not None
    assert started.date() == planned + 14 * DAY


async def test_a_wave_cancelled_by_an_operator_holds_the_rest(world: Rehearsal) -> None:
    production = await piloting(world)
    await production.wave(1, WavePhase.CANCELLED)
    shown = await production.shows(lambda shown: shown.phase is ProgrammePhase.ON_HOLD)
    assert [hold.reason for hold in shown.holds] == ["wave_cancelled_1"]


async def test_a_location_moves_between_waves_that_have_not_started(world: Rehearsal) -> None:
    production = await piloting(world)
    move = acts.MoveLocation(actor=PM, location_id="l-12", to_wave=2, reason="asked_for")
    assert await production.refused(Rollout.move_location, move) == "wave.full"
    await production.ask(Rollout.move_location, move.model_copy(update={"location_id": "l-04", "to_wave": 3}))
    await production.ask(Rollout.move_location, move)
    shown = await production.status()
    waves = {one.location_id: one.wave for one in shown.locations}
    assert (waves["l-04"], waves["l-12"], shown.plan_version) == (3, 2, 3)
    assert (await production.until_planned("l-04", lambda plan: plan.wave == 3)).go_live_at is not None
    out = move.model_copy(update={"location_id": "l-13", "to_wave": None})
    await production.ask(Rollout.move_location, out)
    gone = await production.until_planned("l-13", lambda plan: plan.wave is None)
    assert (gone.go_live_at, gone.integration_from) == (None, None)
    pilot = move.model_copy(update={"location_id": "l-01"})
    assert await production.refused(Rollout.move_location, pilot) == "wave.started"


async def test_a_new_plan_changes_only_waves_that_have_not_started(world: Rehearsal) -> None:
    production = await piloting(world)
    order = production.order
    ids = tuple(one.location_id for one in order.locations)
    other = whole(groups(ids, (3, 6, 12)), order.starts_on, order.calendar, order.policy.planning)
    stale = acts.FollowPlan(actor=VP, plan=other)
    assert await production.refused(Rollout.follow_plan, stale) == "plan.stale"
    await production.ask(Rollout.follow_plan, acts.FollowPlan(actor=VP, plan=other.model_copy(update={"version": 2})))
    shown = await production.status()
    assert [len(wave.locations) for wave in shown.waves] == [3, 6, 5]
    swapped = whole(groups(ids[1:] + ids[:1]), order.starts_on, order.calendar, order.policy.planning)
    changed = acts.FollowPlan(actor=VP, plan=swapped.model_copy(update={"version": 3}))
    assert await production.refused(Rollout.follow_plan, changed) == "plan.changes_started_wave"


def with_short_runs(limit: int) -> RolloutPolicy:
    rules = policy.load().rollout
    programme = rules.programme.model_copy(update={"history_limit": limit})
    return rules.model_copy(update={"programme": programme, "version": f"short-{BY_ITSELF}"})


async def test_a_long_history_is_followed_by_a_fresh_run_that_knows_everything(world: Rehearsal) -> None:
    production = await Production.open(world, 10, rules=with_short_runs(150))
    asked = production.completion(next(s for s in production.order.policy.programme.tasks if s.task_id == "n_06"))
    await production.ask(Rollout.complete_task, asked, "act-1")
    await production.prepare()
    await production.ask(Rollout.complete_task, asked, "act-1")  # known, though its run is over
    await production.ask(Rollout.hold, acts.HoldProgramme(actor=VP, reason="budget"))
    await production.ask(Rollout.release, acts.ReleaseProgramme(actor=VP, reason="budget"))
    for number in (1, 2):
        shown = await production.advance_to_wave(number)
        assert shown.waves[number - 1].started_at is not None
    assert shown.slips == ()
    steps = [step.sequence for step in await production.steps()]
    assert steps == list(range(1, len(steps) + 1))
    assert (await production.events()).count("wave_started") == 2
    assert (await production.events()).count("programme_begun") == 1
    assert await production.runs() > 3


async def test_nothing_depends_on_what_a_worker_remembers(database: Database, keyring: Keyring) -> None:
    async with on_stage(database, keyring, cached=0) as world:
        production = await piloting(world, 4)
        await live(production, "l-01", "l-02", "l-03")
        await rolls_back(production, "l-01")
        await rolls_back(production, "l-02")
        await production.shows(lambda shown: shown.phase is ProgrammePhase.PAUSED_SYSTEMIC)
        await production.ask(Rollout.resume_program, acts.ResumeProgramme(actor=VP, override="fixed"))
        await production.until_heard("l-04", lambda news: news.sequence > 1 and news.holds == ())
        assert (await production.status()).phase is ProgrammePhase.PILOT
