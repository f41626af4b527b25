"""Scorecards over HTTP: who may see which, for which period, in which format."""

from __future__ import annotations

import csv
import dataclasses
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.access import Role
from domain.scorecard import Sla
from domain.visit.states import VisitStage
from embedded import seed
from tests.api.front import Front, problem
from tests.db.scorecard_rows import DAY, MINUTE, MONDAY, POLICY, Practice, run

STAFF = {Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR}
OWN = f"/clinicians/{seed.CLINICIAN}/scorecard"
ROUTES = [OWN, "/ops/scorecard", "/ops/scorecard/clinicians"]
UNKNOWN = "/clinicians/01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b/scorecard"
MARCH = {"from": "2026-03-01T00:00:00Z", "until": "2026-04-01T00:00:00Z"}


@pytest.fixture
async def office(front: Front) -> Front:
    """In the middle of March: the demo clinician attended one visit and was late for another."""
    front.app.state.services = dataclasses.replace(front.app.state.services, clock=lambda: MONDAY + 10 * DAY)
    practice = Practice(front.database, clinician_id=seed.CLINICIAN, patient_id=seed.PATIENT)
    await practice.visit(MONDAY, VisitStage.COMPLETED, joined=MINUTE)
    await practice.visit(MONDAY + 7 * DAY, VisitStage.COMPLETED, joined=6 * MINUTE)
    await practice.thread(run(POLICY.message_thread.reply, MONDAY, until=timedelta(hours=25)))
    return front


async def read(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def rows(client: httpx.AsyncClient, path: str) -> list[dict[str, str]]:
    response = await client.get(path, params={"format": "csv", **MARCH})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text)))


@pytest.mark.parametrize("path", ROUTES)
async def test_opens_to_staff(office: Front, path: str) -> None:
    for role in Role:
        status = (await office.as_("somebody", role).get(path)).status_code
        assert status == (200 if role in STAFF else 403), role
    assert problem(await office.anybody.get(path)) == (401, "auth.token_missing")


async def test_a_clinician_sees_their_own_and_no_other(office: Front) -> None:
    assert (await read(office.clinician, OWN))["attendance"]["scheduled"] == 2
    assert problem(await office.other_clinician.get(OWN)) == (404, "clinician.unknown")
    for path in ROUTES[1:]:
        assert problem(await office.clinician.get(path)) == (403, "auth.role_missing")
    assert problem(await office.support.get(UNKNOWN)) == (404, "clinician.unknown")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": MARCH["until"], "until": MARCH["from"]}, "scorecard.period_invalid"),
        ({"from": MARCH["from"], "until": MARCH["from"]}, "scorecard.period_invalid"),
        ({"from": "2024-03-01T00:00:00Z", "until": MARCH["until"]}, "scorecard.period_invalid"),
        ({"from": "2026-03-01T00:00:00"}, "request.invalid"),
        ({"until": "soon"}, "request.invalid"),
        ({"format": "pdf"}, "request.invalid"),
    ],
)
async def test_refuses_what_is_no_period(office: Front, path: str, query: dict[str, str], code: str) -> None:
    assert problem(await office.operations.get(path, params=query)) == (422, code)


async def test_shows_every_figure(office: Front) -> None:
    card = await read(office.clinician, OWN, **MARCH)
    assert (card["clinician_id"], card["from"], card["until"], card["time_zone"]) == (
        seed.CLINICIAN, MARCH["from"], MARCH["until"], "UTC"
    )  # fmt: skip
    assert card["attendance"] == {
        "scheduled": 2, "attended_on_time": 1, "late": 1, "absent": 0, "called_off": 0, "excused": 0,
        "percent_on_time": 50.0, "target_percent": 100,
    }  # fmt: skip
    join, *_, messages, _, _ = card["slas"]
    assert join == {
        "name": "join", "met": 1, "late": 1, "waived": 0, "open": 0, "percent_met": 50.0, "timed": 2,
        "p50_seconds": 210, "p90_seconds": 330, "p99_seconds": 357, "worst_seconds": 360,
    }  # fmt: skip
    assert (messages["name"], messages["late"], messages["p50_seconds"]) == ("patient_messages", 1, None)
    assert [each["name"] for each in card["slas"]] == [*Sla]
    assert card["open_escalations"] == [{"level": 1, "unacknowledged": 1, "acknowledged": 0}]
    assert [point["week"] for point in card["trend"]] == [f"2026-W{number:02}" for number in range(9, 15)]
    assert [point["attendance"]["percent_on_time"] for point in card["trend"]][:4] == [None, 100.0, 0.0, None]


async def test_looks_back_four_weeks_from_now_unless_told_otherwise(office: Front) -> None:
    card = await read(office.clinician, OWN)
    assert (card["from"], card["until"]) == ("2026-02-12T15:00:00Z", "2026-03-12T15:00:00Z")
    assert (await read(office.clinician, OWN, until=MARCH["from"]))["attendance"]["scheduled"] == 0


async def test_lists_the_clinicians_page_by_page(office: Front) -> None:
    first = await read(office.operations, "/ops/scorecard/clinicians", limit=1, **MARCH)
    second = await read(office.operations, "/ops/scorecard/clinicians", cursor=first["next_cursor"], **MARCH)
    cards = {item["clinician_id"]: item for item in first["items"] + second["items"]}
    assert (len(first["items"]), second["next_cursor"]) == (1, None)
    assert set(cards) == {seed.CLINICIAN, seed.OTHER_CLINICIAN}
    assert cards[seed.CLINICIAN]["attendance"]["scheduled"] == 2
    assert cards[seed.OTHER_CLINICIAN]["attendance"]["percent_on_time"] is None
    own = await read(office.operations, OWN, **MARCH)
    assert cards[seed.CLINICIAN].items() <= own.items()
    assert (await read(office.operations, "/ops/scorecard", **MARCH)) == {**own, "clinician_id": None}


async def test_writes_a_line_for_each_figure(office: Front) -> None:
    lines = await rows(office.clinician, OWN)
    found = {(line["section"], line["week"], line["name"], line["figure"]): line["value"] for line in lines}
    assert len(found) == len(lines)
    assert {line["clinician_id"] for line in lines} == {seed.CLINICIAN}
    assert found["attendance", "", "visits", "percent_on_time"] == "50.0"
    assert found["sla", "", "join", "p90_seconds"] == "330"
    assert found["sla", "", "note", "percent_met"] == ""
    assert found["escalations", "", "level 1", "unacknowledged"] == "1"
    assert found["trend", "2026-W11", "visits", "late"] == "1"
    assert found["trend", "2026-W10", "join", "met"] == "1"


async def test_writes_all_clinicians_without_their_trends(office: Front) -> None:
    lines = await rows(office.operations, "/ops/scorecard/clinicians")
    assert {line["clinician_id"] for line in lines} == {seed.CLINICIAN, seed.OTHER_CLINICIAN}
    assert {line["section"] for line in lines} == {"attendance", "sla", "escalations"}
    assert {line["clinician_id"] for line in await rows(office.operations, "/ops/scorecard")} == {""}
