"""Visits through their lives over HTTP: held, missed by the patient, and as the end of an eConsult."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from db.session import Database
from db.tables import CallAttempt, NoShow
from embedded import seed
from embedded.twilio_sandbox.calls import Answer
from tests.api.test_end_to_end import ORDER, PATIENTS_ADDRESS
from tests.house import CLINICIAN, OPERATIONS, PATIENT, SUPPORT, House, open_house

DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
PATIENTS_NUMBER = "+12025550142"
CLINICIANS_NUMBER = "+12025550141"
OPERATIONS_NUMBERS = {"+12025550161", "+12025550162"}
CLINICIANS_ADDRESS = "avery.lindqvist@example.com"


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, data_keys, tmp_path) as opened:
        yield opened


async def scheduled(house: House, ahead: timedelta = DAY, minutes: int = 15) -> str:
    """Path of a visit that waits for its start."""
    starts_at = house.stage.rehearsal.clock.now + ahead
    visit = await house.post(
        CLINICIAN,
        "/visits",
        key="visit-1",
        patient_id=seed.PATIENT,
        starts_at=starts_at.isoformat(),
        duration_minutes=minutes,
    )
    path = f"/visits/{visit['id']}"
    await house.shows(CLINICIAN, path, state="SCHEDULED")
    return path


async def until(house: House, view: dict[str, Any], after: timedelta) -> None:
    """Let time pass until so long after the start."""
    await house.advance(datetime.fromisoformat(view["starts_at"]) + after - house.stage.rehearsal.clock.now)


async def steps(house: House, path: str) -> list[str]:
    return [step["event"] for step in (await house.read(OPERATIONS, f"{path}/timeline?limit=200"))["items"]]


def subjects(house: House, address: str) -> list[str]:
    return [letter.subject for letter in house.stage.letterbox.letters if letter.to == address]


async def test_a_visit_is_held_and_everything_owed_is_settled_in_time(house: House) -> None:
    path = await scheduled(house, 3 * DAY)
    view = await house.post(PATIENT, f"{path}/reschedule", starts_at=_later(house, 4 * DAY))
    assert (view["state"], view["times_rescheduled"]) == ("SCHEDULED", 1)
    await until(house, view, -MINUTE)
    assert (await house.post(PATIENT, f"{path}/patient-joined"))["state"] == "WAITING_FOR_CLINICIAN"
    await house.advance(2 * MINUTE)
    assert (await house.post(CLINICIAN, f"{path}/clinician-joined"))["state"] == "IN_PROGRESS"
    noted = await house.post(CLINICIAN, f"{path}/notes", status="draft", body="A patch of the forearm.")
    await house.advance(14 * MINUTE)
    completed = await house.post(CLINICIAN, f"{path}/complete")
    assert (completed["status"], completed["state"]) == ("completed", "COMPLETED")
    assert completed["owed"] == ["prescriptions", "labs", "imaging"], "a draft satisfies the clock (decision 08)"

    await house.post(CLINICIAN, f"{path}/obligations/prescriptions", needed=True, reference_id="rx-1")
    await house.post(CLINICIAN, f"{path}/obligations/labs", needed=False)
    assert await house.refused(CLINICIAN, "POST", f"{path}/obligations/note", json={"needed": False}) == (
        409,
        "note.platform_note_needed",
    )
    waived = await house.post(OPERATIONS, f"{path}/obligations/imaging/waive", reason="system_outage")
    assert {name: how["how"] for name, how in waived["settled"].items()} == {
        "prescriptions": "submitted",
        "labs": "not_needed",
        "imaging": "waived",
        "note": "submitted",
    }
    closed = await house.shows(CLINICIAN, path, state="CLOSED_COMPLIANT")
    assert (closed["sla_state"], closed["missed"], closed["waits_for"]) == ("on_time", False, [])
    assert (await house.read(CLINICIAN, f"{path}?live=true"))["state"] == "CLOSED_COMPLIANT"
    await _clocks_are_explained(house, path)
    await _letters_told_it(house)
    await _the_note_is_shared_after_all(house, path, noted["id"])


def _later(house: House, ahead: timedelta) -> str:
    return (house.stage.rehearsal.clock.now + ahead).isoformat()


async def _clocks_are_explained(house: House, path: str) -> None:
    explained = {entry["clock"]["name"]: entry for entry in await house.read(OPERATIONS, f"{path}/explain")}
    assert {"join", "prescriptions", "labs", "imaging", "note"} <= explained.keys()
    for entry in explained.values():
        spans = [(stretch["start"], stretch["end"]) for stretch in entry["stretches"]]
        assert all(end == start for (_, end), (start, _) in pairwise(spans)), "no second is missing"
    assert explained["labs"]["clock"]["outcome"] == "met"
    assert explained["imaging"]["clock"]["outcome"] == "waived"


async def _letters_told_it(house: House) -> None:
    patients = subjects(house, PATIENTS_ADDRESS)
    assert patients[:2] == ["Your visit is scheduled", "Your visit was moved"]
    assert patients.count("Reminder of your visit") == 2
    reminder = next(letter for letter in house.stage.letterbox.letters if letter.subject == "Reminder of your visit")
    assert "(America/Denver)" in reminder.text
    texts = [text.body for text in house.texts.sent if text.to == PATIENTS_NUMBER]
    assert len(texts) == 2
    assert all("(America/Denver)" in text for text in texts)
    assert subjects(house, CLINICIANS_ADDRESS) == [
        "A visit is scheduled",
        "A visit was moved",
        "Your visit starts soon",
    ]


async def _the_note_is_shared_after_all(house: House, path: str, note_id: str) -> None:
    """The process is over; the note becomes complete all the same, and the patient hears of it once."""
    assert (await house.read(PATIENT, f"{path}/notes"))["items"] == []
    assert await house.refused(CLINICIAN, "POST", f"{path}/complete") == (409, "case.not_running")
    for _ in range(2):
        answer = await house.ask(CLINICIAN, "PATCH", f"{path}/notes/{note_id}", json={"status": "complete"})
        assert answer.json()["shared_at"] is not None
    (note,) = (await house.read(PATIENT, f"{path}/notes"))["items"]
    assert note["body"] == "A patch of the forearm."
    assert subjects(house, PATIENTS_ADDRESS).count("A note of your visit is ready") == 1


async def test_a_late_clinician_is_texted_as_well_and_so_is_whoever_is_on_call(house: House) -> None:
    path = await scheduled(house)
    await until(house, await house.read(CLINICIAN, path), 6 * MINUTE)
    texted = [text.body for text in house.texts.sent if text.to == CLINICIANS_NUMBER]
    assert len(texted) == 2
    assert all("Please join it now" in body for body in texted)
    await until(house, await house.read(CLINICIAN, path), 11 * MINUTE)
    on_call = [text.to for text in house.texts.sent if "a clinician is late" in text.body]
    assert len(on_call) == 1
    assert on_call[0] in OPERATIONS_NUMBERS


async def test_a_no_show_needs_its_evidence_and_is_overturned(house: House) -> None:
    house.stage.rehearsal.twilio.answers[PATIENTS_NUMBER] = Answer.NO_ANSWER
    path = await scheduled(house)
    view = await house.read(CLINICIAN, path)
    await until(house, view, timedelta())
    early = await house.refused(CLINICIAN, "POST", f"{path}/call-patient")
    assert early == (409, "visit.clinician_absent")
    waiting = await house.post(CLINICIAN, f"{path}/clinician-joined")
    assert waiting["state"] == "WAITING_FOR_PATIENT"
    assert subjects(house, PATIENTS_ADDRESS)[-1] == "Your clinician is waiting for you"
    await _refused_without_evidence(house, path, waiting)
    await _called(house, path, "call-1", 1)
    await house.advance(20 * SECOND)
    await _called(house, path, "call-2", 2)  # too soon after the first to count as another attempt
    await house.advance(6 * MINUTE)
    refused = await house.ask(CLINICIAN, "POST", f"{path}/no-show")
    assert refused.json()["missing"] == ["visit.call_attempts"]
    await _called(house, path, "call-3", 3)

    flagged = await house.post(CLINICIAN, f"{path}/no-show")
    assert (flagged["state"], flagged["status"]) == ("PATIENT_NO_SHOW", "no_show")
    assert await _no_shows(house) == [False]
    assert await house.refused(PATIENT, "POST", f"{path}/patient-joined") == (409, "visit.over")
    await _disputed_and_overturned(house, path)


async def _refused_without_evidence(house: House, path: str, waiting: dict[str, Any]) -> None:
    answer = await house.ask(CLINICIAN, "POST", f"{path}/no-show")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "visit.no_show_unproven")
    assert problem["missing"] == ["visit.minimum_wait", "visit.call_attempts"]
    assert problem["earliest"] == waiting["no_show_from"]
    begun = max(waiting["starts_at"], waiting["clinician_joined_at"])
    assert datetime.fromisoformat(problem["earliest"]) - datetime.fromisoformat(begun) == 5 * MINUTE
    cancel = await house.ask(CLINICIAN, "POST", f"{path}/cancel", json={"reason": "other"})
    assert (cancel.json()["code"], cancel.json()["earliest"]) == ("visit.wait_not_over", waiting["no_show_from"])


async def _called(house: House, path: str, key: str, number: int) -> None:
    """Twice with the same key is one call; what came of it is told at the simulated time."""
    for _ in range(2):
        await house.ask(CLINICIAN, "POST", f"{path}/call-patient", headers={"Idempotency-Key": key})
    now = house.stage.rehearsal.clock.now
    while (view := await house.read(CLINICIAN, path))["calls"][-1]["outcome"] is None:
        await house.stage.settle()
    assert [call["outcome"] for call in view["calls"]] == ["no_answer"] * number
    assert abs(datetime.fromisoformat(view["calls"][-1]["at"]) - now) < 5 * SECOND
    async with house.stage.rehearsal.database.transaction() as session:
        attempts = (await session.exec(select(CallAttempt).order_by(CallAttempt.requested_at))).all()  # type: ignore[arg-type]
    assert len(attempts) == len(house.stage.rehearsal.twilio.calls) == number
    assert attempts[-1].ended_at is not None
    assert abs(attempts[-1].ended_at - now) < 5 * SECOND


async def _no_shows(house: House) -> list[bool]:
    """Of each that is on record whether it was voided."""
    async with house.stage.rehearsal.database.transaction() as session:
        return [one.voided_at is not None for one in (await session.exec(select(NoShow))).all()]


async def _disputed_and_overturned(house: House, path: str) -> None:
    assert await house.refused(SUPPORT, "POST", f"{path}/no-show/decision", json={"uphold": True}) == (
        409,
        "no_show.not_disputed",
    )
    await house.advance(DAY)
    disputed = await house.post(PATIENT, f"{path}/no-show/dispute")
    assert disputed["waits_for"][0]["who"] == "support"
    again = await house.refused(SUPPORT, "POST", f"{path}/no-show/dispute")
    assert again == (409, "no_show.already_disputed")
    await house.advance(49 * HOUR)
    late = await house.shows(SUPPORT, path, sla_state="breached")
    assert late["clocks"][-1]["name"] == "dispute_decision"
    decided = await house.post(SUPPORT, f"{path}/no-show/decision", uphold=False)
    assert (decided["state"], decided["status"]) == ("CANCELLED", "cancelled")
    assert await _no_shows(house) == [True]
    assert subjects(house, PATIENTS_ADDRESS)[-1] == "Your visit no longer counts as missed"
    assert (await steps(house, path))[-3:] == ["no_show_disputed", "clock_milestone", "no_show_overturned"]


async def test_a_clinician_who_does_not_come_is_missed_and_may_be_excused(house: House) -> None:
    path = await scheduled(house)
    view = await house.read(CLINICIAN, path)
    await until(house, view, 6 * MINUTE)
    late = await house.shows(PATIENT, path, state="CLINICIAN_LATE")
    assert (late["missed"], late["sla_state"]) == (True, "breached")
    assert "Your visit is delayed" in subjects(house, PATIENTS_ADDRESS)
    assert any("clinician is delayed" in text.body for text in house.texts.sent)
    await house.advance(30 * MINUTE)
    missed = await house.shows(PATIENT, path, state="CLINICIAN_NO_SHOW", status="cancelled")
    assert missed["end_reason"] == "clinician_no_show"
    taken_on = await house.post(OPERATIONS, f"{path}/escalations/absence/acknowledge")
    assert next(clock for clock in taken_on["clocks"] if clock["name"] == "absence")["acknowledged"]
    excused = await house.post(OPERATIONS, f"{path}/excuse", reason="illness")
    assert (excused["excuse"], excused["missed"]) == ("illness", True)
    assert (await house.read(PATIENT, path))["excuse"] is None


async def test_the_follow_up_visit_that_is_held_settles_what_the_econsult_owed(house: House) -> None:
    econsult_id, visit_id = await _booked_follow_up(house)
    path = f"/visits/{visit_id}"
    visit = await house.shows(CLINICIAN, path, state="SCHEDULED")
    assert (visit["kind"], visit["econsult_id"], visit["price_cents"]) == ("econsult_follow_up", econsult_id, 0)
    assert [case["econsult_id"] for case in await _owed(house)] == [econsult_id]

    moved_to = datetime.fromisoformat(visit["starts_at"]) + DAY
    await house.post(PATIENT, f"{path}/reschedule", starts_at=moved_to.isoformat())
    econsult = f"/econsults/{econsult_id}"
    while datetime.fromisoformat((await house.read(PATIENT, econsult))["follow_up_visit"]["starts_at"]) != moved_to:
        await house.stage.settle()
    await house.advance(moved_to - house.stage.rehearsal.clock.now)
    await house.post(CLINICIAN, f"{path}/clinician-joined")
    await house.post(PATIENT, f"{path}/patient-joined")
    await house.post(CLINICIAN, f"{path}/complete")
    settled = await house.shows(CLINICIAN, econsult, follow_up="COMPLETED")
    assert settled["follow_up_visit"]["visit_id"] == visit_id
    assert await _owed(house) == []


async def test_a_declined_follow_up_visit_is_called_off(house: House) -> None:
    econsult_id, visit_id = await _booked_follow_up(house)
    await house.shows(CLINICIAN, f"/visits/{visit_id}", state="SCHEDULED")
    await house.post(PATIENT, f"/econsults/{econsult_id}/follow-up-visit/decline")
    visit = await house.shows(CLINICIAN, f"/visits/{visit_id}", state="CANCELLED", status="cancelled")
    assert visit["end_reason"] == "declined"
    assert (await house.read(CLINICIAN, f"/econsults/{econsult_id}"))["follow_up"] == "DECLINED"


async def _booked_follow_up(house: House) -> tuple[str, str]:
    """Ids of an answered eConsult and its follow-up visit in three days."""
    placed = await house.post(CLINICIAN, "/econsults", key="order-1", **ORDER)
    await house.reaches(placed["id"], "AWAITING_PAYMENT")
    await house.pay(PATIENTS_ADDRESS)
    specialist = await house.specialist(placed["id"])
    path = f"/econsults/{placed['id']}"
    await house.post(specialist, f"{path}/assignment/accept")
    reply: dict[str, Any] = {"impression": "Tinea.", "recommendations": ["Cream."], "in_person_recommended": False}
    await house.post(specialist, f"{path}/reply", **reply)
    starts_at = _later(house, 3 * DAY)
    booked = await house.post(PATIENT, f"{path}/follow-up-visit", key="booking-1", starts_at=starts_at)
    again = await house.post(PATIENT, f"{path}/follow-up-visit", key="booking-1", starts_at=starts_at)
    assert again["follow_up_visit"] == booked["follow_up_visit"]
    return placed["id"], booked["follow_up_visit"]["visit_id"]


async def _owed(house: House) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await house.read(OPERATIONS, "/reports/follow-up-owed"))["items"]
    return items
