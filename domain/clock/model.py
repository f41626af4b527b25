"""What a clock is: its policy, its state, what it has passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from domain.actors import Actor, Notice
from domain.model import Value
from domain.work_calendar import WorkCalendar


class MilestoneKind(StrEnum):
    REMIND = "remind"
    WARN = "warn"
    BREACH = "breach"
    ESCALATE = "escalate"
    END = "end"  # the time is up, and that is in order


DEADLINE_KINDS = frozenset({MilestoneKind.BREACH, MilestoneKind.END})


class Repeat(Value):
    """A step of the ladder that comes again while nobody acknowledges."""

    every: timedelta = Field(gt=timedelta())
    times: int = Field(ge=1, le=50)


class Milestone(Value):
    name: str
    kind: MilestoneKind
    after: timedelta
    notices: tuple[Notice, ...] = ()
    repeat: Repeat | None = None

    @property
    def occurrences(self) -> tuple[Milestone, ...]:
        """This milestone and its repeats, as `name`, `name_2`, `name_3`, each at its own time."""
        if self.repeat is None:
            return (self,)
        again = (
            self.model_copy(update={"name": f"{self.name}_{n + 1}", "after": self.after + n * self.repeat.every})
            for n in range(1, self.repeat.times + 1)
        )
        return (self, *again)


class ClockPolicy(Value):
    """What a clock does and when: policy data, pinned into the process at its start."""

    name: str
    milestones: tuple[Milestone, ...]
    calendar: WorkCalendar | None = None
    """Whose opening hours count; none: every hour does."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.milestones:
            raise ValueError("a clock needs at least one milestone")
        if any(later.after < earlier.after for earlier, later in pairwise(self.milestones)):
            raise ValueError("milestones must be listed in the order of their times")
        if any(m.repeat for m in self.milestones[:-1]):
            raise ValueError("only the last milestone may repeat")
        if len({milestone.name for milestone in self.ladder}) < len(self.ladder):
            raise ValueError("milestone names must differ")
        return self

    @property
    def ladder(self) -> tuple[Milestone, ...]:
        """Every milestone in its order, repeats included."""
        return tuple(step for milestone in self.milestones for step in milestone.occurrences)

    @property
    def deadline(self) -> timedelta:
        """Running time until the breach or the end; the last milestone where there is neither."""
        return next((m.after for m in self.milestones if m.kind in DEADLINE_KINDS), self.milestones[-1].after)

    @property
    def may_breach(self) -> bool:
        """Whether its time running out is a breach: at the end of a window, or after a last reminder, it is none."""
        return any(m.kind is MilestoneKind.BREACH for m in self.milestones)


class Outcome(StrEnum):
    MET = "met"
    WAIVED = "waived"
    CANCELLED = "cancelled"  # what it measured no longer matters


class Pause(Value):
    since: datetime
    until: datetime | None = None
    reason: str


class Fired(Value):
    """A milestone that was passed: when it was due, when that was noticed, and what was sent for it."""

    name: str
    kind: MilestoneKind
    due: datetime
    noticed: datetime
    detected_late: bool
    suppressed: str | None = None
    notices: tuple[Notice, ...] = ()


class Span(Value):
    """A stretch of time that counts, such as one day's opening hours. Half open: `end` is outside."""

    start: datetime
    end: datetime


class Clock(Value):
    policy: ClockPolicy
    armed_at: datetime
    hours: tuple[Span, ...] = ()
    """The opening hours that count, in order and apart, from a calendar; none: every hour counts."""
    pauses: tuple[Pause, ...] = ()
    fired: tuple[Fired, ...] = ()
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    ended_by: Actor | None = None
    why: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: Actor | None = None

    @property
    def running(self) -> bool:
        return self.outcome is None and not self.paused

    @property
    def paused(self) -> bool:
        return self.outcome is None and bool(self.pauses) and self.pauses[-1].until is None

    @property
    def breached_at(self) -> datetime | None:
        return next((f.due for f in self.fired if f.kind is MilestoneKind.BREACH), None)

    @property
    def escalation_level(self) -> int:
        """How many steps of the ladder were climbed: the breach is the first."""
        climbed = {MilestoneKind.BREACH, MilestoneKind.ESCALATE}
        return sum(f.kind in climbed and f.suppressed != "acknowledged" for f in self.fired)
