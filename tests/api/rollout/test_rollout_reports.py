"""What a programme's reports say, for whom, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.rollout_contracts import CollectEvidenceInput
from db import telemetry
from db.gate_evidence import SqlGateEvidence
from db.tables import CadenceReport, RolloutBaseline, RolloutLocation
from domain import names
from domain.names import Process
from domain.rollout.cadences import Cadence, Place, Report
from domain.rollout.phases import ProgrammePhase
from domain.rollout.telemetry import Batch
from domain.work_calendar import OpeningHours
from tests.api.front import problem
from tests.api.rollout.conftest import Staffed
from tests.rollout_rows import FORECAST, IT, PROGRAM, Group

NOW = datetime.now(UTC)
LIVE_AT = (NOW - timedelta(days=40)).replace(hour=18)
LIVE_ON = LIVE_AT.date()  # noon in Denver

FIGURES = ("locations", "live", "rolled_back", "on_hold", "tasks_open", "tasks_late", "critical_issues")
WAVE = {
    "number": 1,
    "locations": ["downtown", "harbour"],
    "phase": "WAVE_STABILIZING",
    "planned_from": "2026-03-16",
    "planned_to": "2026-04-03",
    "forecast_from": "2026-03-16",
    "forecast_to": "2026-04-10",
    "started_at": "2026-03-16T14:00:00Z",
    "closed_at": None,
    "extended_weeks": 1,
}
PROGRAMME: dict[str, Any] = {
    "phase": "PILOT",
    "starts_on": "2026-03-02",
    "tasks_open": 3,
    "tasks_late": 1,
    "waves": [WAVE],
    "missing": ["buffer"],
    "planned_end": "2026-07-17",
}


async def running(group: Group) -> None:
    """A pilot of two locations, one of which is rolled back; uptown waits."""
    cause = {"at": LIVE_AT.isoformat(), "issue": "outage", "by": {"role": "system", "id": "carewave"}}
    rolled_back = {"number": 1, "cause": cause, "disabled_at": LIVE_AT.isoformat()}
    await group.is_live("downtown", LIVE_AT, region="north", wave=1, phase="LOCATION_LIVE", comms_percent=100)
    await group.is_live(
        "harbour",
        LIVE_AT,
        region="south",
        wave=1,
        phase="LOCATION_ROLLED_BACK",
        issue="outage",
        rollbacks=[rolled_back],
    )
    hold = {"reason": "executive", "since": LIVE_AT.isoformat(), "by": {"role": "vp_operations", "id": "m"}}
    await group.stands(
        Process.LOCATION,
        names.location_case(PROGRAM, "uptown"),
        location_id="uptown",
        region="north",
        phase="LOCATION_ON_HOLD",
        holds=[hold],
        missing=["baseline"],
    )
    for number, phase in enumerate(("ROLLBACK_RESOLVED", "ROLLBACK_IMMEDIATE"), start=1):
        await group.stands(
            Process.ROLLBACK,
            names.rollback_case(PROGRAM, "harbour", number),
            location_id="harbour",
            region="south",
            number=number,
            phase=phase,
            issues=["outage"],
            triggered_at=LIVE_AT.isoformat(),
        )
    gate = {"attempt": 1, "result": "inconclusive", "evidence_hash": "h"}
    await group.stands(
        Process.WAVE,
        names.wave_case(PROGRAM, 1),
        wave=1,
        phase="WAVE_EVALUATING",
        gate=gate,
        unwritten=["lessons_learned"],
    )


@pytest.fixture
async def group(staffed: Staffed) -> Group:
    await running(staffed.group)
    await staffed.group.stands(Process.ROLLOUT, names.rollout_case(PROGRAM), **PROGRAMME, forecast=FORECAST)
    return staffed.group


async def test_the_board_shows_where_everything_stands(staffed: Staffed, group: Group) -> None:
    board = (await staffed.vp.get("/rollouts/smile/board")).json()
    assert (board["phase"], board["planned_end"], board["tasks_late"]) == ("PILOT", "2026-07-17", 1)
    (wave,) = board["waves"]
    assert (wave["phase"], wave["gate_result"], wave["missing"]) == (
        "WAVE_EVALUATING",
        "inconclusive",
        ["lessons_learned"],
    )
    lines = {line["location_id"]: line for line in board["locations"]}
    assert lines["harbour"]["issue"] == "outage"
    assert (lines["uptown"]["holds"], lines["uptown"]["missing"]) == (["executive"], ["baseline"])
    assert [(one["location_id"], one["number"]) for one in board["rollbacks"]] == [("harbour", 2)]


async def test_a_board_holds_what_one_may_see(staffed: Staffed, group: Group) -> None:
    board = (await staffed.regional.get("/rollouts/smile/board")).json()
    assert {line["location_id"] for line in board["locations"]} == {"downtown", "uptown"}
    assert board["rollbacks"] == []
    assert problem(await staffed.vendor.get("/rollouts/smile/board")) == (403, "auth.role_missing")


async def test_a_board_is_there_before_anything_has_begun(staffed: Staffed) -> None:
    board = (await staffed.vp.get("/rollouts/smile/board")).json()
    assert (board["phase"], board["locations"], board["as_of"]) == (None, [], None)


async def test_the_board_has_a_line_for_each_location_in_csv(staffed: Staffed, group: Group) -> None:
    lines = list(csv.DictReader(io.StringIO((await staffed.vp.get("/rollouts/smile/board?format=csv")).text)))
    assert [line["location_id"] for line in lines] == ["downtown", "harbour", "uptown"]


async def test_the_evidence_is_what_the_gate_would_collect(staffed: Staffed, group: Group) -> None:
    report = (await staffed.vp.get("/rollouts/smile/waves/1/evidence")).json()
    asked = CollectEvidenceInput(
        program_id=PROGRAM,
        wave=1,
        locations=("downtown", "harbour"),
        since=LIVE_AT,
        until=datetime.fromisoformat(report["until"]),
        incidents_since=LIVE_AT,
    )
    collected = (await SqlGateEvidence(group.database).collect(asked)).evidence
    assert [(one["metric"], one["location_id"], one["value"]) for one in report["items"]] == [
        (one.metric, one.location_id, None if one.value is None else str(one.value)) for one in collected
    ]
    assert ("rollbacks", "harbour", "1") in [
        (one["metric"], one["location_id"], one["value"]) for one in report["items"]
    ]


async def test_evidence_is_of_waves_that_are_there_and_live(staffed: Staffed) -> None:
    await staffed.group.stands(Process.ROLLOUT, names.rollout_case(PROGRAM), **PROGRAMME, forecast=FORECAST)
    assert problem(await staffed.vp.get("/rollouts/smile/waves/2/evidence")) == (404, "wave.unknown")
    assert problem(await staffed.vp.get("/rollouts/smile/waves/1/evidence")) == (422, "wave.not_live")


async def measured(group: Group, location_id: str, day: int, hours: int, missed: int) -> None:
    """A week that ends so many days after the go-live."""
    last = LIVE_ON + timedelta(days=day - 1)
    week = {"first_day": last - timedelta(days=6), "last_day": last}
    entries: list[dict[str, Any]] = [
        {
            "kind": "metric",
            "source": "time_study",
            "metric": "front_desk_hours",
            **week,
            "counts": {"confirmation_hours": hours, "recall_call_hours": 0, "inquiry_hours": 0, "weeks": 1},
        },
        {
            "kind": "metric",
            "source": "practice_reports",
            "metric": "no_show_rate",
            **week,
            "counts": {"scheduled": 100, "missed_without_notice": missed, "cancelled_within_24_h": 0},
        },
    ]
    async with group.database.transaction() as session:
        batch = Batch.model_validate({"batch_id": f"{location_id}-{day}-{hours}", "entries": entries})
        await telemetry.store(session, await group.location(location_id), batch, IT, NOW)


async def baseline(group: Group, location_id: str) -> None:
    counts = {
        "front_desk_hours": {"confirmation_hours": 20, "recall_call_hours": 0, "inquiry_hours": 0, "weeks": 1},
        "no_show_rate": {"scheduled": 1000, "missed_without_notice": 100, "cancelled_within_24_h": 0},
    }
    async with group.database.transaction() as session:
        for metric, found in counts.items():
            session.add(
                RolloutBaseline(
                    location_id=location_id,
                    metric=metric,
                    first_day=LIVE_ON,
                    last_day=LIVE_ON,
                    counts=found,
                    numerator=Decimal(0),
                    method="time_study",
                    collected_role="champion",
                    collected_by="m",
                    collected_at=NOW,
                )
            )


async def test_the_return_is_measured_from_each_go_live_on(staffed: Staffed, group: Group) -> None:
    for location_id in ("downtown", "harbour"):
        await baseline(group, location_id)
    await measured(group, "downtown", 10, hours=13, missed=4)
    await measured(group, "harbour", 20, hours=20, missed=8)
    await measured(group, "downtown", 38, hours=6, missed=2)
    report = (await staffed.vp.get("/rollouts/smile/roi?hour_cents=3000&visit_cents=10000")).json()
    lines = {(one["location_id"], one["stretch"]): one for one in report["items"]}
    first = lines["downtown", "day_30"]
    # 7 hours a week over 30 days; 6 of 100 visits kept.
    assert (first["hours_saved"], first["no_shows_avoided"], first["over"]) == ("30.00", "6.00", True)
    assert first["saved_cents"] == 30 * 3000 + 6 * 10000
    assert (lines["downtown", "day_60"]["no_show_change"], lines["downtown", "day_60"]["over"]) == ("-8.00", False)
    assert ("downtown", "day_90") not in lines
    together = lines[None, "day_30"]
    assert (together["hours_saved"], together["no_show_change"]) == ("30.00", "-4.00")
    assert report["net_cents"] == report["saved_cents"] - 5_000_000


async def test_without_prices_or_figures_nothing_is_made_up(staffed: Staffed, group: Group) -> None:
    report = (await staffed.vp.get("/rollouts/smile/roi")).json()
    assert (report["saved_cents"], report["net_cents"]) == (None, None)
    assert {one["hours_saved"] for one in report["items"]} == {None}
    assert {one["change"] for one in report["metrics"]} == {None}


async def test_a_correction_replaces_what_it_overlaps(staffed: Staffed, group: Group) -> None:
    await baseline(group, "downtown")
    await measured(group, "downtown", 38, hours=13, missed=40)
    await measured(group, "downtown", 39, hours=14, missed=5)
    first = (LIVE_ON + timedelta(days=30)).isoformat()
    report = (await staffed.vp.get(f"/rollouts/smile/metrics?from={first}")).json()
    values = {one["metric"]: one["value"] for one in report["items"] if one["location_id"] == "downtown"}
    assert (values["no_show_rate"], values["front_desk_hours"]) == ("5.00", "14.00")


async def test_metrics_are_there_for_a_spreadsheet_and_for_any_period(staffed: Staffed, group: Group) -> None:
    table = await staffed.vp.get("/rollouts/smile/metrics?format=csv&from=2026-04-01&to=2026-04-30")
    lines = list(csv.DictReader(io.StringIO(table.text)))
    assert {(line["first_day"], line["last_day"]) for line in lines} == {("2026-04-01", "2026-04-30")}
    assert {line["location_id"] for line in lines} == {"downtown", "harbour", "uptown", ""}
    answer = await staffed.vp.get("/rollouts/smile/metrics?from=2026-05-01&to=2026-04-30")
    assert problem(answer) == (422, "report.period_invalid")


async def test_downtime_of_a_day_is_added_up_in_opening_hours(
    staffed: Staffed, group: Group, facts: dict[str, Any]
) -> None:
    async with group.database.transaction() as session:
        downtown = await session.get_one(RolloutLocation, "downtown")
        opening = [OpeningHours(weekday=day, opens=time(8), closes=time(17)) for day in range(1, 8)]
        downtown.facts = {**facts, "hours": [hours.model_dump(mode="json") for hours in opening]}
        down = [
            {"kind": "outage", "source": "vendor_dashboard", "outage_id": str(n), "begins": begins, "ends": ends}
            for n, (begins, ends) in enumerate(
                (
                    (datetime(2026, 3, 3, 14, 30, tzinfo=UTC), datetime(2026, 3, 3, 15, 45, tzinfo=UTC)),
                    (datetime(2026, 3, 3, 20, tzinfo=UTC), datetime(2026, 3, 3, 20, 30, tzinfo=UTC)),
                )
            )
        ]
        batch = Batch.model_validate({"batch_id": "down", "entries": down})
        await telemetry.store(session, downtown, batch, IT, NOW)
    report = (await staffed.vp.get("/rollouts/smile/downtime")).json()
    assert report["items"] == [{"location_id": "downtown", "day": "2026-03-03", "minutes": 45 + 30}]


async def test_regular_reports_are_there_to_read_by_place_and_page(staffed: Staffed) -> None:
    async with staffed.group.database.transaction() as session:
        for number, region in enumerate(("north", "south", None)):
            report = Report(
                cadence=Cadence.REGIONAL_REPORT if region else Cadence.BOARD_REPORT,
                program_id=PROGRAM,
                period="2026-W14",
                place=Place(region=region),
                at=NOW + timedelta(minutes=number),
                phase=ProgrammePhase.PILOT,
                planned_end=LIVE_ON,
                forecast_end=LIVE_ON,
                spend_cents=0,
                **dict.fromkeys(FIGURES, 1),
            )
            shown = report.model_dump(include={"program_id", "cadence", "period", "at"})
            content = report.model_dump(mode="json")
            session.add(CadenceReport(id=report.report_id, region=region, content=content, **shown))
    first = (await staffed.vp.get("/rollouts/smile/reports?limit=2")).json()
    assert [one["region"] for one in first["items"]] == [None, "south"]
    rest = (await staffed.vp.get(f"/rollouts/smile/reports?cursor={first['next_cursor']}")).json()
    assert ([one["region"] for one in rest["items"]], rest["next_cursor"]) == (["north"], None)
    own = (await staffed.regional.get("/rollouts/smile/reports")).json()
    assert [one["region"] for one in own["items"]] == ["north"]
    assert (await staffed.champion.get("/rollouts/smile/reports")).json()["items"] == []
