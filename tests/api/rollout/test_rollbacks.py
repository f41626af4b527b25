"""A rollback over HTTP: asked for, made safe, resolved and re-enabled, each by whoever may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from db.session import Database
from db.tables import RolloutEvidence
from domain import names
from domain.access import Role
from domain.names import TaskQueue
from domain.rollout.people import Function
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal
from tests.domain.rollout.locations import location_order
from tests.house import House, Person, open_house
from tests.rollout_rows import PROGRAM, Group
from workflows.rollout.location import Location

HOUR = timedelta(hours=1)
HERE = "/locations/downtown/rollbacks/1"

PROVIDER = Person("provider-1", Role.STANDARD_USER)
MANAGER = Person("manager-1", Role.LOCATION_ADMIN)
CHAMPION = Person("champion-1", Role.STANDARD_USER)
FRONT_DESK = Person("desk-1", Role.STANDARD_USER)
ELSEWHERE = Person("manager-2", Role.LOCATION_ADMIN)
REGIONAL = Person("regional-1", Role.REGIONAL_ADMIN)
IT_LEAD = Person("it-1", Role.SYSTEM_ADMIN)
VENDOR = Person("vendor-1", Role.VENDOR)
VICE_PRESIDENT = Person("vp-1", Role.EXECUTIVE)
STRANGER = Person("stranger-1", Role.EXECUTIVE)

SEATS: tuple[tuple[Person, Function, dict[str, str]], ...] = (
    (PROVIDER, Function.PROVIDER, {"location_id": "downtown"}),
    (MANAGER, Function.OFFICE_MANAGER, {"location_id": "downtown"}),
    (CHAMPION, Function.CHAMPION, {"location_id": "downtown"}),
    (FRONT_DESK, Function.FRONT_DESK, {"location_id": "downtown"}),
    (ELSEWHERE, Function.OFFICE_MANAGER, {"location_id": "harbour"}),
    (REGIONAL, Function.REGIONAL_MANAGER, {"region": "south"}),
    (IT_LEAD, Function.IT_LEAD, {}),
    (VENDOR, Function.VENDOR_SUPPORT, {}),
    (VICE_PRESIDENT, Function.VP_OPERATIONS, {}),
)
STEPS = {
    "central_contacted": CHAMPION,
    "manual_workflows": MANAGER,
    "vendor_notified": IT_LEAD,
    "analysis_started": IT_LEAD,
    "messages_verified": MANAGER,
    "staff_notified": MANAGER,
}
IMPACT = "Mrs. Marked was reminded of her husband's appointment."
REQUEST = {"reason": "clinical_impact", "impact": IMPACT}


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    """Two locations of a programme run, and everybody has a seat in it."""
    async with open_house(database, data_keys, tmp_path) as opened:
        group = await Group.found(database)
        for person, function, place in SEATS:
            await group.hire(function, person.subject, **place)
        for location_id, region in (("downtown", "north"), ("harbour", "south")):
            await run_location(opened.stage.rehearsal, location_id, region)
        yield opened


async def run_location(world: Rehearsal, location_id: str, region: str) -> None:
    order = location_order(await world.env.get_current_time(), location_id=location_id, program_id=PROGRAM)
    placed = order.location.model_copy(update={"region": region})
    await world.client.start_workflow(
        Location.run,
        order.model_copy(update={"location": placed}),
        id=names.location_case(PROGRAM, location_id),
        task_queue=TaskQueue.ROLLOUTS,
    )


async def roll_back(house: House, by: Person = PROVIDER, location: str = "downtown") -> None:
    answer = await house.post(by, f"/locations/{location}/rollback-requests", **REQUEST)
    assert answer["rollback"] == 1
    await begun(house, 1, location)


async def begun(house: House, number: int, location: str = "downtown") -> None:
    """Wait, without letting time pass, for the process that the location has started."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await house.ask(IT_LEAD, "GET", f"/locations/{location}/rollbacks/{number}")
            if answer.is_success:
                return
            await asyncio.sleep(POLL_SECONDS)


@pytest.fixture
async def rolled_back(house: House) -> House:
    await roll_back(house)
    return house


async def make_safe(house: House) -> None:
    for step, person in STEPS.items():
        await house.post(person, f"{HERE}/steps/{step}/acknowledge")


async def clear(house: House) -> None:
    await house.post(VENDOR, f"{HERE}/fixes", kind="fix", description="Connector 4.2.1.")
    await house.post(IT_LEAD, f"{HERE}/fix-tests", passed=True, evidence="100 appointments went through.")
    await house.post(IT_LEAD, f"{HERE}/root-cause", evidence="A lock, which the fix waits for.")


async def progress(house: House, person: Person = IT_LEAD) -> dict[str, Any]:
    found: dict[str, Any] = (await house.read(person, HERE))["progress"]
    return found


