"""An eConsult whose specialist does not answer, as the at-risk board shows it over its days."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from db.session import Database
from tests.api.test_end_to_end import ORDER, PATIENTS_ADDRESS
from tests.house import CLINICIAN, OPERATIONS, OTHER_CLINICIAN, SUPPORT, House, Person, open_house

HOUR = timedelta(hours=1)


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, data_keys, tmp_path) as opened:
        yield opened


async def listed(house: House, path: str, person: Person = OPERATIONS) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await house.read(person, path))["items"]
    return items


async def test_a_late_answer_crosses_the_board(house: House) -> None:
    econsult_id = (await house.post(CLINICIAN, "/econsults", key="order-1", **ORDER))["id"]
    await house.reaches(econsult_id, "AWAITING_PAYMENT")
    assert not await listed(house, "/ops/at-risk?within=30d"), "an unpaid order expires, and that is in order"
    await house.pay(PATIENTS_ADDRESS)
    await house.reaches(econsult_id, "WITH_SPECIALIST")
    assert not await listed(house, "/ops/at-risk?within=2h")

    await house.advance(46 * HOUR + timedelta(minutes=30))
    assert not await listed(house, "/ops/at-risk?within=60m")
    [item] = await listed(house, "/ops/at-risk?within=2h")
    assert (item["case_id"], item["clock"], item["owner"]) == (f"econsult:{econsult_id}", "turnaround", "specialist")
    assert 0 < item["due_in_seconds"] <= 5400
    assert (await house.read(SUPPORT, item["link"]))["id"] == econsult_id
    [own] = await listed(house, "/clinicians/me/at-risk", CLINICIAN)
    assert (own["case_id"], own["due"]) == (item["case_id"], item["due"])
    assert not await listed(house, "/clinicians/me/at-risk", OTHER_CLINICIAN)
    assert not await listed(house, "/ops/breaches")

    await house.advance(2 * HOUR)
    assert not await listed(house, "/ops/at-risk?within=30d")
    [late] = await listed(house, "/ops/breaches?unacknowledged=true")
    assert (late["due"], late["escalation_level"], late["acknowledged"]) == (item["due"], 1, False)
    assert 1800 <= late["overdue_seconds"] < 5400

    await house.post(OPERATIONS, f"/econsults/{econsult_id}/escalations/turnaround/acknowledge")
    assert not await listed(house, "/ops/breaches?unacknowledged=true")
    [taken_on] = await listed(house, "/ops/breaches")
    assert taken_on["acknowledged"]

    specialist = await house.specialist(econsult_id)
    await house.post(specialist, f"/econsults/{econsult_id}/assignment/accept")
    await house.post(
        specialist,
        f"/econsults/{econsult_id}/reply",
        impression="Tinea corporis.",
        recommendations=["Terbinafine cream for two weeks."],
        in_person_recommended=False,
    )
    assert not await listed(house, "/ops/breaches")
    assert not await listed(house, "/ops/at-risk?within=30d"), "its windows just end"
