"""What operations and clinicians read across cases."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from cases import Cases
from crypto import Keyring
from db.session import Database
from db.tables import OutboxNotice, WebhookEvent
from domain.access import Role
from domain.econsult.states import FollowUp
from tests.api.back_office import NOON, As, add_answered_case, add_clinician, open_api

FEBRUARY = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
ONLY_OPERATIONS = [
    "/reports/follow-up-owed",
    "/reports/econsult-outcomes",
    "/reports/ledger-balance",
    "/reports/webhooks",
    "/reports/outbox",
]


@pytest.fixture
def as_(database: Database, keyring: Keyring, tmp_path: Path) -> As:
    return open_api(database, keyring, cast("Cases", None), tmp_path)


@pytest.fixture
def operations(as_: As) -> httpx.AsyncClient:
    return as_("ops-1", Role.OPERATIONS)


@pytest.fixture
async def clinician_id(database: Database) -> str:
    return await add_clinician(database, "c-1")


async def read(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def rows_of(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, str]]:
    response = await client.get(path, params={"format": "csv", **query})
    assert response.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(response.text)))


@pytest.mark.parametrize("path", ONLY_OPERATIONS)
async def test_opens_to_operations_and_to_nobody_else(as_: As, path: str) -> None:
    for role in Role:
        allowed = role in {Role.OPERATIONS, Role.ADMINISTRATOR}
        assert (await as_("somebody", role).get(path)).status_code == (200 if allowed else 403)


async def test_lists_the_visits_still_owed(
    database: Database, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    owed = [
        await add_answered_case(database, clinician_id, follow_up=state, portion_cents=3000)
        for state in (FollowUp.PROMPTED, FollowUp.BOOKED, FollowUp.NOT_BOOKED)
    ]
    for state in (FollowUp.COMPLETED, FollowUp.DECLINED):
        await add_answered_case(database, clinician_id, follow_up=state)
    report = await read(operations, "/reports/follow-up-owed")
    assert [item["econsult_id"] for item in report["items"]] == owed
    assert report["totals"] == [{"currency": "usd", "amount_cents": 9000}]
    assert (report["items"][0]["portion_cents"], report["items"][0]["owed_since"]) == (3000, "2026-03-10T12:00:00Z")


async def test_pages_through_what_is_owed_and_gives_all_of_it_as_csv(
    database: Database, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    owed = [await add_answered_case(database, clinician_id) for _ in range(3)]
    first = await read(operations, "/reports/follow-up-owed", limit=2)
    second = await read(operations, "/reports/follow-up-owed", limit=2, cursor=first["next_cursor"])
    assert [item["econsult_id"] for item in first["items"] + second["items"]] == owed
    assert (second["next_cursor"], first["totals"]) == (None, second["totals"])
    assert [row["econsult_id"] for row in await rows_of(operations, "/reports/follow-up-owed")] == owed


async def test_states_what_a_clinician_earned_in_a_month(
    database: Database, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    await add_answered_case(database, clinician_id, at=FEBRUARY, portion_cents=1000)
    await add_answered_case(database, clinician_id, follow_up=FollowUp.COMPLETED)
    await add_answered_case(database, clinician_id, portion_cents=3000)
    await add_answered_case(database, clinician_id, currency="eur")
    await add_answered_case(database, await add_clinician(database, "c-2"))
    path = f"/clinicians/{clinician_id}/payout-statement"
    statement = await read(operations, path, month="2026-03")
    assert sorted(entry["amount_cents"] for entry in statement["entries"]) == [2000, 3000]
    amounts = ("opening", "accrued", "follow_up_owed", "settled", "total")
    assert [statement[f"{name}_cents"] for name in amounts] == [1000, 5000, 3000, 2000, 6000]
    assert (statement["start"], statement["end"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    rows = await rows_of(operations, path, month="2026-03")
    assert sorted(row["amount_cents"] for row in rows) == ["2000", "3000"]


async def test_the_year_ends_with_its_december(operations: httpx.AsyncClient, clinician_id: str) -> None:
    statement = await read(operations, f"/clinicians/{clinician_id}/payout-statement", month="2026-12")
    assert (statement["end"], statement["total_cents"]) == ("2027-01-01T00:00:00Z", 0)


async def test_a_clinician_reads_only_the_own_statement(database: Database, as_: As, clinician_id: str) -> None:
    other = await add_clinician(database, "c-2")
    client = as_("c-1", Role.CLINICIAN)
    own = await client.get(f"/clinicians/{clinician_id}/payout-statement", params={"month": "2026-03"})
    foreign = await client.get(f"/clinicians/{other}/payout-statement", params={"month": "2026-03"})
    assert (own.status_code, foreign.status_code, foreign.json()["code"]) == (200, 404, "clinician.unknown")


@pytest.mark.parametrize("month", ["2026-13", "2026-3", "March", "1999-01", ""])
async def test_refuses_what_is_no_month(operations: httpx.AsyncClient, clinician_id: str, month: str) -> None:
    response = await operations.get(f"/clinicians/{clinician_id}/payout-statement", params={"month": month})
    assert (response.status_code, response.json()["code"]) == (422, "request.invalid")


async def test_sets_outcomes_beside_the_benchmarks(
    database: Database, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    await add_answered_case(database, clinician_id)
    for outcome in [(True, True), (True, False), (True, False), (False, False)]:
        await add_answered_case(database, clinician_id, outcome=outcome)
    report = await read(operations, "/reports/econsult-outcomes")
    assert (report["answered"], report["captured"]) == (5, 4)
    measures = {measure["measure"]: measure for measure in report["measures"]}
    assert (measures["improved_care_plan"]["percent"], measures["improved_care_plan"]["benchmark_percent"]) == (75, 90)
    assert (measures["avoided_in_person"]["percent"], measures["avoided_in_person"]["benchmark_percent"]) == (25, 70)
    rows = await rows_of(operations, "/reports/econsult-outcomes")
    assert [(row["measure"], row["count"]) for row in rows] == [("improved_care_plan", "3"), ("avoided_in_person", "1")]


async def test_has_no_percentage_without_an_outcome(operations: httpx.AsyncClient) -> None:
    report = await read(operations, "/reports/econsult-outcomes")
    assert [measure["percent"] for measure in report["measures"]] == [None, None]


async def test_shows_the_ledger_of_a_case(database: Database, as_: As, clinician_id: str) -> None:
    econsult_id = await add_answered_case(database, clinician_id)
    found = await read(as_("c-1", Role.CLINICIAN), f"/econsults/{econsult_id}/ledger")
    assert {entry["kind"] for entry in found["entries"]} == {"payment", "earned"}
    assert {balance["account"]: balance["amount_cents"] for balance in found["balances"]} == {
        "processor_balance": 14_000,
        "patient_deposits": 0,
        "network_payable": -12_000,
        "clinician_payable": -2000,
    }
    assert found["balanced"]


async def test_the_ledger_of_a_case_is_for_staff_and_its_clinician(
    database: Database, as_: As, clinician_id: str
) -> None:
    econsult_id = await add_answered_case(database, clinician_id)
    await add_clinician(database, "c-2")
    path = f"/econsults/{econsult_id}/ledger"
    assert (await as_("s", Role.SUPPORT).get(path)).status_code == 200
    foreign = await as_("c-2", Role.CLINICIAN).get(path)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "econsult.unknown")
    assert (await as_("p", Role.PATIENT).get(path)).status_code == 403


async def test_the_whole_ledger_sums_to_zero_in_each_currency(
    database: Database, operations: httpx.AsyncClient, clinician_id: str
) -> None:
    await add_answered_case(database, clinician_id)
    await add_answered_case(database, clinician_id, currency="eur")
    found = await read(operations, "/reports/ledger-balance")
    assert found["sums"] == {"usd": 0, "eur": 0}
    assert (found["balanced"], found["unbalanced_entries"]) == (True, [])
    payable = {a["currency"]: a["amount_cents"] for a in found["accounts"] if a["account"] == "clinician_payable"}
    assert payable == {"eur": -2000, "usd": -2000}


async def test_lists_webhooks_that_no_case_took_newest_first(database: Database, operations: httpx.AsyncClient) -> None:
    async with database.transaction() as session:
        for day, status in enumerate(["received", "undeliverable", "delivered", "received"], start=1):
            session.add(
                WebhookEvent(
                    provider="stripe",
                    event_id=f"evt_{day}",
                    type="charge.refunded",
                    status=status,
                    received_at=datetime(2026, 3, day, tzinfo=UTC),
                )
            )
    first = await read(operations, "/reports/webhooks", limit=2)
    second = await read(operations, "/reports/webhooks", limit=2, before=first["next_before"])
    assert [item["event_id"] for item in first["items"]] == ["evt_4", "evt_2"]
    assert ([item["event_id"] for item in second["items"]], second["next_before"]) == (["evt_1"], None)
    given_up = await read(operations, "/reports/webhooks", status="undeliverable")
    assert [item["event_id"] for item in given_up["items"]] == ["evt_2"]


async def test_lists_notices_that_could_not_be_sent(database: Database, operations: httpx.AsyncClient) -> None:
    async with database.transaction() as session:
        for number, (status, code) in enumerate(
            [("sent", None), ("failed", "mail.address_refused"), ("failed", "text.opted_out"), ("failed", None)]
        ):
            session.add(
                OutboxNotice(
                    key=f"k-{number}",
                    case_id="econsult:e-1",
                    audience="patient",
                    template="payment_link",
                    queued_at=NOON,
                    status=status,
                    error_code=code,
                )
            )
    first = await read(operations, "/reports/outbox", limit=1)
    second = await read(operations, "/reports/outbox", limit=1, cursor=first["next_cursor"])
    assert [item["key"] for item in first["items"] + second["items"]] == ["k-3", "k-1"]
    assert (second["next_cursor"], second["items"][0]["error_code"]) == (None, "mail.address_refused")
