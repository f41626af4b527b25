"""Rate requests through the API, decided by the workflow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto import Keyring
from db import econsults
from db.session import Database
from domain.access import Role
from embedded.rehearsal import rehearse
from tests.api.back_office import As, add_clinician, open_api

UNKNOWN = "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"


@pytest.fixture
async def as_(database: Database, keyring: Keyring, tmp_path: Path) -> AsyncIterator[As]:
    async with rehearse(database, keyring=keyring) as world:
        yield open_api(database, keyring, world.cases, tmp_path)


@pytest.fixture
async def clinician_id(database: Database) -> str:
    return await add_clinician(database, "c-1")


@pytest.fixture
def clinician(as_: As) -> httpx.AsyncClient:
    return as_("c-1", Role.CLINICIAN)


@pytest.fixture
def operations(as_: As) -> httpx.AsyncClient:
    return as_("ops-1", Role.OPERATIONS)


async def ask(client: httpx.AsyncClient, clinician_id: str, portion_cents: object = 3500) -> httpx.Response:
    return await client.post(f"/clinicians/{clinician_id}/rate-requests", json={"portion_cents": portion_cents})


async def decide(client: httpx.AsyncClient, request_id: str, *, approve: bool) -> httpx.Response:
    return await client.post(f"/rate-requests/{request_id}/decision", json={"approve": approve})


async def portion(database: Database, clinician_id: str) -> int:
    async with database.transaction() as session:
        return await econsults.portion_of(session, clinician_id, default_cents=2000)


def outcome(response: httpx.Response) -> tuple[int, Any]:
    return response.status_code, response.json().get("code")


async def test_an_approved_portion_counts_from_then_on(
    database: Database, clinician: httpx.AsyncClient, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    asked = await ask(clinician, clinician_id)
    assert (asked.status_code, asked.json()["stage"], asked.json()["below_default"]) == (201, "REQUESTED", False)
    assert await portion(database, clinician_id) == 2000
    decided = (await decide(operations, asked.json()["id"], approve=True)).json()
    assert (decided["stage"], decided["decided_by"]) == ("APPROVED", {"role": "operations", "id": "ops-1"})
    assert decided["decided_at"] is not None
    assert await portion(database, clinician_id) == 3500


async def test_a_portion_below_the_default_needs_its_approval(
    database: Database, clinician: httpx.AsyncClient, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    asked = (await ask(clinician, clinician_id, 500)).json()
    assert asked["below_default"]
    assert await portion(database, clinician_id) == 2000
    await decide(operations, asked["id"], approve=True)
    assert await portion(database, clinician_id) == 500


async def test_a_rejected_portion_changes_nothing(
    database: Database, clinician: httpx.AsyncClient, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    asked = (await ask(clinician, clinician_id)).json()
    assert (await decide(operations, asked["id"], approve=False)).json()["stage"] == "REJECTED"
    assert await portion(database, clinician_id) == 2000


async def test_asking_again_for_the_same_asks_once(
    clinician: httpx.AsyncClient, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    first, second = await asyncio.gather(ask(clinician, clinician_id), ask(clinician, clinician_id))
    assert first.json()["id"] == second.json()["id"]
    await decide(operations, first.json()["id"], approve=False)
    assert (await ask(clinician, clinician_id)).json()["id"] != first.json()["id"]


async def test_is_decided_once(as_: As, clinician: httpx.AsyncClient, clinician_id: str) -> None:
    request_id = (await ask(clinician, clinician_id)).json()["id"]
    first, second = as_("ops-1", Role.OPERATIONS), as_("ops-2", Role.OPERATIONS)
    assert (await decide(first, request_id, approve=True)).status_code == 200
    assert (await decide(first, request_id, approve=True)).status_code == 200
    for client, approve in ((first, False), (second, True), (second, False)):
        assert outcome(await decide(client, request_id, approve=approve)) == (409, "rate.already_decided")


async def test_of_two_decisions_at_once_one_counts(as_: As, clinician: httpx.AsyncClient, clinician_id: str) -> None:
    request_id = (await ask(clinician, clinician_id)).json()["id"]
    first, second = as_("ops-1", Role.OPERATIONS), as_("ops-2", Role.OPERATIONS)
    answers = await asyncio.gather(decide(first, request_id, approve=True), decide(second, request_id, approve=False))
    assert sorted(map(outcome, answers)) == [(200, None), (409, "rate.already_decided")]


async def test_lists_requests_newest_first(
    as_: As, clinician: httpx.AsyncClient, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    ids = [(await ask(clinician, clinician_id, cents)).json()["id"] for cents in (3000, 4000, 5000)]
    await decide(operations, ids[0], approve=True)
    own = (await clinician.get(f"/clinicians/{clinician_id}/rate-requests", params={"limit": 2})).json()
    assert ([item["id"] for item in own["items"]], own["next_cursor"]) == ([ids[2], ids[1]], ids[1])
    rest = (await operations.get("/rate-requests", params={"cursor": own["next_cursor"]})).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([ids[0]], None)
    waiting = (await operations.get("/rate-requests", params={"stage": "REQUESTED"})).json()
    assert [item["id"] for item in waiting["items"]] == [ids[2], ids[1]]


async def test_a_clinician_asks_and_reads_only_for_themselves(
    database: Database, as_: As, clinician: httpx.AsyncClient, clinician_id: str
) -> None:
    other = await add_clinician(database, "c-2")
    assert outcome(await ask(clinician, other)) == (404, "clinician.unknown")
    assert outcome(await clinician.get(f"/clinicians/{other}/rate-requests")) == (404, "clinician.unknown")
    assert outcome(await as_("c-3", Role.CLINICIAN).get(f"/clinicians/{other}/rate-requests")) == (
        403,
        "person.unknown",
    )


async def test_only_operations_decide(as_: As, clinician: httpx.AsyncClient, clinician_id: str) -> None:
    request_id = (await ask(clinician, clinician_id)).json()["id"]
    for role in set(Role) - {Role.OPERATIONS}:
        assert (await decide(as_("c-1", role), request_id, approve=True)).status_code == 403
    assert (await clinician.get("/rate-requests")).status_code == 403


async def test_knows_no_such_request(operations: httpx.AsyncClient) -> None:
    assert outcome(await decide(operations, UNKNOWN, approve=True)) == (404, "rate_request.unknown")


@pytest.mark.parametrize("portion_cents", [-1, 100_001, 35.5, "3500", None, True])
async def test_refuses_what_is_no_portion(
    clinician: httpx.AsyncClient, clinician_id: str, portion_cents: object
) -> None:
    assert outcome(await ask(clinician, clinician_id, portion_cents)) == (422, "request.invalid")
