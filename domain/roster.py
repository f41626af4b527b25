"""Who of the staff is told: shifts, absences and quiet hours, each in the time zone of the person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from enum import StrEnum

from domain.actors import Audience
from domain.errors import Invalid
from domain.local_time import days_about, span, zone_of
from domain.model import Value
from domain.rollout.people import Function

OF_THE_CASE = frozenset({Audience.PATIENT, Audience.CLINICIAN, Audience.SPECIALIST})
OF_A_PROGRAMME = frozenset(Audience(function) for function in Function)
"""Served by the members of each rollout's programme."""
STAFF = tuple(audience for audience in Audience if audience not in OF_THE_CASE | OF_A_PROGRAMME)
"""Audiences that a roster may serve."""


class QuietHours(Value):
    """Local times. When `until` is not later than `begin`, it is on the next day."""

    begin: time
    until: time


class StaffMember(Value):
    """What the roster needs to know of a person. For which audience they work is said by their shifts."""

    id: str
    time_zone: str
    quiet_hours: QuietHours | None = None
    active: bool = True


class Shift(Value):
    """A shift that comes every week. When `ends` is not later than `starts`, it is on the next day."""

    staff_id: str
    audience: Audience
    weekdays: tuple[int, ...]
    """On which the shift begins; 1 is Monday, 7 is Sunday."""
    starts: time
    """Local times of the person."""
    ends: time
    valid_from: date
    """First and last day on which the shift may begin; without the latter it goes on."""
    valid_until: date | None = None


class Absence(Value):
    """Aware UTC, up to but not including `until`."""

    staff_id: str
    begin: datetime
    until: datetime


class Reason(StrEnum):
    """Why somebody who works for an audience is not told."""

    OFF = "off"
    ABSENT = "absent"
    QUIET = "quiet"
    INACTIVE = "inactive"


class Skipped(Value):
    staff_id: str
    reason: Reason


class Resolution(Value):
    """Whom a notice reaches. Exactly one holds: somebody is told, there is a gap, or no roster is in use.

    Without anybody to tell, the audience's configured address is told instead.
    """

    tell: tuple[str, ...] = ()
    """Ids of people, sorted."""
    gap: bool = False
    """There is a roster, and nobody in it at this moment."""
    in_use: bool = True
    """Whether the audience has a shift that has come into force. One that has run out counts: nobody renewed it."""
    skipped: tuple[Skipped, ...] = ()
    """Everybody else who has a shift for the audience, sorted by id."""


def resolve(
    audience: Audience,
    at: datetime,
    members: Iterable[StaffMember],
    shifts: Iterable[Shift],
    absences: Iterable[Absence],
) -> Resolution:
    """Everybody on shift is told; quiet hours are kept as long as somebody else on shift has none at this moment."""
    people = {member.id: member for member in members}
    served = [shift for shift in shifts if shift.audience == audience and shift.staff_id in people]
    absences = tuple(absences)
    present = on_shift(audience, at, people.values(), served, absences)
    tell = tuple(one for one in present if not _quiet(people[one], at)) or present
    away = _away(absences, at)
    in_use = any(_in_force(shift, at, people[shift.staff_id]) for shift in served)
    return Resolution(
        tell=tell,
        gap=in_use and not tell,
        in_use=in_use,
        skipped=tuple(
            Skipped(staff_id=one, reason=_reason(people[one], on_shift=one in present, absent=one in away))
            for one in sorted({shift.staff_id for shift in served} - set(tell))
        ),
    )


def on_shift(
    audience: Audience,
    at: datetime,
    members: Iterable[StaffMember],
    shifts: Iterable[Shift],
    absences: Iterable[Absence],
) -> tuple[str, ...]:
    """Ids, sorted, of the active people on shift for the audience at this moment (aware) who are not absent."""
    people = {member.id: member for member in members if member.active}
    working = {
        shift.staff_id
        for shift in shifts
        if shift.audience == audience and shift.staff_id in people and _runs(shift, at, people[shift.staff_id])
    }
    return tuple(sorted(working - _away(absences, at)))


def staff_audience(name: str) -> Audience:
    """Raises `Invalid` (`roster.audience_unknown`) for whatever no roster serves."""
    if name not in STAFF:
        raise Invalid("roster.audience_unknown", f"a roster serves {', '.join(STAFF)}")
    return Audience(name)


def check_shift(starts: time, ends: time, valid_from: date, valid_until: date | None) -> None:
    """Raises `Invalid` (`roster.shift_empty`, `roster.until_before_from`)."""
    if starts == ends:
        raise Invalid("roster.shift_empty", "a shift ends at another time than it starts; split one of a whole day")
    if valid_until is not None and valid_until < valid_from:
        raise _reversed()


def check_absence(begin: datetime, until: datetime) -> None:
    """Raises `Invalid` (`roster.until_before_from`)."""
    if until <= begin:
        raise _reversed()


def check_quiet_hours(begin: time | None, until: time | None) -> None:
    """Raises `Invalid` (`roster.quiet_hours_incomplete`)."""
    if (begin is None) != (until is None) or (begin is not None and begin == until):
        raise Invalid("roster.quiet_hours_incomplete", "quiet hours need a beginning and another time as their end")


def _runs(shift: Shift, at: datetime, member: StaffMember) -> bool:
    zone = zone_of(member.time_zone)
    last = shift.valid_until or date.max
    for day in days_about(at, zone):
        if day.isoweekday() in shift.weekdays and shift.valid_from <= day <= last:
            begin, end = span(day, shift.starts, shift.ends, zone)
            if begin <= at < end:
                return True
    return False


def _quiet(member: StaffMember, at: datetime) -> bool:
    if member.quiet_hours is None:
        return False
    zone, hours = zone_of(member.time_zone), member.quiet_hours
    spans = (span(day, hours.begin, hours.until, zone) for day in days_about(at, zone))
    return any(begin <= at < end for begin, end in spans)


def _away(absences: Iterable[Absence], at: datetime) -> set[str]:
    return {absence.staff_id for absence in absences if absence.begin <= at < absence.until}


def _in_force(shift: Shift, at: datetime, member: StaffMember) -> bool:
    return at.astimezone(zone_of(member.time_zone)).date() >= shift.valid_from


def _reason(member: StaffMember, *, on_shift: bool, absent: bool) -> Reason:
    if not member.active:
        return Reason.INACTIVE
    if on_shift:
        return Reason.QUIET
    return Reason.ABSENT if absent else Reason.OFF


def _reversed() -> Invalid:
    return Invalid("roster.until_before_from", "the end comes before the beginning")
