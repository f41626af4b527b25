"""Notes: written by the clinician of the visit, taken by its process, shown to the patient once complete."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from db.outbox import SqlOutbox
from db.tables import Note, OutboxNotice, Visit
from domain.errors import GatewayUnavailable, Refused
from embedded import seed
from tests.api.front import DRAFT, Front, problem, refused_by_workflow
from tests.api.test_visits import scheduled

SECRET = "Marked-secret-note: palpitations of Zebulon"
COMPLETE, DRAFTED = {"status": "complete", "body": SECRET}, {"status": "draft", "body": SECRET}


async def write(front: Front, visit_id: str, body: dict[str, Any] = COMPLETE, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await front.clinician.post(f"/visits/{visit_id}/notes", json=body, headers=headers)


async def written(front: Front, visit_id: str, body: dict[str, Any] = COMPLETE) -> str:
    answer = await write(front, visit_id, body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def listed(by: httpx.AsyncClient, visit_id: str) -> list[str]:
    return [note["id"] for note in (await by.get(f"/visits/{visit_id}/notes")).json()["items"]]


async def kept(front: Front) -> list[Note]:
    async with front.database.transaction() as session:
        seeds = (seed.NOTE_IN_PROGRESS, seed.NOTE_COMPLETED, seed.OTHER_NOTE)
        return list((await session.exec(select(Note).where(col(Note.id).not_in(seeds)))).all())


async def letters(front: Front) -> list[tuple[str, str, str]]:
    async with front.database.transaction() as session:
        found = (await session.exec(select(OutboxNotice))).all()
    return [(one.case_id, one.audience, one.template) for one in found if one.template == "note_shared"]


async def test_the_process_takes_a_note_that_is_kept_already(front: Front) -> None:
    visit_id = await scheduled(front)
    note = (await write(front, visit_id)).json()
    _, update_name, asked, _ = front.cases.acts[-1]
    assert (update_name, asked.note_id, asked.status, asked.actor.id) == (
        "save_note",
        note["id"],
        "complete",
        seed.CLINICIAN,
    )
    assert (note["author_id"], note["body"], note["status"]) == (seed.CLINICIAN, SECRET, "complete")
    assert note["saved_at"] == note["shared_at"] is not None


async def test_a_refused_note_leaves_nothing_behind(front: Front) -> None:
    visit_id = await scheduled(front)
    front.cases.refusal = refused_by_workflow(Refused("visit.not_begun", "it is SCHEDULED"))
    assert problem(await write(front, visit_id)) == (409, "visit.not_begun")
    assert await kept(front) == []


async def test_a_note_without_an_answer_waits_for_the_repeat(front: Front) -> None:
    visit_id = await scheduled(front)
    front.cases.refusal = GatewayUnavailable("temporal.no_answer", "no worker")
    assert problem(await write(front, visit_id, key="n-1")) == (503, "temporal.no_answer")
    (waiting,) = await kept(front)
    assert (waiting.saved_at, waiting.shared_at) == (None, None)
    for reader in (front.clinician, front.patient):
        assert await listed(reader, visit_id) == []

    front.cases.refusal = None
    again = await write(front, visit_id, key="n-1")
    assert again.json()["id"] == waiting.id
    assert await listed(front.patient, visit_id) == [waiting.id]
    other = await write(front, visit_id, COMPLETE | {"body": "Another one."}, key="n-1")
    assert problem(other) == (422, "request.idempotency_key_reused")


async def test_the_patient_reads_a_note_once_it_is_complete_and_each_look_is_on_record(front: Front) -> None:
    visit_id = await scheduled(front)
    note_id = await written(front, visit_id, DRAFTED)
    assert await listed(front.patient, visit_id) == []
    assert await listed(front.clinician, visit_id) == [note_id]

    answer = await front.clinician.patch(f"/visits/{visit_id}/notes/{note_id}", json={"status": "complete"})
    assert (answer.json()["status"], answer.json()["body"]) == ("complete", SECRET)
    assert await listed(front.patient, visit_id) == [note_id]
    seen = [(role, person, what) for role, person, what, _ in await front.disclosures()]
    by_clinician, by_patient = (
        ("clinician", seed.CLINICIAN, f"note:{note_id}"),
        ("patient", seed.PATIENT, f"note:{note_id}"),
    )
    assert seen == [by_clinician, by_clinician, by_clinician, by_patient]


async def test_a_complete_note_stays_complete(front: Front) -> None:
    visit_id = await scheduled(front)
    path = f"/visits/{visit_id}/notes/{await written(front, visit_id)}"
    first = (await front.clinician.patch(path, json={"status": "complete"})).json()
    assert [name for _, name, _, _ in front.cases.acts] == ["save_note"]
    assert (await front.clinician.patch(path, json={"status": "complete"})).json() == first
    for body in ({"status": "draft"}, {}, {"status": "complete", "body": "Other words."}):
        assert problem(await front.clinician.patch(path, json=body)) == (422, "request.invalid")


async def test_only_the_author_completes_a_note(front: Front) -> None:
    path = f"/visits/{seed.VISIT_IN_PROGRESS}/notes/{seed.NOTE_IN_PROGRESS}"
    body = {"status": "complete"}
    assert problem(await front.other_clinician.patch(path, json=body)) == (404, "visit.unknown")
    assert problem(await front.patient.patch(path, json=body)) == (403, "auth.role_missing")
    elsewhere = f"/visits/{seed.VISIT_COMPLETED}/notes/{seed.NOTE_IN_PROGRESS}"
    assert problem(await front.clinician.patch(elsewhere, json=body)) == (404, "note.unknown")
    async with front.database.transaction() as session:
        await session.exec(
            update(Visit).where(col(Visit.id) == seed.VISIT_IN_PROGRESS).values(clinician_id=seed.OTHER_CLINICIAN)
        )
    assert problem(await front.other_clinician.patch(path, json=body)) == (404, "note.unknown")


async def test_notes_are_for_the_clinician_and_the_patient_of_the_visit(front: Front) -> None:
    path = f"/visits/{seed.VISIT_COMPLETED}/notes"
    for stranger in (front.other_clinician, front.other_patient):
        assert problem(await stranger.get(path)) == (404, "visit.unknown")
    assert problem(await front.other_clinician.post(path, json=COMPLETE)) == (404, "visit.unknown")
    for role in (front.operations, front.support, front.administrator, front.specialist):
        assert problem(await role.get(path)) == (403, "auth.role_missing")
    assert problem(await front.patient.post(path, json=COMPLETE)) == (403, "auth.role_missing")
    assert await front.disclosures() == []


async def test_a_note_elsewhere_stands_in_for_none_here(front: Front) -> None:
    visit_id = await scheduled(front)
    referred = {"status": "complete", "external_reference": "ehr-4711"}
    assert problem(await write(front, visit_id, referred)) == (409, "note.platform_note_needed")
    for body in ({"status": "complete"}, {**referred, "body": SECRET}, COMPLETE | {"status": "signed"}):
        assert problem(await write(front, visit_id, body)) == (422, "request.invalid")
    assert await kept(front) == []


# --- where no process runs (any more)


async def test_a_note_of_a_visit_whose_process_is_over_is_saved_and_shared_once(front: Front) -> None:
    note_id = await written(front, seed.VISIT_COMPLETED, DRAFTED)
    assert await letters(front) == []
    path = f"/visits/{seed.VISIT_COMPLETED}/notes/{note_id}"
    for _ in range(2):
        answer = await front.clinician.patch(path, json={"status": "complete"})
        assert answer.json()["shared_at"] is not None
    assert await listed(front.patient, seed.VISIT_COMPLETED) == [seed.NOTE_COMPLETED, note_id]
    assert await letters(front) == [(f"visit:{seed.VISIT_COMPLETED}", "patient", "note_shared")]


async def test_the_letter_reaches_the_patient_of_a_visit_that_never_had_a_process(front: Front) -> None:
    await written(front, seed.VISIT_COMPLETED)
    addressed: list[tuple[str | None, bool]] = []

    async def send(notice: Any) -> Any:
        addressed.append((notice.email, notice.visit_starts_at < datetime.now(UTC)))
        raise AssertionError("seen")

    with pytest.raises(AssertionError, match="seen"):
        await SqlOutbox(front.database, {}).deliver_next(send)
    assert addressed == [("jordan.quillfeather@example.com", True)]


@pytest.mark.parametrize(
    ("status", "code"),
    [("scheduled", "visit.not_begun"), ("cancelled", "visit.cancelled"), ("no_show", "visit.not_held")],
)
async def test_nothing_is_noted_of_a_visit_that_was_not_held(front: Front, status: str, code: str) -> None:
    async with front.database.transaction() as session:
        await session.exec(update(Visit).where(col(Visit.id) == seed.VISIT_COMPLETED).values(status=status))
    assert problem(await write(front, seed.VISIT_COMPLETED)) == (409, code)
    assert await kept(front) == []


async def test_a_note_lies_encrypted_in_the_database(front: Front) -> None:
    note_id = await written(front, seed.VISIT_COMPLETED)
    async with front.database.transaction() as session:
        connection = await session.connection()
        rows = await connection.exec_driver_sql("select * from note where id = %s", (note_id,))
        stored = b"|".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in rows.one())
    assert b"complete" in stored
    assert b"secret" not in stored


async def test_an_order_refers_to_notes_that_count(front: Front) -> None:
    visit_id = await scheduled(front)
    front.cases.refusal = GatewayUnavailable("temporal.no_answer", "no worker")
    await write(front, visit_id)
    front.cases.refusal = None
    (waiting,) = await kept(front)
    async with front.database.transaction() as session:
        await session.exec(update(Visit).where(col(Visit.id) == visit_id).values(status="in_progress"))
    lint = {**DRAFT, "visit_id": visit_id, "note_ids": [waiting.id]}
    assert problem(await front.clinician.post("/econsults/lint", json=lint)) == (404, "note.unknown")
