"""Local times as moments, on ordinary days and when clocks are put forward or back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.local_time import instant, span, zone_of

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("zone", "day", "at", "utc"),
    [
        (NEW_YORK, "2026-03-02", "09:00", "2026-03-02T14:00"),
        (NEW_YORK, "2026-03-08", "01:59", "2026-03-08T06:59"),
        (NEW_YORK, "2026-03-08", "02:00", "2026-03-08T07:00"),  # skipped: clocks go from 2:00 to 3:00
        (NEW_YORK, "2026-03-08", "02:30", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08", "03:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-11-01", "01:30", "2026-11-01T05:30"),  # comes twice: the first
        (NEW_YORK, "2026-11-01", "02:00", "2026-11-01T07:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30"),  # put forward by half an hour
        ("Africa/Cairo", "2026-04-24", "00:30", "2026-04-23T22:00"),  # midnight is skipped
        ("Pacific/Apia", "2011-12-30", "12:00", "2011-12-30T10:00"),  # the whole day is
        ("Asia/Kolkata", "2026-03-02", "05:30", "2026-03-02T00:00"),
    ],
)
def test_a_local_time_is_the_first_moment_that_shows_it_or_a_later_one(zone: str, day: str, at: str, utc: str) -> None:
    found = instant(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone))
    assert found == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@given(
    zone=st.sampled_from([NEW_YORK, "Europe/Berlin", "Africa/Cairo", "America/Santiago", "Australia/Lord_Howe"]),
    first=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001  # local times
    later=st.timedeltas(timedelta(), timedelta(hours=3)),
)
def test_later_local_times_never_come_earlier(zone: str, first: datetime, later: timedelta) -> None:
    second = first + later
    moments = [instant(one.date(), one.time(), ZoneInfo(zone)) for one in (first, second)]
    assert moments == sorted(moments)


def test_a_span_may_cross_midnight_and_lasts_as_long_as_the_clocks_make_it() -> None:
    night = [span(date(2026, *day), time(22), time(6), ZoneInfo(NEW_YORK)) for day in ((3, 2), (3, 7), (10, 31))]
    assert [(end - start) / timedelta(hours=1) for start, end in night] == [8, 7, 9]
    whole_day = span(date(2026, 3, 2), time(), time(), ZoneInfo(NEW_YORK))
    assert whole_day.end - whole_day.start == timedelta(days=1)


@pytest.mark.parametrize("name", ["", "Mars/Phobos", "America", "../etc/passwd", "america/new_york"])
def test_refuses_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        zone_of(name)
    assert refusal.value.code == "time_zone.unknown"
