"""The day plan of a wave: which item on which day, when a launch slips or a no-go adds a week (W-06 to W-09)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from domain.clock import ClockPolicy, Milestone, MilestoneKind
from domain.model import Value
from domain.rollout.moments import LocalMoment
from domain.rollout.orders import WaveOrder
from domain.rollout.wave.policy import DayItem, DayKind
from domain.rollout.wave.state import Entry, WaveState

WEEK = timedelta(weeks=1)


class PlannedEntry(Value):
    item_id: str
    local: LocalMoment

    @property
    def key(self) -> tuple[str, date, str]:
        return (self.item_id, self.local.day, self.local.time_zone)


def items(order: WaveOrder) -> dict[str, DayItem]:
    return {item.item_id: item for item in order.policy.days(pilot=order.pilot)}


def launch_item(order: WaveOrder) -> DayItem:
    return next(item for item in items(order).values() if item.kind is DayKind.LAUNCH)


def launch_day(order: WaveOrder) -> date:
    """As planned; on a holiday nobody launches, so then it is a week later."""
    return next(day for day in _launch_days(order) if day not in order.calendar.holidays)


def zones(order: WaveOrder) -> tuple[str, ...]:
    return tuple(sorted(set(order.time_zones.values())))


def locations_in(order: WaveOrder, time_zone: str) -> tuple[str, ...]:
    return tuple(one for one in order.planned.locations if order.time_zones[one] == time_zone)


def wanted(order: WaveOrder, state: WaveState) -> tuple[PlannedEntry, ...]:
    """The whole plan as it is now: with launches where they were moved to, and weeks that were added."""
    late = {zone: _weeks_late(order, state, zone) for zone in zones(order)}
    return tuple(
        entry
        for item in items(order).values()
        for zone in (zones(order) if item.local else (order.calendar.time_zone,))
        for entry in _entries(order, state, item, zone, late)
    )


def slipped_weeks(order: WaveOrder, state: WaveState) -> int:
    """By how many weeks the wave is later because a launch had to wait."""
    return max((_weeks_late(order, state, zone) for zone in zones(order)), default=0)


def launch_candidates(order: WaveOrder, zone: str) -> tuple[LocalMoment, ...]:
    """When a launch may happen that missed its day: on the same weekday, so that what follows keeps its rhythm."""
    at = launch_item(order).at
    days = (day for day in _launch_days(order) if day not in order.calendar.holidays)
    return tuple(LocalMoment(day=day, at=at, time_zone=zone) for day in days)


def evaluation_candidates(order: WaveOrder, state: WaveState) -> tuple[LocalMoment, ...]:
    """When it may be evaluated again: once a week from the week after the latest planned evaluation."""
    item = next(item for item in items(order).values() if item.kind is DayKind.EVALUATION)
    first = item.week + slipped_weeks(order, state) + state.extended_weeks + 1
    return tuple(
        LocalMoment(
            day=_on(order.planned.starts_on, week, item.weekdays[0]), at=item.at, time_zone=order.calendar.time_zone
        )
        for week in range(first, first + order.policy.search_weeks)
    )


def is_blocked(order: WaveOrder, state: WaveState, entry: Entry, *, held: bool) -> bool:
    """Launches and evaluations wait while something holds the wave; what follows a launch waits for it."""
    item = items(order)[entry.item_id]
    if held and item.kind in {DayKind.LAUNCH, DayKind.EVALUATION}:
        return True
    if not _follows_launch(order, item):
        return False
    waits_for = {entry.time_zone} if item.local else set(zones(order))
    return bool(waits_for & pending_launches(order, state))


def pending_launches(order: WaveOrder, state: WaveState) -> set[str]:
    """Time zones whose locations were not told yet."""
    launch = launch_item(order).item_id
    return {each.time_zone for each in state.agenda if each.item_id == launch and each.reached_at is None}


def next_entry(order: WaveOrder, state: WaveState, *, held: bool) -> Entry | None:
    open_entries = (each for each in state.agenda if each.reached_at is None)
    return next((each for each in open_entries if not is_blocked(order, state, each, held=held)), None)


def alarm(name: str, entry: Entry, now: datetime) -> ClockPolicy:
    """A clock that ends when the entry is due, at once where that is past."""
    milestone = Milestone(name=entry.item_id, kind=MilestoneKind.END, after=max(entry.at - now, timedelta()))
    return ClockPolicy(name=name, milestones=(milestone,))


def reach(state: WaveState, entry: Entry, at: Entry) -> None:
    """Put `at` in the place of the entry."""
    state.agenda = tuple(at if each.key == entry.key else each for each in state.agenda)


def _entries(
    order: WaveOrder, state: WaveState, item: DayItem, zone: str, late: dict[str, int]
) -> Iterator[PlannedEntry]:
    for day in _days(order, state, item, zone, late):
        yield PlannedEntry(item_id=item.item_id, local=LocalMoment(day=day, at=item.at, time_zone=zone))


def _days(order: WaveOrder, state: WaveState, item: DayItem, zone: str, late: dict[str, int]) -> Iterator[date]:
    starts_on, whole = order.planned.starts_on, max(late.values(), default=0)
    if item.kind is DayKind.LAUNCH:
        yield state.launch_days.get(zone, launch_day(order))
        return
    slip = (late[zone] if item.local else whole) if _follows_launch(order, item) else 0
    last = item.week + whole + state.extended_weeks
    weeks = range(item.week + slip, last + 1) if item.recurs else (item.week + slip,)
    if item.kind is DayKind.EVALUATION:
        weeks = (last,)
    yield from (_on(starts_on, week, weekday) for week in weeks for weekday in item.weekdays)


def _follows_launch(order: WaveOrder, item: DayItem) -> bool:
    launch = launch_item(order)
    return (item.week, item.weekdays[0], item.at) > (launch.week, launch.weekdays[0], launch.at)


def _weeks_late(order: WaveOrder, state: WaveState, zone: str) -> int:
    return (state.launch_days.get(zone, launch_day(order)) - next(_launch_days(order))) // WEEK


def _launch_days(order: WaveOrder) -> Iterator[date]:
    """The planned day, and the same weekday of the weeks after it."""
    launch = launch_item(order)
    for later in range(order.policy.search_weeks):
        yield _on(order.planned.starts_on, launch.week + later, launch.weekdays[0])


def _on(starts_on: date, week: int, weekday: int) -> date:
    return starts_on + (week - 1) * WEEK + timedelta(days=weekday - 1)
