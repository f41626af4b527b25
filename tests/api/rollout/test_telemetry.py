"""Telemetry is kept first and told then; a wrong message has consequences once somebody confirms it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select
from temporalio.service import RPCError, RPCStatusCode

from db.tables import TelemetryBatch, TelemetryReport
from domain import names
from tests.api.front import problem
from tests.api.rollout.conftest import Staffed
from tests.rollout_rows import PROGRAM

CASE = names.location_case(PROGRAM, "downtown")


def ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def sync(failed: int = 1, **more: Any) -> dict[str, Any]:
    times = {"begins": ago(2), "ends": ago(1)}
    return {"kind": "sync", "source": "integration_logs", **times, "total": 100, "part": failed, **more}


def batch(*entries: dict[str, Any], batch_id: str = "b-1") -> dict[str, Any]:
    return {"batch_id": batch_id, "entries": entries}


async def report(client: httpx.AsyncClient, *entries: dict[str, Any], batch_id: str = "b-1") -> httpx.Response:
    return await client.post("/locations/downtown/telemetry", json=batch(*entries, batch_id=batch_id))


async def undelivered(staffed: Staffed) -> list[bool]:
    async with staffed.group.database.transaction() as session:
        return [not row.delivered for row in (await session.exec(select(TelemetryReport))).all()]


async def test_the_location_is_told_of_a_batch_once(staffed: Staffed) -> None:
    sent = batch(sync(failed=7))
    for outcome in ("accepted", "duplicate"):
        answer = await staffed.vendor.post("/locations/downtown/telemetry", json=sent)
        assert (answer.status_code, answer.json()["outcome"]) == (202, outcome)
    ((case_id, news),) = staffed.front.cases.telemetry
    assert (case_id, news.samples[0].failed) == (CASE, 7)
    assert await undelivered(staffed) == [False]


async def test_a_batch_stays_for_the_sweep_while_the_engine_does_not_answer(staffed: Staffed) -> None:
    staffed.front.cases.outage = RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
    assert (await report(staffed.vendor, sync())).status_code == 202
    assert await undelivered(staffed) == [True]


async def test_sending_a_batch_again_tells_what_could_not_be_told(staffed: Staffed) -> None:
    sent = batch(sync())
    staffed.front.cases.running = False
    await staffed.vendor.post("/locations/downtown/telemetry", json=sent)
    staffed.front.cases.running = True
    await staffed.vendor.post("/locations/downtown/telemetry", json=sent)
    assert len(staffed.front.cases.telemetry) == 1
    assert await undelivered(staffed) == [False]


async def test_the_same_id_with_other_content_is_refused(staffed: Staffed) -> None:
    await report(staffed.vendor, sync())
    assert problem(await report(staffed.vendor, sync(failed=9))) == (409, "telemetry.batch_reused")


async def test_everything_wrong_is_found_at_once_and_nothing_is_kept(staffed: Staffed) -> None:
    answer = await report(
        staffed.vendor,
        sync(),
        sync(part=101),
        {"kind": "watch", "source": "vendor_dashboard", "begins": ago(1), "ends": ago(2)},
        {"kind": "watch", "source": "vendor_dashboard", "begins": ago(1), "ends": ago(-5)},
        {
            "kind": "metric",
            "source": "practice_reports",
            "metric": "no_show_rate",
            "first_day": "2026-04-01",
            "last_day": "2026-04-07",
            "counts": {"scheduled": 10},
        },
    )
    assert problem(answer) == (422, "request.invalid")
    assert [(one["location"][-1], one["type"]) for one in answer.json()["errors"]] == [
        (1, "telemetry.part_exceeds_total"),
        (2, "telemetry.ends_before_it_begins"),
        (3, "telemetry.in_future"),
        (4, "metric.counts_wrong"),
    ]
    async with staffed.group.database.transaction() as session:
        assert (await session.exec(select(TelemetryBatch))).all() == []


async def test_shapes_are_all_found_at_once_too(staffed: Staffed) -> None:
    answer = await report(staffed.vendor, {**sync(), "total": -1}, {"kind": "weather"})
    assert problem(answer) == (422, "request.invalid")
    assert {one["location"][2] for one in answer.json()["errors"] if len(one["location"]) > 2} == {0, 1}


@pytest.mark.parametrize("source", ["integration_logs", "vendor_dashboard"])
async def test_figures_of_machines_come_from_the_vendor_and_central_it_alone(staffed: Staffed, source: str) -> None:
    refused = await report(staffed.champion, sync(source=source))
    assert problem(refused) == (403, "telemetry.source_not_yours")
    assert (await report(staffed.it, sync(source=source))).status_code == 202


async def test_adoption_is_attested_by_those_who_know_the_staff(staffed: Staffed) -> None:
    attested = {"kind": "adoption", "source": "champion_attestation", "at": ago(1), "total": 9, "part": 9}
    assert problem(await report(staffed.vendor, attested)) == (403, "telemetry.source_not_yours")
    assert (await report(staffed.champion, attested)).status_code == 202
    assert staffed.front.cases.telemetry == []


async def test_whoever_decides_on_a_gate_reports_no_telemetry(staffed: Staffed) -> None:
    assert problem(await report(staffed.vp, sync(source="hand_entered"))) == (403, "auth.role_missing")


async def test_a_location_of_others_is_unknown(staffed: Staffed) -> None:
    answer = await staffed.champion.post("/locations/harbour/telemetry", json=batch(sync(source="hand_entered")))
    assert problem(answer) == (404, "location.unknown")


INCIDENT = {"kind": "wrong_time", "description": "The reminder named the wrong hour."}


async def incident(staffed: Staffed, **more: Any) -> str:
    body = {**INCIDENT, "occurred_at": ago(1), **more}
    answer = await staffed.desk.post("/locations/downtown/incidents", json=body, headers={"Idempotency-Key": "i-1"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_wrong_message_is_news_once_it_is_confirmed(staffed: Staffed) -> None:
    incident_id = await incident(staffed)
    assert staffed.front.cases.telemetry == []
    path = f"/locations/downtown/incidents/{incident_id}/confirm"
    assert problem(await staffed.desk.post(path)) == (403, "rollout.function_missing")
    first = (await staffed.champion.post(path)).json()
    again = (await staffed.it.post(path)).json()
    assert first["confirmed_by"] == again["confirmed_by"] == {"role": "champion", "id": staffed.members["champion"]}
    ((case_id, news),) = staffed.front.cases.telemetry
    assert (case_id, news.incidents[0].incident_id, news.incidents[0].kind) == (CASE, incident_id, "wrong_time")


async def test_an_incident_that_is_reported_twice_is_one(staffed: Staffed) -> None:
    body = {**INCIDENT, "occurred_at": ago(1)}
    key = {"Idempotency-Key": "i-1"}
    one, two = [await staffed.desk.post("/locations/downtown/incidents", json=body, headers=key) for _ in range(2)]
    assert one.json()["id"] == two.json()["id"]
    other = await staffed.desk.post(
        "/locations/downtown/incidents", json={**body, "kind": "wrong_patient"}, headers=key
    )
    assert problem(other) == (422, "request.idempotency_key_reused")


async def test_nothing_is_confirmed_that_is_not_there(staffed: Staffed) -> None:
    unknown = "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"
    answer = await staffed.champion.post(f"/locations/downtown/incidents/{unknown}/confirm")
    assert problem(answer) == (404, "incident.unknown")
    future = {**INCIDENT, "occurred_at": ago(-2)}
    assert problem(await staffed.desk.post("/locations/downtown/incidents", json=future)) == (422, "incident.in_future")


async def test_incidents_are_listed_for_the_staff_newest_first(staffed: Staffed) -> None:
    incident_id = await incident(staffed)
    page = (await staffed.regional.get("/locations/downtown/incidents")).json()
    assert [one["id"] for one in page["items"]] == [incident_id]
    assert problem(await staffed.vendor.get("/locations/downtown/incidents")) == (403, "auth.role_missing")


ISSUE = {"severity": 1, "kind": "sync_outage", "description": "Nothing has synced since eight."}


async def test_an_issue_is_opened_by_anybody_and_resolved_by_those_in_charge(staffed: Staffed) -> None:
    opened = (await staffed.vendor.post("/locations/downtown/issues", json=ISSUE)).json()
    path = f"/locations/downtown/issues/{opened['id']}/resolve"
    assert problem(await staffed.champion.post(path)) == (403, "rollout.function_missing")
    assert len((await staffed.desk.get("/locations/downtown/issues?open=true")).json()["items"]) == 1
    assert (await staffed.it.post(path)).json()["resolved_by"]["role"] == "it_lead"
    assert problem(await staffed.it.post(path)) == (409, "issue.resolved")
    assert (await staffed.desk.get("/locations/downtown/issues?open=true")).json()["items"] == []
    assert len((await staffed.desk.get("/locations/downtown/issues")).json()["items"]) == 1


async def test_what_is_always_critical_has_severity_1(staffed: Staffed) -> None:
    answer = await staffed.it.post("/locations/downtown/issues", json={**ISSUE, "severity": 2})
    assert problem(answer) == (422, "issue.severity_too_low")


async def test_an_issue_of_elsewhere_is_unknown(staffed: Staffed) -> None:
    opened = (await staffed.it.post("/locations/downtown/issues", json=ISSUE)).json()
    answer = await staffed.it.post(f"/locations/uptown/issues/{opened['id']}/resolve")
    assert problem(answer) == (404, "issue.unknown")


async def test_only_the_champion_rates_the_readiness(staffed: Staffed) -> None:
    answer = await staffed.champion.post("/locations/downtown/confidence", json={"score": 4})
    assert (answer.status_code, answer.json()["member_id"]) == (201, staffed.members["champion"])
    assert problem(await staffed.it.post("/locations/downtown/confidence", json={"score": 5})) == (
        403,
        "rollout.function_missing",
    )
    assert problem(await staffed.champion.post("/locations/downtown/confidence", json={"score": 6}))[0] == 422
