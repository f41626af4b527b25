"""Local days and times of a rollout as moments. For activities and the API: a replay must not work them out anew."""

from __future__ import annotations

from datetime import date, datetime, time

from domain.local_time import instant, zone_of
from domain.model import Value
from domain.work_calendar import WorkCalendar, add_business_days


class LocalMoment(Value):
    day: date
    at: time
    time_zone: str
    """IANA name."""


def moment(local: LocalMoment) -> datetime:
    """Aware UTC. Raises `Invalid` (`time_zone.unknown`)."""
    return instant(local.day, local.at, zone_of(local.time_zone))


def business_day(starts_on: date, number: int, calendar: WorkCalendar) -> date:
    """Day `number` of a programme, the first being 1 (decision 22). Raises `Invalid` (`calendar.never_open`)."""
    first = add_business_days(add_business_days(starts_on, -1, calendar), 1, calendar)
    return add_business_days(first, number - 1, calendar)


def end_of_business_day(starts_on: date, number: int, calendar: WorkCalendar) -> datetime:
    """When that day's opening hours end, in UTC: what is due on a day is due then."""
    day = business_day(starts_on, number, calendar)
    closes = max(hours.closes for hours in calendar.hours if hours.weekday == day.isoweekday())
    return instant(day, closes, zone_of(calendar.time_zone))
