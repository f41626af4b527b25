"""Licences in the whole house: what an expired or suspended one refuses, and what it leaves to be reassigned (K-03)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.session import Database
from embedded import seed
from tests.api.standing_house import (
    DAY,
    NEWCOMER,
    becomes,
    books,
    fresh_key,
    has_seen,
    is_refused,
    licence_in,
    newcomer,
    order,
    today,
    visit,
)
from tests.house import ADMINISTRATOR, CLINICIAN, OPERATIONS, OTHER_CLINICIAN, SUPPORT, House, open_house

UNKNOWN = "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, data_keys, tmp_path) as opened:
        yield opened


async def test_an_expired_licence_refuses_what_is_new_and_lists_what_is_booked(house: House) -> None:
    clinician_id, licence_id = await newcomer(house, days=8)
    booked = await books(house, clinician_id, days=20)
    seen = await has_seen(house, clinician_id)
    consult = await house.post(NEWCOMER, "/econsults", key="order-1", **order(*seen))
    path = f"/clinicians/{clinician_id}/reassignments"
    assert (await house.read(SUPPORT, path))["items"] == []

    await house.advance(10 * DAY)
    expired = await becomes(house, licence_id, "EXPIRED")
    answer = await house.ask(OPERATIONS, "POST", "/visits", json=visit(house, clinician_id), headers=fresh_key())
    assert answer.json()["missing"] == ["licence.renewed"]
    assert await is_refused(house, clinician_id) == (
        409,
        "clinician.licence_expired",
    )
    assert await house.refused(NEWCOMER, "POST", "/econsults", json=order(*seen), headers=fresh_key()) == (
        409,
        "clinician.licence_expired",
    )
    again = await house.post(NEWCOMER, "/econsults", key="order-1", **order(*seen))
    assert again["id"] == consult["id"], "an order that was placed before stands"

    items = (await house.read(NEWCOMER, path))["items"]
    assert [(item["kind"], item["id"], item["code"]) for item in items] == [
        ("visit", booked, "clinician.licence_expired")
    ], "the order's link has run out meanwhile"
    assert "Your licence has expired" in {
        letter.subject for letter in house.stage.letterbox.letters if letter.to == "sage.newcomer@example.com"
    }

    renewed = await house.post(
        OPERATIONS, f"/licences/{licence_id}/renew", expires_on=(today(house) + 700 * DAY).isoformat()
    )
    assert (renewed["status"], renewed["expires_on"] > expired["expires_on"]) == ("ACTIVE", True)
    await books(house, clinician_id)
    assert (await house.read(NEWCOMER, path))["items"] == []


async def test_a_suspension_lists_visits_and_open_econsults_page_by_page(house: House) -> None:
    visits = [await books(house, seed.CLINICIAN) for _ in range(2)]
    consult = await house.post(
        CLINICIAN, "/econsults", key="order-1", **order(seed.VISIT_COMPLETED, seed.NOTE_COMPLETED)
    )
    await house.post(OPERATIONS, f"/licences/{seed.LICENCE_CO}/suspend", reason="board_action")
    path = f"/clinicians/{seed.CLINICIAN}/reassignments?limit=2"
    first = await house.read(OPERATIONS, path)
    rest = await house.read(OPERATIONS, f"{path}&cursor={first['next_cursor']}")
    listed = [*first["items"], *rest["items"]]
    booked = [*(("visit", one) for one in visits), ("econsult", consult["id"])]
    assert sorted((item["kind"], item["id"]) for item in listed) == sorted(booked)
    assert {item["code"] for item in listed} == {"clinician.licence_suspended"}
    assert rest["next_cursor"] is None
    assert await is_refused(house, seed.CLINICIAN) == (
        409,
        "clinician.licence_suspended",
    )
    await house.post(OPERATIONS, f"/licences/{seed.LICENCE_CO}/reinstate")
    assert (await house.read(OPERATIONS, path))["items"] == []


async def test_a_licence_counts_in_its_state_alone(house: House) -> None:
    assert await is_refused(house, seed.CLINICIAN, seed.OTHER_PATIENT) == (409, "clinician.no_licence_in_state")
    recorded = await house.post(
        ADMINISTRATOR,
        f"/clinicians/{seed.CLINICIAN}/licences",
        state="NY",
        number="281000",
        expires_on=(today(house) + 100 * DAY).isoformat(),
    )
    assert (recorded["status"], recorded["watched"], recorded["findings"]) == ("ACTIVE", True, [])
    await books(house, seed.CLINICIAN, seed.OTHER_PATIENT)
    assert (await house.read(CLINICIAN, "/clinicians/me"))["licence_states"] == ["CO", "UT", "NY"]


async def test_of_a_state_alone_nothing_is_watched_until_the_date_is_recorded(house: House) -> None:
    clinician_id, _ = await newcomer(house)
    bare = await licence_in(house, clinician_id, "UT")
    assert (bare["watched"], bare["findings"], bare["number"]) == (False, ["licence.expiry_unknown"], None)
    date = (today(house) + 20 * DAY).isoformat()
    new = {"state": "UT", "number": "88-1205", "expires_on": date}
    completed = await house.post(OPERATIONS, f"/clinicians/{clinician_id}/licences", **new)
    assert (completed["id"], completed["watched"], completed["number"]) == (bare["id"], True, "88-1205")
    again = await house.post(OPERATIONS, f"/clinicians/{clinician_id}/licences", **new)
    assert again == completed
    other = {**new, "number": "99"}
    assert await house.refused(OPERATIONS, "POST", f"/clinicians/{clinician_id}/licences", json=other) == (
        409,
        "licence.exists",
    )


async def test_a_bare_licence_can_be_renewed_and_is_watched_from_then_on(house: House) -> None:
    clinician_id, _ = await newcomer(house)
    bare = await licence_in(house, clinician_id, "UT")
    renewed = await house.post(
        OPERATIONS, f"/licences/{bare['id']}/renew", expires_on=(today(house) + 5 * DAY).isoformat()
    )
    assert (renewed["watched"], renewed["findings"]) == (True, [])
    await house.advance(7 * DAY)
    await becomes(house, bare["id"], "EXPIRED")


async def test_a_waiver_and_a_revocation(house: House) -> None:
    clinician_id, licence_id = await newcomer(house, days=2)
    waived = await house.post(OPERATIONS, f"/licences/{licence_id}/waive", until=(today(house) + 30 * DAY).isoformat())
    assert waived["status"] == "WAIVED"
    await house.advance(5 * DAY)
    await books(house, clinician_id)
    revoked = await house.post(OPERATIONS, f"/licences/{licence_id}/revoke", reason="board_action")
    assert (revoked["status"], revoked["reason"]) == ("REVOKED", "board_action")
    assert await house.post(OPERATIONS, f"/licences/{licence_id}/revoke", reason="board_action") == revoked
    assert await house.refused(OPERATIONS, "POST", f"/licences/{licence_id}/reinstate") == (409, "licence.revoked")
    assert await is_refused(house, clinician_id) == (
        409,
        "clinician.no_licence_in_state",
    )
    new = {"state": "CO", "number": "DR-78", "expires_on": (today(house) + 365 * DAY).isoformat()}
    another = await house.post(OPERATIONS, f"/clinicians/{clinician_id}/licences", **new)
    assert another["id"] != licence_id


async def test_acts_happen_once_for_their_key(house: House) -> None:
    path = f"/licences/{seed.LICENCE_CO}/suspend"
    first = await house.post(OPERATIONS, path, key="suspend-1", reason="investigation")
    assert await house.post(OPERATIONS, path, key="suspend-1", reason="investigation") == first
    body = {"reason": "investigation"}
    assert await house.refused(OPERATIONS, "POST", path, json=body) == (409, "licence.already_suspended")
    path = f"/licences/{seed.LICENCE_CO}/renew"
    assert await house.refused(OPERATIONS, "POST", path, json={"expires_on": "2020-01-01"}) == (
        409,
        "licence.date_past",
    )


async def test_licences_are_for_their_clinician_and_the_back_office(house: House) -> None:
    path = f"/licences/{seed.LICENCE_CO}"
    assert (await house.read(CLINICIAN, path))["number"] == "DR-0051234"
    assert await house.refused(OTHER_CLINICIAN, "GET", path) == (404, "licence.unknown")
    assert await house.refused(OPERATIONS, "GET", f"/licences/{UNKNOWN}") == (404, "licence.unknown")
    for person, refusal in (
        (OTHER_CLINICIAN, (404, "clinician.unknown")),
        (SUPPORT, (403, "auth.role_missing")),
    ):
        assert await house.refused(person, "GET", f"/clinicians/{seed.CLINICIAN}/licences") == refusal
    assert await house.refused(OTHER_CLINICIAN, "GET", f"/clinicians/{seed.CLINICIAN}/reassignments") == (
        404,
        "clinician.unknown",
    )
    for act in ("renew", "waive", "suspend", "reinstate", "revoke"):
        assert (await house.refused(CLINICIAN, "POST", f"{path}/{act}", json={}))[0] == 403
    assert (await house.refused(CLINICIAN, "GET", "/licences"))[0] == 403


async def test_lists_licences_by_status_and_expiry(house: House) -> None:
    _, licence_id = await newcomer(house, days=45)
    soon = (today(house) + 60 * DAY).isoformat()
    found = (await house.read(OPERATIONS, f"/licences?expires_before={soon}"))["items"]
    assert [item["id"] for item in found] == [licence_id]
    await house.post(OPERATIONS, f"/licences/{licence_id}/suspend", reason="other")
    for status, expected in (("SUSPENDED", 1), ("REVOKED", 0)):
        assert len((await house.read(OPERATIONS, f"/licences?status={status}"))["items"]) == expected
    first = await house.read(OPERATIONS, "/licences?limit=4")
    rest = await house.read(OPERATIONS, f"/licences?cursor={first['next_cursor']}")
    assert len({item["id"] for item in [*first["items"], *rest["items"]]}) == 6
