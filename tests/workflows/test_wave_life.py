"""Whole lives of a wave: its days, its launches, its check-ins, what was learned (W-06 to W-09)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from crypto import Keyring
from db.session import Database
from domain.rollout.gate.state import Decision
from domain.rollout.orders import WaveOrder
from domain.rollout.phases import LocationPhase, WavePhase
from domain.rollout.wave.policy import Artefact
from embedded.rehearsal import Rehearsal
from tests.domain.rollout.gates import wave_order
from tests.workflows import wave as players
from tests.workflows.visit import refused
from tests.workflows.wave import CDO, HOLD, IT, PilotWave, ScriptedEvidence

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROMPTLY = timedelta(seconds=5)


@pytest.fixture
def evidence() -> ScriptedEvidence:
    return ScriptedEvidence()


@pytest.fixture
async def pilot(database: Database, keyring: Keyring, evidence: ScriptedEvidence) -> AsyncIterator[PilotWave]:
    """Two locations, on the morning of the first Monday."""
    async with players.playing(database, keyring, evidence) as world:
        starts_on = players.january_monday(await world.env.get_current_time())
        wave = PilotWave(world, wave_order(starts_on=starts_on), evidence)
        await wave.start()
        yield wave


async def test_a_good_pilot_goes_from_its_first_day_to_its_lessons(pilot: PilotWave) -> None:
    await pilot.becomes(WavePhase.PLANNED)
    await pilot.to(1, time(10))
    await pilot.becomes(WavePhase.TRAINING)
    await pilot.go_through()
    await pilot.becomes(WavePhase.EVALUATING)
    await pilot.advise(CDO)
    await pilot.advise(IT)
    assert (await pilot.decide()).phase is WavePhase.LEARNING
    assert (await pilot.status()).unwritten == (Artefact.LESSONS_LEARNED, Artefact.PLAYBOOK_UPDATE)

    await pilot.world.advance(HOUR)
    await pilot.file(Artefact.LESSONS_LEARNED)
    await pilot.becomes(WavePhase.LEARNING)
    assert (await pilot.file(Artefact.PLAYBOOK_UPDATE)).phase is WavePhase.CLOSED
    assert await pilot.has_ended()

    last = await pilot.row()
    assert last.snapshot["decisions"][0]["decision"] == "go"
    phases = [news.phase for news in await pilot.heard()]
    assert phases == [
        WavePhase.PLANNED,
        WavePhase.TRAINING,
        WavePhase.GO_LIVE,
        WavePhase.STABILIZING,
        WavePhase.EVALUATING,
        WavePhase.LEARNING,
        WavePhase.CLOSED,
    ]
    assert (await pilot.heard())[-1].closed_at is not None
    assert not [event for event in await pilot.events() if event == "clock_milestone"]


async def test_every_location_launches_on_its_day_at_its_local_time(pilot: PilotWave) -> None:
    await pilot.to(3, time(8, 30))
    (first,) = await pilot.told_to_go_live("loc-1")
    assert first.at - pilot.at(3, time(8)) < PROMPTLY
    assert await pilot.told_to_go_live("loc-2") == []  # it is half past seven in Chicago
    await pilot.to(3, time(9, 30))
    (second,) = await pilot.told_to_go_live("loc-2")
    assert second.at - pilot.at(3, time(9)) < PROMPTLY
    assert second.wave == 1


async def test_the_plan_shows_dates_and_what_is_done(pilot: PilotWave) -> None:
    await pilot.to(2, time(12))
    shown = {(day.item_id, day.time_zone, day.day): day for day in (await pilot.status()).days}
    training = shown["champion_training", "America/Chicago", pilot.order.planned.starts_on + DAY]
    assert (training.at, training.minutes) == (pilot.at(1, time(10)), 240)
    assert training.reached_at is not None
    assert training.reached_at - training.at < PROMPTLY
    launch = shown["go_live", "America/New_York", pilot.order.planned.starts_on + 3 * DAY]
    assert (launch.at, launch.reached_at) == (pilot.at(3, time(8)), None)
    assert (await pilot.status()).evaluation_at == pilot.at(18, time(9))


async def test_people_are_told_at_their_own_location_only(pilot: PilotWave) -> None:
    await pilot.to(1, time(9, 30))
    keys = [key for key in await pilot.notice_keys() if "rollout_champion_training" in key]
    assert keys
    assert all("loc-1" in key for key in keys)
    await pilot.to(1, time(10, 30))
    assert [key for key in await pilot.notice_keys() if "rollout_champion_training" in key and "loc-2" in key]


async def test_a_missed_check_in_escalates_to_the_backup_and_above(pilot: PilotWave) -> None:
    await pilot.to(3, time(14))
    error = await refused(pilot.check_in("loc-1", "backup_champion"))
    assert (error.code, error.earliest) == ("check_in.primary_first", pilot.at(3, time(15, 30)))
    await pilot.to(3, time(15, 45))
    assert ("backup_champion", "rollout_check_in_backup") in await pilot.notices()
    assert ("regional_manager", "rollout_check_in_missed") not in await pilot.notices()
    await pilot.check_in("loc-1", "backup_champion")
    assert ((await pilot.location("loc-1")).check_ins.done, (await pilot.status()).escalation_level) == (1, 0)

    await pilot.to(3, time(18, 15))
    assert ("regional_manager", "rollout_check_in_missed") in await pilot.notices()
    assert (await pilot.status()).escalation_level == 1
    await pilot.to(4, time(12))
    assert ("project_manager", "rollout_check_in_escalated") in await pilot.notices()
    await pilot.to(4, time(15))
    missed = (await pilot.location("loc-2")).check_ins
    assert missed.missed == (pilot.order.planned.starts_on + 3 * DAY,)
    assert missed.day == pilot.order.planned.starts_on + 4 * DAY


async def test_an_escalation_that_somebody_takes_on_climbs_no_further(pilot: PilotWave) -> None:
    await pilot.to(3, time(18, 15))
    await pilot.acknowledge("check_in:loc-1")
    await pilot.acknowledge("check_in:loc-2")
    await pilot.to(4, time(13))
    assert ("project_manager", "rollout_check_in_escalated") not in await pilot.notices()


async def test_a_check_in_that_comes_late_counts_as_late(pilot: PilotWave) -> None:
    await pilot.to(3, time(17, 30))
    await pilot.check_in("loc-1")
    found = (await pilot.location("loc-1")).check_ins
    assert (found.done, found.late, found.missed) == (1, 1, ())


async def test_who_is_not_asked_does_not_check_in(pilot: PilotWave) -> None:
    await pilot.to(2, time(12))
    error = await refused(pilot.check_in("loc-1"))
    assert (error.code, error.earliest) == ("check_in.none_due", pilot.at(3, time(13, 30)))
    for place, role, code in (
        ("loc-9", "champion", "check_in.location_unknown"),
        ("loc-1", "front_desk", "check_in.champion_only"),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await pilot.check_in(place, role)
        assert isinstance(caught.value.cause, ApplicationError)
        assert caught.value.cause.type == code


async def test_a_repeated_act_changes_nothing(pilot: PilotWave) -> None:
    await pilot.to(3, time(13, 45))
    first = await pilot.check_in("loc-1", update_id="act-1")
    assert await pilot.check_in("loc-1", update_id="act-1") == first
    await pilot.report("loc-1", sequence=4, phase=LocationPhase.ROLLED_BACK)
    assert (await pilot.location("loc-1")).phase is LocationPhase.LIVE
    await pilot.report("loc-1", sequence=6)
    await pilot.hear(HOLD, sequence=1)
    assert (await pilot.status()).holds == ()
    assert (await pilot.events()).count("wave_checked_in") == 1
    assert (await pilot.events()).count("wave_location_changed") == 2  # when each went live


async def test_check_ins_are_daily_then_every_other_day(pilot: PilotWave) -> None:
    found = await pilot.status()
    days = sorted({day.day for day in found.days if day.item_id.startswith("check_in")})
    offsets = [(day - found.starts_on).days for day in days]
    assert offsets == [3, 4, 7, 8, 9, 10, 11, 14, 16, 18]
    assert {day.minutes for day in found.days if day.item_id.startswith("check_in")} == {15}


async def test_a_location_that_cannot_go_live_is_listed_and_does_not_check_in(
    database: Database, keyring: Keyring, evidence: ScriptedEvidence
) -> None:
    async with players.playing(database, keyring, evidence) as world:
        starts_on = players.january_monday(await world.env.get_current_time())
        wave = PilotWave(world, wave_order(starts_on=starts_on), evidence, ready=frozenset({"loc-1"}))
        await wave.start()
        await wave.to(3, time(15))
        found = await wave.status()
        assert found.not_live == ("loc-2",)
        assert (await wave.location("loc-2")).missing == ("baseline",)
        assert (await refused(wave.check_in("loc-2"))).code == "check_in.none_due"

        await wave.report("loc-2")
        await wave.to(4, time(15))
        await wave.check_in("loc-2")
        assert (await wave.status()).not_live == ()


async def test_a_hold_keeps_a_launch_back_until_the_same_weekday_after_it(pilot: PilotWave) -> None:
    await pilot.to(2, time(18))
    await pilot.hear(HOLD)
    await pilot.becomes(WavePhase.ON_HOLD)
    await pilot.to(4, time(12))
    assert await pilot.told_to_go_live("loc-1") == []
    assert (await pilot.status()).holds == (HOLD,)

    await pilot.hear()
    await pilot.happened("wave_launch_moved", times=2)
    found = await pilot.status()
    assert (found.slipped_weeks, found.evaluation_at) == (1, pilot.at(25, time(9)))
    assert (await pilot.heard())[-1].slipped_weeks == 1
    await pilot.to(10, time(9, 30))
    for location in ("loc-1", "loc-2"):
        (told,) = await pilot.told_to_go_live(location)
        assert told.at.astimezone(UTC).date() == pilot.order.planned.starts_on + 10 * DAY
    await pilot.to(10, time(15))
    await pilot.check_in("loc-1")


async def test_a_hold_that_is_lifted_in_the_morning_costs_no_day(pilot: PilotWave) -> None:
    await pilot.to(3, time(7))
    await pilot.hear(HOLD)
    await pilot.to(3, time(9))
    await pilot.hear()
    told = await pilot.launch_of("loc-1")
    assert told.at - pilot.at(3, time(9)) < PROMPTLY
    assert (await pilot.status()).slipped_weeks == 0


async def test_check_ins_of_live_locations_go_on_while_something_holds_the_wave(pilot: PilotWave) -> None:
    await pilot.to(5, time(9))
    await pilot.hear(HOLD)
    await pilot.to(7, time(14))
    await pilot.check_in("loc-1")
    await pilot.to(7, time(18, 30))
    assert ("regional_manager", "rollout_check_in_missed") in await pilot.notices()
    assert (await pilot.status()).phase is WavePhase.ON_HOLD


async def test_two_holds_are_lifted_apart(pilot: PilotWave) -> None:
    other = HOLD.model_copy(update={"reason": "executive"})
    await pilot.hear(HOLD, other)
    await pilot.hear(other)
    await pilot.to(3, time(10))
    assert await pilot.told_to_go_live("loc-1") == []
    assert [hold.reason for hold in (await pilot.status()).holds] == ["executive"]
    await pilot.hear()
    await pilot.happened("wave_launch_due", times=2)


async def test_a_wave_ends_with_its_programme(pilot: PilotWave) -> None:
    await pilot.to(4, time(12))
    await pilot.hear(ended=True)
    assert await pilot.has_ended()
    assert (await pilot.heard())[-1].phase is WavePhase.CANCELLED


async def test_what_was_learned_may_be_written_down_before_the_go(pilot: PilotWave) -> None:
    assert (await refused(pilot.file(Artefact.LESSONS_LEARNED))).code == "wave.not_launched"
    await pilot.to(18, time(9, 30))
    await pilot.file(Artefact.LESSONS_LEARNED)
    await pilot.file(Artefact.PLAYBOOK_UPDATE)
    await pilot.advise(CDO)
    await pilot.advise(IT)
    assert (await pilot.decide(Decision.GO)).phase is WavePhase.CLOSED


async def test_a_review_that_nobody_writes_is_chased(pilot: PilotWave) -> None:
    await pilot.to(11, time(16))
    await pilot.file(Artefact.RETROSPECTIVE)
    await pilot.to(15, time(16))
    overdue = [row for row in await pilot.steps() if row.detail.get("subject") == "metrics_review:overdue"]
    assert len(overdue) == 1
    assert ("vp_operations", "rollout_document_overdue") in await pilot.notices()
    assert not [row for row in await pilot.steps() if row.detail.get("subject") == "retrospective:overdue"]


async def _wave(world: Rehearsal, evidence: ScriptedEvidence, order: WaveOrder) -> PilotWave:
    wave = PilotWave(world, order, evidence)
    await wave.start()
    return wave


async def test_later_waves_train_launch_and_stabilise_in_three_weeks(
    database: Database, keyring: Keyring, evidence: ScriptedEvidence
) -> None:
    async with players.playing(database, keyring, evidence) as world:
        starts_on = players.january_monday(await world.env.get_current_time())
        wave = await _wave(world, evidence, wave_order(pilot=False, number=2, starts_on=starts_on))
        found = await wave.status()
        when = {day.item_id: (day.day - starts_on).days for day in found.days if day.time_zone == "America/New_York"}
        assert (when["champion_training"], when["staff_training"]) == (1, 3)
        assert (when["go_live"], when["metrics_review"], when["evaluation"]) == (8, 17, 18)
        checks = sorted({(day.day - starts_on).days for day in found.days if day.item_id.startswith("check_in")})
        assert checks == [8, 9, 10, 11, 14, 16, 18]


async def test_local_times_stay_what_they_are_when_clocks_go_forward(
    database: Database, keyring: Keyring, evidence: ScriptedEvidence
) -> None:
    """In New York on the Sunday after the launch; Phoenix knows no summer time."""
    async with players.playing(database, keyring, evidence) as world:
        starts_on = players.monday_before_clocks_go_forward(await world.env.get_current_time())
        zones = {"loc-1": "America/New_York", "loc-2": "America/Phoenix"}
        wave = await _wave(world, evidence, wave_order(starts_on=starts_on, zones=zones))
        shown = {(day.time_zone, (day.day - starts_on).days, day.item_id): day.at for day in (await wave.status()).days}

        def at(zone: str, day: int, clock: time) -> datetime:
            return players.local(starts_on + day * DAY, clock, ZoneInfo(zone))

        for zone in zones.values():
            assert shown[zone, 3, "check_in_go_live"] == at(zone, 3, time(13, 30))
            assert shown[zone, 7, "check_in_daily"] == at(zone, 7, time(13, 30))
        new_york, phoenix = (
            shown[zone, 7, "check_in_daily"] - shown[zone, 4, "check_in_go_live"] for zone in zones.values()
        )
        assert (new_york, phoenix) == (3 * DAY - HOUR, 3 * DAY)
        await wave.to(7, time(13, 45))
        await wave.check_in("loc-1")


async def test_a_wave_goes_on_as_a_new_run_with_all_it_knows(
    database: Database, keyring: Keyring, evidence: ScriptedEvidence
) -> None:
    async with players.playing(database, keyring, evidence) as world:
        order = wave_order(starts_on=players.january_monday(await world.env.get_current_time()))
        short = order.policy.model_copy(update={"history_limit": 90})
        wave = await _wave(world, evidence, order.model_copy(update={"policy": short}))
        first = (await wave.handle.describe()).run_id
        await wave.to(3, time(13, 45))
        receipt = await wave.check_in("loc-1", update_id="act-1")
        await wave.to(9, time(10))
        described = await wave.handle.describe()
        assert described.run_id != first
        assert described.history_length < 200

        repeated = await wave.check_in("loc-1", update_id="act-1")
        assert repeated.sequence >= receipt.sequence
        assert (await wave.location("loc-1")).check_ins.done == 1
        await wave.to(18, time(9, 30))
        await wave.advise(CDO)
        await wave.advise(IT)
        await wave.decide()
        await wave.file(Artefact.LESSONS_LEARNED)
        await wave.file(Artefact.PLAYBOOK_UPDATE)
        assert await wave.has_ended()
        steps = await wave.steps()
        assert [step.sequence for step in steps] == list(range(1, len(steps) + 1))


@pytest.mark.parametrize(("late", "weeks"), [(2 * DAY, 0), (12 * DAY, 2)], ids=["two days", "twelve days"])
async def test_a_wave_that_starts_late_does_what_can_still_be_done(
    database: Database, keyring: Keyring, evidence: ScriptedEvidence, late: timedelta, weeks: int
) -> None:
    async with players.playing(database, keyring, evidence) as world:
        monday = players.january_monday(await world.env.get_current_time())
        wave = PilotWave(world, wave_order(starts_on=monday), evidence)
        await world.env.sleep(wave.at(0, time(6)) - await wave.now() + late)
        await wave.start_now()
        await wave.happened("wave_day_reached", times=6 if weeks else 4)
        if weeks:
            await wave.happened("wave_launch_moved", times=2)
        launches, now = [day for day in (await wave.status()).days if day.item_id == "go_live"], await wave.now()
        assert all(day.at > now for day in launches)
        assert (await wave.status()).slipped_weeks == weeks
