"""The at-risk board over HTTP: who may see it, how far ahead it looks, and what it says of a case."""

from __future__ import annotations

import base64
import dataclasses
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.access import Role
from domain.names import Process
from embedded import seed
from tests.api.front import Front, problem
from tests.db.test_at_risk import HOUR, NOON, add_case

STAFF = {Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR}
BOARDS = ["/ops/at-risk", "/ops/breaches"]
ECONSULT = "econsult:01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"


@pytest.fixture
def board(front: Front) -> Front:
    """At noon."""
    front.app.state.services = dataclasses.replace(front.app.state.services, clock=lambda: NOON)
    return front


async def read(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def ids(page: Any) -> list[str]:
    return [item["case_id"] for item in page["items"]]


@pytest.mark.parametrize("path", BOARDS)
async def test_opens_to_staff_and_to_nobody_else(board: Front, path: str) -> None:
    for role in Role:
        status = (await board.as_("somebody", role).get(path)).status_code
        assert status == (200 if role in STAFF else 403), role
    assert problem(await board.anybody.get(path)) == (401, "auth.token_missing")


@pytest.mark.parametrize("within", ["soon", "", "2", "367d", "-2h", "P1M", "\x00"])
@pytest.mark.parametrize("path", ["/ops/at-risk", "/clinicians/me/at-risk"])
async def test_refuses_what_is_no_length_of_time(board: Front, path: str, within: str) -> None:
    client = board.clinician if "me" in path else board.operations
    assert problem(await client.get(path, params={"within": within})) == (422, "at_risk.within_invalid")


@pytest.mark.parametrize(
    "query",
    [
        {"process": "Unheard"},
        {"owner": "two words"},
        {"clinician_id": "c-1"},
        {"limit": 0},
        {"cursor": "no base64!"},
        {"cursor": base64.urlsafe_b64encode(b"yesterday econsult:1").decode()},
        {"cursor": base64.urlsafe_b64encode(b"2026-03-10T12:00:00 econsult:1").decode()},
        {"cursor": base64.urlsafe_b64encode(b"2026-03-10T12:00:00+00:00 \x00").decode()},
        {"cursor": base64.urlsafe_b64encode("2026-03-10T12:00:00+00:00 é".encode()).decode()},
    ],
)
@pytest.mark.parametrize("path", BOARDS)
async def test_refuses_what_it_cannot_look_for(board: Front, path: str, query: dict[str, Any]) -> None:
    assert problem(await board.operations.get(path, params=query)) == (422, "request.invalid")


async def test_says_of_a_case_when_it_breaches_and_who_has_to_act(board: Front) -> None:
    await add_case(board.database, ECONSULT, due=NOON + HOUR, clinician_id=seed.CLINICIAN, sla_state="at_risk")
    await add_case(board.database, "rate-request:1", due=NOON - timedelta(seconds=90), process=Process.RATE_REQUEST)
    page = await read(board.operations, "/ops/at-risk", within="90m")
    assert (page["now"], page["total"], page["total_is_capped"]) == ("2026-03-10T12:00:00Z", 2, False)
    unnoticed, soon = page["items"]
    assert (unnoticed["overdue_seconds"], unnoticed["due_in_seconds"], unnoticed["link"]) == (90, None, None)
    assert soon == {
        "case_id": ECONSULT,
        "process": "EConsult",
        "state": "WITH_SPECIALIST",
        "clock": "turnaround",
        "due": "2026-03-10T13:00:00Z",
        "due_in_seconds": 3600,
        "overdue_seconds": None,
        "owner": "specialist",
        "waits_for": "a reply",
        "escalation_level": 0,
        "acknowledged": None,
        "sla_state": "at_risk",
        "clinician_id": seed.CLINICIAN,
        "link": f"/econsults/{ECONSULT.removeprefix('econsult:')}",
    }


async def test_looks_two_hours_ahead_unless_told_otherwise(board: Front) -> None:
    await add_case(board.database, "near", due=NOON + 2 * HOUR)
    await add_case(board.database, "far", due=NOON + 3 * HOUR)
    assert ids(await read(board.operations, "/ops/at-risk")) == ["near"]
    assert ids(await read(board.operations, "/ops/at-risk", within="PT3H")) == ["near", "far"]
    assert ids(await read(board.operations, "/ops/at-risk", within="0m")) == []


async def test_links_to_no_case_that_is_a_part_of_another(board: Front) -> None:
    for case_id in ("visit:1", "visit:1:join", "rollout:1:wave:2", "odd"):
        await add_case(board.database, case_id, due=NOON)
    page = await read(board.operations, "/ops/at-risk")
    assert {item["case_id"]: item["link"] for item in page["items"]} == {
        "visit:1": "/visits/1",
        "visit:1:join": None,
        "rollout:1:wave:2": None,
        "odd": None,
    }


@pytest.mark.parametrize(("path", "column"), [*zip(BOARDS, ("breach_due", "breached_at"), strict=True)])
async def test_pages_through_cases_of_the_same_time(board: Front, path: str, column: str) -> None:
    everything = [f"visit:{number}" for number in range(5)]
    for case_id in everything:
        columns: dict[str, Any] = {"next_clock": "note", "breached_clock": "note", column: NOON}
        await add_case(board.database, case_id, **columns)
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await read(board.operations, path, limit=2, **cursor)
        assert page["total"] == 5
        found += ids(page)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == everything


async def test_lists_breaches_with_and_without_those_taken_on(board: Front) -> None:
    late: dict[str, Any] = {"breached_clock": "note", "sla_state": "breached", "escalation_level": 2}
    await add_case(board.database, "visit:1", breached_at=NOON - HOUR, unacknowledged=True, **late)
    await add_case(board.database, "visit:2", breached_at=NOON - 2 * HOUR, **late)
    everything = await read(board.support, "/ops/breaches")
    assert [(item["case_id"], item["acknowledged"], item["overdue_seconds"]) for item in everything["items"]] == [
        ("visit:2", True, 7200),
        ("visit:1", False, 3600),
    ]
    assert [(item["clock"], item["escalation_level"]) for item in everything["items"]] == [("note", 2)] * 2
    assert ids(await read(board.support, "/ops/breaches", unacknowledged=True)) == ["visit:1"]


async def test_a_case_may_be_late_and_at_risk_again(board: Front) -> None:
    await add_case(board.database, "visit:1", due=NOON, breached_at=NOON - HOUR, breached_clock="note")
    [item] = (await read(board.operations, "/ops/at-risk"))["items"]
    assert (item["clock"], item["acknowledged"]) == ("turnaround", True)
    [item] = (await read(board.operations, "/ops/breaches"))["items"]
    assert item["clock"] == "note"


async def test_a_clinician_sees_the_own_cases(board: Front) -> None:
    await add_case(board.database, "visit:own", due=NOON, clinician_id=seed.CLINICIAN)
    await add_case(board.database, "visit:other", due=NOON, clinician_id=seed.OTHER_CLINICIAN)
    await add_case(board.database, "rollout:1", due=NOON)
    assert ids(await read(board.clinician, "/clinicians/me/at-risk")) == ["visit:own"]
    assert ids(await read(board.other_clinician, "/clinicians/me/at-risk")) == ["visit:other"]
    nobody = board.as_("nobody", Role.CLINICIAN)
    assert problem(await nobody.get("/clinicians/me/at-risk")) == (403, "person.unknown")
    assert problem(await board.operations.get("/clinicians/me/at-risk")) == (403, "auth.role_missing")


async def test_chooses_by_process_owner_and_clinician(board: Front) -> None:
    await add_case(board.database, "a", due=NOON, clinician_id=seed.CLINICIAN)
    await add_case(board.database, "b", due=NOON, process=Process.RATE_REQUEST, owner="operations")
    for query, expected in (
        ({"process": "RateRequest"}, ["b"]),
        ({"owner": "specialist"}, ["a"]),
        ({"clinician_id": seed.CLINICIAN}, ["a"]),
        ({"owner": "operations", "clinician_id": seed.CLINICIAN}, []),
    ):
        page = await read(board.operations, "/ops/at-risk", **query)
        assert (ids(page), page["total"]) == (expected, len(expected))
