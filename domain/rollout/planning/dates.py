"""When waves are (R-05, W-01, W-02, decision 21): Mondays, whole weeks, the buffer between them.

Only dates, weekdays and holidays: nothing here needs the time zone database, so a workflow may call it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from domain.rollout.plan import Plan, PlannedWave
from domain.rollout.planning.policy import PlanningPolicy
from domain.work_calendar import WorkCalendar, add_business_days

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
MOST_CLOSED_WEEKS = 52


def monday_of(day: date) -> date:
    return day - (day.isoweekday() - 1) * DAY


def monday_from(day: date) -> date:
    """That day, or the first Monday after it."""
    return monday_of(day + WEEK - DAY)


def next_start(previous_closed: date, planned: date, buffer: timedelta) -> date:
    """The Monday on which the next wave may start: not before its plan, nor within the buffer (W-02)."""
    return monday_from(max(planned, previous_closed + buffer))


def week_of(day: date, starts_on: date) -> int:
    """Week of the programme; the first is 1."""
    return (monday_of(day) - monday_of(starts_on)) // WEEK + 1


def monday_of_week(number: int, starts_on: date) -> date:
    return monday_of(starts_on) + (number - 1) * WEEK


def first_business_day(day: date, calendar: WorkCalendar) -> date:
    """That day, or the first business day after it. Raises `Invalid` (`calendar.never_open`)."""
    return add_business_days(day - DAY, 1, calendar)


def last_business_day(day: date, calendar: WorkCalendar) -> date:
    """That day, or the last business day before it. Raises `Invalid` (`calendar.never_open`)."""
    return add_business_days(day + DAY, -1, calendar)


def open_week(monday: date, calendar: WorkCalendar) -> date:
    """The first Monday from that one on in whose week there is a business day (a wave cannot begin in another)."""
    for number in range(MOST_CLOSED_WEEKS):
        week = monday + number * WEEK
        if first_business_day(week, calendar) < week + WEEK:
            return week
    return monday


def end_of_weeks(monday: date, weeks: int, calendar: WorkCalendar) -> date:
    """The last business day of so many weeks from that Monday, which has a business day itself."""
    return last_business_day(monday + weeks * WEEK - DAY, calendar)


def published_week(number: int, policy: PlanningPolicy) -> int:
    """Of a wave; extra waves (decision 28) have none of their own and follow the last."""
    return policy.waves[min(number, len(policy.waves)) - 1].first_week


def dated(
    groups: tuple[tuple[str, ...], ...],
    starts_on: date,
    calendar: WorkCalendar,
    policy: PlanningPolicy,
    *,
    settled: tuple[PlannedWave, ...] = (),
) -> tuple[PlannedWave, ...]:
    """The waves with their dates: as published, unless the buffer moves them. Settled ones keep theirs."""
    return tuple(_dated(groups, starts_on, calendar, policy, {wave.number: wave for wave in settled}))


def _dated(
    groups: tuple[tuple[str, ...], ...],
    starts_on: date,
    calendar: WorkCalendar,
    policy: PlanningPolicy,
    settled: dict[int, PlannedWave],
) -> Iterator[PlannedWave]:
    closed: date | None = None
    for number, locations in enumerate(groups, start=1):
        if number in settled:
            closed = settled[number].ends_on
            yield settled[number]
            continue
        published = monday_of_week(published_week(number, policy), starts_on)
        monday = next_start(closed, published, policy.buffer) if closed else published
        monday = open_week(monday, calendar)
        closed = end_of_weeks(monday, policy.wave_weeks, calendar)
        yield PlannedWave(
            number=number,
            locations=locations,
            starts_on=monday,
            first_business_day=first_business_day(monday, calendar),
            ends_on=closed,
            first_week=week_of(monday, starts_on),
            last_week=week_of(closed, starts_on),
        )


def optimization(last_end: date, starts_on: date, policy: PlanningPolicy) -> tuple[date, int]:
    """The Monday on which the optimization starts, and how many weeks it has: fewer when the waves ended late."""
    monday = monday_from(last_end + DAY)
    left = policy.programme_weeks[1] - week_of(monday, starts_on) + 1
    return monday, max(policy.optimization_weeks_least, min(policy.optimization_weeks, left))


def integration_from(wave: PlannedWave, policy: PlanningPolicy) -> date:
    """When integration of the wave's locations begins (decision 38)."""
    return wave.starts_on - policy.integration_lead


def whole(
    groups: tuple[tuple[str, ...], ...],
    starts_on: date,
    calendar: WorkCalendar,
    policy: PlanningPolicy,
    *,
    settled: tuple[PlannedWave, ...] = (),
) -> Plan:
    """The plan of these waves, of which there is at least one, with warnings about its dates and sizes."""
    waves = dated(groups, starts_on, calendar, policy, settled=settled)
    begins, weeks = optimization(waves[-1].ends_on, starts_on, policy)
    ends_on = end_of_weeks(begins, weeks, calendar)
    return Plan(
        waves=waves,
        optimization_starts_on=begins,
        ends_on=ends_on,
        last_week=week_of(begins, starts_on) + weeks - 1,
        warnings=(*_about_dates(waves, begins, weeks, starts_on, policy), *_about_sizes(waves, policy)),
    )


def _about_dates(
    waves: tuple[PlannedWave, ...], begins: date, weeks: int, starts_on: date, policy: PlanningPolicy
) -> Iterator[str]:
    for wave in waves[: len(policy.waves)]:
        if late := wave.first_week - published_week(wave.number, policy):
            yield f"later_than_published:{wave.number}:{late}"
    if weeks < policy.optimization_weeks:
        yield f"optimization_compressed:{weeks}"
    if (last := week_of(begins, starts_on) + weeks - 1) > policy.programme_weeks[1]:
        yield f"overrun:{last}"


def _about_sizes(waves: tuple[PlannedWave, ...], policy: PlanningPolicy) -> Iterator[str]:
    for wave in waves:
        if len(wave.locations) > policy.large_wave:
            yield f"wave_large:{wave.number}"
        if len(wave.locations) < policy.waves[min(wave.number, len(policy.waves)) - 1].at_least:
            yield f"wave_small:{wave.number}"
