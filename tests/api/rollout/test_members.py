"""Members join, change and leave at once, by whoever may manage them, and stay on record (H-06, H-07, H-09)."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from db.tables import RolloutMember, RosterShift, Staff
from domain.access import Role
from domain.rollout.people import Function
from tests.api.front import Front, problem
from tests.api.rollout.programmes import FILE, admin, local, member_of, placed, regional, vendor
from tests.rollout_files import LOCAL, file, subject

MEMBERS = "/rollouts/bright/members"
PERSON = {
    "name": "Remy Achterberg",
    "email": "remy@group.example",
    "subject": "oidc|remy",
    "time_zone": "America/Chicago",
}
FRONT_DESK = {"function": "front_desk", "location_id": "l00", "person": PERSON}


@pytest.fixture
async def house(front: Front) -> Front:
    await placed(front)
    return front


async def add(client: httpx.AsyncClient, **new: Any) -> httpx.Response:
    return await client.post(MEMBERS, json=FRONT_DESK | new)


async def listed(client: httpx.AsyncClient, **wanted: Any) -> list[dict[str, Any]]:
    answer = await client.get(MEMBERS, params={"limit": 200, **wanted})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_new_hire_has_access_at_once_and_none_after_leaving(house: Front) -> None:
    remy = house.as_("oidc|remy", Role.STANDARD_USER)
    assert problem(await remy.get("/locations/l00")) == (404, "location.unknown")
    hired = await add(local(house))
    assert hired.status_code == 201, hired.text
    assert (await remy.get("/locations/l00")).status_code == 200
    member_id = hired.json()["member_id"]
    assert (await local(house).delete(f"{MEMBERS}/{member_id}")).status_code == 204
    assert problem(await remy.get("/locations/l00")) == (404, "location.unknown")
    (left,) = [one for one in await listed(local(house)) if one["member_id"] == member_id]
    assert left["active"] is False


async def test_a_change_of_function_is_a_new_membership_at_once(house: Front) -> None:
    champion = await member_of(house, Function.CHAMPION, "l00")
    changed = await regional(house).patch(f"{MEMBERS}/{champion.id}", json={"location_id": "l03"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["member_id"] != champion.id
    client = house.as_(subject(Function.CHAMPION, "l00"), Role.STANDARD_USER)
    assert problem(await client.get("/locations/l00")) == (404, "location.unknown")
    assert (await client.get("/locations/l03")).status_code == 200
    states = {
        one["location_id"]: one["active"] for one in await listed(admin(house)) if one["staff_id"] == champion.staff_id
    }
    assert states == {"l00": False, "l03": True}


async def test_going_back_takes_the_old_seat_again(house: Front) -> None:
    champion = await member_of(house, Function.CHAMPION, "l00")
    moved = (await admin(house).patch(f"{MEMBERS}/{champion.id}", json={"location_id": "l03"})).json()
    back = await admin(house).patch(f"{MEMBERS}/{moved['member_id']}", json={"location_id": "l00"})
    assert (back.json()["member_id"], back.json()["active"]) == (champion.id, True)


async def test_somebody_who_left_can_return(house: Front) -> None:
    champion = await member_of(house, Function.CHAMPION, "l00")
    url = f"{MEMBERS}/{champion.id}"
    assert (await local(house).patch(url, json={"active": False})).json()["active"] is False
    assert (await local(house).patch(url, json={"active": True})).json()["active"] is True


async def test_another_function_for_somebody_of_the_programme(house: Front) -> None:
    champion = await member_of(house, Function.CHAMPION, "l00")
    again = await local(house).post(
        MEMBERS, json={"function": "front_desk", "location_id": "l00", "staff_id": champion.staff_id}
    )
    assert (again.status_code, again.json()["staff_id"]) == (201, champion.staff_id)


BEYOND = [
    ("local", {"location_id": "l01"}),
    ("local", {"function": "office_manager"}),
    ("local", {"function": "regional_manager", "region": "north", "location_id": None}),
    ("local", {"function": "it_lead", "location_id": None}),
    ("regional", {"location_id": "l01"}),
    ("regional", {"function": "regional_manager", "region": "north", "location_id": None}),
    ("regional", {"function": "vp_operations", "location_id": None}),
]


@pytest.mark.parametrize(("who", "new"), BEYOND)
async def test_nobody_gives_functions_beyond_their_reach(house: Front, who: str, new: dict[str, Any]) -> None:
    client = local(house) if who == "local" else regional(house)
    assert problem(await add(client, **new)) == (403, "member.beyond_reach")


async def test_nobody_changes_whom_they_do_not_manage(house: Front) -> None:
    manager = await member_of(house, Function.OFFICE_MANAGER, "l00")
    assert problem(await local(house).delete(f"{MEMBERS}/{manager.id}")) == (403, "member.beyond_reach")
    for member in (await member_of(house, Function.CHAMPION, "l01"), await member_of(house, Function.CFO)):
        for client in (local(house), regional(house)):
            assert problem(await client.delete(f"{MEMBERS}/{member.id}")) == (404, "member.unknown")
    champion = await member_of(house, Function.CHAMPION, "l00")
    moved = await local(house).patch(f"{MEMBERS}/{champion.id}", json={"location_id": "l03"})
    assert problem(moved) == (403, "member.beyond_reach")


async def test_only_a_system_administrator_changes_contact_data_and_subject(house: Front) -> None:
    """A subject decides who signs in as whom: otherwise an office manager could become somebody else."""
    champion = await member_of(house, Function.CHAMPION, "l00")
    url, change = f"{MEMBERS}/{champion.id}", {"person": {"subject": "oidc|new", "email": "new@group.example"}}
    for client in (local(house), regional(house)):
        assert problem(await client.patch(url, json=change)) == (403, "member.beyond_reach")
    assert (await admin(house).patch(url, json=change)).json()["email"] == "new@group.example"
    assert (await house.as_("oidc|new", Role.STANDARD_USER).get("/locations/l00")).status_code == 200
    nameless = await admin(house).patch(url, json={"person": {"name": None}})
    assert problem(nameless) == (422, "member.person_missing")


async def test_people_of_other_programmes_or_of_the_roster_are_changed_elsewhere(house: Front) -> None:
    champion = await member_of(house, Function.CHAMPION, "l00")
    async with house.database.transaction() as session:
        times = {"starts": "08:00", "ends": "17:00", "valid_from": "2026-01-05"}
        session.add(
            RosterShift.model_validate(
                {"staff_id": champion.staff_id, "audience": "operations", "weekdays": [1], **times}
            )
        )
    change = {"person": {"email": "new@group.example"}}
    answer = await admin(house).patch(f"{MEMBERS}/{champion.id}", json=change)
    assert problem(answer) == (409, "member.person_shared")


async def test_people_on_record_elsewhere_are_unknown_here(house: Front) -> None:
    async with house.database.transaction() as session:
        stranger = Staff(subject="oidc|ops", name="O", email="o@example.com", time_zone="UTC")
        session.add(stranger)
    new = {"function": "front_desk", "location_id": "l00", "staff_id": stranger.id}
    assert problem(await admin(house).post(MEMBERS, json=new)) == (404, "staff.unknown")
    taken = await add(admin(house), person=PERSON | {"subject": "oidc|ops"})
    assert problem(taken) == (409, "person.subject_taken")


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ({"location_id": None}, "member.place_missing"),
        ({"location_id": "moon"}, "member.place_unknown"),
        ({"region": "south"}, "member.place_unexpected"),
        ({"function": "cfo"}, "member.place_unexpected"),
        ({"function": "cfo", "location_id": None, "region": "north"}, "member.place_unexpected"),
        ({"function": "regional_manager", "location_id": None}, "member.place_missing"),
        ({"person": None}, "member.person_missing"),
        ({"staff_id": "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"}, "member.person_missing"),
    ],
)
async def test_a_function_has_its_place(house: Front, new: dict[str, Any], code: str) -> None:
    assert problem(await add(admin(house), **new)) == (422, code)


async def test_there_is_one_project_manager_and_always_one(house: Front) -> None:
    second = {"function": "project_manager", "location_id": None}
    assert problem(await add(admin(house), **second)) == (409, "member.function_taken")
    manager = await member_of(house, Function.PROJECT_MANAGER)
    url = f"{MEMBERS}/{manager.id}"
    assert problem(await admin(house).delete(url)) == (409, "member.last_of_function")
    assert problem(await admin(house).patch(url, json={"function": "cfo"})) == (409, "member.last_of_function")
    assert (await add(admin(house), function="cfo", location_id=None)).status_code == 201
    cfo = await member_of(house, Function.CFO)
    assert (await admin(house).delete(f"{MEMBERS}/{cfo.id}")).status_code == 204


async def test_everybody_lists_their_own_part(house: Front) -> None:
    assert len(await listed(admin(house))) == len(FILE["people"])
    own = await listed(local(house))
    assert {(one["function"], one["location_id"]) for one in own} == {(function.value, "l00") for function in LOCAL}
    north = {one["location_id"] for one in FILE["locations"] if one["region"] == "north"}
    theirs = await listed(regional(house))
    assert {one["location_id"] for one in theirs if one["location_id"]} == north
    assert [one["region"] for one in theirs if one["region"]] == ["north"]
    assert [one["location_id"] for one in await listed(admin(house), function="champion", location_id="l02")] == ["l02"]
    page = (await admin(house).get(MEMBERS, params={"limit": 2})).json()
    following = (await admin(house).get(MEMBERS, params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert len({one["member_id"] for one in page["items"] + following["items"]}) == 4


async def test_vendors_and_members_of_other_programmes_see_nobody(house: Front) -> None:
    assert problem(await vendor(house).get(MEMBERS)) == (403, "auth.role_missing")
    people = [one | {"subject": f"other-{one['subject']}"} for one in file(prefix="o-")["people"]]
    await placed(house, file(program_id="other", prefix="o-", people=people))
    other = house.as_(f"other-{subject(Function.IT_LEAD)}", Role.SYSTEM_ADMIN)
    assert problem(await other.get(MEMBERS)) == (404, "programme.unknown")
    champion = await member_of(house, Function.CHAMPION, "l00")
    assert problem(await other.delete(f"/rollouts/other/members/{champion.id}")) == (404, "member.unknown")


async def test_the_audit_lists_everybody_by_function_with_the_last_change(house: Front) -> None:
    champion = await member_of(house, Function.CHAMPION, "l00")
    await local(house).delete(f"{MEMBERS}/{champion.id}")
    rows = (await admin(house).get(f"{MEMBERS}/audit")).json()
    assert len(rows) == len(FILE["people"])
    assert [one["function"] for one in rows] == sorted(one["function"] for one in rows)
    (left,) = [one for one in rows if not one["active"]]
    assert left["member_id"] == champion.id
    assert left["changed_by"] == subject(Function.OFFICE_MANAGER, "l00")
    sheet = await admin(house).get(f"{MEMBERS}/audit", params={"format": "csv"})
    lines = list(csv.DictReader(io.StringIO(sheet.text)))
    assert [one["member_id"] for one in lines] == [one["member_id"] for one in rows]
    assert problem(await regional(house).get(f"{MEMBERS}/audit")) == (403, "auth.role_missing")


async def test_nobody_is_deleted(house: Front) -> None:
    async with house.database.transaction() as session:
        before = len((await session.exec(select(col(RolloutMember.id)))).all())
    await local(house).delete(f"{MEMBERS}/{(await member_of(house, Function.CHAMPION, 'l00')).id}")
    async with house.database.transaction() as session:
        assert len((await session.exec(select(col(RolloutMember.id)))).all()) == before
