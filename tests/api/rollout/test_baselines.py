"""Baselines are collected by one template, refused as a whole, and compared across the locations one may see."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain import policy
from tests.api.front import problem
from tests.api.rollout.conftest import Staffed

REGISTRY = policy.load().rollout.baseline
TODAY = datetime.now(UTC).astimezone(ZoneInfo("America/Denver")).date()
YESTERDAY = TODAY - timedelta(days=1)


def collected(metric: str, **more: Any) -> dict[str, Any]:
    """One metric of a location, over the period that is asked for."""
    spec = REGISTRY.spec(metric)
    counts = dict.fromkeys(spec.counts, "10")
    if "scheduled" in counts:
        counts["scheduled"] = "200"
    return {
        "metric": metric,
        "first_day": spec.window.begins(YESTERDAY).isoformat(),
        "last_day": YESTERDAY.isoformat(),
        "counts": counts,
        "method": "practice_reports",
        **more,
    }


REQUIRED = [spec.metric.value for spec in REGISTRY.metrics if not spec.optional]
WHOLE = {"metrics": [collected(metric) for metric in REQUIRED]}
PATH = "/locations/downtown/baselines"


async def test_a_baseline_is_complete_without_what_is_optional(staffed: Staffed) -> None:
    empty = (await staffed.champion.get(PATH)).json()
    assert (empty["complete"], empty["missing"]) == (False, [f"baseline:{metric}" for metric in REQUIRED])
    answer = await staffed.champion.post(PATH, json=WHOLE)
    assert (answer.status_code, answer.json()["complete"]) == (201, True)
    no_shows = answer.json()["metrics"][0]
    assert (no_shows["bucketed"], no_shows["playbook_literal"]) == ("5.00", "10.00")
    assert no_shows["collected_by"] == {"role": "champion", "id": staffed.members["champion"]}


async def test_everything_wrong_is_found_at_once_and_nothing_is_kept(staffed: Staffed) -> None:
    faulty = {
        "metrics": [
            collected("no_show_rate"),
            collected("no_show_rate", counts={"scheduled": "5"}),
            collected("recall_delay", first_day=(YESTERDAY - timedelta(days=30)).isoformat()),
            collected("star_rating", first_day="2100-01-01", last_day="2100-01-01"),
        ]
    }
    answer = await staffed.champion.post(PATH, json=faulty)
    assert problem(answer) == (422, "request.invalid")
    assert [(one["location"][-1], one["type"]) for one in answer.json()["errors"]] == [
        (1, "metric.counts_wrong"),
        (2, "metric.period_wrong"),
        (3, "metric.period_in_future"),
        (1, "metric.twice"),
    ]
    assert (await staffed.champion.get(PATH)).json()["metrics"][0]["counts"] is None


async def test_the_latest_collection_counts_and_an_unreliable_one_leaves_it_incomplete(staffed: Staffed) -> None:
    await staffed.champion.post(PATH, json=WHOLE)
    doubtful = {"metrics": [collected("review_volume", reliable=False)]}
    view = (await staffed.regional.post(PATH, json=doubtful)).json()
    assert (view["complete"], view["missing"]) == (False, ["baseline:review_volume"])
    again = (await staffed.champion.post(PATH, json={"metrics": [collected("review_volume")]})).json()
    assert again["complete"]


async def test_a_baseline_that_was_found_accurate_stays(staffed: Staffed) -> None:
    await staffed.champion.post(PATH, json=WHOLE)
    said = {"at": "2026-03-01T12:00:00Z", "by": {"role": "regional_manager", "id": "m"}, "accurate": True}
    await staffed.group.is_live("downtown", region="north", phase="LOCATION_PREPARING", baseline=said)
    assert problem(await staffed.champion.post(PATH, json=WHOLE)) == (409, "baseline.validated")
    view = (await staffed.champion.get(PATH)).json()
    assert view["validated_by"] == {"role": "regional_manager", "id": "m"}


async def test_executives_read_and_do_not_collect(staffed: Staffed) -> None:
    assert (await staffed.vp.get(PATH)).status_code == 200
    assert problem(await staffed.vp.post(PATH, json=WHOLE)) == (403, "auth.role_missing")
    assert problem(await staffed.desk.post(PATH, json=WHOLE)) == (403, "rollout.function_missing")
    assert problem(await staffed.champion.get("/locations/uptown/baselines")) == (404, "location.unknown")


async def test_locations_are_compared_and_incomplete_ones_flagged(staffed: Staffed) -> None:
    await staffed.champion.post(PATH, json=WHOLE)
    found = (await staffed.vp.get("/rollouts/smile/baselines")).json()
    assert (found["incomplete"], found["effort_hours"]) == (["harbour", "uptown"], [8, 12])
    assert len(found["items"]) == 3 * len(REGISTRY.metrics)
    downtown = [line for line in found["items"] if line["location_id"] == "downtown"]
    assert all(line["location_complete"] and not line["validated"] for line in downtown)
    own = (await staffed.regional.get("/rollouts/smile/baselines")).json()
    assert {line["location_id"] for line in own["items"]} == {"downtown", "uptown"}


async def test_the_comparison_and_the_template_are_there_for_a_spreadsheet(staffed: Staffed) -> None:
    table = await staffed.vp.get("/rollouts/smile/baselines?format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert len(table.text.splitlines()) == 1 + 3 * len(REGISTRY.metrics)
    template = await staffed.champion.get("/rollouts/smile/baselines/template")
    lines = list(csv.DictReader(io.StringIO(template.text)))
    assert {line["location_id"] for line in lines} == {"downtown"}
    assert len(lines) == sum(len(spec.counts) for spec in REGISTRY.metrics)
    assert {line["value"] for line in lines} == {""}


async def test_a_programme_of_others_is_unknown(staffed: Staffed) -> None:
    assert problem(await staffed.vp.get("/rollouts/other/baselines")) == (404, "programme.unknown")
