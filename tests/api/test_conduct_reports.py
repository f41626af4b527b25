"""Conduct reports in the whole house: reviewed to a resolution, and nobody learns who reported (V-17, V-18)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from db.session import Database
from domain.access import Role
from embedded import seed
from tests.house import (
    ADMINISTRATOR,
    CLINICIAN,
    OPERATIONS,
    OTHER_CLINICIAN,
    OTHER_PATIENT,
    PATIENT,
    SUPPORT,
    House,
    Person,
    open_house,
)

HOUR = timedelta(hours=1)
WORDS = "I was asked to book my next appointment elsewhere."


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, data_keys, tmp_path) as opened:
        yield opened


async def reported(house: House, person: Person = PATIENT, kind: str = "off_platform_referral") -> str:
    report = await house.post(person, "/conduct-reports", clinician_id=seed.CLINICIAN, kind=kind, description=WORDS)
    return str(report["id"])


async def test_goes_from_report_through_triage_to_resolution(house: House) -> None:
    path = f"/conduct-reports/{await reported(house)}"
    await house.advance(HOUR)
    seen = await house.read(OPERATIONS, path)
    assert (seen["stage"], seen["description"], seen["reported_by"]["role"]) == ("REPORTED", WORDS, "patient")
    triaged = await house.post(OPERATIONS, f"{path}/triage", severity="medium")
    assert (triaged["stage"], triaged["assigned_to"]) == ("TRIAGED", "operations-1")
    assert await house.refused(ADMINISTRATOR, "POST", f"{path}/triage", json={"severity": "low"}) == (
        409,
        "review.already_triaged",
    )
    resolved = await house.post(ADMINISTRATOR, f"{path}/resolve", outcome="coaching")
    assert (resolved["stage"], resolved["outcome"]) == ("RESOLVED", "coaching")
    outcome = {"outcome": "no_action"}
    assert (await house.refused(OPERATIONS, "POST", f"{path}/resolve", json=outcome))[1] == "request.invalid"


async def test_the_clinician_never_learns_who_reported_nor_in_which_words(house: House) -> None:
    path = f"/conduct-reports/{await reported(house)}"
    about_me = "/conduct-reports/about-me"
    assert await house.refused(CLINICIAN, "GET", path) == (404, "conduct_report.unknown")
    assert (await house.read(CLINICIAN, about_me))["items"] == [], "the hour would tell"
    await house.advance(25 * HOUR)
    assert (await house.read(CLINICIAN, "/clinicians/me/at-risk"))["items"] == []

    await house.post(OPERATIONS, f"{path}/triage", severity="high")
    await house.post(OPERATIONS, f"{path}/resolve", outcome="warning")
    seen = await house.read(CLINICIAN, path)
    assert (seen["stage"], seen["kind"], seen["outcome"]) == ("RESOLVED", "off_platform_referral", "warning")
    hidden = ("reported_by", "reported_at", "description", "severity", "assigned_to", "escalation_level")
    assert {name: seen[name] for name in hidden} == dict.fromkeys(hidden)
    assert seen["clocks"] == []
    listed = await house.read(CLINICIAN, about_me)
    assert listed["items"] == [seen]
    for told in (json.dumps(listed), *letters_to(house, "avery.lindqvist@example.com")):
        assert seed.PATIENT not in told
        assert WORDS not in told
        assert "conduct" not in told or told.startswith("{")
    assert (await house.read(CLINICIAN, "/conduct-reports"))["items"] == []


async def test_a_clinician_with_a_role_of_staff_sees_no_more_of_it(house: House) -> None:
    report_id = await reported(house)
    for role in (Role.OPERATIONS, Role.ADMINISTRATOR):
        same_person = Person(CLINICIAN.subject, role)
        assert await house.refused(same_person, "GET", f"/conduct-reports/{report_id}") == (
            404,
            "conduct_report.unknown",
        )
        assert (await house.read(same_person, "/conduct-reports"))["items"] == []
        body = {"severity": "low"}
        assert await house.refused(same_person, "POST", f"/conduct-reports/{report_id}/triage", json=body) == (
            403,
            "review.own_case",
        )


async def test_whoever_reported_sees_their_report_and_not_its_outcome(house: House) -> None:
    for person in (PATIENT, OTHER_CLINICIAN, SUPPORT):
        path = f"/conduct-reports/{await reported(house, person, 'conduct')}"
        await house.post(OPERATIONS, f"{path}/triage", severity="low")
        await house.post(OPERATIONS, f"{path}/resolve", outcome="unfounded")
        seen: dict[str, Any] = await house.read(person, path)
        assert (seen["stage"], seen["description"], seen["outcome"]) == ("RESOLVED", WORDS, None)
        assert [item["id"] for item in (await house.read(person, "/conduct-reports"))["items"]] == [seen["id"]]
        assert await house.refused(OTHER_PATIENT, "GET", path) == (404, "conduct_report.unknown")
    assert len((await house.read(OPERATIONS, f"/conduct-reports?clinician_id={seed.CLINICIAN}"))["items"]) == 3
    assert (await house.read(OPERATIONS, "/conduct-reports?stage=REPORTED"))["items"] == []


async def test_a_grave_report_is_late_after_three_days(house: House) -> None:
    path = f"/conduct-reports/{await reported(house)}"
    await house.post(OPERATIONS, f"{path}/triage", severity="high")
    await house.advance(73 * HOUR)
    [breach] = (await house.read(OPERATIONS, "/ops/breaches"))["items"]
    assert (breach["link"], breach["clock"], breach["clinician_id"]) == (path, "resolution", None)
    acknowledged = await house.post(OPERATIONS, f"{path}/escalations/resolution/acknowledge")
    assert acknowledged["escalation_level"] == 1
    subjects = [letter.subject for letter in house.stage.letterbox.letters]
    assert "The resolution of a report is late" in subjects


async def test_reports_are_about_clinicians_on_record(house: House) -> None:
    body = {"clinician_id": seed.PATIENT, "kind": "conduct", "description": WORDS}
    assert await house.refused(PATIENT, "POST", "/conduct-reports", json=body) == (404, "clinician.unknown")
    assert await house.refused(ADMINISTRATOR, "POST", "/conduct-reports", json=body) == (403, "auth.role_missing")
    assert await house.refused(PATIENT, "GET", "/conduct-reports/about-me") == (403, "auth.role_missing")


def letters_to(house: House, address: str) -> list[str]:
    return [letter.subject + letter.text for letter in house.stage.letterbox.letters if letter.to == address]
