"""Scheduling visits, and who sees what of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from activities.ports import Startable
from db import unstarted
from db.tables import Patient, Visit
from db.unstarted import GRACE
from domain.access import Role
from domain.actors import Actor
from domain.visit.state import VisitOrder
from embedded import seed
from tests.api.front import Front, problem

UNKNOWN = "01940000-0000-7000-8000-00000000ffff"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
VISIT: dict[str, Any] = {
    "patient_id": seed.PATIENT,
    "starts_at": TOMORROW.isoformat(),
    "duration_minutes": 30,
    "visit_type": "therapy",
}


async def schedule(by: httpx.AsyncClient, key: str = "visit-1", **changes: Any) -> httpx.Response:
    return await by.post("/visits", json=VISIT | changes, headers={"Idempotency-Key": key})


async def scheduled(front: Front, key: str = "visit-1", **changes: Any) -> str:
    answer = await schedule(front.clinician, key, **changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def change(front: Front, visit_id: str, **values: Any) -> None:
    async with front.database.transaction() as session:
        await session.exec(update(Visit).where(col(Visit.id) == visit_id).values(values))


async def another_patient(front: Front, state: str) -> str:
    patient = Patient(name="M", email="m@example.com", birth_date="1980-02-03", state=state, time_zone="UTC")
    async with front.database.transaction() as session:
        session.add(patient)
    return patient.id


async def test_a_clinician_schedules_a_visit_of_their_own_and_its_process_begins(front: Front) -> None:
    visit = (await schedule(front.clinician)).json()
    assert (visit["clinician_id"], visit["status"], visit["kind"]) == (seed.CLINICIAN, "scheduled", "standard")
    assert (visit["visit_type"], visit["state"], visit["sequence"]) == ("therapy", "SCHEDULED", 1)
    assert datetime.fromisoformat(visit["starts_at"]) == TOMORROW
    order = front.cases.visit_orders[visit["id"]]
    assert order.scheduled_by == Actor(role="clinician", id=seed.CLINICIAN)
    assert visit["policy_version"] == order.policy.version
    named = await schedule(front.clinician, "visit-2", clinician_id=seed.CLINICIAN)
    assert named.status_code == 201


async def test_a_repeat_with_its_key_is_the_same_visit_also_when_it_was_moved_since(front: Front) -> None:
    visit_id = await scheduled(front)
    await change(front, visit_id, scheduled_start=TOMORROW + timedelta(days=1))
    again = (await schedule(front.clinician)).json()
    assert (again["id"], front.cases.starts) == (visit_id, 1)
    other = await schedule(front.clinician, duration_minutes=15)
    assert problem(other) == (422, "request.idempotency_key_reused")
    assert problem(await front.clinician.post("/visits", json=VISIT)) == (422, "request.idempotency_key_missing")


async def test_a_lost_start_is_left_to_the_sweep(front: Front) -> None:
    front.cases.outage = RuntimeError("Failed client connect: nobody is there")
    visit_id = await scheduled(front)
    visit = (await front.clinician.get(f"/visits/{visit_id}")).json()
    assert (visit["status"], visit["state"], visit["sequence"]) == ("scheduled", None, 0)
    await change(front, visit_id, created_at=datetime.now(UTC) - 2 * GRACE)
    orders: list[Startable] = []
    async with front.database.transaction() as session:
        orders += [case.order for case in await unstarted.find(session, 10)]
    (order,) = [each for each in orders if isinstance(each, VisitOrder)]
    assert order.visit_id == visit_id

    front.cases.outage = None
    again = (await schedule(front.clinician)).json()
    assert (again["state"], front.cases.starts) == ("SCHEDULED", 1)


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (datetime.now(UTC) - timedelta(minutes=1), "visit.in_the_past"),
        (datetime.now(UTC) + timedelta(days=366), "visit.too_far_ahead"),
    ],
)
async def test_a_visit_lies_in_the_future_that_can_be_planned(front: Front, moment: datetime, code: str) -> None:
    assert problem(await schedule(front.clinician, starts_at=moment.isoformat())) == (409, code)
    assert (await front.clinician.get(f"/visits?first_day={moment.date() - timedelta(days=1)}")).is_success
    assert front.cases.visit_orders == {}


async def test_staff_schedules_the_first_visit_of_a_clinician_and_a_patient(front: Front) -> None:
    patient_id = await another_patient(front, "CO")
    stranger = {"patient_id": patient_id}
    refused = (403, "visit.patient_not_yours")
    assert problem(await schedule(front.clinician, **stranger)) == refused
    for number, staff in enumerate((front.operations, front.administrator, front.support)):
        first = await schedule(staff, f"first-{number}", **stranger, clinician_id=seed.CLINICIAN)
        assert first.status_code == 201, first.text
        second = await schedule(front.clinician, f"second-{number}", **stranger)
        assert second.status_code == 201
        async with front.database.transaction() as session:
            theirs = col(Visit.patient_id) == patient_id
            await session.exec(update(Visit).where(theirs).values(status="cancelled"))
        assert problem(await schedule(front.clinician, f"third-{number}", **stranger)) == refused


async def test_a_clinician_schedules_for_nobody_else(front: Front) -> None:
    refused = await schedule(front.clinician, clinician_id=seed.OTHER_CLINICIAN)
    assert problem(refused) == (403, "visit.of_another_clinician")


async def test_staff_schedules_for_a_clinician_they_name(front: Front) -> None:
    assert problem(await schedule(front.operations)) == (422, "visit.clinician_missing")
    unknown = await schedule(front.operations, clinician_id=UNKNOWN)
    assert problem(unknown) == (404, "clinician.unknown")
    elsewhere = {"patient_id": await another_patient(front, "TX")}
    unlicensed = await schedule(front.operations, clinician_id=seed.CLINICIAN, **elsewhere)
    assert problem(unlicensed) == (409, "clinician.no_licence_in_state")
    named = await schedule(front.support, clinician_id=seed.CLINICIAN)
    order = front.cases.visit_orders[named.json()["id"]]
    assert order.scheduled_by == Actor(role="support", id="support-1")


async def test_a_visit_needs_a_known_patient_and_a_caller_who_may(front: Front) -> None:
    assert problem(await schedule(front.clinician, patient_id=UNKNOWN)) == (404, "patient.unknown")
    assert problem(await schedule(front.as_("stranger", Role.CLINICIAN))) == (403, "person.unknown")
    for caller in (front.patient, front.specialist):
        assert problem(await schedule(caller)) == (403, "auth.role_missing")


@pytest.mark.parametrize(
    "fault",
    [
        {"starts_at": "2030-01-01T09:00:00"},
        {"starts_at": "9999-12-31T23:59:59-12:00"},
        {"duration_minutes": 4},
        {"duration_minutes": 241},
        {"patient_id": "1' or '1'='1"},
        {"visit_type": "surgery"},
    ],
)
async def test_refuses_a_malformed_visit(front: Front, fault: dict[str, Any]) -> None:
    assert problem(await schedule(front.clinician, **fault)) == (422, "request.invalid")


async def test_shows_a_visit_to_those_concerned(front: Front) -> None:
    path = f"/visits/{await scheduled(front)}"
    for caller in (front.clinician, front.patient, front.operations, front.administrator, front.support):
        view = (await caller.get(path)).json()
        assert (view["state"], view["waits_for"][0]["who"]) == ("SCHEDULED", "clinician")
        assert (await caller.get(f"{path}?live=true")).json()["state"] == "SCHEDULED"
    for caller in (front.other_clinician, front.other_patient):
        assert problem(await caller.get(path)) == (404, "visit.unknown")
    assert problem(await front.specialist.get(path)) == (403, "auth.role_missing")
    assert problem(await front.operations.get(f"/visits/{UNKNOWN}")) == (404, "visit.unknown")


async def test_shows_a_visit_that_never_had_a_process(front: Front) -> None:
    path = f"/visits/{seed.VISIT_COMPLETED}"
    view = (await front.patient.get(path)).json()
    assert (view["status"], view["state"], view["clocks"]) == ("completed", None, [])
    assert problem(await front.clinician.get(f"{path}?live=true")) == (409, "case.not_running")
    assert problem(await front.clinician.get(f"{path}/explain")) == (409, "case.not_running")
    assert (await front.clinician.get(f"{path}/timeline")).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("part", ["timeline", "explain"])
async def test_what_happened_is_for_the_clinician_and_staff(front: Front, part: str) -> None:
    path = f"/visits/{await scheduled(front)}/{part}"
    for caller in (front.clinician, front.operations, front.administrator, front.support):
        assert (await caller.get(path)).status_code == 200
    assert problem(await front.other_clinician.get(path)) == (404, "visit.unknown")
    assert problem(await front.patient.get(path)) == (403, "auth.role_missing")


async def test_pages_through_the_timeline(front: Front) -> None:
    visit_id = await scheduled(front)
    await front.clinician.post(f"/visits/{visit_id}/clinician-joined")
    first = (await front.clinician.get(f"/visits/{visit_id}/timeline?limit=1")).json()
    assert [step["event"] for step in first["items"]] == ["visit_scheduled"]
    rest = (await front.clinician.get(f"/visits/{visit_id}/timeline?cursor={first['next_cursor']}")).json()
    assert [step["event"] for step in rest["items"]] == ["clinician_joined"]
    assert rest["next_cursor"] is None


async def test_patients_see_neither_drafts_nor_why_a_clinician_was_away(front: Front) -> None:
    visit_id = await scheduled(front)
    state = front.cases.visits[visit_id]
    state.note, state.note_id = "draft", "n-1"  # type: ignore[assignment]
    state.excuse, state.excused_by = "illness", Actor(role="operations", id="ops-1")
    await front.clinician.post(f"/visits/{visit_id}/clinician-joined")
    hidden = ("note", "note_id", "excuse", "excused_by")
    seen = (await front.clinician.get(f"/visits/{visit_id}")).json()
    assert (seen["note"], seen["note_id"], seen["excuse"]) == ("draft", "n-1", "illness")
    for path in (f"/visits/{visit_id}", f"/visits/{visit_id}?live=true"):
        view = (await front.patient.get(path)).json()
        assert [view[name] for name in hidden] == [None] * 4
    assert [view[name] for view in await listed(front.patient, status="scheduled") for name in hidden] == [None] * 4


async def listed(by: httpx.AsyncClient, **wanted: str) -> list[dict[str, Any]]:
    answer = await by.get("/visits", params=wanted)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_lists_the_callers_own_visits_the_latest_start_first(front: Front) -> None:
    visit_id = await scheduled(front)
    own = [visit_id, seed.VISIT_IN_PROGRESS, seed.VISIT_COMPLETED]
    for caller in (front.clinician, front.patient):
        assert [view["id"] for view in await listed(caller)] == own
    for caller in (front.other_clinician, front.other_patient):
        assert [view["id"] for view in await listed(caller)] == [seed.OTHER_VISIT]
    for caller in (front.operations, front.administrator, front.support):
        assert [view["id"] for view in await listed(caller)] == [*own, seed.OTHER_VISIT]
    assert problem(await front.specialist.get("/visits")) == (403, "auth.role_missing")


async def test_lists_by_status_and_clinician(front: Front) -> None:
    assert [view["id"] for view in await listed(front.clinician, status="in_progress")] == [seed.VISIT_IN_PROGRESS]
    theirs = await listed(front.operations, clinician_id=seed.OTHER_CLINICIAN)
    assert [view["id"] for view in theirs] == [seed.OTHER_VISIT]
    assert await listed(front.clinician, clinician_id=seed.OTHER_CLINICIAN) == []
    unknown = await front.clinician.get("/visits", params={"state": "SCHEDULED"})
    assert problem(unknown) == (422, "request.invalid")


async def test_a_day_is_one_of_the_time_zone_that_is_named(front: Front) -> None:
    late = datetime(TOMORROW.year + 1, 1, 1, 5, tzinfo=UTC) - timedelta(days=30)
    visit_id = await scheduled(front, starts_at=late.isoformat())
    here, there = str(late.date()), str(late.date() - timedelta(days=1))
    assert [view["id"] for view in await listed(front.clinician, first_day=here, last_day=here)] == [visit_id]
    assert await listed(front.clinician, first_day=there, last_day=there) == []
    west = {"time_zone": "America/Denver"}
    assert await listed(front.clinician, first_day=here, last_day=here, **west) == []
    assert [view["id"] for view in await listed(front.clinician, first_day=there, last_day=there, **west)] == [visit_id]


async def test_lists_page_by_page(front: Front) -> None:
    ids = [await scheduled(front, f"v-{n}") for n in range(3)]  # the same start: ids tell them apart
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = (await front.clinician.get("/visits", params={"limit": "2", **cursor})).json()
        seen += [view["id"] for view in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
    assert page["next_cursor"] is None
    assert seen == [*sorted(ids, reverse=True), seed.VISIT_IN_PROGRESS, seed.VISIT_COMPLETED]
