"""Baselines: the same period and counts everywhere, both readings of a metric, what is still missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import policy
from domain.errors import NotFound
from domain.rollout import baseline
from domain.rollout.baseline import BaselineMetric, Unit, Window, WindowKind

POLICY = policy.load().rollout.baseline
NO_SHOWS = POLICY.spec("no_show_rate")
CANCELLATIONS = POLICY.spec("same_day_cancellation_rate")
LAST = date(2026, 3, 31)


def counts(**given: int | str) -> dict[str, Decimal]:
    return {name: Decimal(count) for name, count in given.items()}


BUSY = counts(scheduled=1000, missed_without_notice=50, cancelled_within_24_h=30)


def test_late_cancellations_are_no_no_shows_but_the_playbook_counts_them_as_such() -> None:
    measured = baseline.measure(NO_SHOWS, BUSY, 2)
    assert (measured.bucketed.value, measured.playbook_literal.value) == (Decimal(5), Decimal(8))
    late = {name: BUSY[name] for name in CANCELLATIONS.counts}
    cancelled = baseline.measure(CANCELLATIONS, late, 2)
    assert (cancelled.bucketed.value, cancelled.playbook_literal.value) == (Decimal(3), Decimal(3))


@pytest.mark.parametrize(
    ("metric", "given", "value"),
    [
        ("recall_conversion_rate", counts(recall_completed=120, recall_due=300), "40.00"),
        ("recall_delay", counts(days_from_due_to_scheduled=1825, recalls_scheduled=100), "18.25"),
        (
            "front_desk_hours",
            counts(confirmation_hours="12.5", recall_call_hours=8, inquiry_hours="4.25", weeks=1),
            "24.75",
        ),
        ("review_volume", counts(reviews=20, days=90), "6.67"),
        ("star_rating", counts(sum_of_ratings="8.9", platforms=2), "4.45"),
        ("response_rate", counts(responses=1, attempts=3), "33.33"),
    ],
)
def test_metrics_are_worked_out_from_their_counts(metric: str, given: dict[str, Decimal], value: str) -> None:
    spec = POLICY.spec(metric)
    assert baseline.faults(spec, given) == ()
    assert str(baseline.measure(spec, given, POLICY.decimals).bucketed.value) == value


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        (counts(scheduled=10), ("metric.counts_wrong",)),
        ({**BUSY, "walk_ins": Decimal(1)}, ("metric.counts_wrong",)),
        ({**BUSY, "scheduled": Decimal(-1)}, ("metric.count_negative",)),
        ({**BUSY, "scheduled": Decimal("NaN")}, ("metric.count_negative",)),
        (
            counts(scheduled=0, missed_without_notice=1, cancelled_within_24_h=0),
            ("metric.nothing_counted", "metric.part_exceeds_total"),
        ),
        (counts(scheduled=10, missed_without_notice=8, cancelled_within_24_h=3), ("metric.part_exceeds_total",)),
        (counts(scheduled=11, missed_without_notice=8, cancelled_within_24_h=3), ()),
    ],
)
def test_counts_that_cannot_be_right_are_named(given: dict[str, Decimal], codes: tuple[str, ...]) -> None:
    assert baseline.faults(NO_SHOWS, given) == codes


@pytest.mark.parametrize(
    ("window", "first"),
    [
        (Window(kind=WindowKind.TRAILING_DAYS, length=90), date(2026, 1, 1)),
        (Window(kind=WindowKind.TRAILING_MONTHS, length=6), date(2025, 10, 1)),
        (Window(kind=WindowKind.WEEKS, length=1), date(2026, 3, 25)),
        (Window(kind=WindowKind.SNAPSHOT, length=0), LAST),
    ],
)
def test_a_window_ends_with_its_last_day(window: Window, first: date) -> None:
    assert window.begins(LAST) == first


@pytest.mark.parametrize(
    ("last", "first"),
    [
        (date(2026, 8, 30), date(2026, 2, 28)),  # the 31st of February is its last day
        (date(2024, 8, 28), date(2024, 2, 29)),
        (date(2026, 1, 15), date(2025, 7, 16)),
        (date(2026, 12, 31), date(2026, 7, 1)),
    ],
)
def test_half_a_year_goes_by_the_calendar(last: date, first: date) -> None:
    assert Window(kind=WindowKind.TRAILING_MONTHS, length=6).begins(last) == first


def test_periods_are_of_one_length_and_are_over() -> None:
    begins = NO_SHOWS.window.begins(LAST)
    assert baseline.period_faults(NO_SHOWS, begins, LAST, today=LAST) == ()
    assert baseline.period_faults(NO_SHOWS, begins - timedelta(days=1), LAST, today=LAST) == ("metric.period_wrong",)
    assert baseline.period_faults(NO_SHOWS, begins, LAST, today=begins) == ("metric.period_in_future",)


def test_what_is_optional_is_missing_only_when_it_is_unreliable() -> None:
    every = [spec.metric for spec in POLICY.metrics]
    needed = [metric for metric in every if metric is not BaselineMetric.RESPONSE_RATE]
    assert baseline.missing(POLICY, needed) == ()
    assert baseline.missing(POLICY, every, ["response_rate"]) == ("baseline:response_rate",)
    assert baseline.missing(POLICY, needed[1:]) == ("baseline:no_show_rate",)
    assert baseline.missing(POLICY, needed, ["star_rating"]) == ("baseline:star_rating",)


def test_baselines_are_due_a_week_before_the_pilot() -> None:
    go_live = datetime(2026, 3, 19, 15, tzinfo=UTC)
    assert baseline.deadline(POLICY, go_live) == datetime(2026, 3, 12, 15, tzinfo=UTC)


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(NotFound) as refusal:
        POLICY.spec("smiles")
    assert refusal.value.code == "metric.unknown"


amounts = st.integers(0, 10_000).map(Decimal)


@given(amounts, amounts, amounts)
def test_the_buckets_add_up_to_the_literal_rate(missed: Decimal, late: Decimal, kept: Decimal) -> None:
    scheduled = missed + late + kept
    given_counts = {"scheduled": scheduled, "missed_without_notice": missed, "cancelled_within_24_h": late}
    if baseline.faults(NO_SHOWS, given_counts):
        assert not scheduled
        return
    no_shows = baseline.measure(NO_SHOWS, given_counts, 6)
    same_day = baseline.measure(CANCELLATIONS, {name: given_counts[name] for name in CANCELLATIONS.counts}, 6)
    assert no_shows.bucketed.value is not None
    assert no_shows.playbook_literal.value is not None
    assert same_day.bucketed.value is not None
    together = no_shows.bucketed.value + same_day.bucketed.value
    assert abs(together - no_shows.playbook_literal.value) <= Decimal("0.000002")
    assert 0 <= no_shows.bucketed.value <= no_shows.playbook_literal.value <= 100


@given(st.sampled_from(list(POLICY.metrics)), st.data())
def test_a_rate_of_sums_lies_between_the_rates(spec: baseline.MetricSpec, data: st.DataObject) -> None:
    def some() -> dict[str, Decimal]:
        parts = {name: data.draw(st.integers(0, 100)) for name in sorted(spec.counts)}
        for name in spec.bucketed.denominator:
            parts[name] = data.draw(st.integers(300, 1000))
        return {name: Decimal(count) for name, count in parts.items()}

    one, other = some(), some()
    values = [baseline.measure(spec, each, 4).bucketed.value or Decimal() for each in (one, other)]
    both = baseline.measure(spec, baseline.total([one, other]), 4).bucketed.value
    assert both is not None
    assert min(values) - Decimal("0.0001") <= both <= max(values) + Decimal("0.0001")
    assert spec.unit is not Unit.PERCENT or both <= 100


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(list(POLICY.metrics)))
def test_a_window_holds_its_last_day_and_the_next_day_moves_it_on(last: date, spec: baseline.MetricSpec) -> None:
    begins = spec.window.begins(last)
    assert begins <= last
    assert begins <= spec.window.begins(last + timedelta(days=1))
    assert baseline.period_faults(spec, begins, last, today=last) == ()
