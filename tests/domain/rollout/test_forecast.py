"""What has happened moves what comes after it, and the forecast says by how much and why."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rollout.forecast import Held, ProgrammeForecast, Slip, WaveStanding, forecast, next_start
from domain.rollout.planning import dates
from tests.domain.rollout.groups import CALENDAR, MONDAY, POLICY

PLANNING = POLICY.planning
GROUPS = tuple(tuple(f"{wave}-{place}" for place in range(size)) for wave, size in enumerate((3, 8, 12, 7), start=1))
PLAN = dates.whole(GROUPS, MONDAY, CALENDAR, PLANNING)
FIRST, SECOND, THIRD, FOURTH = PLAN.waves
DAY = timedelta(days=1)


def look(*standings: WaveStanding, as_of: date = MONDAY) -> ProgrammeForecast:
    return forecast(PLAN, standings, as_of=as_of, starts_on=MONDAY, calendar=CALENDAR, policy=PLANNING)


def done(number: int, **changed: object) -> WaveStanding:
    wave = PLAN.waves[number - 1]
    return WaveStanding(number=number, started_on=wave.starts_on, closed_on=wave.ends_on).model_copy(update=changed)


def weeks(found: ProgrammeForecast) -> list[tuple[int, int]]:
    return [(wave.first_week, wave.last_week) for wave in found.waves]


def test_before_anything_has_happened_the_forecast_is_the_plan() -> None:
    found = look()
    assert [(one.starts_on, one.ends_on) for one in found.waves] == [(one.starts_on, one.ends_on) for one in PLAN.waves]
    assert found.shifts == ()
    assert (found.weeks_planned, found.weeks_forecast, found.overrun) == (20, 20, False)
    assert found.ends_on == PLAN.ends_on


def test_a_no_go_of_a_week_moves_everything_after_it() -> None:
    found = look(WaveStanding(number=1, started_on=FIRST.starts_on, extended_weeks=1), as_of=FIRST.ends_on)
    assert weeks(found) == [(3, 6), (8, 10), (12, 14), (16, 18)]
    assert [(one.wave, one.days, one.cause) for one in found.shifts] == [
        (1, 7, "no_go"),
        (2, 7, "previous_wave"),
        (3, 7, "previous_wave"),
        (4, 7, "previous_wave"),
    ]
    assert (found.optimization_weeks, found.weeks_forecast, found.overrun) == (2, 20, False)


def test_two_weeks_late_is_an_overrun() -> None:
    found = look(WaveStanding(number=1, started_on=FIRST.starts_on, extended_weeks=2), as_of=FIRST.ends_on)
    assert (found.optimization_weeks, found.weeks_forecast, found.overrun) == (2, 21, True)


def test_a_gate_that_is_passed_by_monday_costs_nothing_and_a_day_later_a_week() -> None:
    monday = FIRST.ends_on + 3 * DAY
    assert weeks(look(done(1, closed_on=monday), as_of=monday))[1] == (7, 9)
    found = look(done(1, closed_on=monday + DAY), as_of=monday + DAY)
    assert weeks(found)[1] == (8, 10)
    assert [(one.wave, one.days, one.cause) for one in found.shifts][:2] == [
        (1, 4, "late_close"),
        (2, 7, "previous_wave"),
    ]


def test_a_hold_on_a_running_wave_moves_its_end_by_its_days() -> None:
    held = Held(reason="systemic:sync_failure", since=SECOND.starts_on + DAY, until=SECOND.starts_on + 6 * DAY)
    found = look(
        done(1), WaveStanding(number=2, started_on=SECOND.starts_on, holds=(held,)), as_of=SECOND.starts_on + 7 * DAY
    )
    assert found.wave(2).ends_on == SECOND.ends_on + 5 * DAY
    assert [(one.wave, one.days, one.cause) for one in found.shifts] == [
        (2, 5, "systemic:sync_failure"),
        (3, 7, "previous_wave"),
        (4, 7, "previous_wave"),
    ]


def test_two_holds_at_once_cost_their_days_once() -> None:
    start = SECOND.starts_on
    first = Held(reason="executive", since=start, until=start + 7 * DAY)
    second = Held(reason="systemic:outage", since=start + 3 * DAY, until=start + 14 * DAY)
    found = look(done(1), WaveStanding(number=2, started_on=start, holds=(second, first)), as_of=start + 14 * DAY)
    assert [(one.days, one.cause) for one in found.shifts if one.wave == 2] == [
        (7, "executive"),
        (7, "systemic:outage"),
    ]
    assert found.wave(2).ends_on == SECOND.ends_on + 14 * DAY


def test_a_hold_that_stands_is_counted_up_to_now_and_keeps_the_next_wave_from_starting() -> None:
    held = (Held(reason="executive", since=SECOND.starts_on - DAY),)
    found = look(done(1), WaveStanding(number=2, holds=held), as_of=SECOND.starts_on)
    assert found.wave(2).starts_on == SECOND.starts_on + 7 * DAY
    assert next((one.wave, one.days, one.cause) for one in found.shifts) == (2, 7, "executive")


def test_a_wave_that_waits_says_for_what() -> None:
    late = SECOND.starts_on + DAY
    found = look(done(1), WaveStanding(number=2, waits_for=("pilot_baselines", "approvals")), as_of=late)
    assert found.wave(2).starts_on == SECOND.starts_on + 7 * DAY
    assert [(one.days, one.cause) for one in found.shifts if one.wave == 2] == [(7, "pilot_baselines")]


def test_a_known_delay_moves_the_start_by_whole_weeks() -> None:
    found = look(WaveStanding(number=1, slips=(Slip(cause="vendor_late", days=2),)))
    assert found.wave(1).starts_on == FIRST.starts_on + 7 * DAY
    assert [(one.days, one.cause) for one in found.shifts if one.wave == 1] == [(7, "vendor_late")]


def test_a_wave_that_cannot_start_before_a_day_starts_on_the_monday_from_it() -> None:
    found = look(WaveStanding(number=1, not_before=FIRST.starts_on + 14 * DAY))
    assert found.wave(1).starts_on == FIRST.starts_on + 14 * DAY
    assert [(one.days, one.cause) for one in found.shifts if one.wave == 1] == [(14, "late_start")]


def test_a_holiday_at_the_end_of_a_moved_wave_is_not_called_late() -> None:
    calendar = CALENDAR.model_copy(update={"holidays": frozenset({SECOND.ends_on + 7 * DAY})})
    found = forecast(
        PLAN,
        (WaveStanding(number=1, started_on=FIRST.starts_on, extended_weeks=1),),
        as_of=FIRST.starts_on,
        starts_on=MONDAY,
        calendar=calendar,
        policy=PLANNING,
    )
    assert [(one.days, one.cause) for one in found.shifts if one.wave == 2] == [
        (7, "previous_wave"),
        (-1, "business_days"),
    ]


def test_slow_waves_cost_the_optimization_its_weeks_before_they_cost_the_programme() -> None:
    found = look(done(1), done(2), done(3, closed_on=THIRD.ends_on + 7 * DAY), as_of=THIRD.ends_on + 7 * DAY)
    assert (found.optimization_weeks, found.weeks_forecast) == (2, 20)
    assert dates.week_of(found.optimization_starts_on, MONDAY) == 19


@pytest.mark.parametrize("days", range(8))
def test_the_next_start_is_a_monday_at_least_a_week_after_the_close(days: int) -> None:
    closed = FIRST.ends_on + days * DAY
    found = next_start(closed, SECOND.starts_on, PLANNING.buffer)
    assert found.isoweekday() == 1
    assert found >= SECOND.starts_on
    assert closed + timedelta(days=7) <= found or found == SECOND.starts_on
    assert found - closed >= timedelta(days=7)


DELAYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 10)), min_size=4, max_size=4)


def standings(delays: list[tuple[int, int, int]], running: int) -> list[WaveStanding]:
    return [
        WaveStanding(
            number=number,
            started_on=PLAN.waves[0].starts_on if number == running == 1 else None,
            extended_weeks=extended,
            slips=(Slip(cause="vendor_late", days=slipped), Slip(cause="weather", days=more)),
        )
        for number, (extended, slipped, more) in enumerate(delays, start=1)
    ]


@given(DELAYS, DELAYS, st.integers(0, 1), st.integers(0, 150))
def test_more_delay_never_makes_anything_earlier(
    delays: list[tuple[int, int, int]], more: list[tuple[int, int, int]], running: int, day: int
) -> None:
    both = [tuple(map(sum, zip(one, other, strict=True))) for one, other in zip(delays, more, strict=True)]
    as_of = MONDAY + day * DAY
    before = look(*standings(delays, running), as_of=as_of)
    after = look(*standings(both, running), as_of=as_of)  # type: ignore[arg-type]
    assert all(
        a.starts_on <= b.starts_on and a.ends_on <= b.ends_on for a, b in zip(before.waves, after.waves, strict=True)
    )
    assert before.ends_on <= after.ends_on
    assert before.weeks_forecast <= after.weeks_forecast


@given(DELAYS, st.integers(0, 1), st.integers(0, 150))
def test_the_shifts_of_a_wave_add_up_to_what_it_ends_later(
    delays: list[tuple[int, int, int]], running: int, day: int
) -> None:
    found = look(*standings(delays, running), as_of=MONDAY + day * DAY)
    total = Counter[int]()
    for shift in found.shifts:
        total[shift.wave] += shift.days
    for wave in found.waves:
        assert total[wave.number] == (wave.ends_on - wave.planned_end).days
        assert wave.starts_on.isoweekday() == 1
