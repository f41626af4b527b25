"""What the rollout brings: figures after the go-live against the baseline (Z-02, R-05 ROI validation)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from operator import add
from typing import TypeVar

from domain.model import Value
from domain.rollout.baseline import (
    BaselineMetric,
    BaselinePolicy,
    Counts,
    Measured,
    MetricSpec,
    measure,
    rounded,
    total,
)

WEEK = timedelta(weeks=1)


class Stretch(Value):
    """Local days of which figures count; both ends do."""

    name: str
    """`day_30`, `day_60`, `day_90` or `weeks_17_to_20`."""
    first_day: date
    last_day: date

    @property
    def weeks(self) -> Decimal:
        return Decimal((self.last_day - self.first_day).days + 1) / 7


class Prices(Value):
    """What an hour and a visit are worth, where somebody says so."""

    hour_cents: int | None = None
    visit_cents: int | None = None


class Comparison(Value):
    """One metric in one stretch of time against its baseline. `change` is None where either is missing."""

    metric: BaselineMetric
    baseline: Decimal | None
    baseline_literal: Decimal | None
    value: Decimal | None
    value_literal: Decimal | None
    change: Decimal | None
    """The value less its baseline, in the unit of the metric: points where that is percent."""
    better: bool | None


class Roi(Value):
    """Of a location, or of several together, in one stretch."""

    stretch: Stretch
    comparisons: tuple[Comparison, ...]
    hours_saved: Decimal | None
    """Of the front desk, over the stretch."""
    no_shows_avoided: Decimal | None
    recalls_gained: Decimal | None
    saved_cents: int | None
    """What hours and visits come to; None without prices."""


Collected = Mapping[BaselineMetric, Counts]


def after_go_live(policy: BaselinePolicy, went_live_on: date) -> tuple[Stretch, ...]:
    """The days up to each checkpoint, from the one before it on: 1 to 30, 31 to 60, 61 to 90."""
    begins = 0
    found: list[Stretch] = []
    for ends in policy.roi.checkpoints:
        first, last = went_live_on + timedelta(days=begins), went_live_on + timedelta(days=ends - 1)
        found.append(Stretch(name=f"day_{ends}", first_day=first, last_day=last))
        begins = ends
    return tuple(found)


def validation_weeks(policy: BaselinePolicy, starts_on: date) -> Stretch:
    """The weeks of the programme in which the return is validated; `starts_on` is the Monday of the first."""
    first, last = policy.roi.first_validation_week, policy.roi.last_validation_week
    return Stretch(
        name=f"weeks_{first}_to_{last}",
        first_day=starts_on + (first - 1) * WEEK,
        last_day=starts_on + last * WEEK - timedelta(days=1),
    )


def compare(spec: MetricSpec, before: Counts | None, after: Counts | None, decimals: int) -> Comparison:
    baseline, now = (measure(spec, counts, decimals) if counts else None for counts in (before, after))
    change = _change(baseline, now)
    return Comparison(
        metric=spec.metric,
        baseline=baseline.bucketed.value if baseline else None,
        baseline_literal=baseline.playbook_literal.value if baseline else None,
        value=now.bucketed.value if now else None,
        value_literal=now.playbook_literal.value if now else None,
        change=change,
        better=None if not change else (change < 0) is spec.lower_is_better,
    )


def roi(policy: BaselinePolicy, stretch: Stretch, before: Collected, after: Collected, prices: Prices) -> Roi:
    """Of counts that were found to be in order."""
    compared = tuple(
        compare(spec, before.get(spec.metric), after.get(spec.metric), policy.decimals) for spec in policy.metrics
    )
    changes = {one.metric: one.change for one in compared}
    hours = _times(changes[BaselineMetric.FRONT_DESK_HOURS], -stretch.weeks, policy.decimals)
    scheduled = after.get(BaselineMetric.NO_SHOW_RATE, {}).get("scheduled")
    no_shows = _times(changes[BaselineMetric.NO_SHOW_RATE], -_percent_of(scheduled), policy.decimals)
    due = after.get(BaselineMetric.RECALL_CONVERSION_RATE, {}).get("recall_due")
    recalls = _times(changes[BaselineMetric.RECALL_CONVERSION_RATE], _percent_of(due), policy.decimals)
    return Roi(
        stretch=stretch,
        comparisons=compared,
        hours_saved=hours,
        no_shows_avoided=no_shows,
        recalls_gained=recalls,
        saved_cents=_worth(prices, hours, no_shows, recalls),
    )


def overall(
    policy: BaselinePolicy, each: Mapping[str, Roi], before: Mapping[str, Collected], after: Mapping[str, Collected]
) -> Roi:
    """Several locations as one, by location id. A metric is of those that have both a baseline and later figures."""
    pooled = tuple(
        compare(spec, *_pooled(spec.metric, each, before, after), decimals=policy.decimals) for spec in policy.metrics
    )
    stretches = [one.stretch for one in each.values()]
    return Roi(
        stretch=Stretch(
            name=stretches[0].name,
            first_day=min(one.first_day for one in stretches),
            last_day=max(one.last_day for one in stretches),
        ),
        comparisons=pooled,
        hours_saved=_added([one.hours_saved for one in each.values()]),
        no_shows_avoided=_added([one.no_shows_avoided for one in each.values()]),
        recalls_gained=_added([one.recalls_gained for one in each.values()]),
        saved_cents=_added([one.saved_cents for one in each.values()]),
    )


Number = TypeVar("Number", int, Decimal)


def _added(numbers: list[Number | None]) -> Number | None:
    """None where nothing is known."""
    known = [number for number in numbers if number is not None]
    return reduce(add, known) if known else None


def _pooled(
    metric: BaselineMetric, each: Iterable[str], before: Mapping[str, Collected], after: Mapping[str, Collected]
) -> tuple[Counts | None, Counts | None]:
    both = [one for one in each if metric in before.get(one, {}) and metric in after.get(one, {})]
    if not both:
        return None, None
    return total([before[one][metric] for one in both]), total([after[one][metric] for one in both])


def _change(baseline: Measured | None, now: Measured | None) -> Decimal | None:
    if baseline is None or now is None or baseline.bucketed.value is None or now.bucketed.value is None:
        return None
    return now.bucketed.value - baseline.bucketed.value


def _percent_of(count: Decimal | None) -> Decimal:
    return (count or Decimal()) / 100


def _times(change: Decimal | None, factor: Decimal, decimals: int) -> Decimal | None:
    return None if change is None else rounded(change * factor, decimals)


def _worth(prices: Prices, hours: Decimal | None, no_shows: Decimal | None, recalls: Decimal | None) -> int | None:
    """What is known of it; None when nothing is, or nothing has a price."""
    visits = [count for count in (no_shows, recalls) if count is not None]
    worth = [hours * prices.hour_cents] if hours is not None and prices.hour_cents is not None else []
    worth += [count * prices.visit_cents for count in visits] if prices.visit_cents is not None else []
    return int(rounded(sum(worth, Decimal()), 0)) if worth else None
