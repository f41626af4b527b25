"""What the practices of the demo count: before the platform, and with it."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.rollout.baseline import BaselinePolicy

Counts = dict[str, dict[str, str]]

BEFORE: Counts = {
    "no_show_rate": {"scheduled": "2400", "missed_without_notice": "196", "cancelled_within_24_h": "142"},
    "same_day_cancellation_rate": {"scheduled": "2400", "cancelled_within_24_h": "142"},
    "recall_conversion_rate": {"recall_due": "900", "recall_completed": "430"},
    "recall_delay": {"recalls_scheduled": "480", "days_from_due_to_scheduled": "15840"},
    "front_desk_hours": {"confirmation_hours": "14", "recall_call_hours": "9", "inquiry_hours": "11", "weeks": "1"},
    "review_volume": {"reviews": "27", "days": "90"},
    "star_rating": {"sum_of_ratings": "8.6", "platforms": "2"},
}
AFTER: Counts = {
    "no_show_rate": {"scheduled": "800", "missed_without_notice": "44", "cancelled_within_24_h": "36"},
    "recall_conversion_rate": {"recall_due": "150", "recall_completed": "89"},
    "front_desk_hours": {"confirmation_hours": "3", "recall_call_hours": "4", "inquiry_hours": "9", "weeks": "1"},
}


def baseline(policy: BaselinePolicy, last_day: date) -> list[dict[str, Any]]:
    """One collection for each metric of the registry, each over its own period."""
    return [
        {
            "metric": spec.metric,
            "first_day": spec.window.begins(last_day).isoformat(),
            "last_day": last_day.isoformat(),
            "counts": BEFORE[spec.metric],
            "method": "practice_reports",
        }
        for spec in policy.metrics
        if spec.metric in BEFORE
    ]


def metric_samples(first_day: date, last_day: date, counts: Counts) -> list[dict[str, Any]]:
    days = {"first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
    return [
        {"kind": "metric", "source": "practice_reports", "metric": metric, **days, "counts": values}
        for metric, values in counts.items()
    ]
