"""A location from the first day of its programme to the last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain import names
from domain.rollout.holds import Hold
from domain.rollout.news import Clearance, WavePlanned
from domain.rollout.phases import LocationPhase
from domain.rollout.training import acts as training
from domain.rollout.training.policy import RoleGroup
from domain.rollout.training.state import Slot
from embedded.rehearsal import Rehearsal
from tests.domain.rollout.locations import BACKUP, CHAMPION, EVERYTHING, MANAGER, PROGRAM
from tests.workflows.rollout.site import DAY, HOUR, MINUTE, VP, Site, listening
from tests.workflows.visit import refused
from workflows.rollout.location import Location

WAVE = names.wave_case(PROGRAM, 1)


@pytest.fixture
async def site(rollouts: Rehearsal) -> AsyncIterator[Site]:
    async with listening(rollouts):
        yield Site(rollouts)


async def test_from_the_first_day_to_the_end_of_the_programme(site: Site) -> None:
    now = await site.now()
    planned = WavePlanned(sequence=1, wave=1, integration_from=now + 7 * DAY, go_live_at=now + 14 * DAY)
    await site.open(planned=planned)
    assert (await site.status()).phase is LocationPhase.WAITING
    await site.do_tasks()
    await site.do_baseline()
    await site.world.advance(7 * DAY)
    assert (await site.status()).phase is LocationPhase.PREPARING
    await site.do_integration()
    await site.do_validation()
    await site.do_champions()
    await site.do_staff()
    assert (await site.status()).phase is LocationPhase.READY
    assert await site.percent() == 0
    await site.call_for_launch()
    await site.happened("went_live")
    view = await site.recorded()
    assert (view.phase, view.missing, view.comms_percent) == (LocationPhase.LIVE, (), 100)
    assert await site.percent() == 100
    await site.hears(phase=LocationPhase.LIVE, deployed=True, baseline_validated=True)
    await site.hears(WAVE, phase=LocationPhase.LIVE, deployed=True)
    await site.programme(ended=True)
    assert await site.has_ended()
    assert (await site.recorded()).phase is LocationPhase.CLOSED
    assert (await site.events())[-1] == "location_closed"
    assert await site.percent() == 100, "what was rolled out stays"
    assert not any(clock.running for clock in (await site.recorded()).clocks)


async def test_prepares_when_its_waves_turn_comes(site: Site) -> None:
    now = await site.now()
    await site.open(planned=WavePlanned(sequence=1, wave=2, integration_from=now + 3 * DAY, go_live_at=now + 10 * DAY))
    await site.world.advance(2 * DAY)
    assert "preparation_begun" not in await site.events()
    await site.plan(integration_from=now + 4 * DAY)
    await site.world.advance(DAY + HOUR)
    assert "preparation_begun" not in await site.events()
    await site.world.advance(DAY)
    await site.happened("preparation_begun")
    assert ("it_lead", "rollout_preparation_begins") in await site.notices()


async def test_goes_live_at_once_when_the_last_piece_arrives_while_its_wave_is_on(site: Site) -> None:
    await site.open_ready(baseline=None)
    await site.call_for_launch()
    await site.happened("go_live_blocked")
    for listener in (None, WAVE):
        news = await site.hears(listener, phase=LocationPhase.PREPARING, deployed=False)
        assert news.missing == ("baseline.validated",)
    await site.world.advance(HOUR)
    assert await site.percent() == 0
    assert ("regional_manager", "rollout_go_live_blocked") in await site.notices()
    await site.validate_baseline()
    await site.happened("went_live")
    assert await site.percent() == 100
    live_at = (await site.status()).live_at
    assert live_at is not None
    assert await site.now() - live_at < MINUTE


async def test_a_clearance_that_is_taken_back_refuses_the_launch_and_is_reported(site: Site) -> None:
    await site.open_ready()
    assert (await site.status()).missing == ()
    await site.programme(clearances=EVERYTHING - {Clearance.COMPLIANCE})
    await site.call_for_launch()
    assert (await site.hears(WAVE, deployed=False)).missing == ("clearance.compliance",)
    await site.programme(clearances=EVERYTHING)
    await site.happened("went_live")


async def test_a_hold_stops_the_launch_and_nothing_else(site: Site) -> None:
    await site.open_ready(baseline=None)
    await site.hold()
    view = await site.recorded()
    assert (view.phase, [one.reason for one in view.holds]) == (LocationPhase.ON_HOLD, ["systemic:sync_failure"])
    await site.call_for_launch()
    await site.validate_baseline()
    await site.world.advance(DAY)
    assert await site.percent() == 0
    assert (await site.hears(WAVE, phase=LocationPhase.ON_HOLD)).missing == ("hold.systemic:sync_failure",)
    both = (
        Hold(reason="systemic:sync_failure", since=await site.now(), by=VP),
        Hold(reason="executive", since=await site.now(), by=VP),
    )
    await site.programme(holds=both)
    await site.programme(holds=both[1:])
    assert await site.percent() == 0
    await site.programme()
    await site.happened("went_live")


async def test_old_news_of_the_programme_change_nothing(site: Site) -> None:
    await site.open_ready()
    await site.hold()
    steps = len(await site.events())
    await site.tell("programme_reported", site.news.model_copy(update={"sequence": 1, "holds": ()}))
    await site.tell("programme_reported", site.news)
    assert len(await site.events()) == steps
    assert (await site.status()).phase is LocationPhase.ON_HOLD


async def test_a_launch_that_is_put_off_waits_for_the_next_call(site: Site) -> None:
    await site.open_ready(baseline=None)
    await site.call_for_launch()
    await site.happened("go_live_blocked")
    await site.plan(wave=2, go_live_at=await site.now() + 21 * DAY)
    await site.validate_baseline()
    await site.world.advance(DAY)
    assert (await site.status()).phase is LocationPhase.READY
    await site.call_for_launch(wave=1)
    assert (await site.status()).phase is LocationPhase.READY, "that wave is not its own any more"
    await site.call_for_launch(wave=2)
    await site.happened("went_live")


async def test_a_call_for_the_launch_that_comes_twice_launches_once(site: Site) -> None:
    await site.live()
    await site.call_for_launch()
    await site.call_for_launch()
    assert (await site.events()).count("went_live") == 1


async def test_others_hear_of_changes_only(site: Site) -> None:
    await site.open()
    await site.hears(phase=LocationPhase.PREPARING)
    before = len(await site.heard())
    await site.measure()
    await site.complete("firewall")
    await site.complete("browsers")
    assert len(await site.heard()) == before
    await site.validate_baseline()
    await site.hears(baseline_validated=True)
    sequences = [news.sequence for news in await site.heard()]
    assert sequences == sorted(set(sequences))


async def test_a_task_is_chased_until_it_is_done(site: Site) -> None:
    await site.open()
    due = (await site.status()).tasks["practice_system"].due
    assert due is not None
    await site.world.advance(due - timedelta(days=1) - await site.now())
    assert ("it_lead", "rollout_task_due") in await site.notices()
    assert ("project_manager", "rollout_task_late") not in await site.notices()
    await site.world.advance(DAY + MINUTE)
    assert ("project_manager", "rollout_task_late") in await site.notices()
    await site.acknowledge("task:practice_system")
    late = (await site.notices()).count(("project_manager", "rollout_task_late"))
    await site.complete("practice_system")
    await site.complete("practice_system_version")
    clocks = {clock.name: clock for clock in (await site.status()).clocks}
    assert (clocks["task:practice_system"].outcome, clocks["task:practice_system"].acknowledged) == ("met", True)
    assert late == 1


async def test_the_vendors_step_of_an_integration_is_chased(site: Site) -> None:
    await site.open()
    await site.happened("preparation_begun")
    machine = site.policy.integration.machines[site.system.name]
    await site.start_integration()
    await site.world.advance(DAY + MINUTE)
    assert ("vendor_technical_specialist", "rollout_integration_waits") in await site.notices()
    await site.world.advance(2 * DAY)
    assert ("vendor_account_manager", "rollout_integration_waits") in await site.notices()
    await site.take(machine.steps[0])
    clocks = {clock.name: clock for clock in (await site.status()).clocks}
    assert clocks["integration_step"].outcome == "met"


async def test_a_sync_failure_begins_the_watch_of_an_integration_anew(site: Site) -> None:
    await site.open()
    await site.happened("preparation_begun")
    await site.start_integration()
    for step in site.policy.integration.machines[site.system.name].steps[:6]:
        await site.take(step)
    monitored = site.policy.integration.machines[site.system.name].steps[6]
    await site.take(monitored, watch=False)
    await site.world.advance(20 * HOUR)
    await site.samples(await site.now() - HOUR, 1, failed=6)
    await site.world.advance(20 * HOUR)
    assert (await site.status()).integration.steps[monitored.step_id].done_at is None
    assert (await site.status()).integration.steps[monitored.step_id].restarts == 1
    await site.world.advance(5 * HOUR)
    assert (await site.status()).integration.steps[monitored.step_id].done_at is not None


async def test_nothing_is_connected_before_the_agreement_is_signed(site: Site) -> None:
    await site.open(news=site.news.model_copy(update={"clearances": EVERYTHING - {Clearance.BAA}}))
    await site.happened("preparation_begun")
    refusal = await refused(site.start_integration())
    assert refusal.missing == ("clearance.baa",)


async def test_a_silent_champion_gives_way_to_the_backup(site: Site) -> None:
    await site.live()
    await site.world.advance(7 * DAY + HOUR)
    asked = training.ReportAdoption(actor=CHAMPION, using=3)
    await site.act(Location.report_adoption, asked)
    await site.world.advance(8 * DAY)
    assert (await site.status()).training.champions[Slot.PRIMARY].member_id == CHAMPION.id
    assert ("champion", "rollout_adoption_report_late") in await site.notices()
    await site.world.advance(DAY + HOUR)
    assert (await site.status()).training.champions[Slot.PRIMARY].member_id == BACKUP.id


async def test_a_new_hire_is_trained_within_a_week(site: Site) -> None:
    await site.live()
    first_day = await site.now() + 2 * DAY
    hire = training.RegisterNewHire(actor=MANAGER, hire_id="hire-1", group=RoleGroup.FRONT_DESK, starts_at=first_day)
    await site.act(Location.register_new_hire, hire)
    await site.world.advance(8 * DAY)
    assert ("office_manager", "rollout_new_hire_late") not in await site.notices()
    await site.world.advance(DAY + HOUR)
    assert ("office_manager", "rollout_new_hire_late") in await site.notices()
    await site.act(Location.train_new_hire, training.TrainNewHire(actor=CHAMPION, hire_id="hire-1"))
    assert (await site.status()).training.new_hires["hire-1"].trained_at is not None


async def test_communication_stops_while_consent_is_withdrawn(site: Site) -> None:
    await site.live()
    await site.programme(clearances=EVERYTHING - {Clearance.CONSENT})
    assert await site.percent() == 0
    await site.programme(clearances=EVERYTHING)
    assert await site.percent() == 100
    comms = await site.comms()
    assert comms is not None
    assert (comms.program_id, comms.reason, comms.reminders, comms.sms) == (PROGRAM, "live", True, True)
