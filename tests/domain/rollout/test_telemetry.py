"""What cannot be right in a batch is found, all of it, and the same batch is known again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import policy
from domain.rollout.telemetry import Batch, findings

POLICY = policy.load().rollout.baseline
NOW = datetime(2026, 4, 1, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


def share(kind: str = "sync", **more: Any) -> dict[str, Any]:
    times = {"begins": NOW - 2 * HOUR, "ends": NOW - HOUR}
    return {"kind": kind, "source": "integration_logs", **times, "total": 10, "part": 1, **more}


def outage(**more: Any) -> dict[str, Any]:
    return {"kind": "outage", "source": "vendor_dashboard", "outage_id": "o", "begins": NOW - HOUR, **more}


def metric(**more: Any) -> dict[str, Any]:
    counts = {"scheduled": 10, "missed_without_notice": 1, "cancelled_within_24_h": 1}
    days = {"first_day": "2026-03-01", "last_day": "2026-03-07"}
    return {
        "kind": "metric", "source": "practice_reports", "metric": "no_show_rate", **days, "counts": counts, **more
    }  # fmt: skip


def batch(*entries: dict[str, Any]) -> Batch:
    return Batch.model_validate({"batch_id": "b", "entries": entries})


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (share(), None),
        (share("delivery"), None),
        (share(part=10), None),
        (share(part=11), "telemetry.part_exceeds_total"),
        (share(ends=NOW), None),
        (share(ends=NOW + timedelta(seconds=1)), "telemetry.in_future"),
        (share(ends=NOW - 2 * HOUR), "telemetry.ends_before_it_begins"),
        (share(begins=(NOW - 2 * HOUR).replace(tzinfo=None)), "telemetry.time_zone_missing"),
        ({"kind": "watch", "source": "vendor_dashboard", "begins": NOW - HOUR, "ends": NOW}, None),
        (outage(), None),
        (outage(ends=NOW), None),
        (outage(ends=NOW - 2 * HOUR), "telemetry.ends_before_it_begins"),
        (outage(begins=NOW + HOUR), "telemetry.in_future"),
        ({"kind": "adoption", "source": "champion_attestation", "at": NOW, "total": 3, "part": 3}, None),
        (
            {"kind": "adoption", "source": "champion_attestation", "at": NOW, "total": 3, "part": 4},
            "telemetry.part_exceeds_total",
        ),
        (metric(), None),
        (metric(counts={}), "metric.counts_wrong"),
        (metric(last_day="2026-02-01"), "telemetry.ends_before_it_begins"),
    ],
)
def test_each_entry_is_checked(entry: dict[str, Any], code: str | None) -> None:
    assert [found.code for found in findings(batch(entry), NOW, POLICY)] == ([code] if code else [])


def test_all_faults_are_found_with_their_places() -> None:
    found = findings(batch(share(part=11), share(), outage(), outage(), metric(counts={})), NOW, POLICY)
    assert [(one.entry, one.code) for one in found] == [
        (0, "telemetry.part_exceeds_total"),
        (4, "metric.counts_wrong"),
        (3, "telemetry.outage_twice"),
    ]


@pytest.mark.parametrize("fault", [{"total": -1}, {"source": "hearsay"}, {"kind": "weather"}, {"part": 1.5}])
def test_what_has_no_shape_is_no_entry(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        batch(share(**fault))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5))
def test_a_batch_is_known_by_its_content(shares: list[tuple[int, int]]) -> None:
    entries = [share(total=total, part=part) for total, part in shares]
    sent = batch(*entries)
    again = Batch.model_validate_json(sent.model_dump_json())
    assert again.digest == sent.digest
    assert batch(*entries, share()).digest != sent.digest
    wrong = {number for number, (total, part) in enumerate(shares) if part > total}
    assert {found.entry for found in findings(sent, NOW, POLICY)} == wrong