async def test_a_provider_asks_for_a_rollback_and_it_goes_all_the_way(house: House) -> None:
    answer = await house.post(PROVIDER, "/locations/downtown/rollback-requests", **REQUEST)
    assert (answer["location_id"], answer["rollback"]) == ("downtown", 1)
    await begun(house, 1)
    view = await house.read(PROVIDER, HERE)
    assert view["progress"]["issues"] == ["requested"]
    assert view["progress"]["phase"] == "ROLLBACK_IMMEDIATE"

    await make_safe(house)
    await clear(house)
    for percent in (25, 50, 100):
        shown = await house.post(IT_LEAD, f"{HERE}/stages")
        assert shown["progress"]["enabled_percent"] == percent
        await house.advance(49 * HOUR)
    assert (await progress(house, MANAGER))["phase"] == "ROLLBACK_RESOLVED"
    steps = await house.read(IT_LEAD, f"{HERE}/timeline?limit=200")
    assert [step["event"] for step in steps["items"] if step["event"].startswith("r")][-1] == "rollback_resolved"


async def test_what_people_write_is_kept_encrypted_and_out_of_the_process(rolled_back: House) -> None:
    async with rolled_back.stage.rehearsal.database.transaction() as session:
        rows = (await session.exec(select(RolloutEvidence).order_by(col(RolloutEvidence.created_at)))).all()
    assert [(row.about, row.body, row.submitted_by) for row in rows] == [("rollback_request", IMPACT, PROVIDER.subject)]
    assert "Marked" not in str(await rolled_back.read(IT_LEAD, f"{HERE}/timeline"))
    assert "Marked" not in str(await rolled_back.read(IT_LEAD, HERE))


async def test_nobody_else_asks_for_a_rollback(house: House) -> None:
    for person in (CHAMPION, FRONT_DESK, IT_LEAD, VENDOR, VICE_PRESIDENT):
        found = await house.refused(person, "POST", "/locations/downtown/rollback-requests", json=REQUEST)
        assert found == (403, "rollout.function_missing"), person


async def test_other_locations_are_none_of_ones_business(rolled_back: House) -> None:
    """X-08, H-06."""
    asked = await rolled_back.refused(ELSEWHERE, "POST", "/locations/downtown/rollback-requests", json=REQUEST)
    assert asked == (404, "location.unknown")
    step = f"{HERE}/steps/manual_workflows/acknowledge"
    assert await rolled_back.refused(ELSEWHERE, "POST", step, json={}) == (404, "location.unknown")
    harbour = await rolled_back.read(ELSEWHERE, "/locations/harbour/timeline?limit=200")
    assert "rolled_back" not in [step["event"] for step in harbour["items"]]


async def test_two_requests_are_one_rollback(rolled_back: House) -> None:
    again = await rolled_back.post(MANAGER, "/locations/downtown/rollback-requests", **REQUEST)
    assert again["rollback"] == 1
    found = await rolled_back.refused(IT_LEAD, "POST", "/locations/downtown/rollbacks/2/stages")
    assert found == (404, "rollback.unknown")


async def test_a_request_that_is_repeated_with_its_key_happens_once(rolled_back: House) -> None:
    path = f"{HERE}/steps/central_contacted/acknowledge"
    first = await rolled_back.post(CHAMPION, path, key="k-1", note="Called both at 9:05.")
    assert await rolled_back.post(CHAMPION, path, key="k-1", note="Called both at 9:05.") == first
    other = await rolled_back.refused(
        CHAMPION, "POST", path, json={"note": "Something else."}, headers={"Idempotency-Key": "k-1"}
    )
    assert other == (422, "request.idempotency_key_reused")


async def test_refusals_say_what_is_missing(rolled_back: House) -> None:
    answer = await rolled_back.ask(IT_LEAD, "POST", f"{HERE}/stages")
    assert (answer.status_code, answer.json()["code"]) == (409, "rollback.not_to_be_re_enabled")
    assert answer.json()["missing"] == [
        *(f"step:{step}" for step in STEPS),
        "fix",
        "fix_validated",
        "root_cause_confirmed",
    ]
    early = await rolled_back.ask(IT_LEAD, "POST", f"{HERE}/steps/vendor_notified/acknowledge", json={})
    assert (early.status_code, early.json()["code"]) == (409, "rollback.step_too_early")
    await make_safe(rolled_back)
    await clear(rolled_back)
    await rolled_back.post(IT_LEAD, f"{HERE}/stages")
    again = await rolled_back.ask(IT_LEAD, "POST", f"{HERE}/stages")
    assert again.json()["missing"] == ["stage_watched"]
    assert again.json()["earliest"] == (await progress(rolled_back))["watched_until"]


