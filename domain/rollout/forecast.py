"""When the waves and the programme will be, after what has happened, and what moved them (R-06, W-02, decision 21).

Dates, weekdays and holidays only: a workflow may call this, and passes the local dates in. What is not over by the day
of the forecast is taken to go on as planned from then: a hold that stands is counted up to that day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from domain.model import Value
from domain.rollout.plan import Plan, PlannedWave
from domain.rollout.planning import dates
from domain.rollout.planning.policy import PlanningPolicy
from domain.work_calendar import WorkCalendar

DAY = timedelta(days=1)
PREVIOUS_WAVE = "previous_wave"
LATE_START = "late_start"
LATE_CLOSE = "late_close"
NO_GO = "no_go"
BUSINESS_DAYS = "business_days"
"""Weekends and holidays: what is due on one is due on the next business day."""


class Held(Value):
    """A hold that a wave felt. Local dates."""

    reason: str
    """A stable code, as in `Hold.reason`."""
    since: date
    until: date | None = None
    """The day it was lifted; None while it stands."""


class Slip(Value):
    """A delay that is known of: of the start while a wave has not started, of the end afterwards."""

    cause: str
    days: int


class WaveStanding(Value):
    """What has become of a wave so far. Local dates."""

    number: int
    started_on: date | None = None
    """The Monday it went by."""
    closed_on: date | None = None
    extended_weeks: int = 0
    """By no-go decisions."""
    holds: tuple[Held, ...] = ()
    slips: tuple[Slip, ...] = ()
    not_before: date | None = None
    """It cannot start earlier, for the reasons in `waits_for`."""
    waits_for: tuple[str, ...] = ()
    """Stable codes of what was or is missing for its start."""


class Shift(Value):
    """So many days later than planned, and why. An earlier day is a negative number."""

    wave: int
    days: int
    cause: str


class WaveForecast(Value):
    number: int
    planned_start: date
    planned_end: date
    starts_on: date
    """A Monday; where the wave has started, the one it went by."""
    ends_on: date
    first_week: int
    last_week: int
    started: bool
    closed: bool


class ProgrammeForecast(Value):
    as_of: date
    waves: tuple[WaveForecast, ...]
    shifts: tuple[Shift, ...]
    """What moved each wave. The days of a wave's shifts add up to how much later it ends than planned."""
    optimization_starts_on: date
    optimization_weeks: int
    ends_on: date
    weeks_planned: int
    weeks_forecast: int
    overrun: bool
    """More weeks than a programme should take (R-06)."""

    def wave(self, number: int) -> WaveForecast:
        return next(wave for wave in self.waves if wave.number == number)


def next_start(previous_closed: date, planned: date, buffer: timedelta) -> date:
    """The Monday on which the next wave may start: not before its plan, nor within the buffer (W-02)."""
    return dates.next_start(previous_closed, planned, buffer)


def forecast(
    plan: Plan,
    standings: Iterable[WaveStanding],
    *,
    as_of: date,
    starts_on: date,
    calendar: WorkCalendar,
    policy: PlanningPolicy,
) -> ProgrammeForecast:
    """`starts_on` is the first day of the programme, `calendar` the central team's.

    Raises `Invalid` (`calendar.never_open`).
    """
    known = {one.number: one for one in standings}
    ahead = _Ahead(as_of=as_of, starts_on=starts_on, calendar=calendar, policy=policy)
    for wave in plan.waves:
        ahead.add(wave, known.get(wave.number, WaveStanding(number=wave.number)))
    last = ahead.waves[-1].ends_on if ahead.waves else plan.optimization_starts_on - DAY
    begins, weeks = dates.optimization(last, starts_on, policy)
    week = dates.week_of(begins, starts_on) + weeks - 1
    return ProgrammeForecast(
        as_of=as_of,
        waves=tuple(ahead.waves),
        shifts=tuple(ahead.shifts),
        optimization_starts_on=begins,
        optimization_weeks=weeks,
        ends_on=dates.end_of_weeks(begins, weeks, calendar),
        weeks_planned=plan.last_week,
        weeks_forecast=week,
        overrun=week > policy.programme_weeks[1],
    )


