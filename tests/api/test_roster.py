"""The roster over HTTP: who may change it, what is refused, and who would be told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.contracts import QueueNotice
from db.case_records import SqlCaseRecords
from domain.actors import Audience
from embedded import seed
from tests.api.front import Front, problem
from tests.db.test_case_records import step

NOBODY = "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"
DESK = {"name": "Noa", "email": "noa@example.com", "time_zone": "Europe/Berlin"}
SHIFT = {"audience": "network_desk", "weekdays": [1, 2], "starts": "09:00", "ends": "17:00", "valid_from": "2026-03-02"}
ABSENCE = {"absent_from": "2026-03-02T00:00:00Z", "absent_until": "2026-03-03T00:00:00Z"}


async def add_person(front: Front, **changes: Any) -> str:
    response = await front.operations.post("/ops/staff", json=DESK | changes)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def add_shift(front: Front, staff_id: str, **changes: Any) -> str:
    response = await front.operations.post("/ops/shifts", json={**SHIFT, "staff_id": staff_id, **changes})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def read(front: Front, path: str, **query: Any) -> Any:
    response = await front.operations.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ops/staff"),
        ("POST", "/ops/staff"),
        ("PATCH", f"/ops/staff/{NOBODY}"),
        ("GET", "/ops/shifts"),
        ("POST", "/ops/shifts"),
        ("DELETE", f"/ops/shifts/{NOBODY}"),
        ("GET", "/ops/absences"),
        ("POST", "/ops/absences"),
        ("DELETE", f"/ops/absences/{NOBODY}"),
        ("GET", "/ops/on-duty?audience=operations"),
        ("GET", "/ops/roster-gaps"),
    ],
)
async def test_belongs_to_operations_and_administrators(front: Front, method: str, path: str) -> None:
    for outsider in (front.clinician, front.patient, front.specialist, front.support):
        assert problem(await outsider.request(method, path, json={})) == (403, "auth.role_missing")
    assert problem(await front.anybody.request(method, path)) == (401, "auth.token_missing")
    for insider in (front.operations, front.administrator):
        assert (await insider.request(method, path, json={})).status_code in {200, 404, 422}


async def test_keeps_and_changes_a_person(front: Front) -> None:
    staff_id = await add_person(front, phone="+12025550170", quiet_from="22:00", quiet_until="06:30")
    path = f"/ops/staff/{staff_id}"
    changed = await front.operations.patch(path, json={"name": "Noa B.", "phone": None, "time_zone": "Asia/Kolkata"})
    view = changed.json()
    assert (view["name"], view["phone"], view["time_zone"]) == ("Noa B.", None, "Asia/Kolkata")
    assert (view["quiet_from"], view["quiet_until"], view["email"]) == ("22:00", "06:30", "noa@example.com")
    same = await front.operations.patch(path, json={"name": None})
    assert same.json() == view
    quieter = await front.operations.patch(path, json={"quiet_from": None, "quiet_until": None, "active": False})
    assert (quieter.json()["quiet_from"], quieter.json()["active"]) == (None, False)
    assert quieter.json() in (await read(front, "/ops/staff", active=False))["items"]


async def test_lists_by_cursor(front: Front) -> None:
    first = await read(front, "/ops/staff", limit=2)
    rest = await read(front, "/ops/staff", limit=2, cursor=first["next_cursor"])
    assert [one["id"] for one in first["items"] + rest["items"]] == [
        seed.OPERATIONS_BY_DAY,
        seed.OPERATIONS_BY_NIGHT,
        seed.PROVIDER_SUCCESS,
    ]
    assert rest["next_cursor"] is None
    shifts = await read(front, "/ops/shifts", audience="operations", limit=1)
    more = await read(front, "/ops/shifts", audience="operations", limit=1, cursor=shifts["next_cursor"])
    assert [one["id"] for one in shifts["items"] + more["items"]] == [seed.DAY_SHIFT, seed.NIGHT_SHIFT]
    assert (shifts["items"][0]["starts"], shifts["items"][0]["ends"]) == ("07:00", "19:00")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"time_zone": "Mars/Phobos"}, (422, "time_zone.unknown")),
        ({"quiet_from": "22:00"}, (422, "roster.quiet_hours_incomplete")),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, (422, "roster.quiet_hours_incomplete")),
        ({"quiet_from": "25:00", "quiet_until": "06:00"}, (422, "request.invalid")),
        ({"quiet_from": "22:00Z", "quiet_until": "06:00"}, (422, "request.invalid")),
        ({"subject": "operations-day"}, (409, "person.subject_taken")),
        ({"phone": "555"}, (422, "request.invalid")),
    ],
)
async def test_refuses_a_person_that_cannot_be(front: Front, changes: dict[str, str], refusal: tuple[int, str]) -> None:
    assert problem(await front.operations.post("/ops/staff", json=DESK | changes)) == refusal
    path = f"/ops/staff/{seed.PROVIDER_SUCCESS}"
    before = await read(front, "/ops/staff")
    assert problem(await front.operations.patch(path, json=changes)) == refusal
    assert await read(front, "/ops/staff") == before


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"staff_id": NOBODY}, (404, "staff.unknown")),
        ({"audience": "patient"}, (422, "roster.audience_unknown")),
        ({"audience": "nobody"}, (422, "roster.audience_unknown")),
        ({"starts": "09:00", "ends": "09:00"}, (422, "roster.shift_empty")),
        ({"valid_until": "2026-03-01"}, (422, "roster.until_before_from")),
        ({"weekdays": []}, (422, "request.invalid")),
        ({"weekdays": [0]}, (422, "request.invalid")),
    ],
)
async def test_refuses_a_shift_that_cannot_be(front: Front, changes: dict[str, Any], refusal: tuple[int, str]) -> None:
    asked = {**SHIFT, "staff_id": seed.PROVIDER_SUCCESS, **changes}
    assert problem(await front.operations.post("/ops/shifts", json=asked)) == refusal


async def test_refuses_what_is_not_there_and_absences_that_end_too_early(front: Front) -> None:
    ask = front.operations
    assert problem(await ask.patch(f"/ops/staff/{NOBODY}", json={})) == (404, "staff.unknown")
    assert problem(await ask.delete(f"/ops/shifts/{NOBODY}")) == (404, "shift.unknown")
    assert problem(await ask.delete(f"/ops/absences/{NOBODY}")) == (404, "absence.unknown")
    assert problem(await ask.get("/ops/on-duty?audience=clinician")) == (422, "roster.audience_unknown")
    assert problem(await ask.get("/ops/roster-gaps?audience=x")) == (422, "roster.audience_unknown")
    assert problem(await ask.get("/ops/shifts?audience=x")) == (422, "roster.audience_unknown")
    unknown = {**ABSENCE, "staff_id": NOBODY}
    assert problem(await ask.post("/ops/absences", json=unknown)) == (404, "staff.unknown")
    reversed_ = {**ABSENCE, "staff_id": seed.PROVIDER_SUCCESS, "absent_until": ABSENCE["absent_from"]}
    assert problem(await ask.post("/ops/absences", json=reversed_)) == (422, "roster.until_before_from")


async def on_duty(front: Front, at: str, audience: str = "network_desk") -> dict[str, Any]:
    found: dict[str, Any] = await read(front, "/ops/on-duty", audience=audience, at=at)
    return found


async def test_says_who_would_be_told_and_why_others_would_not(front: Front) -> None:
    noa = await add_person(front)
    kim = await add_person(front, name="Kim", quiet_from="08:00", quiet_until="12:00")
    assert (await on_duty(front, "2026-03-02T09:00:00Z"))["in_use"] is False
    await add_shift(front, noa)
    await add_shift(front, kim, weekdays=[2, 1, 2])

    found = await on_duty(front, "2026-03-02T10:00:00+01:00")
    assert (found["at"], found["gap"], found["fallback"]) == ("2026-03-02T09:00:00Z", False, False)
    assert found["tell"] == [{"staff_id": noa, "name": "Noa"}]
    assert found["skipped"] == [{"staff_id": kim, "name": "Kim", "reason": "quiet"}]

    gap = await on_duty(front, "2026-03-04T09:00:00Z")
    assert (gap["gap"], gap["fallback"], gap["tell"]) == (True, True, [])
    assert [one["reason"] for one in gap["skipped"]] == ["off", "off"]


async def test_an_absence_takes_somebody_off_duty_until_it_is_removed(front: Front) -> None:
    noa = await add_person(front)
    shift_id = await add_shift(front, noa)
    added = await front.operations.post("/ops/absences", json={**ABSENCE, "staff_id": noa})
    assert added.status_code == 201, added.text
    assert (await read(front, "/ops/absences", staff_id=noa))["items"] == [added.json()]
    away = await on_duty(front, "2026-03-02T09:00:00Z")
    assert ([one["reason"] for one in away["skipped"]], away["gap"]) == (["absent"], True)

    removed = await front.operations.delete(f"/ops/absences/{added.json()['id']}")
    assert (removed.status_code, removed.content) == (204, b"")
    assert (await on_duty(front, "2026-03-02T09:00:00Z"))["tell"] == [{"staff_id": noa, "name": "Noa"}]
    assert (await front.operations.delete(f"/ops/shifts/{shift_id}")).status_code == 204
    unused = await on_duty(front, "2026-03-02T09:00:00Z")
    assert (unused["in_use"], unused["gap"], unused["fallback"]) == (False, False, True)


async def test_answers_for_the_present_when_no_time_is_given(front: Front) -> None:
    before = datetime.now(UTC)
    found = await read(front, "/ops/on-duty", audience="operations")
    assert before <= datetime.fromisoformat(found["at"]) <= datetime.now(UTC)
    assert len(found["tell"]) == 1


async def test_reports_gaps(front: Front) -> None:
    saturday = datetime(2026, 3, 7, 15, tzinfo=UTC)
    for number in (1, 2, 3):
        notice = QueueNotice(key=f"n-{number}", audience=Audience.PROVIDER_SUCCESS, template="reply_late")
        await SqlCaseRecords(front.database).record(step(number, "clock_milestone", notice, at=saturday))
    first = await read(front, "/ops/roster-gaps", limit=2)
    rest = await read(front, "/ops/roster-gaps", limit=2, cursor=first["next_cursor"], audience="provider_success")
    assert [one["notice_key"] for one in first["items"] + rest["items"]] == ["n-3", "n-2", "n-1"]
    assert first["items"][0] | {"id": ""} == {
        "id": "",
        "notice_key": "n-3",
        "case_id": "econsult:e1",
        "audience": "provider_success",
        "at": "2026-03-07T15:00:00Z",
    }
    assert (await read(front, "/ops/roster-gaps", audience="operations"))["items"] == []
