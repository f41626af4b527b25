"""Files of patients: what is taken, who gets them back, and what is on record of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from db.tables import AssignmentRow, EConsult
from domain.access import Role
from domain.attachment_files import MAX_BYTES
from embedded import seed
from embedded.seed_files import skin_photo
from tests.api.care_records.conftest import House, problem

UNKNOWN = "01940000-0000-7000-8000-00000000ffff"
ECONSULT = "01940000-0000-7000-8000-0000000000e1"
PNG = skin_photo(8)
NOW = datetime(2026, 3, 2, tzinfo=UTC)


async def upload(
    client: httpx.AsyncClient,
    content: bytes = PNG,
    media_type: str = "image/png",
    *,
    patient_id: str = seed.PATIENT,
    kind: str = "photo",
    title: str = "Left forearm",
) -> httpx.Response:
    return await client.post(
        f"/patients/{patient_id}/attachments",
        data={"kind": kind, "title": title},
        files={"file": ("Jordan Quillfeather.png", content, media_type)},
    )


async def order_with_the_photo(house: House) -> None:
    async with house.database.transaction() as session:
        session.add(
            EConsult(
                id=ECONSULT,
                visit_id=seed.VISIT_COMPLETED,
                patient_id=seed.PATIENT,
                clinician_id=seed.CLINICIAN,
                idempotency_key="k",
                request_hash="h",
                specialty_code=seed.CARDIOLOGY,
                purpose="second_opinion",
                note_ids=[],
                attachment_ids=[seed.PHOTO],
                question="q",
                history="h",
                expectations_acknowledged_by="patient",
                expectations_acknowledged_at=NOW,
                network_fee_cents=12_000,
                clinician_portion_cents=2_000,
                currency="usd",
                order={},
            )
        )


async def assign(house: House, number: int, specialist_id: str, status: str) -> None:
    async with house.database.transaction() as session:
        row = AssignmentRow(
            id=f"{ECONSULT}-{number}",
            econsult_id=ECONSULT,
            specialist_id=specialist_id,
            number=number,
            status=status,
            at=NOW + timedelta(hours=number),
        )
        await session.merge(row)


async def test_a_clinician_and_the_patient_upload_and_get_the_same_bytes_back(house: House) -> None:
    for client, uploader in ((house.clinician, seed.CLINICIAN), (house.patient, seed.PATIENT)):
        answer = await upload(client)
        assert answer.status_code == 201
        view = answer.json()
        assert (view["uploaded_by"], view["kind"], view["size_bytes"]) == (uploader, "photo", len(PNG))
        assert (await client.get(f"/attachments/{view['id']}")).json() == view
        assert (await client.get(f"/attachments/{view['id']}/content")).content == PNG


async def test_a_download_is_never_shown_in_place_nor_guessed_at(house: House) -> None:
    answer = await house.patient.get(f"/attachments/{seed.LAB}/content")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{seed.LAB}.txt"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\xff\xd8\xff\xe0 jpeg", "image/jpeg"),
        (b"%PDF-1.7 ...", "application/pdf"),
        (b"\0" * 128 + b"DICM...", "application/dicom"),
        ("TSH 2,1 µIU/ml".encode(), "Text/Plain; charset=utf-8"),
    ],
)
async def test_takes_each_usual_kind_of_file(house: House, content: bytes, media_type: str) -> None:
    assert (await upload(house.clinician, content, media_type, kind="diagnostic")).status_code == 201


@pytest.mark.parametrize(
    ("content", "media_type", "code"),
    [
        (b"<svg/>", "image/svg+xml", "attachment.media_type_refused"),
        (b"<script>", "text/html", "attachment.media_type_refused"),
        (b"MZ", "application/octet-stream", "attachment.media_type_refused"),
        (b"", "text/plain", "attachment.empty"),
        (b"x" * (MAX_BYTES + 1), "text/plain", "attachment.too_large"),
        (b"MZ not a picture", "image/png", "attachment.content_mismatch"),
        (PNG, "image/jpeg", "attachment.content_mismatch"),
        (PNG, "text/plain", "attachment.content_mismatch"),
        (b"a\0b", "text/plain", "attachment.content_mismatch"),
    ],
)
async def test_refuses_a_file_with_its_own_code(house: House, content: bytes, media_type: str, code: str) -> None:
    assert problem(await upload(house.clinician, content, media_type)) == (422, code)


async def test_takes_a_file_of_the_greatest_size(house: House) -> None:
    assert (await upload(house.clinician, b"x" * MAX_BYTES, "text/plain")).json()["size_bytes"] == MAX_BYTES


async def test_refuses_a_body_beyond_all_limits_and_a_broken_form(house: House) -> None:
    assert problem(await upload(house.clinician, b"x" * 9_000_000, "text/plain")) == (413, "request.too_large")
    path = f"/patients/{seed.PATIENT}/attachments"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    broken = await house.clinician.post(path, content=b"--y\r\n", headers=headers)
    assert problem(broken) == (400, "request.malformed")
    assert problem(await house.clinician.post(path, json={"kind": "photo"})) == (422, "request.invalid")
    assert problem(await upload(house.clinician, kind="selfie")) == (422, "request.invalid")
    assert problem(await upload(house.clinician, title=" ")) == (422, "request.invalid")


async def test_nobody_else_uploads(house: House) -> None:
    for client in (house.other_clinician, house.other_patient):
        assert problem(await upload(client)) == (404, "patient.unknown")
    assert problem(await upload(house.clinician, patient_id=UNKNOWN)) == (404, "patient.unknown")
    for client in (house.specialist, house.administrator):
        assert problem(await upload(client)) == (403, "auth.role_missing")


async def test_nobody_else_downloads(house: House) -> None:
    await order_with_the_photo(house)
    for path in (f"/attachments/{seed.PHOTO}", f"/attachments/{seed.PHOTO}/content"):
        for client in (house.other_clinician, house.other_patient, house.specialist):
            assert problem(await client.get(path)) == (404, "attachment.unknown")
        assert problem(await house.operations.get(path)) == (403, "auth.role_missing")
    assert problem(await house.clinician.get(f"/attachments/{UNKNOWN}")) == (404, "attachment.unknown")
    assert await house.disclosures() == []


async def test_a_specialist_sees_what_their_present_case_refers_to_and_nothing_else(house: House) -> None:
    await order_with_the_photo(house)
    for status in ("offered", "accepted", "replied"):
        await assign(house, 1, seed.CARDIOLOGIST, status)
        assert (await house.specialist.get(f"/attachments/{seed.PHOTO}/content")).status_code == 200
    assert problem(await house.specialist.get(f"/attachments/{seed.LAB}")) == (404, "attachment.unknown")
    other = house.as_("specialist-cardiology-2", Role.SPECIALIST)
    assert problem(await other.get(f"/attachments/{seed.PHOTO}")) == (404, "attachment.unknown")


@pytest.mark.parametrize("status", ["declined", "withdrawn"])
async def test_a_specialist_without_the_case_any_more_sees_nothing(house: House, status: str) -> None:
    await order_with_the_photo(house)
    await assign(house, 1, seed.CARDIOLOGIST, status)
    assert problem(await house.specialist.get(f"/attachments/{seed.PHOTO}")) == (404, "attachment.unknown")


async def test_a_later_assignment_takes_the_case_from_an_earlier_one(house: House) -> None:
    await order_with_the_photo(house)
    await assign(house, 1, seed.CARDIOLOGIST, "accepted")
    await assign(house, 2, seed.SECOND_CARDIOLOGIST, "offered")
    assert problem(await house.specialist.get(f"/attachments/{seed.PHOTO}")) == (404, "attachment.unknown")
    other = house.as_("specialist-cardiology-2", Role.SPECIALIST)
    assert (await other.get(f"/attachments/{seed.PHOTO}")).status_code == 200


async def test_each_look_is_on_record_with_its_case(house: House) -> None:
    await order_with_the_photo(house)
    await assign(house, 1, seed.CARDIOLOGIST, "accepted")
    await house.clinician.get(f"/attachments/{seed.PHOTO}")
    await house.patient.get(f"/attachments/{seed.PHOTO}/content")
    await house.specialist.get(f"/attachments/{seed.PHOTO}/content")
    assert await house.disclosures() == [
        ("clinician", seed.CLINICIAN, f"attachment:{seed.PHOTO}", None),
        ("patient", seed.PATIENT, f"attachment.content:{seed.PHOTO}", None),
        ("specialist", seed.CARDIOLOGIST, f"attachment.content:{seed.PHOTO}", ECONSULT),
    ]


async def test_a_file_lies_encrypted_in_the_database(house: House) -> None:
    content = b"Marked-secret-result"
    view = (await upload(house.clinician, content, "text/plain", title="Marked-secret-title")).json()
    stored = await house.stored_bytes("attachment", view["id"])
    assert b"text/plain" in stored
    assert b"Marked-secret" not in stored
    assert b"Quillfeather" not in stored  # nor the name of the uploaded file
