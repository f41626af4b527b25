"""Ordering an eConsult, and who reads what of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col
from temporalio.service import RPCError, RPCStatusCode

from db import econsults
from db.tables import EConsult, Rate, Visit, new_id
from domain.access import Role
from domain.econsult.states import Stage
from embedded import seed
from tests.api.front import DRAFT, ORDER, Front, problem

ELSEWHERE = "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"


async def place(front: Front, body: dict[str, Any] = ORDER, key: str | None = "k-1") -> httpx.Response:
    return await front.clinician.post("/econsults", json=body, headers={"Idempotency-Key": key} if key else {})


async def row(front: Front, econsult_id: str) -> EConsult:
    async with front.database.transaction() as session:
        return (await econsults.get(session, econsult_id, texts=True)).order


async def set_visit(front: Front, **values: Any) -> None:
    async with front.database.transaction() as session:
        await session.exec(update(Visit).where(col(Visit.id) == seed.VISIT_COMPLETED).values(values))


async def test_places_an_order_and_starts_its_workflow(front: Front) -> None:
    response = await place(front)
    assert response.status_code == 201
    order = response.json()
    assert order["state"] == "AWAITING_PAYMENT"
    assert order["waits_for"] == [{"who": "patient", "what": "payment through the link"}]
    assert (order["money"]["total_cents"], order["money"]["currency"]) == (14_000, "usd")
    assert order["advice"] == []
    pinned = front.cases.orders[order["id"]]
    assert (pinned.price.network_fee_cents, pinned.price.clinician_portion_cents) == (12_000, 2_000)
    kept = await row(front, order["id"])
    assert kept.started
    assert kept.question == DRAFT["question"]
    assert kept.order == pinned.model_dump(mode="json")


async def test_pins_the_portion_approved_last(front: Front) -> None:
    async with front.database.transaction() as session:
        for cents, day in ((3_500, 1), (5_000, 2)):
            session.add(
                Rate(
                    request_id=new_id(),
                    clinician_id=seed.CLINICIAN,
                    portion_cents=cents,
                    effective_from=datetime(2026, 1, day, tzinfo=UTC),
                )
            )
    assert (await place(front)).json()["money"]["total_cents"] == 17_000


async def test_a_repeat_with_the_same_key_is_the_same_order(front: Front) -> None:
    first = (await place(front)).json()
    await set_visit(front, status="cancelled")
    again = await place(front)
    assert again.status_code == 201
    assert again.json()["id"] == first["id"]
    assert front.cases.starts == 1
    assert (await place(front, key="k-2")).status_code == 409


async def test_a_key_belongs_to_one_request_of_one_clinician(front: Front) -> None:
    await place(front)
    assert problem(await place(front, ORDER | {"purpose": "bridge"})) == (422, "request.idempotency_key_reused")
    foreign = await front.other_clinician.post("/econsults", json=ORDER, headers={"Idempotency-Key": "k-1"})
    assert problem(foreign) == (404, "visit.unknown")


async def test_needs_an_idempotency_key(front: Front) -> None:
    assert problem(await place(front, key=None)) == (422, "request.idempotency_key_missing")


async def test_keeps_the_order_when_temporal_is_down_and_starts_it_on_a_repeat(front: Front) -> None:
    front.cases.outage = RPCError("down", RPCStatusCode.UNAVAILABLE, b"")
    response = await place(front)
    assert response.status_code == 201
    order = response.json()
    assert (order["state"], order["sequence"]) == ("ORDERED", 0)
    assert not (await row(front, order["id"])).started
    front.cases.outage = None
    assert (await place(front)).json()["state"] == "AWAITING_PAYMENT"
    assert (await row(front, order["id"])).started


async def test_does_not_wait_for_the_first_step(front: Front) -> None:
    front.cases.records_first_step = False
    order = (await place(front)).json()
    assert order["state"] == "ORDERED"
    read = (await front.clinician.get(f"/econsults/{order['id']}")).json()
    assert read["money"]["total_cents"] == 14_000


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"visit_id": ELSEWHERE}, (404, "visit.unknown")),
        ({"visit_id": seed.OTHER_VISIT}, (404, "visit.unknown")),
        ({"note_ids": [seed.OTHER_NOTE]}, (404, "note.unknown")),
        ({"note_ids": [seed.NOTE_IN_PROGRESS]}, (404, "note.unknown")),
        ({"attachment_ids": [ELSEWHERE]}, (404, "attachment.unknown")),
        ({"patient_expectations": None}, (422, "expectations.not_acknowledged")),
        (
            {"patient_expectations": ORDER["patient_expectations"] | {"acknowledged": False}},
            (422, "expectations.not_acknowledged"),
        ),
        ({"purpose": "curiosity"}, (422, "request.invalid")),
    ],
)
async def test_refuses_an_order_with_its_own_code(
    front: Front, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert problem(await place(front, ORDER | changes)) == refusal
    assert front.cases.starts == 0


async def test_refuses_text_that_is_no_unicode(front: Front) -> None:
    body = json.dumps(ORDER | {"question": "Half a character \ud800?"})
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    assert problem(await front.clinician.post("/econsults", content=body, headers=headers)) == (422, "request.invalid")


@pytest.mark.parametrize(
    ("status", "code"),
    [("scheduled", "visit.not_started"), ("cancelled", "visit.cancelled"), ("no_show", "visit.not_held")],
)
async def test_orders_only_during_or_after_a_visit(front: Front, status: str, code: str) -> None:
    await set_visit(front, status=status)
    assert problem(await place(front)) == (409, code)


async def test_the_linter_blocks_an_order_and_says_why(front: Front) -> None:
    named = ORDER | {"question": "Should Jordan Quillfeather have a biopsy of this patch?", "specialty_code": "207"}
    response = await place(front, named)
    assert problem(response) == (422, "submission.blocked")
    findings = response.json()["findings"]
    assert {"identifier.name", "specialty.unknown"} <= {finding["code"] for finding in findings}
    assert "Quillfeather" not in response.text
    assert front.cases.starts == 0


async def test_advice_does_not_block(front: Front) -> None:
    await set_visit(front, completed_at=datetime.now(UTC) - timedelta(days=31))
    vague = ORDER | {"history": DRAFT["history"].replace("No known drug allergies.", "")}
    response = await place(front, vague)
    assert response.status_code == 201
    assert {finding["code"] for finding in response.json()["advice"]} == {"history.no_allergies", "visit.old"}


async def test_lints_a_draft_and_keeps_nothing(front: Front) -> None:
    good = (await front.clinician.post("/econsults/lint", json=DRAFT)).json()
    assert good == {"orderable": True, "findings": []}
    poor = (await front.clinician.post("/econsults/lint", json=DRAFT | {"note_ids": [], "history": ""})).json()
    assert not poor["orderable"]
    assert {"notes.missing", "history.missing"} <= {finding["code"] for finding in poor["findings"]}
    assert (await front.operations.get("/econsults")).json()["items"] == []


async def test_patients_cannot_order(front: Front) -> None:
    response = await front.patient.post("/econsults", json=ORDER, headers={"Idempotency-Key": "k"})
    assert problem(response) == (403, "auth.role_missing")


async def test_a_case_is_shown_to_those_whose_it_is_and_to_staff(front: Front) -> None:
    path = f"/econsults/{await front.with_specialist()}"
    for reader in (front.clinician, front.patient, front.support, front.operations, front.administrator):
        assert (await reader.get(path)).json()["money"]["total_cents"] == 14_000
    assert (await front.specialist.get(path)).json()["money"] is None
    for stranger in (front.other_clinician, front.other_patient, front.other_specialist):
        assert problem(await stranger.get(path)) == (404, "econsult.unknown")
        assert (await stranger.get("/econsults")).json()["items"] == []
    nobody = front.as_("clinician-without-record", Role.CLINICIAN)
    assert problem(await nobody.get(path)) == (403, "person.unknown")


async def test_a_case_leaves_the_specialist_who_declined_it(front: Front) -> None:
    econsult_id = await front.with_specialist()
    await front.cases.assigned(econsult_id, seed.SECOND_DERMATOLOGIST)
    assert problem(await front.specialist.get(f"/econsults/{econsult_id}/submission")) == (404, "econsult.unknown")
    assert (await front.other_specialist.get(f"/econsults/{econsult_id}/submission")).status_code == 200


async def test_pages_newest_first(front: Front) -> None:
    placed = [await front.order(f"k-{number}") for number in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        wanted = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        part = (await front.clinician.get("/econsults", params=wanted)).json()
        seen += [item["id"] for item in part["items"]]
        cursor = part["next_cursor"]
        if cursor is None:
            break
    assert seen == placed[::-1]


async def test_filters(front: Front) -> None:
    assigned = await front.with_specialist()
    waiting = await front.order("k-2")
    front.cases.records_first_step = False
    fresh = await front.order("k-3")

    async def found(**wanted: Any) -> list[str]:
        response = await front.operations.get("/econsults", params=wanted)
        return [item["id"] for item in response.json()["items"]]

    assert await found(state="AWAITING_PAYMENT") == [waiting]
    assert await found(state=["ORDERED", "WITH_SPECIALIST"]) == [fresh, assigned]
    assert await found(specialist_id=seed.DERMATOLOGIST) == [assigned]
    assert await found(sla_state="on_time") == [waiting, assigned]
    assert await found(sla_state="breached") == []
    assert await found(clinician_id=seed.OTHER_CLINICIAN) == []
    assert len(await found(patient_id=seed.PATIENT)) == 3


async def test_shows_the_timeline_in_parts(front: Front) -> None:
    path = f"/econsults/{await front.with_specialist()}/timeline"
    first = (await front.clinician.get(path, params={"limit": 2})).json()
    assert [(step["event"], step["state"]) for step in first["items"]] == [
        ("ordered", "AWAITING_PAYMENT"),
        ("paid", "PAID"),
    ]
    rest = (await front.patient.get(path, params={"cursor": first["next_cursor"]})).json()
    assert [step["event"] for step in rest["items"]] == ["assigned"]
    assert rest["next_cursor"] is None
    assert problem(await front.specialist.get(path)) == (403, "auth.role_missing")


async def test_asks_the_workflow_itself_when_told_to(front: Front) -> None:
    econsult_id = await front.order()
    front.cases.states[econsult_id].stage = Stage.CANCELLED
    path = f"/econsults/{econsult_id}"
    assert (await front.clinician.get(path)).json()["state"] == "AWAITING_PAYMENT"
    assert (await front.clinician.get(path, params={"live": True})).json()["state"] == "CANCELLED"
    assert (await front.clinician.get(f"{path}/explain")).json() == []


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (RPCStatusCode.NOT_FOUND, (409, "case.not_running")),
        (RPCStatusCode.FAILED_PRECONDITION, (503, "temporal.no_answer")),
        (RPCStatusCode.UNAVAILABLE, (503, "temporal.unavailable")),
    ],
)
async def test_says_when_the_workflow_does_not_answer(
    front: Front, status: RPCStatusCode, refusal: tuple[int, str]
) -> None:
    path = f"/econsults/{await front.order()}"
    front.cases.outage = RPCError("no", status, b"")
    assert problem(await front.clinician.get(f"{path}/explain")) == refusal
    assert problem(await front.clinician.get(path, params={"live": True})) == refusal


async def test_texts_are_for_those_who_treat_and_each_showing_is_written_down(front: Front) -> None:
    econsult_id = await front.with_specialist()
    path = f"/econsults/{econsult_id}/submission"
    shown = (await front.specialist.get(path)).json()
    assert shown["question"] == DRAFT["question"]
    assert [note["id"] for note in shown["notes"]] == [seed.NOTE_COMPLETED]
    assert [(line["id"], line["kind"]) for line in shown["attachments"]] == [(seed.PHOTO, "photo")]
    assert (await front.clinician.get(path)).json() == shown
    assert await front.disclosures() == [
        ("specialist", seed.DERMATOLOGIST, "econsult.submission", econsult_id),
        ("clinician", seed.CLINICIAN, "econsult.submission", econsult_id),
    ]
    for outsider in (front.patient, front.support, front.operations, front.administrator):
        assert problem(await outsider.get(path)) == (403, "auth.role_missing")


async def test_shows_a_fhir_bundle_without_texts_to_administrators(front: Front) -> None:
    path = f"/econsults/{await front.with_specialist()}/fhir"
    response = await front.clinician.get(path)
    assert response.headers["content-type"] == "application/fhir+json"
    assert DRAFT["question"] in response.text
    bundle = (await front.administrator.get(path)).json()
    assert [entry["resource"]["resourceType"] for entry in bundle["entry"]] == ["ServiceRequest", "Task"]
    assert DRAFT["question"] not in str(bundle)
