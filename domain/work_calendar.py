"""Working time: opening hours of every week, less holidays, in one time zone.

Zone rules change with tzdata, so a workflow gets these results from an activity, never from a call of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from pydantic import Field

from domain.errors import Invalid
from domain.local_time import DAY, Span, days_about, span, zone_of
from domain.model import Value


class OpeningHours(Value):
    """Local times of one weekday. When `closes` is not later than `opens`, it is on the next day."""

    weekday: int = Field(ge=1, le=7)
    """1 is Monday, 7 is Sunday."""
    opens: time
    closes: time


class WorkCalendar(Value):
    time_zone: str
    """IANA name."""
    hours: tuple[OpeningHours, ...]
    """Overlaps count once."""
    holidays: frozenset[date] = frozenset()
    """Nothing opens on these local dates."""


def add_working_time(start: datetime, duration: timedelta, calendar: WorkCalendar) -> datetime:
    """The moment, in UTC, at which so much working time has passed since `start` (aware).

    What ends with the opening hours ends at closing time, and no time at all is `start` itself. Raises `Invalid`
    (`calendar.never_open`, `calendar.duration_negative`, `time_zone.unknown`).
    """
    if duration < timedelta():
        raise Invalid("calendar.duration_negative", "working time cannot be taken back")
    spans = _open_spans(start, calendar)
    if not duration:
        return start.astimezone(UTC)
    left = duration
    opens, closes = next(spans)
    while closes - opens < left:
        left -= closes - opens
        opens, closes = next(spans)
    return opens + left


def opening_times(start: datetime, enough: timedelta, calendar: WorkCalendar) -> tuple[Span, ...]:
    """The opening times from `start` (aware) on, in order and apart, that hold so much working time together.

    Raises `Invalid` (`calendar.never_open`, `time_zone.unknown`).
    """
    found: list[Span] = []
    left = enough
    for opens, closes in _open_spans(start, calendar):
        found.append(Span(opens, closes))
        left -= closes - opens
        if left <= timedelta():
            break
    return tuple(found)


def working_time_between(start: datetime, end: datetime, calendar: WorkCalendar) -> timedelta:
    """How much of the time from `start` to `end` (aware) is working time; none when `end` is not later.

    Raises `Invalid` (`calendar.never_open`, `time_zone.unknown`).
    """
    total = timedelta()
    for opens, closes in _open_spans(start, calendar):
        if opens >= end:
            break
        total += min(closes, end) - opens
    return total


def is_open(at: datetime, calendar: WorkCalendar) -> bool:
    """Whether this moment (aware) is working time. Raises `Invalid` (`time_zone.unknown`)."""
    days = days_about(at, zone_of(calendar.time_zone))
    return any(opens <= at < closes for day in days for opens, closes in _spans_of(day, calendar))


def add_business_days(day: date, number: int, calendar: WorkCalendar) -> date:
    """The business day that is so many after `day`, or before it for a negative number; `day` itself for none.

    A business day has opening hours and is no holiday. Raises `Invalid` (`calendar.never_open`).
    """
    _require_hours(calendar)
    step = DAY if number > 0 else -DAY
    left = abs(number)
    while left:
        day += step
        left -= _is_business_day(day, calendar)
    return day


def _open_spans(start: datetime, calendar: WorkCalendar) -> Iterator[Span]:
    """Opening times from `start` on, in order and without overlap, for ever."""
    _require_hours(calendar)
    first = days_about(start, zone_of(calendar.time_zone))[0]
    return _without_overlap(start.astimezone(UTC), first, calendar)


def _without_overlap(done: datetime, first: date, calendar: WorkCalendar) -> Iterator[Span]:
    for number in count():
        for opens, closes in _spans_of(first + number * DAY, calendar):
            if closes > done:
                yield Span(max(opens, done), closes)
                done = closes


def _spans_of(day: date, calendar: WorkCalendar) -> list[Span]:
    if day in calendar.holidays:
        return []
    zone = zone_of(calendar.time_zone)
    return sorted(span(day, one.opens, one.closes, zone) for one in calendar.hours if one.weekday == day.isoweekday())


def _is_business_day(day: date, calendar: WorkCalendar) -> bool:
    return day not in calendar.holidays and any(one.weekday == day.isoweekday() for one in calendar.hours)


def _require_hours(calendar: WorkCalendar) -> None:
    if not calendar.hours:
        raise Invalid("calendar.never_open", "the calendar has no opening hours")
