"""The scorecard: how reliably a clinician attends, and keeps the times of care (V-02, decision 03).

docs/scorecard.md defines each figure. Weeks are ISO weeks in UTC, times are whole seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, computed_field

from domain.errors import Invalid
from domain.model import Value

TIME_ZONE = "UTC"
TARGET_PERCENT = 100
LONGEST = timedelta(days=366)
WEEK = timedelta(weeks=1)


class Fate(StrEnum):
    """What became of an appointment, as far as the clinician is concerned."""

    ATTENDED_ON_TIME = "attended_on_time"
    LATE = "late"
    ABSENT = "absent"
    CALLED_OFF = "called_off"
    EXCUSED = "excused"


class Sla(StrEnum):
    """The times that a clinician is held to, each with its clock."""

    JOIN = "join"
    PRESCRIPTIONS = "prescriptions"
    LABS = "labs"
    IMAGING = "imaging"
    NOTE = "note"
    PATIENT_MESSAGES = "patient_messages"
    SUPPORT_MESSAGES = "support_messages"
    ECONSULT_INFORMATION = "econsult_information"


class Period(Value):
    """From `start` until before `until`, aware UTC."""

    start: datetime
    until: datetime

    @classmethod
    def of(cls, start: datetime, until: datetime) -> Self:
        """Raises `Invalid` (`scorecard.period_invalid`)."""
        if not timedelta() < until - start <= LONGEST:
            raise Invalid("scorecard.period_invalid", "the period ends after it begins, 366 days later at most")
        return cls(start=start, until=until)

    @property
    def weeks(self) -> tuple[date, ...]:
        """The Mondays of the weeks that the period touches."""
        first, last = (moment.astimezone(UTC) for moment in (self.start, self.until - timedelta.resolution))
        monday = first.date() - timedelta(days=first.weekday())
        return tuple(monday + n * WEEK for n in range((last.date() - monday) // WEEK + 1))


def week_name(day: date) -> str:
    """Such as 2026-W10."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def percent(part: int, whole: int) -> float | None:
    """To one decimal, cut off: 100 only when it is all of them. None of nothing."""
    return 1000 * part // whole / 10 if whole else None


class Attendance(Value):
    """Appointments by their fate."""

    attended_on_time: int = 0
    late: int = 0
    absent: int = 0
    called_off: int = 0
    excused: int = Field(default=0, description="Missed and excused: in none of the others, and not in the percentage.")

    @computed_field(description="All of them.")  # type: ignore[prop-decorator]
    @property
    def scheduled(self) -> int:
        return self.attended_on_time + self.late + self.absent + self.called_off + self.excused

    @computed_field(description="Of those not excused; cut off, so that 100 means every one.")  # type: ignore[prop-decorator]
    @property
    def percent_on_time(self) -> float | None:
        return percent(self.attended_on_time, self.scheduled - self.excused)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def target_percent(self) -> int:
        return TARGET_PERCENT


class SlaCounts(Value):
    """Clocks by how they came out."""

    name: Sla
    met: int = 0
    late: int = Field(default=0, description="Breached, whether it was done afterwards or not.")
    waived: int = 0
    open: int = Field(default=0, description="Running, and not late yet.")

    @computed_field(description="Met, of met and late; cut off.")  # type: ignore[prop-decorator]
    @property
    def percent_met(self) -> float | None:
        return percent(self.met, self.met + self.late)


class SlaFigures(SlaCounts):
    """With the time that was taken, for what was done, in time or late."""

    timed: int = Field(default=0, description="What the percentiles and the worst are of.")
    p50_seconds: int | None = None
    p90_seconds: int | None = None
    p99_seconds: int | None = None
    worst_seconds: int | None = None


class OpenEscalation(Value):
    """Breaches that are not over, by how far their ladders were climbed; the breach is the first step."""

    level: int
    unacknowledged: int
    acknowledged: int


class TrendPoint(Value):
    week: str = Field(description="ISO week.", examples=["2026-W10"])
    starts_on: date = Field(description="Its Monday.")
    attendance: Attendance
    slas: tuple[SlaCounts, ...]


class Figures(Value):
    attendance: Attendance
    slas: tuple[SlaFigures, ...] = Field(description="One for each SLA, always in the same order.")
    open_escalations: tuple[OpenEscalation, ...] = Field(description="Now, whatever the period.")


class Scorecard(Figures):
    trend: tuple[TrendPoint, ...] = Field(description="One for each week that the period touches.")


def scorecard(
    period: Period,
    fates: Mapping[tuple[str, Fate], int],
    slas: Iterable[SlaFigures],
    weekly_slas: Mapping[tuple[str, Sla], SlaCounts],
    escalations: Iterable[OpenEscalation],
) -> Scorecard:
    """Put together what was counted. `fates` and `weekly_slas` are by the name of the week."""
    known = {figures.name: figures for figures in slas}
    names = {week_name(monday): monday for monday in period.weeks}
    return Scorecard(
        attendance=_attendance(fates, names),
        slas=tuple(known.get(name, SlaFigures(name=name)) for name in Sla),
        open_escalations=tuple(sorted(escalations, key=lambda each: each.level)),
        trend=tuple(
            TrendPoint(
                week=week,
                starts_on=monday,
                attendance=_attendance(fates, [week]),
                slas=tuple(weekly_slas.get((week, name), SlaCounts(name=name)) for name in Sla),
            )
            for week, monday in names.items()
        ),
    )


def _attendance(fates: Mapping[tuple[str, Fate], int], weeks: Iterable[str]) -> Attendance:
    among = set(weeks)
    return Attendance(
        **{fate: sum(n for (week, of), n in fates.items() if of is fate and week in among) for fate in Fate}
    )
