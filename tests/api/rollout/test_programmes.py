"""A programme is placed once, whole or not at all, and is shown to its members only, each their part of it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import func
from sqlmodel import select

from db.tables import RolloutLocation, RolloutMember, RolloutProgram, Staff
from docs_generator import PROGRAMME_SCHEMA
from domain.access import Role
from domain.rollout.people import Function
from domain.rollout.program import Programme
from tests.api.front import Front, problem
from tests.rollout_files import file, person, subject

ADMIN = subject(Function.IT_LEAD)
FILE = file()


def admin(front: Front) -> httpx.AsyncClient:
    return front.as_(ADMIN, Role.SYSTEM_ADMIN)


async def place(front: Front, data: dict[str, Any] = FILE, key: str = "k-1") -> httpx.Response:
    return await admin(front).post("/rollouts", json=data, headers={"Idempotency-Key": key})


async def count(front: Front, table: type[Any]) -> int:
    async with front.database.transaction() as session:
        return (await session.exec(select(func.count()).select_from(table))).one()


async def test_places_a_programme_with_its_plan_locations_and_people(front: Front) -> None:
    answer = await place(front)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    planned = {one for wave in shown["plan"]["waves"] for one in wave["locations"]}
    deferred = {one["location_id"] for one in shown["plan"]["deferred"]}
    assert planned | deferred == {one["location_id"] for one in FILE["locations"]}
    order = front.cases.rollouts["bright"]
    assert order.starts_on == Programme.model_validate(FILE).starts_on
    assert (order.ordered_by.role, order.ordered_by.id) == ("system_admin", ADMIN)
    assert await count(front, RolloutLocation) == len(FILE["locations"])
    assert await count(front, RolloutMember) == len(FILE["people"])


async def test_nothing_of_a_person_is_in_the_workflows_input(front: Front) -> None:
    await place(front)
    told = front.cases.rollouts["bright"].model_dump_json()
    assert "Marked" not in told
    assert "@" not in told


async def test_placing_twice_with_one_key_places_once(front: Front) -> None:
    first, again = await place(front), await place(front)
    assert (again.status_code, again.json()["program_id"]) == (201, first.json()["program_id"])
    assert await count(front, RolloutMember) == len(FILE["people"])


async def test_another_key_or_another_file_conflicts(front: Front) -> None:
    await place(front)
    assert problem(await place(front, key="k-2")) == (409, "programme.exists")
    changed = FILE | {"spend_cents": 1}
    assert problem(await place(front, changed)) == (422, "request.idempotency_key_reused")
    other = file(program_id="other", prefix="o-")
    assert problem(await admin(front).post("/rollouts", json=other)) == (422, "request.idempotency_key_missing")
    assert (await place(front, other)).status_code == 422  # the key is that of the first


async def test_a_location_is_in_one_programme_only(front: Front) -> None:
    await place(front)
    answer = await place(front, file(program_id="other"), key="k-2")
    assert problem(answer) == (422, "program.faulty")
    assert {one["type"] for one in answer.json()["errors"]} == {"program.location_taken"}
    assert await count(front, RolloutProgram) == 1


async def test_stores_nothing_when_anything_is_wrong_and_says_all_of_it(front: Front) -> None:
    bad = FILE | {"starts_on": "2026-01-06", "people": FILE["people"][1:], "surprise": 1}
    answer = await place(front, bad)
    assert problem(answer) == (422, "program.faulty")
    assert {(one["type"], *one["location"]) for one in answer.json()["errors"]} == {
        ("program.start_not_monday", "starts_on"),
        ("program.function_missing", "people"),
        ("program.field_unknown", "surprise"),
    }
    for table in (RolloutProgram, RolloutLocation, RolloutMember):
        assert await count(front, table) == 0
    assert front.cases.rollouts == {}


async def test_validating_stores_nothing(front: Front) -> None:
    good = await admin(front).post("/rollouts/validate", json=FILE)
    assert good.json() == {"valid": True, "findings": []}
    bad = await admin(front).post("/rollouts/validate", json={})
    assert bad.json()["valid"] is False
    assert await count(front, RolloutProgram) == 0


async def test_reads_yaml_and_refuses_other_media_types(front: Front) -> None:
    text = yaml.safe_dump(FILE)
    for media_type, status in {"application/yaml": 200, "text/yaml; charset=utf-8": 200, "text/csv": 415}.items():
        answer = await admin(front).post("/rollouts/validate", content=text, headers={"Content-Type": media_type})
        assert answer.status_code == status, answer.text


async def test_a_start_that_fails_is_left_to_the_sweep(front: Front) -> None:
    front.cases.outage = RuntimeError("Failed client connect")
    assert (await place(front)).status_code == 201
    async with front.database.transaction() as session:
        assert (await session.get_one(RolloutProgram, "bright")).started is False
    front.cases.outage = None
    assert (await place(front)).status_code == 201
    async with front.database.transaction() as session:
        assert (await session.get_one(RolloutProgram, "bright")).started is True


async def test_one_person_in_two_functions_is_on_record_once(front: Front) -> None:
    before = await count(front, Staff)
    known = next(one for one in FILE["people"] if one["function"] == "cfo")
    both = FILE["people"] + [known | {"key": "cfo-too", "function": "compliance"}]
    assert (await place(front, FILE | {"people": both})).status_code == 201
    assert await count(front, Staff) == before + len(FILE["people"])
    assert await count(front, RolloutMember) == len(both)


@pytest.mark.parametrize("role", [Role.REGIONAL_ADMIN, Role.LOCATION_ADMIN, Role.VENDOR, Role.OPERATIONS])
async def test_others_place_nothing(front: Front, role: Role) -> None:
    answer = await front.as_(ADMIN, role).post("/rollouts", json=FILE, headers={"Idempotency-Key": "k"})
    assert problem(answer) == (403, "auth.role_missing")


def regional(region: str) -> str:
    return subject(Function.REGIONAL_MANAGER, region)


NORTH = [one["location_id"] for one in FILE["locations"] if one["region"] == "north"]
ALL = sorted(one["location_id"] for one in FILE["locations"])

SEES = [
    (ADMIN, Role.SYSTEM_ADMIN, ALL),
    (subject(Function.CFO), Role.EXECUTIVE, ALL),
    (regional("north"), Role.REGIONAL_ADMIN, NORTH),
    (subject(Function.OFFICE_MANAGER, "l04"), Role.LOCATION_ADMIN, ["l04"]),
    (subject(Function.CHAMPION, "l04"), Role.STANDARD_USER, ["l04"]),
    (subject(Function.PROVIDER, "l04"), Role.READ_ONLY, ["l04"]),
    (subject(Function.VENDOR_SUPPORT), Role.VENDOR, ALL),
    # The narrower of role and function counts.
    (subject(Function.CHAMPION, "l04"), Role.EXECUTIVE, ["l04"]),
    (regional("north"), Role.SYSTEM_ADMIN, NORTH),
]
NOT_THEIRS = [
    (regional("north"), Role.LOCATION_ADMIN),
    (subject(Function.CFO), Role.REGIONAL_ADMIN),
    (subject(Function.CFO), Role.VENDOR),
    (subject(Function.VENDOR_SUPPORT), Role.EXECUTIVE),
    ("oidc|stranger", Role.SYSTEM_ADMIN),
]


@pytest.mark.parametrize(("who", "role", "locations"), SEES)
async def test_members_see_their_part(front: Front, who: str, role: Role, locations: list[str]) -> None:
    await place(front)
    client = front.as_(who, role)
    assert [one["program_id"] for one in (await client.get("/rollouts")).json()["items"]] == ["bright"]
    assert (await client.get("/rollouts/bright")).status_code == 200
    listed = (await client.get("/rollouts/bright/locations?limit=200")).json()["items"]
    assert [one["location_id"] for one in listed] == locations
    for location_id in ("l00", "l01", "l04"):
        answer = await client.get(f"/locations/{location_id}")
        if location_id in locations:
            assert answer.status_code == 200, answer.text
            surveyor = role in {Role.SYSTEM_ADMIN, Role.EXECUTIVE, Role.REGIONAL_ADMIN}
            assert (answer.json()["survey"] is not None) is surveyor
        else:
            assert problem(answer) == (404, "location.unknown")


@pytest.mark.parametrize(("who", "role"), NOT_THEIRS)
async def test_what_is_not_theirs_does_not_exist(front: Front, who: str, role: Role) -> None:
    await place(front)
    client = front.as_(who, role)
    assert (await client.get("/rollouts")).json()["items"] == []
    for path in ("/rollouts/bright", "/rollouts/bright/locations", "/rollouts/unheard-of"):
        assert problem(await client.get(path)) == (404, "programme.unknown")
    assert problem(await client.get("/locations/l00")) == (404, "location.unknown")


async def test_members_of_one_programme_see_nothing_of_another(front: Front) -> None:
    await place(front)
    people = [one | {"subject": f"other-{one['subject']}"} for one in file(prefix="o-")["people"]]
    assert (await place(front, file(program_id="other", prefix="o-", people=people), key="k-2")).status_code == 201
    client = front.as_(f"other-{ADMIN}", Role.SYSTEM_ADMIN)
    assert [one["program_id"] for one in (await client.get("/rollouts")).json()["items"]] == ["other"]
    assert problem(await client.get("/rollouts/bright")) == (404, "programme.unknown")
    assert problem(await client.get("/locations/l00")) == (404, "location.unknown")


async def test_pages_follow_each_other(front: Front) -> None:
    await place(front)
    found: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(4):
        page = (await admin(front).get("/rollouts/bright/locations", params={"limit": 4, **cursor})).json()
        found += [one["location_id"] for one in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
    assert (found, page["next_cursor"]) == (ALL, None)


async def test_shows_where_waves_and_rollbacks_stand(front: Front) -> None:
    await place(front)
    client = admin(front)
    assert problem(await client.get("/rollouts/bright/waves/1")) == (404, "wave.unknown")
    assert problem(await client.get("/locations/l00/rollbacks/1")) == (404, "rollback.unknown")
    assert problem(await client.get("/rollouts/bright/explain")) == (409, "case.not_running")
    assert (await client.get("/rollouts/bright")).json()["state"] is None
    assert (await client.get("/rollouts/bright/timeline")).json()["items"] == []
    local = front.as_(subject(Function.OFFICE_MANAGER, "l04"), Role.LOCATION_ADMIN)
    for path in ("/rollouts/bright/timeline", "/rollouts/bright/waves/1", "/rollouts/bright/explain"):
        assert problem(await local.get(path)) == (403, "rollout.part_only")


async def test_reads_a_list_of_locations_from_its_template(front: Front) -> None:
    template = await admin(front).get("/rollouts/locations-csv")
    assert template.headers["content-type"].startswith("text/csv")
    csv = {"Content-Type": "text/csv"}
    read = (await admin(front).post("/rollouts/locations-csv", content=template.content, headers=csv)).json()
    assert read["findings"] == []
    lead = person(Function.OFFICE_MANAGER, location_id="downtown")
    whole = {"locations": [*FILE["locations"], *read["locations"]], "people": [*FILE["people"], lead]}
    assert (await admin(front).post("/rollouts/validate", json=FILE | whole)).json()["valid"]
    refused = await admin(front).post("/rollouts/locations-csv", content=b"\xff", headers=csv)
    assert problem(refused) == (422, "locations_csv.encoding")


async def test_publishes_the_schema_that_is_in_the_documents(front: Front) -> None:
    answer = await admin(front).get("/rollouts/schema")
    assert answer.json() == json.loads(PROGRAMME_SCHEMA.read_text(encoding="utf-8"))