class _Ahead:
    """The waves in their order, each with what it inherits from the one before."""

    def __init__(self, *, as_of: date, starts_on: date, calendar: WorkCalendar, policy: PlanningPolicy) -> None:
        self.as_of = as_of
        self.starts_on = starts_on
        self.calendar = calendar
        self.policy = policy
        self.waves: list[WaveForecast] = []
        self.shifts: list[Shift] = []

    def add(self, planned: PlannedWave, standing: WaveStanding) -> None:
        inherited = self._inherited(planned)
        monday = standing.started_on or self._start(inherited, standing)
        ends_on = standing.closed_on or self._end(monday, standing)
        self.waves.append(
            WaveForecast(
                number=planned.number,
                planned_start=planned.starts_on,
                planned_end=planned.ends_on,
                starts_on=monday,
                ends_on=ends_on,
                first_week=dates.week_of(monday, self.starts_on),
                last_week=dates.week_of(ends_on, self.starts_on),
                started=standing.started_on is not None,
                closed=standing.closed_on is not None,
            )
        )
        self._explain_start(planned, standing, inherited, monday)
        self._explain_end(planned, standing, monday, ends_on)

    def _inherited(self, planned: PlannedWave) -> date:
        """When it would start if only the waves before it counted."""
        if not self.waves:
            return planned.starts_on
        monday = next_start(self.waves[-1].ends_on, planned.starts_on, self.policy.buffer)
        return dates.open_week(monday, self.calendar)

    def _start(self, inherited: date, standing: WaveStanding) -> date:
        """Of a wave that has not started: not on a day that is over, nor while a hold stands."""
        wanted = inherited + _days(standing.slips)
        earliest = max(wanted, standing.not_before or wanted)
        # A Monday on which it may still start is not over.
        earliest = max(earliest, self.as_of)
        if any(hold.until is None for hold in standing.holds):
            earliest = max(earliest, self.as_of + DAY)
        return dates.open_week(dates.monday_from(earliest), self.calendar)

    def _end(self, monday: date, standing: WaveStanding) -> date:
        weeks = self.policy.wave_weeks + standing.extended_weeks
        late = timedelta()
        if standing.started_on is not None:
            late = _days(standing.slips) + sum((days for _, days in self._held(monday, standing)), timedelta())
        ends_on = dates.end_of_weeks(monday, weeks, self.calendar)
        if late:
            ends_on = dates.first_business_day(ends_on + late, self.calendar)
        return max(ends_on, self.as_of) if standing.started_on is not None else ends_on

    def _held(self, monday: date, standing: WaveStanding) -> list[tuple[str, timedelta]]:
        """Days that holds took of a running wave; a day that two of them held is the earlier one's."""
        found: list[tuple[str, timedelta]] = []
        free = monday
        for hold in sorted(standing.holds, key=lambda one: (one.since, one.reason)):
            begins = max(hold.since, free)
            until = max(hold.until or self.as_of, begins)
            found.append((hold.reason, until - begins))
            free = until
        return found

    def _explain_start(self, planned: PlannedWave, standing: WaveStanding, inherited: date, monday: date) -> None:
        if inherited != planned.starts_on:
            self._shift(planned, inherited - planned.starts_on, PREVIOUS_WAVE)
        own = monday - inherited
        held = next((hold.reason for hold in standing.holds if hold.since <= monday), None)
        slipped = standing.slips[0].cause if standing.slips and standing.started_on is None else None
        waited = standing.waits_for[0] if standing.waits_for else None
        self._shift(planned, own, waited or slipped or held or LATE_START)

    def _explain_end(self, planned: PlannedWave, standing: WaveStanding, monday: date, ends_on: date) -> None:
        """What remains after no-go decisions, holds and slips: it took longer, or ends next to a holiday."""
        left = (ends_on - planned.ends_on) - (monday - planned.starts_on)
        causes = [(NO_GO, standing.extended_weeks * dates.WEEK)]
        if standing.started_on is not None:
            causes += self._held(monday, standing)
            causes += [(slip.cause, slip.days * DAY) for slip in standing.slips]
        for cause, days in causes:
            self._shift(planned, days, cause)
            left -= days
        running = standing.started_on is not None
        took_longer = standing.closed_on is not None or (running and ends_on == self.as_of)
        self._shift(planned, left, LATE_CLOSE if took_longer else BUSINESS_DAYS)

    def _shift(self, wave: PlannedWave, days: timedelta, cause: str) -> None:
        if days:
            self.shifts.append(Shift(wave=wave.number, days=days.days, cause=cause))


def _days(slips: Iterable[Slip]) -> timedelta:
    return sum((slip.days for slip in slips), 0) * DAY
