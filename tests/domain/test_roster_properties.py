"""The roster beside a reckoning that reads the local clock minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actors import Audience
from domain.roster import Absence, QuietHours, Reason, Resolution, Shift, StaffMember, on_shift, resolve

WEEKS = {
    "America/New_York": (date(2026, 3, 5), date(2026, 10, 29)),
    "Europe/Berlin": (date(2026, 3, 26), date(2026, 10, 22)),
    "Australia/Lord_Howe": (date(2026, 4, 2), date(2026, 10, 1)),
    "Africa/Cairo": (date(2026, 4, 21), date(2026, 10, 27)),  # at midnight
    "America/Santiago": (date(2026, 4, 2), date(2026, 9, 3)),  # at midnight
}
"""Zones, and days shortly before their clocks change."""
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

zones = st.sampled_from(sorted(WEEKS))
quarters = st.integers(0, 95).map(lambda number: time(number // 4, number % 4 * 15))


@cache
def minutes(zone: str, begin: date) -> list[tuple[datetime, datetime]]:
    """Nine days: each minute, and what the local clock shows."""
    first = datetime.combine(begin, time(), UTC) - 2 * DAY
    moments = (first + number * MINUTE for number in range(11 * 24 * 60))
    return [(one, one.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for one in moments]


def first_minute(zone: str, begin: date, local: datetime) -> int:
    """The number of the first minute at which the clock shows this or more."""
    return next((number for number, (_, shown) in enumerate(minutes(zone, begin)) if shown >= local), 11 * 24 * 60)


def within(zone: str, begin: date, starts: time, ends: time, weekdays: tuple[int, ...]) -> set[int]:
    """Numbers of the minutes that lie in such a span of local time."""
    found: set[int] = set()
    for number in range(-2, 10):
        day = begin + number * DAY
        if day.isoweekday() in weekdays:
            last = day if ends > starts else day + DAY
            bounds = (datetime.combine(day, starts), datetime.combine(last, ends))
            found |= set(range(*(first_minute(zone, begin, one) for one in bounds)))
    return found


@given(
    zone=zones,
    autumn=st.booleans(),
    starts=quarters,
    ends=quarters,
    weekdays=st.sets(st.integers(1, 7), min_size=1).map(lambda found: tuple(sorted(found))),
)
@settings(max_examples=25, deadline=None)
def test_at_every_quarter_of_an_hour_of_a_week_with_a_change_exactly_those_on_shift(
    zone: str, autumn: bool, starts: time, ends: time, weekdays: tuple[int, ...]
) -> None:
    begin = WEEKS[zone][autumn]
    shift = Shift(
        staff_id="a",
        audience=Audience.SUPPORT,
        weekdays=weekdays,
        starts=starts,
        ends=ends,
        valid_from=date(2026, 1, 1),
    )
    member = StaffMember(id="a", time_zone=zone)
    expected = within(zone, begin, starts, ends, weekdays)
    for number in range(2 * 24 * 60, 9 * 24 * 60, 15):
        at = minutes(zone, begin)[number][0]
        working = on_shift(Audience.SUPPORT, at, [member], [shift], [])
        assert working == (("a",) if number in expected else ()), at


@st.composite
def rosters(draw: st.DrawFn) -> tuple[list[StaffMember], list[Shift], list[Absence], datetime]:
    people = [
        StaffMember(
            id=one,
            time_zone=draw(zones),
            active=draw(st.booleans()),
            quiet_hours=draw(st.none() | st.builds(QuietHours, begin=quarters, until=quarters)),
        )
        for one in draw(st.sets(st.sampled_from("abcd"), max_size=4))
    ]
    shifts = draw(
        st.lists(
            st.builds(
                Shift,
                staff_id=st.sampled_from("abcdx"),
                audience=st.sampled_from([Audience.SUPPORT, Audience.OPERATIONS]),
                weekdays=st.sets(st.integers(1, 7), min_size=1).map(tuple),
                starts=quarters,
                ends=quarters,
                valid_from=st.dates(date(2026, 3, 1), date(2026, 3, 12)),
                valid_until=st.none() | st.dates(date(2026, 3, 1), date(2026, 3, 12)),
            ),
            max_size=8,
        )
    )
    moments = st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 12), timezones=st.just(UTC))  # noqa: DTZ001
    absences = draw(
        st.lists(st.builds(Absence, staff_id=st.sampled_from("abcd"), begin=moments, until=moments), max_size=3)
    )
    return people, shifts, absences, draw(moments)


@given(rosters())
def test_somebody_is_told_or_there_is_a_gap_or_no_roster(
    roster: tuple[list[StaffMember], list[Shift], list[Absence], datetime],
) -> None:
    people, shifts, absences, at = roster
    found = resolve(Audience.SUPPORT, at, people, shifts, absences)
    assert [bool(found.tell), found.gap, not found.in_use].count(True) == 1
    _everybody_is_accounted_for(found, people, shifts)
    present = on_shift(Audience.SUPPORT, at, people, shifts, absences)
    assert set(found.tell) <= set(present)
    assert bool(found.tell) == bool(present)
    left_alone = set(present) - set(found.tell)
    assert left_alone == {one.staff_id for one in found.skipped if one.reason is Reason.QUIET}
    by_id = {one.id: one for one in people}
    assert all(by_id[one].quiet_hours for one in left_alone)


def _everybody_is_accounted_for(found: Resolution, people: list[StaffMember], shifts: list[Shift]) -> None:
    team = {shift.staff_id for shift in shifts if shift.audience is Audience.SUPPORT} & {one.id for one in people}
    skipped = [one.staff_id for one in found.skipped]
    assert sorted([*found.tell, *skipped]) == sorted(team)


@given(rosters())
def test_the_order_of_the_records_does_not_matter(
    roster: tuple[list[StaffMember], list[Shift], list[Absence], datetime],
) -> None:
    people, shifts, absences, at = roster
    found = resolve(Audience.SUPPORT, at, people, shifts, absences)
    assert resolve(Audience.SUPPORT, at, people[::-1], shifts[::-1], absences[::-1]) == found
