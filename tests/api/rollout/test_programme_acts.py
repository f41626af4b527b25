"""A running programme over HTTP: each act by whoever may, and what was written with it is kept encrypted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from db.session import Database
from db.tables import RolloutEvidence
from domain.access import Role
from domain.rollout.people import Function
from tests.house import House, Person, open_house
from tests.rollout_files import file, subject

HERE = "/rollouts/bright"
NOTE = "Mrs. Marked of finance has not signed."


def executive(function: Function) -> Person:
    return Person(subject(function), Role.EXECUTIVE)


IT = Person(subject(Function.IT_LEAD), Role.SYSTEM_ADMIN)
VP = executive(Function.VP_OPERATIONS)
CFO = executive(Function.CFO)
CEO = executive(Function.CEO_COO)
GC = executive(Function.GENERAL_COUNSEL)
PM = executive(Function.PROJECT_MANAGER)
VENDOR = Person(subject(Function.VENDOR_TECHNICAL_SPECIALIST), Role.VENDOR)
REGIONAL = Person(subject(Function.REGIONAL_MANAGER, "north"), Role.REGIONAL_ADMIN)


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    """A programme of fifteen locations has begun."""
    async with open_house(database, data_keys, tmp_path) as opened:
        now = await opened.stage.rehearsal.env.get_current_time()
        monday = now.date() + timedelta(days=7 - now.weekday())
        await opened.post(IT, "/rollouts", key="place-1", **file(starts_on=monday.isoformat()))
        await opened.shows(IT, HERE, state="PRE_IMPLEMENTATION")
        yield opened


async def progress(house: House) -> dict[str, Any]:
    found: dict[str, Any] = (await house.read(VP, HERE))["progress"]
    return found


def named(items: list[dict[str, Any]], name: str, value: str) -> dict[str, Any]:
    return next(one for one in items if one[name] == value)


async def evidence(house: House) -> list[RolloutEvidence]:
    async with house.stage.rehearsal.database.transaction() as session:
        return list((await session.exec(select(RolloutEvidence))).all())


async def test_owners_complete_their_tasks_and_the_text_stays_with_the_record(house: House) -> None:
    answer = await house.post(GC, f"{HERE}/tasks/n_02/complete", key="k-1", evidence=NOTE)
    task = named(answer["progress"]["tasks"], "task_id", "n_02")
    assert task["status"] == "done"
    assert "baa" in answer["progress"]["clearances"]
    (kept,) = await evidence(house)
    assert (kept.id, kept.body, kept.about) == (task["evidence_id"], NOTE, "task_n_02")
    again = await house.post(GC, f"{HERE}/tasks/n_02/complete", key="k-1", evidence=NOTE)
    assert again["progress"]["sequence"] == answer["progress"]["sequence"]
    vendor = f"{HERE}/tasks/n_05/complete"
    assert await house.refused(CFO, "POST", vendor, json={"evidence": NOTE}) == (403, "rollout.function_missing")
    assert await house.refused(VENDOR, "POST", vendor, json={}) == (409, "task.evidence_missing")
    await house.post(VENDOR, vendor, evidence="The keys are in the vault.")
    assert await house.refused(REGIONAL, "POST", f"{HERE}/tasks/t_04/complete", json={"evidence": NOTE}) == (
        403,
        "rollout.function_missing",
    )
    assert await house.refused(PM, "POST", f"{HERE}/tasks/n_99/complete", json={}) == (404, "task.unknown")
    assert len(await evidence(house)) == 2  # what came with refused acts is gone


async def test_the_vp_waives_what_is_not_critical(house: House) -> None:
    waive = f"{HERE}/tasks/h_08/waive"
    assert await house.refused(CEO, "POST", waive, json={"reason": "no_such_system"}) == (
        403,
        "rollout.function_missing",
    )
    await house.post(VP, waive, reason="no_such_system")
    assert await house.refused(VP, "POST", f"{HERE}/tasks/n_11/waive", json={"reason": "later"}) == (
        409,
        "task.critical",
    )


async def test_approvals_are_given_in_the_function_that_one_has(house: House) -> None:
    assert await house.refused(VP, "POST", f"{HERE}/approvals/cfo", json={"approve": True}) == (
        403,
        "rollout.function_missing",
    )
    answer = await house.post(CFO, f"{HERE}/approvals/cfo", approve=False, note=NOTE)
    mine = named(answer["progress"]["approvals"], "function", "cfo")
    assert mine["status"] == "rejected"
    assert [kept.id for kept in await evidence(house)] == [mine["note_id"]]
    answer = await house.post(CFO, f"{HERE}/approvals/cfo", approve=True)
    assert named(answer["progress"]["approvals"], "function", "cfo")["status"] == "approved"
    assert await house.refused(PM, "POST", f"{HERE}/approvals/project_manager", json={"approve": True}) == (
        403,
        "approval.not_an_approver",
    )


async def test_a_point_of_compliance_is_attested_by_its_owner(house: House) -> None:
    point = f"{HERE}/compliance/p_02"
    assert await house.refused(IT, "POST", point, json={"passed": True}) == (409, "compliance.evidence_missing")
    assert await house.refused(CFO, "POST", point, json={"passed": False}) == (403, "rollout.function_missing")
    answer = await house.post(IT, point, passed=True, evidence="TLS 1.3 everywhere.")
    assert named(answer["progress"]["compliance"], "point_id", "p_02")["status"] == "pass"
    first = f"{HERE}/compliance/p_01"
    assert await house.refused(GC, "POST", first, json={"passed": True, "evidence": "Signed."}) == (
        409,
        "compliance.task_open",
    )


async def test_the_selection_is_approved_as_it_is_and_changes_with_the_plan(house: House) -> None:
    pilots = (await progress(house))["waves"][0]["locations"]
    wrong = {"locations": [*pilots, "l99"]}
    assert await house.refused(VP, "POST", f"{HERE}/pilot-approval", json=wrong) == (409, "pilot.selection_changed")
    answer = await house.post(VP, f"{HERE}/pilot-approval", locations=pilots)
    assert answer["progress"]["pilot_approved"]
    second = (await progress(house))["waves"][1]["locations"][0]
    moved = await house.post(PM, f"{HERE}/locations/{second}/move", to_wave=None, reason="renovation")
    assert named(moved["progress"]["locations"], "location_id", second)["wave"] is None
    assert moved["progress"]["plan"]["version"] == 2
    planned = await house.post(PM, f"{HERE}/plan/follow", moves=[])
    assert planned["progress"]["plan"]["version"] == 3
    assert named(planned["progress"]["locations"], "location_id", second)["wave"] is not None


async def test_holds_and_waivers_are_the_vps_and_cancelling_is_for_good(house: House) -> None:
    assert await house.refused(PM, "POST", f"{HERE}/holds", json={"reason": "budget"}) == (
        403,
        "rollout.function_missing",
    )
    held = await house.post(VP, f"{HERE}/holds", reason="budget", note=NOTE)
    assert held["state"] == "ON_HOLD"
    assert (await house.post(VP, f"{HERE}/holds/budget/release"))["state"] == "PRE_IMPLEMENTATION"
    assert await house.refused(VP, "POST", f"{HERE}/holds/budget/release") == (409, "hold.none")
    assert await house.refused(CEO, "POST", f"{HERE}/resume", json={}) == (409, "programme.not_paused")
    waived = await house.post(VP, f"{HERE}/waivers", rule="pilot_regions", reason=NOTE)
    reasons = [waiver["reason"] for waiver in waived["progress"]["waivers"]]
    assert reasons[-1] in {kept.id for kept in await evidence(house)}
    decided = await house.post(CEO, f"{HERE}/hosting", hosting="location_level", rationale=NOTE)
    assert decided["progress"]["hosting"]["hosting"] == "location_level"
    assert (await house.post(CEO, f"{HERE}/cancel", reason="budget", note=NOTE))["state"] == "PROGRAM_CANCELLED"
    assert NOTE not in str(await progress(house))


async def test_what_is_late_is_taken_on(house: House) -> None:
    late = {"clock": "task:n_06"}
    take = f"{HERE}/acknowledge-escalation"
    assert await house.refused(PM, "POST", take, json=late) == (409, "escalation.none")
    due = datetime.fromisoformat(named((await progress(house))["tasks"], "task_id", "n_06")["due"])
    await house.advance(due - await house.stage.rehearsal.env.get_current_time() + timedelta(hours=1))
    answer = await house.post(PM, take, **late)
    assert named(answer["progress"]["clocks"], "name", "task:n_06")["acknowledged"]


async def test_strangers_do_not_even_learn_that_it_exists(house: House) -> None:
    stranger = Person("nobody", Role.EXECUTIVE)
    assert await house.refused(stranger, "POST", f"{HERE}/holds", json={"reason": "budget"}) == (
        404,
        "programme.unknown",
    )
