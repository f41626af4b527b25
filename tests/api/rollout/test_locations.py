"""The checklist of a location over HTTP, its baseline, and the switches of its communication."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from db.session import Database
from db.tables import LocationComms, RolloutBaseline, RolloutEvidence, RolloutProgram
from domain import names, policy
from domain.access import Role
from domain.names import TaskQueue
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.people import Function
from tests.domain.rollout.locations import location_order
from tests.house import House, Person, open_house
from tests.rollout_rows import PROGRAM, Group
from workflows.rollout.location import Location

POLICY = policy.load().rollout
IT = Person("it-1", Role.SYSTEM_ADMIN)
MANAGER = Person("manager-1", Role.LOCATION_ADMIN)
DESK = Person("desk-1", Role.STANDARD_USER)
REGIONAL = Person("regional-1", Role.REGIONAL_ADMIN)
OTHER_REGIONAL = Person("regional-2", Role.REGIONAL_ADMIN)
VENDOR = Person("vendor-1", Role.VENDOR)
SEATS: tuple[tuple[Person, Function, dict[str, str]], ...] = (
    (IT, Function.IT_LEAD, {}),
    (MANAGER, Function.OFFICE_MANAGER, {"location_id": "downtown"}),
    (DESK, Function.FRONT_DESK, {"location_id": "downtown"}),
    (REGIONAL, Function.REGIONAL_MANAGER, {"region": "north"}),
    (OTHER_REGIONAL, Function.REGIONAL_MANAGER, {"region": "south"}),
    (VENDOR, Function.VENDOR_SUPPORT, {}),
)
HERE = "/locations/downtown"


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, data_keys, tmp_path) as opened:
        group = await Group.found(database)
        for person, function, place in SEATS:
            await group.hire(function, person.subject, **place)
        async with database.transaction() as session:
            program = await session.get_one(RolloutProgram, PROGRAM)
            program.order = {**program.order, "policy": POLICY.model_dump(mode="json")}
            session.add(program)
        world = opened.stage.rehearsal
        order = location_order(await world.env.get_current_time(), program_id=PROGRAM)
        await world.client.start_workflow(
            Location.run, order, id=names.location_case(PROGRAM, "downtown"), task_queue=TaskQueue.ROLLOUTS
        )
        await world.cases.status(names.location_case(PROGRAM, "downtown"), LocationSnapshot)
        await opened.shows(IT, f"{HERE}/checklist", state="LOCATION_PREPARING")
        yield opened


async def item(house: House, task_id: str) -> dict[str, Any]:
    view = await house.read(IT, f"{HERE}/checklist")
    found: dict[str, Any] = next(one for one in view["items"] if one["task_id"] == task_id)
    return found


async def collected(house: House) -> None:
    """A whole baseline."""
    async with house.stage.rehearsal.database.transaction() as session:
        for spec in POLICY.baseline.metrics:
            session.add(
                RolloutBaseline(
                    location_id="downtown",
                    metric=spec.metric,
                    first_day=date(2026, 1, 1),
                    last_day=date(2026, 1, 31),
                    counts={},
                    numerator=Decimal(1),
                    denominator=Decimal(2),
                    bucketed=Decimal(50),
                    playbook_literal=Decimal(50),
                    reliable=True,
                    method="report",
                    collected_role="office_manager",
                    collected_by="m-1",
                    collected_at=await house.stage.rehearsal.env.get_current_time(),
                )
            )


async def test_shows_what_the_launch_lacks_and_who_owes_it(house: House) -> None:
    view = await house.read(DESK, f"{HERE}/checklist")
    assert {"baseline.validated", "task.internet", "training.champion", "integration.steps"} <= set(view["missing"])
    firewall = await item(house, "firewall")
    assert (firewall["requirement"], firewall["owner"], firewall["status"]) == ("T-08", "it_lead", "open")
    assert firewall["due"] is not None


async def test_an_item_is_done_with_evidence_that_is_kept_encrypted(house: House) -> None:
    body = {"evidence": "Rule 12, said Mrs. Marked."}
    await house.post(IT, f"{HERE}/checklist/firewall/complete", **body)
    assert (await item(house, "firewall"))["status"] == "done"
    async with house.stage.rehearsal.database.transaction() as session:
        (row,) = (await session.exec(select(RolloutEvidence))).all()
    assert (row.about, row.body) == ("task:firewall", body["evidence"])
    assert "Marked" not in str(await house.read(IT, f"{HERE}/timeline"))
    again = await house.refused(IT, "POST", f"{HERE}/checklist/firewall/complete", json=body)
    assert again == (409, "task.over")


async def test_what_must_come_first_and_what_must_be_proven_is_said(house: House) -> None:
    path = f"{HERE}/checklist/%s/complete"
    proven = {"evidence": "Seen."}
    assert await house.refused(IT, "POST", path % "firewall", json={}) == (409, "task.evidence_missing")
    assert await house.refused(IT, "POST", path % "vendor_addresses", json=proven) == (409, "task.blocked")
    assert await house.refused(IT, "POST", path % "internet", json=proven) == (409, "task.measurement_needed")
    assert await house.refused(IT, "POST", path % "nothing", json=proven) == (404, "task.unknown")


async def test_only_the_owner_and_central_operations_do_an_item(house: House) -> None:
    proven = {"evidence": "Seen."}
    asked = await house.refused(DESK, "POST", f"{HERE}/checklist/data_hygiene/complete", json=proven)
    assert asked == (403, "rollout.function_missing")
    await house.post(MANAGER, f"{HERE}/checklist/data_hygiene/complete", **proven)
    asked = await house.refused(MANAGER, "POST", f"{HERE}/checklist/test_instance/complete", json=proven)
    assert asked == (403, "rollout.function_missing")
    await house.post(VENDOR, f"{HERE}/checklist/test_instance/complete", **proven)


async def test_a_critical_item_is_not_waived(house: House) -> None:
    waiver = {"reason": "not_applicable"}
    await house.post(IT, f"{HERE}/checklist/private_network/waive", **waiver)
    assert (await item(house, "private_network"))["status"] == "waived"
    asked = await house.refused(IT, "POST", f"{HERE}/checklist/data_schema/waive", json=waiver)
    assert asked == (409, "task.critical")


async def test_a_measurement_that_is_too_slow_stays_on_record_and_does_nothing(house: House) -> None:
    slow = {"down_mbps": "24.9", "up_mbps": "10", "evidence": "Wired."}
    view = await house.post(MANAGER, f"{HERE}/network-measurements", **slow)
    assert (view["network"]["passed"], "task.internet" in view["missing"]) == (False, True)
    view = await house.post(MANAGER, f"{HERE}/network-measurements", **{**slow, "down_mbps": "25"})
    assert (view["network"]["passed"], "task.internet" in view["missing"]) == (True, False)


async def test_a_practice_system_is_recorded_after_its_upgrade(house: House) -> None:
    view = await house.post(IT, f"{HERE}/practice-system", name="dentrix", version="G7.9", evidence="Upgraded.")
    assert view["practice_system"]["version"] == "G7.9"


async def test_the_regional_manager_vouches_for_a_whole_baseline_only(house: House) -> None:
    path = f"{HERE}/baseline/validation"
    accurate = {"accurate": True}
    refusal = await house.ask(REGIONAL, "POST", path, json=accurate)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "baseline.incomplete")
    assert "baseline:no_show_rate" in refusal.json()["missing"]
    await collected(house)
    assert await house.refused(OTHER_REGIONAL, "POST", path, json=accurate) == (404, "location.unknown")
    assert await house.refused(MANAGER, "POST", path, json=accurate) == (403, "auth.role_missing")
    view = await house.post(REGIONAL, path, accurate=False, note="Recalls are counted twice.")
    assert "baseline.validated" in view["missing"]
    view = await house.post(REGIONAL, path, accurate=True)
    assert "baseline.validated" not in view["missing"]
    assert await house.refused(REGIONAL, "POST", path, json=accurate) == (409, "baseline.validated")


async def test_a_request_that_is_repeated_happens_once(house: House) -> None:
    body = {"evidence": "Rule 12."}
    first = await house.post(IT, f"{HERE}/checklist/firewall/complete", key="k-1", **body)
    second = await house.post(IT, f"{HERE}/checklist/firewall/complete", key="k-1", **body)
    assert first == second


async def test_a_matter_that_is_late_is_taken_on(house: House) -> None:
    clock = f"{HERE}/escalations/task:practice_system/acknowledge"
    assert await house.refused(IT, "POST", clock) == (409, "escalation.none")


async def test_nothing_is_on_before_the_launch_and_single_switches_are_for_managers(house: House) -> None:
    view = await house.read(DESK, f"{HERE}/comms")
    assert (view["enabled_percent"], view["reason"], view["capabilities"]) == (0, "not_live", [])
    off = {"reviews": False, "voice": False}
    assert await house.refused(MANAGER, "PATCH", f"{HERE}/comms", json=off) == (404, "comms.never_on")
    async with house.stage.rehearsal.database.transaction() as session:
        since = await house.stage.rehearsal.env.get_current_time()
        row = LocationComms(
            location_id="downtown", program_id=PROGRAM, enabled_percent=25, reason="rollback:1", since=since
        )
        session.add(row)
    assert await house.refused(DESK, "PATCH", f"{HERE}/comms", json=off) == (403, "auth.role_missing")
    answer = (await house.ask(MANAGER, "PATCH", f"{HERE}/comms", json=off)).json()
    assert (answer["enabled_percent"], answer["channels"]) == (25, ["email", "sms"])
    assert "reviews" not in answer["capabilities"]
    wider = await house.refused(MANAGER, "PATCH", f"{HERE}/comms", json={"enabled_percent": 100})
    assert wider == (422, "request.invalid")
