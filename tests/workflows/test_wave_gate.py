"""The gate behind a wave: evidence, input, one decision, and what a no-go leads to (GG, decisions 31 to 34)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import time, timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from crypto import Keyring
from db.session import Database
from domain.actors import Actor
from domain.rollout.gate.evidence import Metric
from domain.rollout.gate.results import Result
from domain.rollout.gate.state import Advice, Decision
from domain.rollout.people import Function
from domain.rollout.phases import WavePhase
from domain.rollout.wave.policy import Artefact
from tests.domain.rollout.gates import but, count, good, share, wave_order
from tests.workflows import wave as players
from tests.workflows.visit import refused
from tests.workflows.wave import CDO, HOLD, IT, VP, PilotWave, ScriptedEvidence

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SYNC_FAILS = but(share(Metric.SYNC_SUCCESS, 576, 600))


async def forbidden(asked: Awaitable[object]) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await asked
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause.type or ""


@pytest.fixture
def evidence() -> ScriptedEvidence:
    return ScriptedEvidence()


@pytest.fixture
async def gate(database: Database, keyring: Keyring, evidence: ScriptedEvidence) -> AsyncIterator[PilotWave]:
    """A pilot at half past nine on the Friday of its evaluation, which began at nine."""
    async with players.playing(database, keyring, evidence) as world:
        starts_on = players.january_monday(await world.env.get_current_time())
        wave = PilotWave(world, wave_order(starts_on=starts_on), evidence)
        await wave.start()
        await wave.to(18, time(9, 30))
        yield wave


async def _both_advise(wave: PilotWave) -> None:
    await wave.advise(CDO)
    await wave.advise(IT, Advice.NO_GO)


async def test_it_opens_with_the_evidence_from_go_live_to_evaluation(gate: PilotWave) -> None:
    (asked,) = gate.evidence.asked
    assert asked.since - gate.at(3, time(8)) < timedelta(seconds=5)
    assert asked.until - gate.at(18, time(9)) < timedelta(seconds=5)
    assert asked.incidents_since == asked.since
    assert asked.locations == ("loc-1", "loc-2")
    shown = await gate.gate()
    assert (shown.attempt, shown.result, len(shown.verdicts)) == (1, Result.PASS, 10)
    assert shown.submitters == ("champion-of-loc-1", "champion-of-loc-2")
    told = await gate.notices()
    assert {reader for reader, template in told if template == "rollout_gate_open"} == {
        "vp_operations",
        "chief_dental_officer",
        "it_lead",
    }


async def test_it_says_in_numbers_what_would_make_it_pass(gate: PilotWave) -> None:
    gate.evidence.evidence = but(share(Metric.SYNC_SUCCESS, 576, 600), count(Metric.CHAMPION_CONFIDENCE, "3", "loc-2"))
    await gate.refresh()
    needed = {one.code: one.needed for one in (await gate.gate()).verdicts if one.needed}
    assert needed == {
        "sync_success": "12 more of 600 appointments must sync",
        "champion_confidence:loc-2": "every champion of loc-2 must rate at least 4, the lowest rated 3",
    }


async def test_it_waits_for_input_two_business_days_and_no_longer(gate: PilotWave) -> None:
    await gate.advise(CDO, Advice.NO_GO)
    error = await refused(gate.decide())
    assert (error.code, error.missing) == ("gate.input_awaited", ("it_lead",))
    assert error.earliest == gate.at(22, time(17))  # the Tuesday after
    await gate.to(21, time(18))
    assert ("it_lead", "rollout_gate_input_reminder") in await gate.notices()
    assert (await refused(gate.decide())).code == "gate.input_awaited"

    await gate.to(22, time(17, 30))
    inputs = (await gate.gate()).inputs
    assert inputs[Function.IT_LEAD].advice is Advice.NO_INPUT
    assert inputs[Function.CHIEF_DENTAL_OFFICER].advice is Advice.NO_GO
    assert (await gate.decide()).phase is WavePhase.LEARNING
    kept = (await gate.status()).decisions[0]
    assert (kept.decision, kept.by, kept.inputs) == (Decision.GO, VP, inputs)


async def test_a_decision_on_evidence_that_has_changed_is_refused_and_shows_the_new(gate: PilotWave) -> None:
    await _both_advise(gate)
    before = (await gate.gate()).evidence_hash
    gate.evidence.evidence = but(count(Metric.CRITICAL_ISSUES, "1"))
    error = await refused(gate.decide(evidence_hash=before))
    after = await gate.gate()
    assert error.code == "gate.evidence_changed"
    assert after.evidence_hash != before
    assert after.evidence_hash in error.detail
    assert (await gate.row()).snapshot["gate"]["evidence_hash"] == after.evidence_hash
    assert (after.since, after.until) == (gate.evidence.asked[0].since, gate.evidence.asked[0].until)

    error = await refused(gate.decide())
    assert (error.code, error.missing) == ("gate.criteria_failed", ("critical_issues",))
    gate.evidence.evidence = good()
    await gate.refresh()
    assert (await gate.decide()).phase is WavePhase.LEARNING


async def test_of_two_decisions_at_once_the_first_counts(gate: PilotWave) -> None:
    await _both_advise(gate)
    seen = (await gate.gate()).evidence_hash
    answers = await asyncio.gather(
        gate.decide(Decision.NO_GO, evidence_hash=seen),
        gate.decide(Decision.GO, evidence_hash=seen),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, WorkflowUpdateFailedError) for answer in answers) == 1
    assert len((await gate.status()).decisions) == 1


async def test_a_repeated_decision_is_the_same_decision(gate: PilotWave) -> None:
    await _both_advise(gate)
    seen = (await gate.gate()).evidence_hash
    first = await gate.decide(evidence_hash=seen, update_id="act-1")
    assert await gate.decide(evidence_hash=seen, update_id="act-1") == first
    assert (await refused(gate.decide(evidence_hash=seen))).code == "gate.not_open"


async def test_only_the_vp_decides_and_not_on_evidence_of_their_own(gate: PilotWave) -> None:
    await _both_advise(gate)
    assert await forbidden(gate.decide(actor=CDO)) == "gate.decider_only"
    assert await forbidden(gate.decide(actor=Actor(role="system_admin", id="root"))) == "gate.decider_only"
    own = gate.decide(known_as=("vp", "champion-of-loc-1"))
    assert await forbidden(own) == "gate.decider_submitted_evidence"
    assert await forbidden(gate.advise(VP)) == "gate.adviser_only"
    assert (await refused(gate.decide(wave=2))).code == "gate.other_wave"


async def test_a_no_go_is_evaluated_again_a_week_later_and_may_be_a_go_then(gate: PilotWave) -> None:
    gate.evidence.evidence = SYNC_FAILS
    await gate.refresh()
    await _both_advise(gate)
    assert (await refused(gate.decide(override_id="reason"))).code == "gate.criteria_failed"
    assert (await gate.decide(Decision.NO_GO, reason_id="why")).phase is WavePhase.EXTENDED
    found = await gate.status()
    assert (found.extended_weeks, found.evaluation_at) == (1, gate.at(25, time(9)))
    decided = found.decisions[0]
    assert (decided.failing, decided.reason_id) == (("sync_success",), "why")
    assert (await gate.heard())[-1].extended_weeks == 1

    gate.evidence.evidence = good()
    await gate.to(21, time(14))
    await gate.check_in("loc-1")  # they go on in the week that was added
    await gate.to(25, time(9, 30))
    again = await gate.gate()
    assert (again.attempt, again.inputs) == (2, {})
    assert gate.evidence.asked[-1].since == gate.evidence.asked[0].since
    assert gate.evidence.asked[-1].incidents_since == decided.at
    await _both_advise(gate)
    assert (await gate.decide()).phase is WavePhase.LEARNING
    assert [one.decision for one in (await gate.status()).decisions] == [Decision.NO_GO, Decision.GO]


async def test_what_is_in_doubt_is_passed_with_a_reason_on_record(gate: PilotWave) -> None:
    gate.evidence.evidence = tuple(one for one in good() if one.metric is not Metric.DELIVERY)
    await gate.refresh()
    await _both_advise(gate)
    error = await refused(gate.decide())
    assert (error.code, error.missing) == ("gate.override_needed", ("delivery",))
    await gate.decide(override_id="reason-1")
    assert (await gate.status()).decisions[0].override_id == "reason-1"


async def test_nobody_decides_so_it_is_chased_expires_and_opens_again(gate: PilotWave) -> None:
    await gate.to(23, time(12))
    assert ("ceo_coo", "rollout_gate_overdue") in await gate.notices()
    assert (await gate.clocks())["gate_decision"].clock.escalation_level == 1
    await gate.to(24, time(12))
    found = await gate.status()
    assert (found.gate, found.phase, found.extended_weeks) == (None, WavePhase.EXTENDED, 1)
    assert found.decisions[0].decision is Decision.EXPIRED
    assert (await refused(gate.decide(evidence_hash="0" * 64))).code == "gate.not_open"
    await gate.to(25, time(9, 30))
    assert (await gate.gate()).attempt == 2


async def test_an_escalation_of_the_decision_that_is_taken_on_climbs_no_further(gate: PilotWave) -> None:
    await gate.to(23, time(12))
    await gate.acknowledge("gate_decision")
    await gate.to(24, time(2))
    assert ("ceo_coo", "rollout_gate_escalated") not in await gate.notices()


async def test_a_hold_stops_a_go_until_it_is_lifted(gate: PilotWave) -> None:
    await _both_advise(gate)
    await gate.hear(HOLD)
    assert (await refused(gate.decide())).code == "wave.on_hold"
    await gate.hear()
    assert (await gate.decide()).phase is WavePhase.LEARNING


async def test_an_evaluation_waits_while_something_holds_the_wave(
    database: Database, keyring: Keyring, evidence: ScriptedEvidence
) -> None:
    async with players.playing(database, keyring, evidence) as world:
        starts_on = players.january_monday(await world.env.get_current_time())
        wave = PilotWave(world, wave_order(starts_on=starts_on), evidence)
        await wave.start()
        await wave.to(17, time(12))
        await wave.hear(HOLD)
        await wave.to(19, time(12))
        assert (await wave.status()).gate is None
        await wave.hear()
        await wave.happened("gate_opened")
        assert (await wave.gate()).until - wave.at(19, time(12)) < HOUR


async def test_lessons_that_nobody_writes_are_chased(gate: PilotWave) -> None:
    await _both_advise(gate)
    await gate.decide()
    await gate.world.advance(4 * DAY + HOUR)
    assert ("vp_operations", "rollout_lessons_overdue") in await gate.notices()
    await gate.file(Artefact.LESSONS_LEARNED)
    assert (await gate.file(Artefact.PLAYBOOK_UPDATE)).phase is WavePhase.CLOSED


async def test_later_waves_are_also_held_against_rollbacks(
    database: Database, keyring: Keyring, evidence: ScriptedEvidence
) -> None:
    async with players.playing(database, keyring, evidence) as world:
        evidence.evidence = but(count(Metric.ROLLBACKS, "1", "loc-2"))
        starts_on = players.january_monday(await world.env.get_current_time())
        wave = PilotWave(world, wave_order(pilot=False, number=3, starts_on=starts_on), evidence)
        await wave.start()
        await wave.to(18, time(9, 30))
        await _both_advise(wave)
        error = await refused(wave.decide())
        assert (error.code, error.missing) == ("gate.criteria_failed", ("rollbacks:loc-2",))
