"""An integration over HTTP: each step by its owner, samples, the watch, two signatures, validation, migration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from db.session import Database
from db.tables import RolloutEvidence, RolloutMember
from embedded.practice_system import Fault
from tests.api.rollout.preparing import (
    CHAMPION,
    ELSEWHERE,
    IT_LEAD,
    MANAGER,
    STRANGER,
    VENDOR,
    Preparing,
    preparing,
)
from tests.house import House, Person
from tests.rollout_rows import PROGRAM

HERE = "/locations/downtown"
STEPS = f"{HERE}/integration/steps"
CONFIRMED = ["server_reachable", "administrative_credentials"]
SEEN = "The appointment of Mrs. Marked was there after a minute."
BEFORE_SAMPLE = (
    ("request_package", VENDOR),
    ("install_connector", VENDOR),
    ("configure_credentials", IT_LEAD),
    ("map_fields", IT_LEAD),
    ("validate_two_way_sync", IT_LEAD),
)


@pytest.fixture
async def place(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[Preparing]:
    async with preparing(database, data_keys, tmp_path) as found:
        yield found


@pytest.fixture
async def house(place: Preparing) -> House:
    """With an integration that has begun."""
    await place.house.post(IT_LEAD, f"{HERE}/integration/start", confirmed=CONFIRMED)
    return place.house


async def until_sample(house: House) -> None:
    for step, person in BEFORE_SAMPLE:
        await house.post(person, f"{STEPS}/{step}/complete", evidence=SEEN)


async def until_sign_off(house: House) -> None:
    await until_sample(house)
    await house.post(IT_LEAD, f"{STEPS}/validate_patient_data/sample", checked=50, matched=50, evidence=SEEN)
    await house.post(IT_LEAD, f"{STEPS}/enable_and_monitor/complete")
    await house.advance(timedelta(hours=24, minutes=1))


def step(view: dict[str, Any], step_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in view["steps"] if one["spec"]["step_id"] == step_id)
    return found


def due(view: dict[str, Any]) -> list[str]:
    return [one["spec"]["step_id"] for one in view["steps"] if one["due"]]


async def test_goes_from_the_first_step_to_both_signatures(house: House) -> None:
    assert due(await house.read(MANAGER, f"{HERE}/integration")) == ["request_package"]
    await until_sign_off(house)
    view = await house.read(IT_LEAD, f"{HERE}/integration")
    assert step(view, "enable_and_monitor")["state"]["done_at"] is not None
    assert due(view) == ["sign_off"]
    once = await house.post(IT_LEAD, f"{STEPS}/sign_off/sign-off", function="it_lead")
    assert due(once) == ["sign_off"]
    twice = await house.post(MANAGER, f"{STEPS}/sign_off/sign-off", function="office_manager")
    assert due(twice) == []
    assert "integration.steps" not in twice["missing"]


async def test_nobody_signs_for_two_functions(place: Preparing, house: House) -> None:
    await until_sign_off(house)
    await house.post(IT_LEAD, f"{STEPS}/sign_off/sign-off", function="it_lead")
    await second_seat(place, IT_LEAD)
    found = await house.refused(IT_LEAD, "POST", f"{STEPS}/sign_off/sign-off", json={"function": "office_manager"})
    assert found == (409, "integration.same_person")


async def second_seat(place: Preparing, person: Person) -> None:
    """The person is office manager of the location too."""
    async with place.house.stage.rehearsal.database.transaction() as session:
        seat = await session.get_one(RolloutMember, place.members[person.subject])
        session.add(
            RolloutMember(
                program_id=PROGRAM,
                staff_id=seat.staff_id,
                function="office_manager",
                location_id="downtown",
                changed_by="it-1",
            )
        )


REFUSED: list[tuple[Person, str, dict[str, Any], str]] = [
    (IT_LEAD, "integration/start", {"confirmed": CONFIRMED}, "integration.started"),
    (IT_LEAD, "integration/steps/map_fields/complete", {}, "integration.out_of_order"),
    (IT_LEAD, "integration/steps/request_package/complete", {}, "integration.not_owner"),
    (IT_LEAD, "integration/steps/configure_odbc/complete", {}, "integration.step_unknown"),
    (CHAMPION, "integration/steps/request_package/complete", {}, "auth.role_missing"),
    (ELSEWHERE, "integration/steps/request_package/complete", {}, "location.unknown"),
    (STRANGER, "integration/steps/request_package/complete", {}, "location.unknown"),
    (
        VENDOR,
        "integration/steps/validate_patient_data/sample",
        {"checked": 50, "matched": 50},
        "integration.out_of_order",
    ),
    (MANAGER, "integration/steps/sign_off/sign-off", {"function": "it_lead"}, "rollout.function_missing"),
    (IT_LEAD, "migration/stages", {"stage": "exported"}, "migration.not_applicable"),
    (IT_LEAD, "test-location", {"name": "Downtown"}, "test_location.name"),
]


async def test_refuses_with_a_code(house: House) -> None:
    found = [(await house.refused(by, "POST", f"{HERE}/{path}", json=body))[1] for by, path, body, _ in REFUSED]
    assert found == [code for *_, code in REFUSED]


async def test_says_what_is_missing_for_a_start(place: Preparing) -> None:
    answer = await place.house.ask(IT_LEAD, "POST", f"{HERE}/integration/start", json={"confirmed": []})
    assert (answer.json()["code"], answer.json()["missing"]) == (
        "integration.not_ready",
        ["prerequisite.administrative_credentials", "prerequisite.server_reachable"],
    )


async def test_a_sample_that_does_not_match_is_kept_and_repeated(house: House) -> None:
    await until_sample(house)
    body: dict[str, Any] = {"checked": 50, "evidence": SEEN}
    failed = await house.post(IT_LEAD, f"{STEPS}/validate_patient_data/sample", matched=48, **body)
    state = step(failed, "validate_patient_data")["state"]
    assert (state["tries"], state["sample"]["matched"], state["done_at"]) == (1, 48, None)
    passed = await house.post(IT_LEAD, f"{STEPS}/validate_patient_data/sample", matched=50, **body)
    assert due(passed) == ["enable_and_monitor"]


async def test_what_people_write_is_kept_encrypted_and_out_of_the_process(house: House) -> None:
    await until_sample(house)
    async with house.stage.rehearsal.database.transaction() as session:
        rows = (await session.exec(select(RolloutEvidence).order_by(col(RolloutEvidence.created_at)))).all()
    assert [row.about for row in rows] == [f"integration:{name}" for name, _ in BEFORE_SAMPLE]
    assert {row.body for row in rows} == {SEEN}
    assert "Marked" not in str(await house.read(IT_LEAD, f"{HERE}/integration"))


async def test_a_request_that_is_repeated_with_its_key_happens_once(house: House) -> None:
    for _ in range(2):
        await house.post(VENDOR, f"{STEPS}/request_package/complete", key="k-1", evidence=SEEN)
    async with house.stage.rehearsal.database.transaction() as session:
        assert len((await session.exec(select(RolloutEvidence))).all()) == 1


async def test_the_nine_cases_are_run_and_shown(house: House) -> None:
    asked = await house.post(IT_LEAD, f"{HERE}/validation-runs")
    assert asked["validation_runs"] == 1
    view = await house.shows(MANAGER, f"{HERE}/integration", validating=False, validation_runs=1)
    assert [one["passed"] for one in view["validation"]["results"]] == [True] * 9
    assert view["failed_cases"] == []
    assert "integration.validation" not in view["missing"]


async def test_a_failed_case_is_shown_and_the_run_repeated(house: House) -> None:
    twins = house.stage.rehearsal.twins
    twins.break_with(PROGRAM, "downtown", Fault.OPT_OUT_IGNORED)
    await house.post(IT_LEAD, f"{HERE}/validation-runs")
    view = await house.shows(IT_LEAD, f"{HERE}/integration", validating=False, validation_runs=1)
    assert view["failed_cases"] == ["opt_out"]
    assert "integration.validation" in view["missing"]

    twins.break_with(PROGRAM, "downtown")
    await house.post(IT_LEAD, f"{HERE}/validation-runs")
    await house.shows(IT_LEAD, f"{HERE}/integration", validating=False, validation_runs=2, failed_cases=[])


async def test_nothing_is_validated_without_a_test_location_of_that_name(
    database: Database, data_keys: str, tmp_path: Path
) -> None:
    async with preparing(database, data_keys, tmp_path, tested=False) as place:
        house = place.house
        await house.post(IT_LEAD, f"{HERE}/integration/start", confirmed=CONFIRMED)
        await house.post(IT_LEAD, f"{HERE}/test-location", name="TEST - Downtown")
        answer = await house.ask(IT_LEAD, "POST", f"{HERE}/validation-runs")
        assert answer.json()["code"] == "validation.test_environment_missing"
        assert answer.json()["missing"] == ["test_clone", "test_anonymised"]


async def test_history_is_brought_over_at_a_quiet_time(house: House) -> None:
    await house.post(IT_LEAD, f"{HERE}/migration/decide", applicable=True)
    for stage in ("template_requested", "exported"):
        await house.post(VENDOR, f"{HERE}/migration/stages", stage=stage)
    counts: dict[str, Any] = {"records": 900, "duplicates": 2, "wrong_formats": 0, "missing_fields": 1}
    failed = await house.post(IT_LEAD, f"{HERE}/migration/quality", **counts)
    assert (failed["migration"]["stage"], failed["migration"]["quality"]["passed"]) == ("exported", False)
    clean: dict[str, Any] = {**counts, "duplicates": 0, "missing_fields": 0}
    await house.post(IT_LEAD, f"{HERE}/migration/quality", **clean)
    await house.post(IT_LEAD, f"{HERE}/migration/stages", stage="imported_in_test")
    await house.post(IT_LEAD, f"{HERE}/migration/stages", stage="test_validated", evidence=SEEN)

    now = await house.stage.rehearsal.env.get_current_time()
    days = (2 - now.weekday()) % 7 + 7
    busy = datetime.combine(now.date() + timedelta(days=days), time(18), UTC)  # Wednesday, about noon in Denver
    answer = await house.ask(IT_LEAD, "POST", f"{HERE}/migration/schedule", json={"at": busy.isoformat()})
    assert answer.json()["code"] == "migration.busy_period"
    view = await house.post(IT_LEAD, f"{HERE}/migration/schedule", at=answer.json()["earliest"])
    assert view["migration"]["stage"] == "production_scheduled"
    assert "integration.migration" in view["missing"]

    await house.advance(datetime.fromisoformat(answer.json()["earliest"]) - now + timedelta(hours=1))
    done = await house.post(IT_LEAD, f"{HERE}/migration/stages", stage="done", evidence=SEEN)
    assert "integration.migration" not in done["missing"]


async def test_shows_nothing_before_the_process_has_begun(place: Preparing) -> None:
    assert await place.house.refused(ELSEWHERE, "GET", "/locations/harbour/integration") == (
        409,
        "location.not_opened",
    )
