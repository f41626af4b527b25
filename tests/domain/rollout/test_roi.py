"""What the rollout brings, from counts alone: nothing is made up where a figure is missing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import policy
from domain.rollout.baseline import BaselineMetric, Counts
from domain.rollout.roi import Collected, Prices, Stretch, after_go_live, compare, overall, roi, validation_weeks

POLICY = policy.load().rollout.baseline
LIVE_ON = date(2026, 3, 19)
MONTH = after_go_live(POLICY, LIVE_ON)[0]


def hours(week: int, weeks: int = 1) -> Counts:
    each = {"confirmation_hours": week * weeks, "recall_call_hours": 0, "inquiry_hours": 0, "weeks": weeks}
    return {name: Decimal(count) for name, count in each.items()}


def no_shows(scheduled: int, missed: int) -> Counts:
    each = {"scheduled": scheduled, "missed_without_notice": missed, "cancelled_within_24_h": 0}
    return {name: Decimal(count) for name, count in each.items()}


def recalls(due: int, completed: int) -> Counts:
    return {"recall_due": Decimal(due), "recall_completed": Decimal(completed)}


BEFORE: Collected = {
    BaselineMetric.FRONT_DESK_HOURS: hours(20),
    BaselineMetric.NO_SHOW_RATE: no_shows(1000, 100),
    BaselineMetric.RECALL_CONVERSION_RATE: recalls(200, 80),
}
AFTER: Collected = {
    BaselineMetric.FRONT_DESK_HOURS: hours(13, weeks=4),
    BaselineMetric.NO_SHOW_RATE: no_shows(500, 30),
    BaselineMetric.RECALL_CONVERSION_RATE: recalls(50, 30),
}


def test_the_stretches_after_a_go_live_adjoin() -> None:
    stretches = after_go_live(POLICY, LIVE_ON)
    assert [one.name for one in stretches] == ["day_30", "day_60", "day_90"]
    assert stretches[0].first_day == LIVE_ON
    assert stretches[-1].last_day == LIVE_ON + timedelta(days=89)
    assert all(later.first_day == one.last_day + timedelta(days=1) for one, later in pairwise(stretches))


def test_the_weeks_of_validation_are_17_to_20() -> None:
    weeks = validation_weeks(POLICY, date(2026, 3, 2))
    assert (weeks.first_day, weeks.last_day) == (date(2026, 6, 22), date(2026, 7, 19))
    assert weeks.weeks == 4


def test_the_return_of_a_month() -> None:
    found = roi(POLICY, MONTH, BEFORE, AFTER, Prices(hour_cents=3000, visit_cents=15_000))
    # 7 hours a week over 30 days; 10 % of no-shows down to 6 % of 500; 40 % of recalls up to 60 % of 50.
    assert [found.hours_saved, found.no_shows_avoided, found.recalls_gained] == [30, 20, 10]
    assert found.saved_cents == 30 * 3000 + 30 * 15_000


def test_without_prices_nothing_is_worth_anything() -> None:
    assert roi(POLICY, MONTH, BEFORE, AFTER, Prices()).saved_cents is None
    assert roi(POLICY, MONTH, BEFORE, AFTER, Prices(hour_cents=0)).saved_cents == 0


@pytest.mark.parametrize(("before", "after"), [(BEFORE, {}), ({}, AFTER), ({}, {})])
def test_without_one_of_both_figures_there_is_no_change(before: Collected, after: Collected) -> None:
    found = roi(POLICY, MONTH, before, after, Prices(hour_cents=1, visit_cents=1))
    assert (found.hours_saved, found.no_shows_avoided, found.recalls_gained, found.saved_cents) == (None,) * 4
    assert {one.change for one in found.comparisons} == {None}


@pytest.mark.parametrize(("missed", "better"), [(50, True), (100, None), (150, False)])
def test_fewer_no_shows_are_better(missed: int, better: bool | None) -> None:
    spec = POLICY.spec("no_show_rate")
    assert compare(spec, no_shows(1000, 100), no_shows(1000, missed), 2).better is better


def test_more_recalls_are_better() -> None:
    assert compare(POLICY.spec("recall_conversion_rate"), recalls(100, 40), recalls(100, 41), 2).better


def test_locations_are_added_up_and_rates_are_of_those_that_have_both_figures() -> None:
    before = {"a": BEFORE, "b": BEFORE, "c": {}}
    after = {"a": AFTER, "b": {BaselineMetric.NO_SHOW_RATE: no_shows(1500, 150)}, "c": AFTER}
    each = {place: roi(POLICY, MONTH, before[place], after[place], Prices(hour_cents=100)) for place in before}
    found = overall(POLICY, each, before, after)
    assert [found.hours_saved, found.no_shows_avoided, found.saved_cents] == [30, 20, 3000]
    no_show = next(one for one in found.comparisons if one.metric is BaselineMetric.NO_SHOW_RATE)
    assert [no_show.baseline, no_show.value, no_show.change] == [10, 9, -1]


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 13))
def test_hours_are_saved_when_there_are_fewer(before: int, after: int, weeks: int) -> None:
    stretch = Stretch(name="s", first_day=LIVE_ON, last_day=LIVE_ON + timedelta(days=7 * weeks - 1))
    found = roi(
        POLICY,
        stretch,
        {BaselineMetric.FRONT_DESK_HOURS: hours(before)},
        {BaselineMetric.FRONT_DESK_HOURS: hours(after, weeks)},
        Prices(hour_cents=100),
    )
    assert found.hours_saved == (before - after) * weeks
    assert found.saved_cents == (before - after) * weeks * 100
