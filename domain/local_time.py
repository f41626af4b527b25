"""Local wall-clock times as moments. Clocks that are put forward or back are met in one way everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from domain.errors import Invalid

DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Span(NamedTuple):
    """From `start` up to but not including `end`, aware UTC."""

    start: datetime
    end: datetime


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of this IANA name. Raises `Invalid` (`time_zone.unknown`)."""
    if name not in available_timezones():
        raise Invalid("time_zone.unknown", "this is not a name in the IANA time zone database")
    return ZoneInfo(name)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which clocks there show this time or a later one.

    So a time that comes twice is the first of the two, and one that is skipped is the moment of the skip. Later local
    times never give earlier moments, and shifts that adjoin on paper adjoin on every day of the year.
    """
    local = datetime.combine(day, at, zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    before, after = local.replace(fold=1).astimezone(UTC), moment
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == old else (before, middle)
    return after.replace(microsecond=0)


def span(day: date, starts: time, ends: time, zone: ZoneInfo) -> Span:
    """From one local time to another; one that is not later is on the next day."""
    last = day if ends > starts else day + DAY
    return Span(instant(day, starts, zone), instant(last, ends, zone))


def days_about(at: datetime, zone: ZoneInfo) -> tuple[date, date, date]:
    """The local dates on which a span of at most a day may begin that holds this moment.

    The next date is one of them: clocks put back shortly after midnight show the day before once more.
    """
    today = at.astimezone(zone).date()
    return today - DAY, today, today + DAY
