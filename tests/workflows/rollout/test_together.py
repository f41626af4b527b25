"""The four processes of a rollout with each other: a pilot in trouble, paused, mended, decided, and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import time

import pytest

from crypto import Keyring
from db.session import Database
from domain.rollout.gate.evidence import Metric
from domain.rollout.gate.state import Decision
from domain.rollout.news import IssueClass
from domain.rollout.phases import LocationPhase, ProgrammePhase, RollbackPhase, WavePhase
from domain.rollout.programme import acts
from domain.rollout.wave.policy import Artefact
from domain.rollout.wave.view import WaveSnapshot
from tests.domain.rollout.gates import but, count, good
from tests.domain.rollout.programmes import CEO, VP
from tests.workflows.rollout.production import DAY, HOUR, until
from tests.workflows.rollout.together import LATER, PILOTS, Together, all_real
from tests.workflows.visit import refused
from tests.workflows.wave import CDO, IT, PilotWave, ScriptedEvidence
from workflows.rollout.programme import Rollout

PAUSE = "systemic:sync_failure"
ILL, WELL = PILOTS[:2], PILOTS[2]


@pytest.fixture
async def together(database: Database, keyring: Keyring) -> AsyncIterator[Together]:
    """On the evening of the pilot's launch."""
    evidence = ScriptedEvidence()
    async with all_real(database, keyring, evidence) as world:
        programme = await Together.begin(world, evidence)
        await programme.check_off()
        await programme.connect()
        await programme.advance_to_wave(1)
        await programme.launch()
        yield programme


async def test_a_pilot_is_paused_mended_and_passed_and_the_next_wave_starts_a_week_later(together: Together) -> None:
    assert await together.board() == {
        "": ProgrammePhase.PILOT,
        "wave:1": WavePhase.GO_LIVE,
        **{f"location:{one}": LocationPhase.LIVE for one in PILOTS},
        f"location:{LATER}": LocationPhase.WAITING,
    }
    await _falls_ill(together)
    await _is_mended(together)
    await _resumes_twice(together)
    await _is_decided(together)
    await _next_wave_starts(together)


async def _falls_ill(together: Together) -> None:
    """In the last week of the wave, at two of its three locations at once."""
    wave = together.wave_of(1)
    await wave.to(16, time(6))
    await together.sync_fails(*ILL)
    shown = await together.shows(lambda shown: shown.phase is ProgrammePhase.PAUSED_SYSTEMIC)
    assert [(hold.reason, hold.by.role) for hold in shown.holds] == [(PAUSE, "system")]
    for location_id in ILL:
        rollback = await together.rollback_status(location_id)
        assert (rollback.phase, rollback.issues) == (RollbackPhase.IMMEDIATE, (IssueClass.SYNC_FAILURE,))
        assert await together.sites[location_id].percent() == 0
    assert await together.sites[WELL].percent() == 100, "a rollback touches no other location"
    await until(wave.status, lambda shown: shown.phase is WavePhase.ON_HOLD)
    board = await together.board()
    assert {board[f"location:{one}:rollback:1"] for one in ILL} == {RollbackPhase.IMMEDIATE}
    later = await until(together.sites[LATER].status, lambda shown: bool(shown.holds))
    assert [hold.reason for hold in later.holds] == [PAUSE]
    assert await together.readers("rollout_paused") >= {"vp_operations", "ceo_coo", "regional_manager"}
    await _too_early(together)


async def _too_early(together: Together) -> None:
    resume = acts.ResumeProgramme(actor=CEO)
    assert await together.refused(Rollout.resume_program, resume) == "programme.still_systemic"


async def _is_mended(together: Together) -> None:
    """Over the weekend, and over the day of the evaluation: clocks and rollbacks run under the pause."""
    await together.mend(*ILL)
    assert {await together.sites[one].percent() for one in PILOTS} == {100}
    board = await together.board()
    assert {board[f"location:{one}:rollback:1"] for one in ILL} == {RollbackPhase.RESOLVED}
    assert (board[""], board["wave:1"]) == (ProgrammePhase.PAUSED_SYSTEMIC, WavePhase.ON_HOLD)
    assert (await together.wave_of(1).status()).gate is None


async def _resumes_twice(together: Together) -> None:
    """By two executives at the same moment."""
    resumed = await asyncio.gather(
        *(together.ask(Rollout.resume_program, acts.ResumeProgramme(actor=who)) for who in (CEO, VP))
    )
    assert {receipt.phase for receipt in resumed} == {ProgrammePhase.PILOT}
    events = await together.events()
    assert (events.count("programme_paused"), events.count("programme_resumed")) == (1, 1)
    await together.wave_of(1).happened("gate_opened")
    assert await together.readers("rollout_resumed") >= {"vp_operations", "ceo_coo", "regional_manager"}
    later = await until(together.sites[LATER].status, lambda shown: not shown.holds)
    assert later.phase is LocationPhase.PREPARING, "its turn came under the pause"


async def _is_decided(together: Together) -> None:
    wave = together.wave_of(1)
    for adviser in (CDO, IT):
        await wave.advise(adviser)
    await _decision_meets_new_evidence(together, wave)
    await wave.decide()
    for artefact in (Artefact.LESSONS_LEARNED, Artefact.PLAYBOOK_UPDATE):
        await wave.file(artefact)
    assert await wave.has_ended()
    closed = await together.shows(lambda shown: shown.waves[0].closed_at is not None)
    planned = together.order.plan.waves[1]
    assert closed.waves[1].forecast_from == planned.starts_on + 7 * DAY
    assert closed.forecast.weeks_forecast == closed.forecast.weeks_planned + 1
    assert [(shift.cause, shift.wave) for shift in closed.forecast.shifts] == [("late_close", 1), ("previous_wave", 2)]
    assert [one.cause for one in closed.reforecasts] == ["resumed"]


async def _decision_meets_new_evidence(together: Together, wave: PilotWave) -> None:
    """Which of the two comes first does not matter: nobody decides on what they have not seen."""
    seen = (await wave.gate()).evidence_hash
    together.evidence.evidence = but(count(Metric.CRITICAL_ISSUES, "1"), evidence=good(PILOTS))
    refusal, _ = await asyncio.gather(refused(wave.decide(evidence_hash=seen)), wave.refresh())
    assert refusal.code == "gate.evidence_changed"
    shown = await wave.status()
    assert (shown.decisions, shown.phase) == ((), WavePhase.EVALUATING)
    assert (await refused(wave.decide())).missing == ("critical_issues",)
    together.evidence.evidence = good(PILOTS)
    await wave.refresh()


async def _next_wave_starts(together: Together) -> None:
    planned = together.order.plan.waves[1].starts_on
    await together.advance_to(planned, 20 * HOUR)
    assert (await together.status()).waves[1].started_at is None
    assert (await together.status()).slips == ()
    shown = await together.advance_to_wave(2)
    started = shown.waves[1].started_at
    assert started is not None
    assert started.date() == planned + 7 * DAY
    assert shown.phase is ProgrammePhase.EXPANSION
    later = await together.sites[LATER].status()
    assert later.planned_go_live_at is not None
    assert later.planned_go_live_at.date() == planned + 15 * DAY, "Tuesday of the second week (W-09), a week later"
    second = await together.wave_of(2).status()
    assert (second.starts_on, second.holds) == (planned + 7 * DAY, ())
    assert [one.decision for one in (await _closed(together)).decisions] == [Decision.GO]


async def _closed(together: Together) -> WaveSnapshot:
    return WaveSnapshot.model_validate((await together.wave_of(1).row()).snapshot)
