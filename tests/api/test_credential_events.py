"""Credential events in the whole house: reported promptly or late, in force at once, reviewed (K-01 to K-04)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from db.session import Database
from db.tables import new_id
from domain.access import Role
from embedded import seed
from tests.api.standing_house import DAY, NEWCOMER, becomes, is_refused, newcomer, today
from tests.house import CLINICIAN, OPERATIONS, OTHER_CLINICIAN, PATIENT, SUPPORT, House, Person, open_house

HOUR = timedelta(hours=1)
EVENTS = f"/clinicians/{seed.CLINICIAN}/credential-events"
WORDS = "The board opened a proceeding about record keeping."


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, data_keys, tmp_path) as opened:
        yield opened


def an_event(house: House, kind: str = "board_action", *, known_for: timedelta = HOUR, **fields: Any) -> dict[str, Any]:
    aware_at = house.stage.rehearsal.clock.now - known_for
    occurred_on = (aware_at - DAY).date().isoformat()
    return {"kind": kind, "occurred_on": occurred_on, "aware_at": aware_at.isoformat(), "description": WORDS, **fields}


async def test_a_clinician_reports_and_operations_resolve(house: House) -> None:
    event = await house.post(CLINICIAN, EVENTS, **an_event(house))
    assert (event["stage"], event["late_report"], event["description"]) == ("REPORTED", False, WORDS)
    assert event["reported_by"] == {"role": "clinician", "id": seed.CLINICIAN}
    path = f"/credential-events/{event['id']}"
    assert await house.refused(OPERATIONS, "POST", f"{path}/resolve", json={"outcome": "no_action"}) == (
        409,
        "review.not_triaged",
    )
    triaged = await house.post(OPERATIONS, f"{path}/triage", severity="high", assigned_to=seed.OPERATIONS_BY_DAY)
    assert (triaged["stage"], triaged["severity"], triaged["assigned_to"]) == (
        "TRIAGED",
        "high",
        seed.OPERATIONS_BY_DAY,
    )
    resolved = await house.post(OPERATIONS, f"{path}/resolve", outcome="no_action")
    assert (resolved["stage"], resolved["outcome"]) == ("RESOLVED", "no_action")
    assert await house.post(OPERATIONS, f"{path}/resolve", outcome="no_action") == resolved
    other = {"outcome": "licence_waived"}
    assert await house.refused(OPERATIONS, "POST", f"{path}/resolve", json=other) == (409, "review.already_resolved")
    assert (await house.read(CLINICIAN, path))["outcome"] == "no_action"
    letter = house.stage.letterbox.latest_to("avery.lindqvist@example.com")
    assert letter.subject == "Your credential event was reviewed"


async def test_a_report_after_24_hours_is_flagged_and_counts(house: House) -> None:
    late = await house.post(CLINICIAN, EVENTS, **an_event(house, known_for=25 * HOUR))
    prompt = await house.post(CLINICIAN, EVENTS, **an_event(house, known_for=23 * HOUR))
    assert (late["late_report"], prompt["late_report"]) == (True, False)
    assert late["stage"] == "REPORTED"
    triaged = await house.post(OPERATIONS, f"/credential-events/{late['id']}/triage", severity="low")
    assert triaged["late_report"]
    promptly = next(clock for clock in triaged["clocks"] if clock["name"] == "promptly")
    assert (promptly["state"], promptly["outcome"]) == ("breached", "met")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("license_suspended", "SUSPENDED", "clinician.licence_suspended"),
        ("license_expired", "EXPIRED", "clinician.licence_expired"),
    ],
)
async def test_the_loss_of_a_licence_blocks_at_once(house: House, kind: str, status: str, code: str) -> None:
    await house.post(CLINICIAN, EVENTS, **an_event(house, kind, licence_id=seed.LICENCE_CO))
    await becomes(house, seed.LICENCE_CO, status)
    assert await is_refused(house, seed.CLINICIAN) == (409, code)


async def test_a_clinician_who_is_blocked_loses_every_licence(house: House) -> None:
    clinician_id, licence_id = await newcomer(house)
    event = await house.post(
        NEWCOMER, f"/clinicians/{clinician_id}/credential-events", **an_event(house, "legal_action")
    )
    path = f"/credential-events/{event['id']}"
    await house.post(OPERATIONS, f"{path}/triage", severity="high")
    assert await house.refused(OPERATIONS, "POST", f"{path}/resolve", json={"outcome": "licence_suspended"}) == (
        409,
        "review.no_licence",
    )
    await house.post(OPERATIONS, f"{path}/resolve", outcome="clinician_blocked")
    licences = (await house.read(NEWCOMER, f"/clinicians/{clinician_id}/licences"))["items"]
    assert {licence["state"] for licence in licences} == {"CO", "UT"}
    for licence in licences:
        assert (await becomes(house, licence["id"], "SUSPENDED"))["reason"] == "review_outcome"
    assert licence_id in {licence["id"] for licence in licences}


async def test_a_late_triage_escalates_to_an_acknowledgement(house: House) -> None:
    event = await house.post(CLINICIAN, EVENTS, **an_event(house))
    await house.advance(25 * HOUR)
    path = f"/credential-events/{event['id']}"
    [breach] = (await house.read(OPERATIONS, "/ops/breaches?unacknowledged=true"))["items"]
    assert (breach["link"], breach["clock"]) == (path, "triage")
    seen = await house.post(OPERATIONS, f"{path}/escalations/triage/acknowledge")
    assert (seen["escalation_level"], seen["clocks"][-1]["acknowledged"]) == (1, True)
    assert (await house.read(OPERATIONS, "/ops/breaches?unacknowledged=true"))["items"] == []
    assert await house.refused(OPERATIONS, "POST", f"{path}/escalations/resolution/acknowledge") == (
        409,
        "escalation.none",
    )


async def test_a_repeated_report_is_kept_once(house: House) -> None:
    key, body = {"Idempotency-Key": new_id()}, an_event(house)
    first = (await house.ask(CLINICIAN, "POST", EVENTS, json=body, headers=key)).json()
    await house.advance(HOUR)
    again = (await house.ask(CLINICIAN, "POST", EVENTS, json=body, headers=key)).json()
    assert again["id"] == first["id"]
    assert again["reported_at"] == first["reported_at"]
    other = {**body, "description": "Something else."}
    assert await house.refused(CLINICIAN, "POST", EVENTS, json=other, headers=key) == (
        422,
        "request.idempotency_key_reused",
    )
    later = await house.post(CLINICIAN, EVENTS, key=new_id(), **an_event(house))
    listed = (await house.read(CLINICIAN, EVENTS))["items"]
    assert [item["id"] for item in listed] == [later["id"], first["id"]], "newest first"


async def test_refuses_what_makes_no_sense(house: House) -> None:
    for body, refusal in (
        (an_event(house, known_for=-HOUR), (422, "credential_event.in_the_future")),
        (
            an_event(house, occurred_on=(today(house) + 3 * DAY).isoformat()),
            (422, "credential_event.in_the_future"),
        ),
        (an_event(house, "license_suspended"), (422, "credential_event.licence_missing")),
        (an_event(house, "license_expired", licence_id=seed.LICENCE_NY), (404, "licence.unknown")),
        (an_event(house, "divorce"), (422, "request.invalid")),
    ):
        assert await house.refused(CLINICIAN, "POST", EVENTS, json=body) == refusal


async def test_events_are_for_their_clinician_and_the_back_office(house: House) -> None:
    event = await house.post(OPERATIONS, EVENTS, **an_event(house))
    assert event["reported_by"] == {"role": "operations", "id": "operations-1"}
    path = f"/credential-events/{event['id']}"
    assert (await house.read(CLINICIAN, path))["id"] == event["id"]
    assert await house.refused(OTHER_CLINICIAN, "GET", path) == (404, "credential_event.unknown")
    assert await house.refused(OTHER_CLINICIAN, "GET", EVENTS) == (404, "clinician.unknown")
    assert await house.refused(OTHER_CLINICIAN, "POST", EVENTS, json=an_event(house)) == (404, "clinician.unknown")
    for person in (PATIENT, SUPPORT):
        assert await house.refused(person, "GET", path) == (403, "auth.role_missing")
    assert await house.refused(CLINICIAN, "POST", f"{path}/triage", json={"severity": "low"}) == (
        403,
        "auth.role_missing",
    )
    unknown = {"severity": "low", "assigned_to": seed.CLINICIAN}
    assert await house.refused(OPERATIONS, "POST", f"{path}/triage", json=unknown) == (404, "staff.unknown")
    waiting = (await house.read(OPERATIONS, "/credential-events?stage=REPORTED"))["items"]
    assert [item["id"] for item in waiting] == [event["id"]]
    assert (await house.read(OPERATIONS, "/credential-events?stage=TRIAGED"))["items"] == []


async def test_nobody_reviews_what_is_about_themselves(house: House) -> None:
    event = await house.post(CLINICIAN, EVENTS, **an_event(house))
    same_person = Person(CLINICIAN.subject, Role.OPERATIONS)
    for act, body in (("triage", {"severity": "low"}), ("resolve", {"outcome": "no_action"})):
        path = f"/credential-events/{event['id']}/{act}"
        assert await house.refused(same_person, "POST", path, json=body) == (403, "review.own_case")
