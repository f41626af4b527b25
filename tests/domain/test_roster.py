"""Who is told at a moment, and why others are not."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from domain.actors import Audience
from domain.errors import Invalid
from domain.roster import (
    STAFF,
    Absence,
    QuietHours,
    Reason,
    Resolution,
    Shift,
    StaffMember,
    check_absence,
    check_quiet_hours,
    check_shift,
    on_shift,
    resolve,
    staff_audience,
)

DESK = Audience.NETWORK_DESK
WEEKDAYS = (1, 2, 3, 4, 5)
NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
NIGHT = QuietHours(begin=time(22), until=time(7))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shift(
    staff_id: str,
    starts: str,
    ends: str,
    weekdays: tuple[int, ...] = WEEKDAYS,
    valid_from: str = "2026-01-01",
    valid_until: str | None = None,
) -> Shift:
    return Shift(
        staff_id=staff_id,
        audience=DESK,
        weekdays=weekdays,
        starts=time.fromisoformat(starts),
        ends=time.fromisoformat(ends),
        valid_from=date.fromisoformat(valid_from),
        valid_until=date.fromisoformat(valid_until) if valid_until else None,
    )


def ask(at: str, members: list[StaffMember], shifts: list[Shift], *absences: Absence) -> Resolution:
    return resolve(DESK, moment(at), members, shifts, absences)


def reasons(found: Resolution) -> dict[str, Reason]:
    return {one.staff_id: one.reason for one in found.skipped}


ANN = StaffMember(id="ann", time_zone=NEW_YORK)
BEN = StaffMember(id="ben", time_zone=BERLIN)


@pytest.mark.parametrize(
    ("at", "working"),
    [
        ("2026-03-02T13:59", False),  # Monday, 08:59 in New York
        ("2026-03-02T14:00", True),
        ("2026-03-02T21:59:59", True),
        ("2026-03-02T22:00", False),
        ("2026-03-07T15:00", False),  # Saturday
        ("2026-03-09T13:00", True),  # Monday in summer time
        ("2026-03-09T21:00", False),
    ],
)
def test_a_shift_follows_the_local_clock(at: str, working: bool) -> None:
    found = on_shift(DESK, moment(at), [ANN], [shift("ann", "09:00", "17:00")], [])
    assert found == (("ann",) if working else ())


@pytest.mark.parametrize(
    ("at", "working"),
    [
        ("2026-03-07T02:59", False),  # Friday evening in New York
        ("2026-03-07T03:00", True),
        ("2026-03-07T10:59", True),  # Saturday morning: the night of Friday
        ("2026-03-07T11:00", False),
        ("2026-03-08T04:00", False),  # the night of Saturday has no shift
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(at: str, working: bool) -> None:
    found = on_shift(DESK, moment(at), [ANN], [shift("ann", "22:00", "06:00", weekdays=(5,))], [])
    assert found == (("ann",) if working else ())


@pytest.mark.parametrize(
    ("at", "working"),
    [
        ("2026-11-01T05:29", False),  # 01:29 the first time
        ("2026-11-01T05:30", True),
        ("2026-11-01T06:10", True),  # 01:10 the second time
        ("2026-11-01T07:59", True),
        ("2026-11-01T08:00", False),
    ],
)
def test_an_hour_that_comes_twice_does_not_interrupt_a_shift(at: str, working: bool) -> None:
    found = on_shift(DESK, moment(at), [ANN], [shift("ann", "01:30", "03:00", weekdays=(7,))], [])
    assert found == (("ann",) if working else ())


@pytest.mark.parametrize("ends", ["02:30", "03:00"])
def test_a_shift_inside_a_skipped_hour_does_not_take_place(ends: str) -> None:
    shifts = [shift("ann", "02:00", ends, weekdays=(7,))]
    start = moment("2026-03-08T05:00")
    minutes = [start + timedelta(minutes=minute) for minute in range(240)]
    assert not any(on_shift(DESK, at, [ANN], shifts, []) for at in minutes)


@pytest.mark.parametrize(
    ("at", "working"),
    [
        ("2026-03-01T15:00", False),
        ("2026-03-02T15:00", True),
        ("2026-03-04T03:30", True),  # the evening of the last day
        ("2026-03-04T15:00", False),
    ],
)
def test_a_shift_is_valid_from_its_first_to_its_last_day(at: str, working: bool) -> None:
    every_day = shift("ann", "09:00", "23:00", (1, 2, 3, 4, 5, 6, 7), "2026-03-02", "2026-03-03")
    assert bool(on_shift(DESK, moment(at), [ANN], [every_day], [])) is working


def test_everybody_on_shift_is_told() -> None:
    found = ask("2026-03-02T15:00", [BEN, ANN], [shift("ben", "09:00", "17:00"), shift("ann", "09:00", "17:00")])
    assert found == Resolution(tell=("ann", "ben"))


def test_who_sleeps_is_left_alone_while_somebody_else_is_awake() -> None:
    sleeper = BEN.model_copy(update={"quiet_hours": NIGHT})
    shifts = [shift("ben", "20:00", "04:00"), shift("ann", "15:00", "23:00")]
    found = ask("2026-03-02T21:30", [ANN, sleeper], shifts)
    assert (found.tell, found.gap, reasons(found)) == (("ann",), False, {"ben": Reason.QUIET})


def test_who_is_alone_on_shift_is_told_even_in_quiet_hours() -> None:
    sleeper = BEN.model_copy(update={"quiet_hours": NIGHT})
    found = ask("2026-03-02T23:30", [ANN, sleeper], [shift("ben", "20:00", "04:00"), shift("ann", "09:00", "17:00")])
    assert (found.tell, found.gap, reasons(found)) == (("ben",), False, {"ann": Reason.OFF})


def test_when_nobody_is_left_there_is_a_gap_and_it_says_why() -> None:
    people = [ANN, BEN, StaffMember(id="cat", time_zone=NEW_YORK, active=False)]
    shifts = [shift("ann", "09:00", "17:00"), shift("ben", "09:00", "12:00"), shift("cat", "09:00", "17:00")]
    away = Absence(staff_id="ann", begin=moment("2026-03-02T00:00"), until=moment("2026-03-03T00:00"))
    found = ask("2026-03-02T15:00", people, shifts, away)
    assert (found.tell, found.gap) == ((), True)
    assert reasons(found) == {"ann": Reason.ABSENT, "ben": Reason.OFF, "cat": Reason.INACTIVE}


def test_an_absence_ends_at_its_end() -> None:
    away = Absence(staff_id="ann", begin=moment("2026-03-02T14:30"), until=moment("2026-03-02T15:00"))
    shifts = [shift("ann", "09:00", "17:00")]
    told = [ask(f"2026-03-02T{at}", [ANN], shifts, away).tell for at in ("14:29", "14:30", "14:59", "15:00")]
    assert told == [("ann",), (), (), ("ann",)]


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "in_use"),
    [("2026-03-03", None, False), ("2026-01-01", "2026-01-31", True), ("2026-01-01", None, True)],
)
def test_a_roster_is_in_use_from_its_first_shift_on(valid_from: str, valid_until: str | None, in_use: bool) -> None:
    found = ask("2026-03-02T03:00", [ANN], [shift("ann", "09:00", "17:00", WEEKDAYS, valid_from, valid_until)])
    assert (found.tell, found.gap, found.in_use) == ((), in_use, in_use)


def test_shifts_for_other_audiences_do_not_count() -> None:
    other = shift("ann", "09:00", "17:00").model_copy(update={"audience": Audience.OPERATIONS})
    assert ask("2026-03-02T15:00", [ANN], [other]) == Resolution(in_use=False)


def test_a_roster_serves_staff_only() -> None:
    assert set(STAFF) == {Audience.OPERATIONS, Audience.PROVIDER_SUCCESS, DESK, Audience.SUPPORT}
    assert staff_audience("support") is Audience.SUPPORT
    for name in ("patient", "clinician", "specialist", "nobody", ""):
        with pytest.raises(Invalid) as refusal:
            staff_audience(name)
        assert refusal.value.code == "roster.audience_unknown"


@pytest.mark.parametrize(
    ("starts", "ends", "valid_until", "code"),
    [
        (time(9), time(9), None, "roster.shift_empty"),
        (time(9), time(17), date(2026, 3, 1), "roster.until_before_from"),
    ],
)
def test_refuses_a_shift_that_never_is(starts: time, ends: time, valid_until: date | None, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_shift(starts, ends, date(2026, 3, 2), valid_until)
    assert refusal.value.code == code


@pytest.mark.parametrize(("begin", "until"), [(time(22), None), (None, time(6)), (time(22), time(22))])
def test_refuses_half_or_empty_quiet_hours(begin: time | None, until: time | None) -> None:
    with pytest.raises(Invalid) as refusal:
        check_quiet_hours(begin, until)
    assert refusal.value.code == "roster.quiet_hours_incomplete"


def test_refuses_an_absence_that_ends_as_it_begins() -> None:
    at = moment("2026-03-02T15:00")
    with pytest.raises(Invalid) as refusal:
        check_absence(at, at)
    assert refusal.value.code == "roster.until_before_from"


def test_accepts_nights_single_days_and_no_quiet_hours() -> None:
    check_shift(time(22), time(6), date(2026, 3, 2), date(2026, 3, 2))
    check_absence(moment("2026-03-02T15:00"), moment("2026-03-02T15:01"))
    check_quiet_hours(time(22), time(6))
    check_quiet_hours(None, None)
