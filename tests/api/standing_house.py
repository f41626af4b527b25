"""Clinicians with licences in the whole house, and what is asked of them."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

from db.tables import Note, Visit, new_id
from domain.access import Role
from embedded import seed
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS
from tests.house import ACKNOWLEDGED, OPERATIONS, House, Person

DAY = timedelta(days=1)
NEWCOMER = Person("clinician-newcomer", Role.CLINICIAN)


def today(house: House) -> date:
    return house.stage.rehearsal.clock.now.date()


async def newcomer(house: House, days: int = 45) -> tuple[str, str]:
    """A clinician whose licence in CO expires so many days from now; ids of both."""
    added = await house.post(
        OPERATIONS,
        "/clinicians",
        subject=NEWCOMER.subject,
        name="Dr. Sage Newcomer",
        email="sage.newcomer@example.com",
        time_zone="America/Denver",
        licence_states=["CO", "UT"],
        licences=[{"state": "CO", "number": "DR-77", "expires_on": (today(house) + days * DAY).isoformat()}],
    )
    return added["id"], (await licence_in(house, added["id"], "CO"))["id"]


async def licence_in(house: House, clinician_id: str, state: str) -> dict[str, Any]:
    items = (await house.read(OPERATIONS, f"/clinicians/{clinician_id}/licences"))["items"]
    return next(item for item in items if item["state"] == state)


def visit(house: House, clinician_id: str, patient_id: str = seed.PATIENT, days: int = 1) -> dict[str, Any]:
    starts = house.stage.rehearsal.clock.now + days * DAY
    return {
        "patient_id": patient_id,
        "clinician_id": clinician_id,
        "starts_at": starts.isoformat(),
        "duration_minutes": 30,
    }


async def books(house: House, clinician_id: str, patient_id: str = seed.PATIENT, days: int = 1) -> str:
    """Id of a visit that operations scheduled."""
    scheduled = await house.post(OPERATIONS, "/visits", key=new_id(), **visit(house, clinician_id, patient_id, days))
    return str(scheduled["id"])


async def is_refused(house: House, clinician_id: str, patient_id: str = seed.PATIENT) -> tuple[int, str]:
    """Status and code with which a visit is refused."""
    return await house.refused(
        OPERATIONS, "POST", "/visits", json=visit(house, clinician_id, patient_id), headers=fresh_key()
    )


async def has_seen(house: House, clinician_id: str) -> tuple[str, str]:
    """Ids of a visit that took place, and of its note."""
    now = house.stage.rehearsal.clock.now
    held = Visit(
        patient_id=seed.PATIENT,
        clinician_id=clinician_id,
        status="completed",
        scheduled_start=now - DAY,
        duration_minutes=30,
        started_at=now - DAY,
        completed_at=now - DAY,
    )
    note = Note(
        visit_id=held.id, author_id=clinician_id, status="complete", body="A patch, six weeks old.", saved_at=now
    )
    async with house.stage.rehearsal.database.transaction() as session:
        session.add(held)
        await session.flush()
        session.add(note)
    return held.id, note.id


def order(visit_id: str, note_id: str) -> dict[str, Any]:
    return {
        "visit_id": visit_id,
        "specialty_code": seed.DERMATOLOGY,
        "purpose": "second_opinion",
        "question": "Would you scrape this patch first, or treat it as tinea?",
        "history": "45-year-old man with an annular, scaly patch of the forearm for six weeks. Working diagnosis "
        "tinea corporis, eczema considered. Hydrocortisone 1 % tried for two weeks. Medications: none. No allergies.",
        "note_ids": [note_id],
        "attachment_ids": [],
        "patient_expectations": ACKNOWLEDGED,
    }


async def becomes(house: House, licence_id: str, status: str) -> dict[str, Any]:
    """Wait, without letting time pass, for what runs in the background."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found: dict[str, Any] = await house.read(OPERATIONS, f"/licences/{licence_id}")
            if found["status"] == status:
                return found
            await asyncio.sleep(POLL_SECONDS)


def fresh_key() -> dict[str, str]:
    return {"Idempotency-Key": new_id()}
