"""One order, from the clinician's click to the closed case, over HTTP alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from db.session import Database
from embedded import seed
from tests.house import (
    ACKNOWLEDGED,
    ADMINISTRATOR,
    CARDIOLOGIST,
    CLINICIAN,
    DERMATOLOGISTS,
    OPERATIONS,
    OTHER_CLINICIAN,
    OTHER_PATIENT,
    PATIENT,
    SUPPORT,
    House,
    open_house,
)

ORDER: dict[str, Any] = {
    "visit_id": seed.VISIT_COMPLETED,
    "specialty_code": seed.DERMATOLOGY,
    "purpose": "second_opinion",
    "question": "Would you scrape this patch first, or treat it as tinea?",
    "history": "45-year-old man with an annular, scaly patch of the forearm for six weeks. Working diagnosis tinea "
    "corporis, nummular eczema considered. Hydrocortisone 1 % tried for two weeks without relief. "
    "Medications: none. No known drug allergies.",
    "note_ids": [seed.NOTE_COMPLETED],
    "attachment_ids": [seed.PHOTO],
    "patient_expectations": ACKNOWLEDGED,
}
PATIENTS_ADDRESS = "jordan.quillfeather@example.com"
PROCESSING_FEE = 436


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, data_keys, tmp_path) as opened:
        yield opened


async def test_an_order_lives_from_its_placement_to_its_closing(house: House) -> None:
    econsult_id = await _ordered_once(house)
    await _paid_through_the_letter(house, econsult_id)
    await _answered(house, econsult_id)
    await _followed_up(house, econsult_id)
    await house.advance(timedelta(days=7))

    view = await house.reaches(econsult_id, "CLOSED")
    assert view["outcome"]["improved_care_plan"]
    await _reads(house, econsult_id)
    await _money(house, econsult_id)
    await _kept_from_strangers(house, econsult_id)


async def _ordered_once(house: House) -> str:
    placed = await house.post(CLINICIAN, "/econsults", key="order-1", **ORDER)
    again = await house.post(CLINICIAN, "/econsults", key="order-1", **ORDER)
    assert again["id"] == placed["id"]
    assert placed["money"]["total_cents"] == 14_000
    view = await house.reaches(placed["id"], "AWAITING_PAYMENT")
    assert view["waits_for"][0]["who"] == "patient"
    assert not (await house.read(DERMATOLOGISTS[seed.DERMATOLOGIST], "/assignments"))["items"]
    return str(placed["id"])


async def _paid_through_the_letter(house: House, econsult_id: str) -> None:
    page = await house.stage.http.get(house.payment_link(PATIENTS_ADDRESS))
    assert "$140" in page.text
    back = await house.pay(PATIENTS_ADDRESS)
    assert back.status_code == 200
    await house.happened(econsult_id, "fee_booked")


async def _answered(house: House, econsult_id: str) -> None:
    specialist = await house.specialist(econsult_id)
    path = f"/econsults/{econsult_id}"
    assert (await house.read(specialist, "/assignments"))["items"][0]["econsult"]["id"] == econsult_id
    assert (await house.read(specialist, f"{path}/submission"))["question"] == ORDER["question"]
    await house.post(specialist, f"{path}/assignment/accept")
    await house.post(specialist, f"{path}/information-requests", body="Does it itch?")
    assert (await house.read(CLINICIAN, path))["state"] == "INFO_REQUESTED"
    await house.post(CLINICIAN, f"{path}/information", body="At night.")
    replied = await house.post(
        specialist,
        f"{path}/reply",
        impression="Tinea corporis.",
        recommendations=["Terbinafine cream for two weeks."],
        in_person_recommended=False,
    )
    assert replied["state"] == "FOLLOW_UP_WINDOW"
    asked = await house.post(CLINICIAN, f"{path}/questions", body="And if it does not help?")
    question = asked["questions"][0]["question_id"]
    await house.post(specialist, f"{path}/questions/{question}/answer", body="Then scrape it.")
    assert [line["kind"] for line in await house.read(CLINICIAN, f"{path}/messages")] == [
        "information_request",
        "information",
        "reply",
        "question",
        "answer",
    ]


async def _followed_up(house: House, econsult_id: str) -> None:
    path = f"/econsults/{econsult_id}"
    starts_at = house.stage.rehearsal.clock.now + timedelta(days=3)
    booked = await house.post(PATIENT, f"{path}/follow-up-visit", starts_at=starts_at.isoformat())
    assert booked["follow_up"] == "BOOKED"
    await house.advance(timedelta(days=3))
    visit = f"/visits/{booked['follow_up_visit']['visit_id']}"
    await house.post(CLINICIAN, f"{visit}/clinician-joined")
    await house.post(PATIENT, f"{visit}/patient-joined")
    await house.advance(timedelta(minutes=15))
    await house.post(CLINICIAN, f"{visit}/complete")
    await house.shows(CLINICIAN, path, follow_up="COMPLETED")
    await house.advance(timedelta(days=1))
    await house.post(CLINICIAN, f"{path}/outcome", improved_care_plan=True, avoided_in_person=True)


async def _reads(house: House, econsult_id: str) -> None:
    path = f"/econsults/{econsult_id}"
    documents = await house.read(PATIENT, f"{path}/documents")
    assert [document["version"] for document in documents] == [1, 2]
    assert "Terbinafine" in documents[0]["content"]
    assert "scrape" in documents[1]["content"]

    steps = (await house.read(PATIENT, f"{path}/timeline?limit=200"))["items"]
    assert [step["sequence"] for step in steps] == list(range(1, len(steps) + 1))
    events = [step["event"] for step in steps]
    assert (events[0], events[-1]) == ("ordered", "closed")
    assert {"paid", "assigned", "accepted", "response_ready", "question_answered", "follow_up_completed"} <= {*events}

    listed = (await house.read(CLINICIAN, "/econsults?state=CLOSED"))["items"]
    assert [view["id"] for view in listed] == [econsult_id]
    explained = await house.read(OPERATIONS, f"{path}/explain")
    assert {"payment", "turnaround", "follow_up_window"} <= {entry["clock"]["name"] for entry in explained}
    assert (await house.read(CLINICIAN, f"{path}?live=true"))["state"] == "CLOSED"

    bundle = await house.read(CLINICIAN, f"{path}/fhir")
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert sorted(kinds) == ["DocumentReference", "DocumentReference", "ServiceRequest", "Task"]


async def _money(house: House, econsult_id: str) -> None:
    ledger = await house.read(CLINICIAN, f"/econsults/{econsult_id}/ledger")
    assert ledger["balanced"]
    assert {line["account"]: line["amount_cents"] for line in ledger["balances"] if line["amount_cents"]} == {
        "processor_balance": 14_000 - PROCESSING_FEE,
        "processor_fees": PROCESSING_FEE,
        "network_payable": -12_000,
        "clinician_payable": -2_000,
    }
    balance = await house.read(OPERATIONS, "/reports/ledger-balance")
    assert (balance["balanced"], balance["sums"]) == (True, {"usd": 0})


async def _kept_from_strangers(house: House, econsult_id: str) -> None:
    path = f"/econsults/{econsult_id}"
    theirs = (await house.read(CLINICIAN, path))["assignments"][-1]["specialist_id"]
    [other] = [person for specialist_id, person in DERMATOLOGISTS.items() if specialist_id != theirs]
    unknown = (404, "econsult.unknown")
    for stranger in (OTHER_CLINICIAN, OTHER_PATIENT, CARDIOLOGIST, other):
        assert await house.refused(stranger, "GET", path) == unknown
        assert not (await house.read(stranger, "/econsults"))["items"]
    assert await house.refused(OTHER_PATIENT, "GET", f"{path}/documents") == unknown
    assert await house.refused(other, "GET", f"{path}/submission") == unknown
    assert await house.refused(OTHER_CLINICIAN, "POST", f"{path}/questions", json={"body": "?"}) == unknown
    for person in (OPERATIONS, SUPPORT, ADMINISTRATOR, PATIENT):
        assert await house.refused(person, "GET", f"{path}/messages") == (403, "auth.role_missing")
    assert await house.refused(OPERATIONS, "GET", f"{path}/documents") == (403, "auth.role_missing")
    assert (await house.stage.http.get(path)).status_code == 401
