"""A wave and its gate over HTTP: who checks in, who writes, who advises, who decides, and what is shown to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from temporalio.client import WorkflowHandle

from activities.rollout_contracts import CollectEvidenceInput
from db.gate_evidence import SqlGateEvidence
from db.session import Database
from db.tables import ConfidenceAnswer, RolloutEvidence, RolloutMember, new_id
from domain import names
from domain.access import Role
from domain.clock import arm
from domain.names import Process, TaskQueue
from domain.rollout.gate.judging import judge
from domain.rollout.gate.snapshot import Period, take
from domain.rollout.gate.state import Gate
from domain.rollout.news import LocationNews
from domain.rollout.orders import WaveOrder
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase
from domain.rollout.wave.acts import WaveReceipt
from domain.rollout.wave.state import CheckIns, WaveState
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS
from tests.domain.rollout.gates import wave_order
from tests.house import House, Person, open_house
from tests.rollout_rows import PROGRAM, Group
from workflows.rollout.wave import Wave

HOUR = timedelta(hours=1)
VP = Person("vp-1", Role.EXECUTIVE)
DENTIST = Person("cdo-1", Role.EXECUTIVE)
IT = Person("it-1", Role.SYSTEM_ADMIN)
ADMIN = Person("admin-1", Role.SYSTEM_ADMIN)
CHAMPION = Person("champion-1", Role.STANDARD_USER)
BACKUP = Person("backup-1", Role.STANDARD_USER)
DESK = Person("desk-1", Role.STANDARD_USER)
NORTH = Person("regional-1", Role.REGIONAL_ADMIN)
STRANGER = Person("stranger-1", Role.EXECUTIVE)
SEATS: tuple[tuple[Person, Function, dict[str, str]], ...] = (
    (VP, Function.VP_OPERATIONS, {}),
    (DENTIST, Function.CHIEF_DENTAL_OFFICER, {}),
    (IT, Function.IT_LEAD, {}),
    (ADMIN, Function.PROJECT_MANAGER, {}),
    (CHAMPION, Function.CHAMPION, {"location_id": "downtown"}),
    (BACKUP, Function.BACKUP_CHAMPION, {"location_id": "downtown"}),
    (DESK, Function.FRONT_DESK, {"location_id": "downtown"}),
    (NORTH, Function.REGIONAL_MANAGER, {"region": "north"}),
)
HERE = f"/rollouts/{PROGRAM}/waves/1"
ZONES = {"downtown": "America/Denver", "harbour": "America/Denver"}
NOTE = "Mrs. Marked still wants to be called."


@dataclass
class OpenWave:
    house: House
    members: dict[str, str]

    async def gate(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.house.read(VP, f"{HERE}/gate")
        return found

    async def decision(self, chosen: str = "go", **more: Any) -> dict[str, Any]:
        evidence_hash = (await self.gate())["gate"]["evidence_hash"]
        return {"decision": chosen, "evidence_hash": evidence_hash, "reason": "As discussed.", **more}

    async def advise(self) -> None:
        for person in (DENTIST, IT):
            await self.house.post(person, f"{HERE}/gate/inputs", advice="go", note=NOTE)

    async def written(self) -> list[RolloutEvidence]:
        async with self.house.stage.rehearsal.database.transaction() as session:
            return list(await session.exec(select(RolloutEvidence).order_by(col(RolloutEvidence.about))))


@pytest.fixture
async def wave(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[OpenWave]:
    """Its gate is open on what the records know, which is little; a check-in of downtown is due."""
    async with open_house(database, data_keys, tmp_path) as house:
        group = await Group.found(database)
        members = {who.subject: await group.hire(function, who.subject, **at) for who, function, at in SEATS}
        world = house.stage.rehearsal
        now = await world.env.get_current_time()
        async with database.transaction() as session:
            champion = members[CHAMPION.subject]
            session.add(ConfidenceAnswer(member_id=champion, location_id="downtown", score=5, answered_at=now - HOUR))
        order = wave_order(starts_on=now.date() - timedelta(days=now.weekday() + 28), zones=ZONES)
        order = order.model_copy(update={"program_id": PROGRAM})
        state = await _state(database, order, now)
        case_id = names.wave_case(PROGRAM, 1)
        await world.client.start_workflow(
            Process.WAVE, order.model_copy(update={"carried": state}), id=case_id, task_queue=TaskQueue.ROLLOUTS
        )
        handle: WorkflowHandle[Wave, WaveReceipt] = world.client.get_workflow_handle(case_id)
        # Its first step, and with it what the API reads.
        await handle.signal(Wave.location_reported, _live("harbour", sequence=2))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await house.ask(VP, "GET", f"{HERE}/gate")).is_error:
                await world.synchronise()
                await asyncio.sleep(POLL_SECONDS)
        yield OpenWave(house, members)


def _live(location_id: str, sequence: int = 1) -> LocationNews:
    return LocationNews(
        sequence=sequence,
        location_id=location_id,
        phase=LocationPhase.LIVE,
        deployed=True,
        baseline_validated=True,
        rollbacks=sequence - 1,
    )


async def _state(database: Database, order: WaveOrder, now: datetime) -> WaveState:
    since = now - timedelta(days=15)
    period = Period(program_id=PROGRAM, wave=1, since=since, until=now, incidents_since=since)
    asked = CollectEvidenceInput(locations=order.planned.locations, known_at=now, **period.model_dump())
    taken = take(period, (await SqlGateEvidence(database).collect(asked)).evidence, now)
    gate = Gate(
        attempt=1,
        opened_at=now,
        inputs_due=now + timedelta(days=2),
        snapshot=taken,
        verdicts=judge(order.gate.criteria, taken, ZONES),
    )
    return WaveState(
        locations={one: _live(one) for one in ZONES},
        launched=dict.fromkeys(ZONES, since),
        check_ins={"downtown": CheckIns(day=now.date(), since=now)},
        gate=gate,
        attempts=1,
        clocks={"check_in:downtown": arm(order.policy.check_in, now)},
    )


async def test_the_gate_shows_criteria_evidence_inputs_and_what_was_written(wave: OpenWave) -> None:
    await wave.advise()
    found = await wave.gate()
    shown = {one["metric"]: one for one in found["gate"]["verdicts"] if one["location_id"] is None}
    assert (shown["critical_issues"]["result"], shown["sync_success"]["result"]) == ("pass", "inconclusive")
    assert shown["sync_success"]["needed"] == "evidence of sync success must be given"
    assert found["gate"]["submitters"] == [wave.members[CHAMPION.subject]]
    assert {one["advice"] for one in found["gate"]["inputs"].values()} == {"go"}
    assert set(found["notes"].values()) == {NOTE}
    assert (await wave.house.read(VP, f"/rollouts/{PROGRAM}/waves"))["items"][0]["state"] == "WAVE_EVALUATING"


async def test_the_vp_decides_on_the_evidence_that_was_seen(wave: OpenWave) -> None:
    at, house = f"{HERE}/gate/decision", wave.house
    assert await house.refused(VP, "POST", at, json=await wave.decision()) == (409, "gate.input_awaited")
    await wave.advise()
    assert await house.refused(VP, "POST", at, json=await wave.decision()) == (409, "gate.override_needed")
    other = await wave.decision(evidence_hash="0" * 64, override_reason="Measured by hand.")
    assert await house.refused(VP, "POST", at, json=other) == (409, "gate.evidence_changed")
    assert len(await wave.written()) == 2  # what was refused left nothing behind

    asked = await wave.decision(override_reason="Measured by hand.")
    decided = await house.post(VP, at, key="decide-1", **asked)
    assert (decided["state"], decided["gate"]) == ("WAVE_LEARNING", None)
    kept = decided["decisions"][0]
    assert kept["by"] == {"role": "vp_operations", "id": wave.members[VP.subject]}
    assert decided["notes"][kept["reason_id"]] == "As discussed."
    assert decided["notes"][kept["override_id"]] == "Measured by hand."
    assert (await house.post(VP, at, key="decide-1", **asked))["decisions"] == decided["decisions"]

    await house.post(ADMIN, f"{HERE}/artefacts", artefact="lessons_learned", text="Train twice.")
    closed = await house.post(ADMIN, f"{HERE}/artefacts", artefact="playbook_update", text="Chapter 3.")
    assert closed["progress"]["phase"] == "WAVE_CLOSED"


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (DENTIST, "rollout.function_missing"),
        (IT, "auth.role_missing"),
        (ADMIN, "auth.role_missing"),
        (CHAMPION, "auth.role_missing"),
        (NORTH, "auth.role_missing"),
    ],
    ids=lambda one: one.subject if isinstance(one, Person) else one,
)
async def test_nobody_else_decides(wave: OpenWave, person: Person, code: str) -> None:
    asked = await wave.decision("no_go")
    assert await wave.house.refused(person, "POST", f"{HERE}/gate/decision", json=asked) == (403, code)


async def test_a_vp_who_also_submitted_evidence_does_not_decide(wave: OpenWave, database: Database) -> None:
    """As the champion of a location, in another seat."""
    await wave.advise()
    now = await wave.house.stage.rehearsal.env.get_current_time()
    async with database.transaction() as session:
        held = await session.get_one(RolloutMember, wave.members[VP.subject])
        seat = RolloutMember(
            id=new_id(),
            program_id=PROGRAM,
            staff_id=held.staff_id,
            function=Function.CHAMPION,
            location_id="harbour",
            changed_by="it-1",
        )
        session.add(seat)
        await session.flush()
        session.add(ConfidenceAnswer(member_id=seat.id, location_id="harbour", score=5, answered_at=now))
    await wave.house.post(IT, f"{HERE}/gate/evidence")
    asked = await wave.decision("no_go")
    refusal = await wave.house.refused(VP, "POST", f"{HERE}/gate/decision", json=asked)
    assert refusal == (403, "gate.decider_submitted_evidence")


async def test_only_the_two_advisers_give_input(wave: OpenWave) -> None:
    at, house = f"{HERE}/gate/inputs", wave.house
    assert await house.refused(VP, "POST", at, json={"advice": "go"}) == (403, "rollout.function_missing")
    assert await house.refused(ADMIN, "POST", at, json={"advice": "go"}) == (403, "gate.adviser_only")
    assert await house.refused(IT, "POST", at, json={"advice": "no_input"}) == (422, "request.invalid")


async def test_the_champion_checks_in_and_nobody_else_while_they_may(wave: OpenWave) -> None:
    at, body, house = f"{HERE}/check-ins", {"location_id": "downtown", "note": NOTE}, wave.house
    assert await house.refused(BACKUP, "POST", at, json=body) == (409, "check_in.primary_first")
    assert await house.refused(DESK, "POST", at, json=body) == (403, "rollout.function_missing")
    elsewhere = {"location_id": "harbour"}
    assert await house.refused(CHAMPION, "POST", at, json=elsewhere) == (404, "location.unknown")
    shown = await house.post(CHAMPION, at, **body)
    assert (shown["check_ins"]["done"], shown["check_ins"]["last_by"]["id"]) == (1, wave.members[CHAMPION.subject])
    assert await house.refused(CHAMPION, "POST", at, json=body) == (409, "check_in.none_due")
    (note,) = await wave.written()
    assert (note.about, note.location_id, note.body) == ("wave_1_check_in", "downtown", NOTE)


async def test_a_regional_manager_takes_on_a_missed_check_in(wave: OpenWave) -> None:
    at = f"{HERE}/escalations/check_in:downtown/acknowledge"
    assert await wave.house.refused(NORTH, "POST", at) == (409, "escalation.none")
    await wave.house.advance(timedelta(hours=4))
    assert (await wave.house.post(NORTH, at))["acknowledged"]
    other = f"{HERE}/escalations/check_in:harbour/acknowledge"
    assert await wave.house.refused(NORTH, "POST", other) == (404, "location.unknown")


async def test_a_gate_is_for_those_of_the_whole_programme(wave: OpenWave) -> None:
    house = wave.house
    assert await house.refused(NORTH, "GET", f"{HERE}/gate") == (403, "auth.role_missing")
    assert await house.refused(NORTH, "GET", f"/rollouts/{PROGRAM}/waves") == (403, "rollout.part_only")
    assert await house.refused(STRANGER, "GET", f"{HERE}/gate") == (404, "programme.unknown")
    assert await house.refused(VP, "GET", f"/rollouts/{PROGRAM}/waves/2/gate") == (404, "wave.unknown")
    asked = {"artefact": "lessons_learned", "text": "x"}
    assert await house.refused(DENTIST, "POST", f"{HERE}/artefacts", json=asked) == (403, "rollout.function_missing")
