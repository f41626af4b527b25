"""Working time, forwards and between, over nights, weekends, holidays and changes of the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.work_calendar import (
    OpeningHours,
    WorkCalendar,
    add_business_days,
    add_working_time,
    is_open,
    working_time_between,
)

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OFFICE = WorkCalendar(
    time_zone="America/New_York",
    hours=tuple(OpeningHours(weekday=day, opens=time(9), closes=time(17)) for day in range(1, 6)),
    holidays=frozenset({date(2026, 7, 3)}),
)
ALWAYS = WorkCalendar(
    time_zone="Europe/Berlin",
    hours=tuple(OpeningHours(weekday=day, opens=time(), closes=time()) for day in range(1, 8)),
)
NIGHTS = WorkCalendar(
    time_zone="Australia/Lord_Howe",
    hours=(
        OpeningHours(weekday=6, opens=time(22), closes=time(6)),
        OpeningHours(weekday=7, opens=time(1), closes=time(4)),  # lies within
        OpeningHours(weekday=7, opens=time(5), closes=time(8)),  # overlaps
    ),
)
NEVER = WorkCalendar(time_zone="UTC", hours=())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "end"),
    [
        (OFFICE, "2026-03-02T15:00", 2, "2026-03-02T17:00"),
        (OFFICE, "2026-03-02T15:00", 7, "2026-03-02T22:00"),  # ends at closing time, not at the next opening
        (OFFICE, "2026-03-02T15:00", 8, "2026-03-03T15:00"),
        (OFFICE, "2026-03-02T03:00", 1, "2026-03-02T15:00"),  # begins while it is closed
        (OFFICE, "2026-03-06T21:00", 2, "2026-03-09T14:00"),  # over a weekend with a change of the clock
        (OFFICE, "2026-07-02T20:00", 2, "2026-07-06T14:00"),  # over a holiday and a weekend
        (OFFICE, "2026-03-07T15:00", 0, "2026-03-07T15:00"),
        (OFFICE, "2026-03-02T14:00", 400, "2026-05-08T21:00"),
        (ALWAYS, "2026-03-28T23:00", 23, "2026-03-29T22:00"),
        (NIGHTS, "2026-10-02T00:00", 9.5, "2026-10-03T21:00"),  # Saturday 22:00 to Sunday 08:00, less half an hour
        (NIGHTS, "2026-03-28T00:00", 10, "2026-03-28T21:00"),
    ],
)
def test_working_time_passes_while_it_is_open(calendar: WorkCalendar, start: str, hours: float, end: str) -> None:
    found = add_working_time(utc(start), hours * HOUR, calendar)
    assert found == utc(end)
    assert found.tzinfo is UTC
    assert working_time_between(utc(start), found, calendar) == hours * HOUR


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-02T13:59:59", False),
        ("2026-03-02T14:00", True),
        ("2026-03-02T21:59:59", True),
        ("2026-03-02T22:00", False),
        ("2026-03-09T13:00", True),
        ("2026-03-08T15:00", False),
        ("2026-07-03T15:00", False),
    ],
)
def test_is_open_from_opening_to_closing(at: str, expected: bool) -> None:
    assert is_open(utc(at), OFFICE) is expected


def test_a_holiday_closes_the_night_that_begins_on_it() -> None:
    saturday = NIGHTS.model_copy(update={"holidays": frozenset({date(2026, 3, 7)})})
    assert working_time_between(utc("2026-03-06T00:00"), utc("2026-03-09T00:00"), saturday) == 6 * HOUR


def test_no_working_time_lies_before_a_beginning() -> None:
    assert working_time_between(utc("2026-03-03T15:00"), utc("2026-03-02T15:00"), OFFICE) == timedelta()


@pytest.mark.parametrize(
    ("day", "number", "expected"),
    [
        ("2026-03-02", 1, "2026-03-03"),
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-07", 1, "2026-03-09"),
        ("2026-07-02", 1, "2026-07-06"),
        ("2026-07-06", -1, "2026-07-02"),
        ("2026-03-07", 0, "2026-03-07"),
        ("2026-03-02", 10, "2026-03-16"),
    ],
)
def test_business_days_leave_out_weekends_and_holidays(day: str, number: int, expected: str) -> None:
    assert add_business_days(date.fromisoformat(day), number, OFFICE) == date.fromisoformat(expected)


NOON = utc("2026-03-02T12:00")


@pytest.mark.parametrize(
    "ask",
    [
        lambda: add_working_time(NOON, HOUR, NEVER),
        lambda: add_working_time(NOON, timedelta(), NEVER),
        lambda: working_time_between(NOON, NOON + HOUR, NEVER),
        lambda: add_business_days(NOON.date(), 1, NEVER),
    ],
)
def test_a_calendar_without_hours_has_no_answer(ask: Callable[[], object]) -> None:
    with pytest.raises(Invalid) as refusal:
        ask()
    assert refusal.value.code == "calendar.never_open"
    assert not is_open(NOON, NEVER)


@pytest.mark.parametrize(
    ("duration", "time_zone", "code"),
    [(-HOUR, "UTC", "calendar.duration_negative"), (HOUR, "Nowhere", "time_zone.unknown")],
)
def test_refuses_negative_time_and_unknown_zones(duration: timedelta, time_zone: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        add_working_time(NOON, duration, OFFICE.model_copy(update={"time_zone": time_zone}))
    assert refusal.value.code == code


times = st.integers(0, 47).map(lambda half: time(half // 2, half % 2 * 30))
calendars = st.builds(
    WorkCalendar,
    time_zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]),
    hours=st.lists(
        st.builds(OpeningHours, weekday=st.integers(1, 7), opens=times, closes=times), min_size=1, max_size=6
    ).map(tuple),
    holidays=st.frozensets(st.dates(date(2026, 3, 1), date(2026, 4, 30)), max_size=10),
)
moments = st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 30), timezones=st.just(UTC))  # noqa: DTZ001
durations = st.integers(0, 3 * 24 * 60).map(lambda minutes: minutes * MINUTE)


@given(calendars, moments, durations)
@settings(deadline=None)
def test_what_is_added_is_found_between(calendar: WorkCalendar, start: datetime, duration: timedelta) -> None:
    end = add_working_time(start, duration, calendar)
    assert end >= start
    assert working_time_between(start, end, calendar) == duration
    if duration:
        assert is_open(end - timedelta(microseconds=1), calendar)
        assert working_time_between(start, end - timedelta(microseconds=1), calendar) < duration


@given(calendars, moments, durations, durations)
@settings(deadline=None)
def test_two_stretches_are_as_long_as_one(
    calendar: WorkCalendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    halfway = add_working_time(start, first, calendar)
    end = add_working_time(halfway, second, calendar)
    assert working_time_between(start, end, calendar) == first + second


@given(calendars, moments)
@settings(max_examples=30, deadline=None)
def test_working_time_is_the_sum_of_the_open_minutes(calendar: WorkCalendar, start: datetime) -> None:
    start = start.replace(second=0, microsecond=0)
    minutes = [start + number * MINUTE for number in range(2 * 24 * 60)]
    expected = sum(is_open(at, calendar) for at in minutes) * MINUTE
    assert working_time_between(start, minutes[-1] + MINUTE, calendar) == expected
