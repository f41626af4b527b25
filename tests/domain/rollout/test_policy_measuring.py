"""Every number of baselines, of the return and of the regular reports is the one decided."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import policy
from domain.rollout.baseline import BaselineMetric, Unit, WindowKind
from domain.rollout.cadences import Cadence, Condition, Every, Scope
from domain.rollout.phases import WavePhase

BASELINE = policy.load().rollout.baseline
CADENCES = policy.load().rollout.cadences

DAYS, MONTHS = WindowKind.TRAILING_DAYS, WindowKind.TRAILING_MONTHS
REGISTRY = {
    # B-03 to B-10: 90 d, 90 d, 6 mo, 6 mo, 1 wk, 90 d, now, 90 d
    BaselineMetric.NO_SHOW_RATE: ("B-03", DAYS, 90, Unit.PERCENT, True, False),
    BaselineMetric.SAME_DAY_CANCELLATION_RATE: ("B-04", DAYS, 90, Unit.PERCENT, True, False),
    BaselineMetric.RECALL_CONVERSION_RATE: ("B-05", MONTHS, 6, Unit.PERCENT, False, False),
    BaselineMetric.RECALL_DELAY: ("B-06", MONTHS, 6, Unit.DAYS, True, False),
    BaselineMetric.FRONT_DESK_HOURS: ("B-07", WindowKind.WEEKS, 1, Unit.HOURS_PER_WEEK, True, False),
    BaselineMetric.REVIEW_VOLUME: ("B-08", DAYS, 90, Unit.PER_MONTH, False, False),
    BaselineMetric.STAR_RATING: ("B-09", WindowKind.SNAPSHOT, 0, Unit.STARS, False, False),
    BaselineMetric.RESPONSE_RATE: ("B-10", DAYS, 90, Unit.PERCENT, False, True),
}


@pytest.mark.parametrize("metric", list(BaselineMetric))
def test_metrics_are_measured_over_their_windows(metric: BaselineMetric) -> None:
    spec = BASELINE.spec(metric)
    shown = (spec.requirement, spec.window.kind, spec.window.length, spec.unit, spec.lower_is_better, spec.optional)
    assert shown == REGISTRY[metric]


def test_the_registry_holds_each_metric_once() -> None:
    assert [spec.metric for spec in BASELINE.metrics] == list(REGISTRY)


def test_a_month_of_reviews_has_thirty_days_and_rates_are_in_percent() -> None:
    factors = {spec.metric: spec.bucketed.factor for spec in BASELINE.metrics}
    percent = {metric for metric, row in REGISTRY.items() if row[3] is Unit.PERCENT}
    assert {metric for metric, factor in factors.items() if factor == 100} == percent
    assert factors[BaselineMetric.REVIEW_VOLUME] == 30


def test_baselines_are_due_a_week_before_the_pilot_and_take_8_to_12_hours() -> None:
    assert BASELINE.deadline_before_pilot == timedelta(weeks=1)
    assert (BASELINE.effort.least_hours, BASELINE.effort.most_hours) == (8, 12)
    assert BASELINE.decimals == 2


def test_the_deadline_is_the_one_that_the_location_keeps() -> None:
    assert policy.load().rollout.location.baseline_before_go_live == BASELINE.deadline_before_pilot


def test_the_return_is_measured_after_30_60_and_90_days_and_in_weeks_17_to_20() -> None:
    assert BASELINE.roi.checkpoints == (30, 60, 90)
    assert (BASELINE.roi.first_validation_week, BASELINE.roi.last_validation_week) == (17, 20)


REPORTS = {
    # A-03, L-04, H-09
    Cadence.BOARD_REPORT: (Every.QUARTER, Condition.ALWAYS, Scope.PROGRAMME, {"board"}, "0 13 1 1,4,7,10 *"),
    Cadence.EXECUTIVE_REPORT: (
        Every.MONTH,
        Condition.ALWAYS,
        Scope.PROGRAMME,
        {"ceo_coo", "cfo", "chief_dental_officer", "vp_operations", "it_lead", "compliance"},
        "0 13 1 * *",
    ),
    Cadence.REGIONAL_REPORT: (Every.WEEK, Condition.ACTIVE_WAVE, Scope.REGION, {"regional_manager"}, "0 13 * * 1"),
    Cadence.CHAMPION_CHECK: (
        Every.DAY,
        Condition.GO_LIVE,
        Scope.LOCATION,
        {"office_manager", "champion"},
        "0 12 * * 1-5",
    ),
    Cadence.CHAMPION_REPORT: (Every.WEEK, Condition.DEPLOYED, Scope.REGION, {"regional_manager"}, "0 20 * * 5"),
    Cadence.CREDENTIAL_AUDIT: (Every.QUARTER, Condition.ALWAYS, Scope.PROGRAMME, {"it_lead"}, "0 13 1 1,4,7,10 *"),
}


@pytest.mark.parametrize("cadence", list(Cadence))
def test_reports_go_to_their_readers_as_often_as_agreed(cadence: Cadence) -> None:
    spec = CADENCES.spec(cadence)
    assert spec is not None
    audiences = {notice.audience.value for notice in spec.notices}
    assert (spec.every, spec.condition, spec.scope, audiences, spec.cron) == REPORTS[cadence]
    assert {notice.template for notice in spec.notices} == {f"rollout_{cadence}"}


def test_a_wave_is_active_from_its_training_until_it_is_closed() -> None:
    assert set(WavePhase) - CADENCES.active_phases == {WavePhase.PLANNED, WavePhase.CLOSED, WavePhase.CANCELLED}
    assert CADENCES.go_live_phases == {WavePhase.GO_LIVE}
