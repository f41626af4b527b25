"""Visits and their notes: whose they are, what may be done when."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from db.tables import Visit
from domain.access import Role
from embedded import seed
from tests.api.care_records.conftest import House, problem

UNKNOWN = "01940000-0000-7000-8000-00000000ffff"
VISIT: dict[str, Any] = {
    "patient_id": seed.PATIENT,
    "scheduled_start": "2030-01-01T09:00:00-07:00",
    "duration_minutes": 30,
}
ACTS = ("start", "complete", "cancel")


async def scheduled(house: House, **changes: Any) -> str:
    answer = await house.clinician.post("/visits", json=VISIT | changes)
    assert answer.status_code == 201
    visit_id: str = answer.json()["id"]
    return visit_id


async def follow_up_of_an_econsult(house: House) -> str:
    """A follow-up visit as an eConsult books it."""
    visit_id = await scheduled(house)
    async with house.database.transaction() as session:
        visit = await session.get_one(Visit, visit_id)
        visit.kind = "econsult_follow_up"
        visit.econsult_id = UNKNOWN
    return visit_id


async def test_a_clinician_schedules_a_visit_of_their_own(house: House) -> None:
    visit = (await house.clinician.post("/visits", json=VISIT)).json()
    assert (visit["clinician_id"], visit["status"], visit["kind"]) == (seed.CLINICIAN, "scheduled", "standard")
    assert visit["scheduled_start"] == "2030-01-01T16:00:00Z"
    named = await house.clinician.post("/visits", json=VISIT | {"clinician_id": seed.CLINICIAN})
    assert named.status_code == 201


async def test_staff_schedules_the_first_visit_of_a_clinician_and_a_patient(house: House) -> None:
    stranger = VISIT | {"patient_id": seed.OTHER_PATIENT}
    refused = (403, "visit.patient_not_yours")
    assert problem(await house.clinician.post("/visits", json=stranger)) == refused
    for staff in (house.operations, house.administrator, house.as_("s-1", Role.SUPPORT)):
        first = await staff.post("/visits", json=stranger | {"clinician_id": seed.CLINICIAN})
        assert first.status_code == 201
        assert (await house.clinician.post("/visits", json=stranger)).status_code == 201
        async with house.database.transaction() as session:
            theirs = col(Visit.patient_id) == seed.OTHER_PATIENT, col(Visit.clinician_id) == seed.CLINICIAN
            await session.exec(update(Visit).where(*theirs).values(status="cancelled"))
        assert problem(await house.clinician.post("/visits", json=stranger)) == refused


async def test_a_clinician_schedules_for_nobody_else(house: House) -> None:
    refused = await house.clinician.post("/visits", json=VISIT | {"clinician_id": seed.OTHER_CLINICIAN})
    assert problem(refused) == (403, "visit.of_another_clinician")


async def test_staff_schedules_for_a_clinician_they_name(house: House) -> None:
    assert problem(await house.operations.post("/visits", json=VISIT)) == (422, "visit.clinician_missing")
    named = await house.operations.post("/visits", json=VISIT | {"clinician_id": seed.OTHER_CLINICIAN})
    assert named.json()["clinician_id"] == seed.OTHER_CLINICIAN
    unknown = await house.operations.post("/visits", json=VISIT | {"clinician_id": UNKNOWN})
    assert problem(unknown) == (404, "clinician.unknown")


async def test_a_visit_needs_a_known_patient_and_a_caller_who_may(house: House) -> None:
    unknown = await house.clinician.post("/visits", json=VISIT | {"patient_id": UNKNOWN})
    assert problem(unknown) == (404, "patient.unknown")
    stranger = await house.as_("stranger", Role.CLINICIAN, Role.SUPPORT).post("/visits", json=VISIT)
    assert problem(stranger) == (403, "person.unknown")
    assert problem(await house.patient.post("/visits", json=VISIT)) == (403, "auth.role_missing")


@pytest.mark.parametrize(
    "change",
    [
        {"scheduled_start": "2030-01-01T09:00:00"},
        {"scheduled_start": "9999-12-31T23:59:59-12:00"},
        {"duration_minutes": 4},
        {"duration_minutes": 241},
        {"patient_id": "1' or '1'='1"},
    ],
)
async def test_refuses_a_malformed_visit(house: House, change: dict[str, Any]) -> None:
    assert problem(await house.clinician.post("/visits", json=VISIT | change)) == (422, "request.invalid")


async def test_shows_a_visit_to_those_concerned(house: House) -> None:
    path = f"/visits/{seed.VISIT_COMPLETED}"
    for caller in (house.clinician, house.patient, house.operations, house.administrator, house.as_("s", Role.SUPPORT)):
        assert (await caller.get(path)).json()["status"] == "completed"
    for caller in (house.other_clinician, house.other_patient):
        assert problem(await caller.get(path)) == (404, "visit.unknown")
    assert problem(await house.specialist.get(path)) == (403, "auth.role_missing")
    assert problem(await house.operations.get(f"/visits/{UNKNOWN}")) == (404, "visit.unknown")


async def test_a_visit_starts_and_completes_and_repeats_change_nothing(house: House) -> None:
    visit_id = await scheduled(house)
    started = (await house.clinician.post(f"/visits/{visit_id}/start")).json()
    assert (started["status"], started["completed_at"]) == ("in_progress", None)
    assert (await house.clinician.post(f"/visits/{visit_id}/start")).json() == started
    completed = (await house.clinician.post(f"/visits/{visit_id}/complete")).json()
    assert (completed["status"], completed["started_at"]) == ("completed", started["started_at"])
    assert completed["completed_at"] >= completed["started_at"]
    assert (await house.clinician.post(f"/visits/{visit_id}/complete")).json() == completed


async def test_a_visit_is_cancelled_once(house: House) -> None:
    visit_id = await scheduled(house)
    cancelled = (await house.clinician.post(f"/visits/{visit_id}/cancel")).json()
    assert cancelled["status"] == "cancelled"
    assert (await house.clinician.post(f"/visits/{visit_id}/cancel")).json() == cancelled


async def test_refuses_acts_out_of_turn_and_says_what_is_missing(house: House) -> None:
    visit_id = await scheduled(house)
    early = await house.clinician.post(f"/visits/{visit_id}/complete")
    assert problem(early) == (409, "visit.not_in_progress")
    assert early.json()["missing"] == ["visit.in_progress"]
    for act in ("start", "cancel"):
        late = await house.clinician.post(f"/visits/{seed.VISIT_COMPLETED}/{act}")
        assert problem(late) == (409, "visit.not_scheduled")


async def test_only_the_own_clinician_acts(house: House) -> None:
    for act in ACTS:
        path = f"/visits/{seed.VISIT_IN_PROGRESS}/{act}"
        assert problem(await house.other_clinician.post(path)) == (404, "visit.unknown")
        assert problem(await house.clinician.post(f"/visits/{UNKNOWN}/{act}")) == (404, "visit.unknown")
        assert problem(await house.operations.post(path)) == (403, "auth.role_missing")


async def test_leaves_the_follow_up_visit_to_its_econsult(house: House) -> None:
    visit_id = await follow_up_of_an_econsult(house)
    for act in ("complete", "cancel"):
        refused = await house.clinician.post(f"/visits/{visit_id}/{act}")
        assert problem(refused) == (409, "visit.follow_up_of_econsult")
    assert (await house.clinician.post(f"/visits/{visit_id}/start")).json()["status"] == "in_progress"


# --- notes ---

SECRET = "Marked-secret-note: palpitations of Zebulon"


async def test_the_clinician_writes_and_reads_notes_and_each_look_is_on_record(house: House) -> None:
    path = f"/visits/{seed.VISIT_IN_PROGRESS}/notes"
    written = await house.clinician.post(path, json={"status": "complete", "body": SECRET})
    assert written.status_code == 201
    note = written.json()
    assert note["author_id"] == seed.CLINICIAN
    listed = (await house.clinician.get(path)).json()["items"]
    assert [item["id"] for item in listed] == [seed.NOTE_IN_PROGRESS, note["id"]]
    assert listed[1] == note
    seen = [what for _, _, what, _ in await house.disclosures()]
    assert seen == [f"note:{note['id']}", f"note:{seed.NOTE_IN_PROGRESS}", f"note:{note['id']}"]


async def test_a_note_lies_encrypted_in_the_database(house: House) -> None:
    path = f"/visits/{seed.VISIT_IN_PROGRESS}/notes"
    note = (await house.clinician.post(path, json={"status": "draft", "body": SECRET})).json()
    stored = await house.stored_bytes("note", note["id"])
    assert b"draft" in stored
    assert b"secret" not in stored


async def test_notes_are_for_the_own_clinician_only(house: House) -> None:
    path = f"/visits/{seed.VISIT_COMPLETED}/notes"
    body = {"status": "complete", "body": "x"}
    assert problem(await house.other_clinician.get(path)) == (404, "visit.unknown")
    assert problem(await house.other_clinician.post(path, json=body)) == (404, "visit.unknown")
    assert problem(await house.patient.get(path)) == (403, "auth.role_missing")
    assert await house.disclosures() == []


async def test_nothing_is_noted_of_a_cancelled_visit(house: House) -> None:
    visit_id = await scheduled(house)
    await house.clinician.post(f"/visits/{visit_id}/cancel")
    refused = await house.clinician.post(f"/visits/{visit_id}/notes", json={"status": "draft", "body": "x"})
    assert problem(refused) == (409, "visit.cancelled")
