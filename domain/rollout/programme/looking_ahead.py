"""When waves and programme will be, by the plan and by what has happened (R-06, W-02, decision 21)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from domain.rollout.forecast import ProgrammeForecast, Slip, WaveStanding, forecast
from domain.rollout.moments import LocalMoment
from domain.rollout.orders import ProgramLocation, RolloutOrder
from domain.rollout.plan import PlannedWave
from domain.rollout.planning import dates
from domain.rollout.programme.rules import waves
from domain.rollout.programme.state import Planned, ProgrammeState, WaveDates
from domain.rollout.wave.policy import DayKind

LAUNCH_MOVED = "launch_moved"
DAYS_OF_WEEK = 7


def look_ahead(order: RolloutOrder, state: ProgrammeState, now: datetime) -> ProgrammeForecast:
    """By the day that it is in UTC: a Monday that has begun there has not ended anywhere that matters."""
    return forecast(
        state.plan.model_copy(update={"waves": waves(state)}),
        [_standing(state, wave.number) for wave in waves(state)],
        as_of=now.date(),
        starts_on=order.starts_on,
        calendar=order.calendar,
        policy=order.policy.planning,
    )


def _standing(state: ProgrammeState, number: int) -> WaveStanding:
    """What holds cost a wave is in its slips: of its Mondays before it starts, of its launches afterwards."""
    record = state.wave(number)
    moved = Slip(cause=LAUNCH_MOVED, days=record.slipped_weeks * DAYS_OF_WEEK)
    return WaveStanding(
        number=number,
        started_on=record.started_on,
        closed_on=record.closed_at.date() if record.closed_at else None,
        extended_weeks=record.extended_weeks,
        slips=(moved,) if moved.days else (),
        not_before=record.not_before,
        waits_for=next((slip.causes for slip in state.slips if slip.wave == number), ()),
    )


def as_started(order: RolloutOrder, wave: PlannedWave, monday: date) -> PlannedWave:
    """The planned wave with the dates of the Monday on which it really starts."""
    ends_on = dates.end_of_weeks(monday, order.policy.planning.wave_weeks, order.calendar)
    return wave.model_copy(
        update={
            "starts_on": monday,
            "first_business_day": dates.first_business_day(monday, order.calendar),
            "ends_on": ends_on,
            "first_week": dates.week_of(monday, order.starts_on),
            "last_week": dates.week_of(ends_on, order.starts_on),
        }
    )


def next_monday(order: RolloutOrder, monday: date) -> date:
    """To which a wave slips that could not start on this one."""
    return dates.open_week(monday + dates.WEEK, order.calendar)


def local_moments(order: RolloutOrder, wave: PlannedWave, monday: date) -> tuple[LocalMoment, ...]:
    """Of a wave that starts on this Monday: its start, its integration's, its launch in each of its time zones."""
    central = order.calendar.time_zone
    launch = next(item for item in order.policy.wave.days(pilot=is_pilot(wave.number)) if item.kind is DayKind.LAUNCH)
    day = monday + timedelta(weeks=launch.week - 1, days=launch.weekdays[0] - 1)
    while day in order.calendar.holidays:  # then it is on the same weekday of a later week
        day += dates.WEEK
    return (
        LocalMoment(day=monday, at=time.min, time_zone=central),
        LocalMoment(day=monday - order.policy.planning.integration_lead, at=time.min, time_zone=central),
        *(
            LocalMoment(day=day, at=launch.at, time_zone=zone if launch.local else central)
            for zone in zones(order, wave)
        ),
    )


def zones(order: RolloutOrder, wave: PlannedWave) -> tuple[str, ...]:
    """Of its locations, sorted."""
    return tuple(sorted({one.calendar.time_zone for one in order.locations if one.location_id in wave.locations}))


def dates_of(order: RolloutOrder, wave: PlannedWave, monday: date, found: tuple[datetime, ...]) -> WaveDates:
    """`found` answers `local_moments`."""
    launches = dict(zip(zones(order, wave), found[2:], strict=True))
    return WaveDates(of=monday, starts_at=found[0], integration_from=found[1], launches=launches)


def undated(order: RolloutOrder, state: ProgrammeState, ahead: ProgrammeForecast) -> tuple[PlannedWave, ...]:
    """Waves that have not started and whose moments are not known, or are of another Monday or other places."""
    found = []
    for wave in waves(state):
        record = state.wave(wave.number)
        known = record.dates is not None and (
            record.dates.of == ahead.wave(wave.number).starts_on
            and set(record.dates.launches) == set(zones(order, wave))
        )
        if record.started_at is None and not known:
            found.append(wave)
    return tuple(found)


def planned_for(order: RolloutOrder, state: ProgrammeState, location: ProgramLocation) -> Planned:
    """What a location is told of its wave."""
    wave = state.plan.wave_of(location.location_id)
    dates_known = state.wave(wave.number).dates if wave else None
    launches = pilot_launches(state)
    before = order.policy.baseline.deadline_before_pilot
    return Planned(
        wave=wave.number if wave else None,
        integration_from=dates_known.integration_from if dates_known else None,
        go_live_at=dates_known.launches.get(location.calendar.time_zone) if dates_known else None,
        baselines_due=min(launches) - before if launches else None,
    )


def pilot_launches(state: ProgrammeState) -> tuple[datetime, ...]:
    first = next(iter(waves(state)), None)
    known = state.wave(first.number).dates if first else None
    return tuple(known.launches.values()) if known else ()


def is_pilot(number: int) -> bool:
    return number == 1