async def test_each_act_has_its_people(rolled_back: House) -> None:
    for person, path, body in (
        (FRONT_DESK, "steps/central_contacted/acknowledge", {}),
        (MANAGER, "fixes", {"kind": "fix", "description": "Switch it off and on."}),
        (VENDOR, "fix-tests", {"passed": True, "evidence": "It works here."}),
        (VICE_PRESIDENT, "root-cause", {"evidence": "It was the vendor."}),
        (MANAGER, "stages", None),
        (CHAMPION, "escalations/immediate/acknowledge", None),
    ):
        found = await rolled_back.refused(person, "POST", f"{HERE}/{path}", json=body)
        assert found == (403, "rollout.function_missing"), path


async def test_the_system_s_step_is_nobody_s(rolled_back: House) -> None:
    path = f"{HERE}/steps/communications_disabled/acknowledge"
    assert await rolled_back.refused(IT_LEAD, "POST", path, json={}) == (403, "rollback.not_the_owner")
    unknown = await rolled_back.refused(IT_LEAD, "POST", f"{HERE}/steps/dance/acknowledge", json={})
    assert unknown == (404, "rollback.step_unknown")


async def test_a_refused_act_keeps_no_evidence(rolled_back: House) -> None:
    body = {"evidence": "Nothing was tested."}
    assert (await rolled_back.refused(IT_LEAD, "POST", f"{HERE}/root-cause", json=body))[0] == 409
    async with rolled_back.stage.rehearsal.database.transaction() as session:
        rows = (await session.exec(select(RolloutEvidence.about))).all()
    assert rows == ["rollback_request"]


async def test_a_late_rollback_is_taken_on(rolled_back: House) -> None:
    early = await rolled_back.refused(IT_LEAD, "POST", f"{HERE}/escalations/immediate/acknowledge")
    assert early == (409, "escalation.none")
    await rolled_back.advance(2 * HOUR + timedelta(minutes=1))
    assert (await progress(rolled_back))["sla_state"] == "breached"
    shown = await rolled_back.post(VICE_PRESIDENT, f"{HERE}/escalations/immediate/acknowledge")
    clock = next(one for one in shown["progress"]["clocks"] if one["name"] == "immediate")
    assert clock["acknowledged"] is True


async def test_a_fix_that_failed_is_awaited_anew(rolled_back: House) -> None:
    await rolled_back.post(VENDOR, f"{HERE}/fixes", kind="workaround", description="Restart it each night.")
    shown = await rolled_back.post(IT_LEAD, f"{HERE}/fix-tests", passed=False, evidence="It failed by noon.")
    assert shown["progress"]["fix"]["passed"] is False
    again = {"passed": True, "evidence": "Now it does."}
    assert await rolled_back.refused(IT_LEAD, "POST", f"{HERE}/fix-tests", json=again) == (409, "rollback.no_fix")


async def test_lists_the_rollbacks_that_are_ones_business(rolled_back: House) -> None:
    await roll_back(rolled_back, ELSEWHERE, "harbour")
    path = f"/rollouts/{PROGRAM}/rollbacks"

    async def locations(person: Person, query: str = "") -> list[str]:
        found = await rolled_back.read(person, path + query)
        return [item["location_id"] for item in found["items"]]

    assert await locations(IT_LEAD) == ["downtown", "harbour"]
    assert await locations(REGIONAL) == ["harbour"]
    assert await locations(MANAGER) == ["downtown"]
    assert await locations(IT_LEAD, "?open=true") == ["downtown", "harbour"]
    assert await rolled_back.refused(STRANGER, "GET", path) == (404, "programme.unknown")
    first = await rolled_back.read(IT_LEAD, f"{path}?limit=1")
    rest = await rolled_back.read(IT_LEAD, f"{path}?limit=1&cursor={first['next_cursor']}")
    assert [item["location_id"] for item in (*first["items"], *rest["items"])] == ["downtown", "harbour"]
    assert rest["next_cursor"] is None


async def test_one_that_was_cancelled_is_open_no_more_and_another_one_may_follow(rolled_back: House) -> None:
    handle = rolled_back.stage.rehearsal.client.get_workflow_handle(names.rollback_case(PROGRAM, "downtown", 1))
    await handle.cancel()
    assert await rolled_back.stage.rehearsal.has_ended(handle.id)
    assert (await rolled_back.read(IT_LEAD, f"/rollouts/{PROGRAM}/rollbacks?open=true"))["items"] == []
    over = await rolled_back.refused(IT_LEAD, "POST", f"{HERE}/stages")
    assert over == (409, "case.not_running")
    await rolled_back.post(MANAGER, "/locations/downtown/rollback-requests", **REQUEST)
    await begun(rolled_back, 2)
