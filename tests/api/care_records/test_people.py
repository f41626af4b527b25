"""Clinicians, patients and specialists: who may add and read them, and what is on record of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.people import actor_of
from db.tables import Visit
from domain.access import Principal, Role
from domain.actors import Actor
from domain.errors import Forbidden
from embedded import seed
from tests.api.care_records.conftest import House, problem

UNKNOWN = "01940000-0000-7000-8000-00000000ffff"
CLINICIAN: dict[str, Any] = {
    "subject": "new-clinician",
    "name": "Dr. New",
    "email": "new@example.com",
    "time_zone": "America/Chicago",
    "licence_states": ["IL"],
}
PATIENT: dict[str, Any] = {
    "subject": "new-patient",
    "name": "Zebulon Marker",
    "email": "zebulon.marker@example.com",
    "phone": "+12025550199",
    "birth_date": "1971-02-03",
    "state": "IL",
    "time_zone": "America/Chicago",
}
SPECIALIST: dict[str, Any] = {
    "subject": "new-specialist",
    "name": "Dr. Panel",
    "email": "panel@example.com",
    "specialty_codes": [seed.CARDIOLOGY, seed.NEUROLOGY],
    "licence_states": ["IL"],
    "licence_expires_on": "2035-01-01",
    "board_certified": True,
    "us_based": True,
}


async def test_operations_adds_a_clinician_who_then_reads_themselves(house: House) -> None:
    added = await house.operations.post("/clinicians", json=CLINICIAN)
    assert added.status_code == 201
    own = await house.as_("new-clinician", Role.CLINICIAN).get("/clinicians/me")
    assert own.json() == added.json()
    assert own.json() | CLINICIAN == own.json()


async def test_refuses_a_second_record_for_a_subject(house: House) -> None:
    taken = (409, "person.subject_taken")
    assert problem(await house.operations.post("/clinicians", json=CLINICIAN | {"subject": "clinician-demo"})) == taken
    assert problem(await house.operations.post("/patients", json=PATIENT | {"subject": "patient-demo"})) == taken
    assert (
        problem(await house.operations.post("/specialists", json=SPECIALIST | {"subject": "specialist-demo"})) == taken
    )


@pytest.mark.parametrize(
    "change",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"licence_states": ["XX"]},
        {"licence_states": []},
        {"email": "not an address"},
        {"name": "nul \x00"},
        {"subject": ""},
        {"unexpected": 1},
    ],
)
async def test_refuses_a_malformed_clinician(house: House, change: dict[str, Any]) -> None:
    assert problem(await house.operations.post("/clinicians", json=CLINICIAN | change)) == (422, "request.invalid")


@pytest.mark.parametrize(
    "change", [{"birth_date": "2999-01-01"}, {"phone": "555-0100"}, {"state": "ZZ"}, {"name": " "}, {"email": "x"}]
)
async def test_refuses_a_malformed_patient(house: House, change: dict[str, Any]) -> None:
    assert problem(await house.operations.post("/patients", json=PATIENT | change)) == (422, "request.invalid")


async def test_a_clinician_reads_only_their_own_record_and_staff_reads_all(house: House) -> None:
    path = f"/clinicians/{seed.CLINICIAN}"
    assert (await house.clinician.get(path)).json()["id"] == seed.CLINICIAN
    assert problem(await house.other_clinician.get(path)) == (404, "clinician.unknown")
    assert problem(await house.operations.get(f"/clinicians/{UNKNOWN}")) == (404, "clinician.unknown")
    for role in (Role.OPERATIONS, Role.ADMINISTRATOR, Role.SUPPORT):
        assert (await house.as_("staff", role).get(path)).status_code == 200
    assert problem(await house.patient.get(path)) == (403, "auth.role_missing")


async def test_a_role_without_a_record_is_refused(house: House) -> None:
    for role, path in (
        (Role.CLINICIAN, "/clinicians/me"),
        (Role.PATIENT, "/patients/me"),
        (Role.SPECIALIST, "/specialists/me"),
        (Role.CLINICIAN, f"/clinicians/{seed.CLINICIAN}"),
        (Role.PATIENT, f"/patients/{seed.PATIENT}"),
        (Role.SPECIALIST, f"/attachments/{seed.PHOTO}"),
        (Role.CLINICIAN, f"/visits/{seed.VISIT_COMPLETED}"),
    ):
        assert problem(await house.as_("stranger", role).get(path)) == (403, "person.unknown")


async def test_one_person_may_be_clinician_and_patient(house: House) -> None:
    await house.operations.post("/patients", json=PATIENT | {"subject": "clinician-demo"})
    both = house.as_("clinician-demo", Role.CLINICIAN, Role.PATIENT)
    own = (await both.get("/patients/me")).json()
    assert own["name"] == PATIENT["name"]
    assert (await both.get(f"/patients/{own['id']}")).status_code == 200
    assert (await both.get(f"/patients/{seed.PATIENT}")).status_code == 200
    assert problem(await both.get(f"/patients/{seed.OTHER_PATIENT}")) == (404, "patient.unknown")


async def test_shows_a_patient_to_themselves_their_clinician_and_administrators(house: House) -> None:
    path = f"/patients/{seed.PATIENT}"
    for caller in (house.patient, house.clinician, house.administrator):
        answer = await caller.get(path)
        assert (answer.status_code, answer.json()["birth_date"]) == (200, "1980-04-17")
    for caller in (house.other_patient, house.other_clinician):
        assert problem(await caller.get(path)) == (404, "patient.unknown")
    for caller in (house.operations, house.specialist, house.as_("s", Role.SUPPORT)):
        assert problem(await caller.get(path)) == (403, "auth.role_missing")
    assert problem(await house.administrator.get(f"/patients/{UNKNOWN}")) == (404, "patient.unknown")


async def test_each_look_at_a_patient_is_on_record_and_refusals_are_not(house: House) -> None:
    await house.patient.get("/patients/me")
    await house.clinician.get(f"/patients/{seed.PATIENT}")
    await house.administrator.get(f"/patients/{seed.PATIENT}")
    await house.other_clinician.get(f"/patients/{seed.PATIENT}")
    await house.administrator.get(f"/patients/{UNKNOWN}")
    assert await house.disclosures() == [
        ("patient", seed.PATIENT, "patient", None),
        ("clinician", seed.CLINICIAN, "patient", None),
        ("administrator", "admin-1", "patient", None),
    ]


async def test_a_record_opens_once_a_visit_has_begun(house: House) -> None:
    path, hidden = f"/patients/{seed.OTHER_PATIENT}", (404, "patient.unknown")
    visit = Visit(
        patient_id=seed.OTHER_PATIENT,
        clinician_id=seed.CLINICIAN,
        scheduled_start=datetime(2030, 1, 1, 9, tzinfo=UTC),
        duration_minutes=30,
    )
    async with house.database.transaction() as session:
        session.add(visit)
    for status, open_ in (
        ("scheduled", False),
        ("cancelled", False),
        ("no_show", False),
        ("in_progress", True),
        ("completed", True),
    ):
        async with house.database.transaction() as session:
            (await session.get_one(Visit, visit.id)).status = status
        answer = await house.clinician.get(path)
        assert answer.status_code == 200 if open_ else problem(answer) == hidden, status


async def test_a_patient_lies_encrypted_in_the_database(house: House) -> None:
    added = await house.clinician.post("/patients", json=PATIENT)
    assert added.status_code == 201
    stored = await house.stored_bytes("patient", added.json()["id"])
    assert b"IL" in stored
    for secret in (PATIENT["name"], "Marker", PATIENT["email"], PATIENT["phone"], PATIENT["birth_date"]):
        assert secret.encode() not in stored


async def test_patients_and_specialists_add_nobody(house: House) -> None:
    for caller in (house.patient, house.specialist, house.as_("s", Role.SUPPORT)):
        for path, body in (("/clinicians", CLINICIAN), ("/patients", PATIENT), ("/specialists", SPECIALIST)):
            assert problem(await caller.post(path, json=body)) == (403, "auth.role_missing")


async def test_operations_adds_a_specialist_with_known_specialties_only(house: House) -> None:
    unknown = SPECIALIST | {"specialty_codes": [seed.CARDIOLOGY, "207XNOPE"]}
    assert problem(await house.operations.post("/specialists", json=unknown)) == (422, "specialty.unknown")
    added = (await house.operations.post("/specialists", json=SPECIALIST)).json()
    assert (added["active"], added["open_cases_limit"]) == (True, 10)
    assert (await house.operations.get(f"/specialists/{added['id']}")).json() == added
    assert (await house.as_("new-specialist", Role.SPECIALIST).get("/specialists/me")).json() == added
    assert problem(await house.operations.get(f"/specialists/{UNKNOWN}")) == (404, "specialist.unknown")


async def test_lists_the_panel_page_by_page(house: House) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = (await house.operations.get("/specialists", params={"limit": "2", **cursor})).json()
        seen += [item["id"] for item in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
    assert page["next_cursor"] is None
    assert seen == sorted(seen)
    assert len(set(seen)) == 6


async def test_lists_the_panel_of_one_specialty(house: House) -> None:
    page = (await house.operations.get("/specialists", params={"specialty_code": seed.DERMATOLOGY})).json()
    assert [item["id"] for item in page["items"]] == [seed.DERMATOLOGIST, seed.SECOND_DERMATOLOGIST]
    unknown = await house.operations.get("/specialists", params={"specialty_code": "nope"})
    assert problem(unknown) == (422, "specialty.unknown")


def test_staff_act_under_their_subject_and_nobody_acts_without_a_record() -> None:
    both = Principal("sam", frozenset({Role.SUPPORT, Role.OPERATIONS}))
    assert actor_of(both, None) == Actor(role="operations", id="sam")
    with pytest.raises(Forbidden) as refusal:
        actor_of(Principal("sam", frozenset({Role.CLINICIAN})), None)
    assert refusal.value.code == "person.unknown"
