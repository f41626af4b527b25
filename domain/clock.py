"""The one SLA clock, as pure functions over an immutable state.

A clock runs from when it is armed, may pause, and passes milestones: reminders, a warning, the breach, escalations.
Its time is *running* time: pauses do not count. All times are aware UTC.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Self

from pydantic import model_validator

from domain.actors import Actor, Audience, Notice
from domain.model import Value

LATE_AFTER = timedelta(minutes=1)
"""A milestone noticed this long after it was due was missed, by an outage say, and is reported as detected late."""


class MilestoneKind(StrEnum):
    REMIND = "remind"
    WARN = "warn"
    BREACH = "breach"
    ESCALATE = "escalate"
    END = "end"  # the time is up, and that is in order


STALE_KINDS = frozenset({MilestoneKind.REMIND, MilestoneKind.WARN})
DEADLINE_KINDS = frozenset({MilestoneKind.BREACH, MilestoneKind.END})


class Milestone(Value):
    name: str
    kind: MilestoneKind
    after: timedelta
    notices: tuple[Notice, ...] = ()


class ClockPolicy(Value):
    """What a clock does and when: policy data, pinned into the process at its start."""

    name: str
    milestones: tuple[Milestone, ...]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.milestones:
            raise ValueError("a clock needs at least one milestone")
        if any(later.after < earlier.after for earlier, later in pairwise(self.milestones)):
            raise ValueError("milestones must be listed in the order of their times")
        if len({milestone.name for milestone in self.milestones}) < len(self.milestones):
            raise ValueError("milestone names must differ")
        return self

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


class Clock(Value):
    policy: ClockPolicy
    armed_at: datetime
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


class Stretch(Value):
    """A part of a clock's life: every second from arming to the end belongs to exactly one."""

    start: datetime
    end: datetime
    kind: str
    """running, paused or overdue"""
    reason: str | None = None


def arm(policy: ClockPolicy, at: datetime) -> Clock:
    return Clock(policy=policy, armed_at=at)


def pause(clock: Clock, at: datetime, reason: str) -> Clock:
    """Stop the time. A clock that is paused or over stays as it is."""
    if not clock.running:
        return clock
    return clock.model_copy(update={"pauses": (*clock.pauses, Pause(since=at, reason=reason))})


def resume(clock: Clock, at: datetime) -> Clock:
    if not clock.paused:
        return clock
    last = clock.pauses[-1].model_copy(update={"until": at})
    return clock.model_copy(update={"pauses": (*clock.pauses[:-1], last)})


def end(clock: Clock, at: datetime, outcome: Outcome, by: Actor | None = None, why: str | None = None) -> Clock:
    """Stop the clock for good: what it waited for has come (met), was waived, or no longer matters.

    A breach that nobody had noticed yet, for an outage say, goes on record with its true time; nobody is told any more.
    """
    if clock.outcome is not None:
        return clock
    clock = _with_unnoticed_breach(resume(clock, at), at)
    return clock.model_copy(update={"outcome": outcome, "ended_at": at, "ended_by": by, "why": why})


def acknowledge(clock: Clock, at: datetime, by: Actor) -> Clock:
    """Somebody has taken the matter on: the ladder is climbed no further. The first acknowledgement stands."""
    if clock.acknowledged_at is not None:
        return clock
    return clock.model_copy(update={"acknowledged_at": at, "acknowledged_by": by})


def paused_time(clock: Clock, until: datetime) -> timedelta:
    return sum(((p.until or until) - p.since for p in clock.pauses), timedelta())


def elapsed(clock: Clock, now: datetime) -> timedelta:
    """Running time from arming to now, or to the clock's end."""
    until = clock.ended_at or now
    return until - clock.armed_at - paused_time(clock, until)


def due_at(clock: Clock, milestone: Milestone) -> datetime | None:
    """When the milestone is due; None while the clock is paused or over.

    A pause that began before the milestone was due moves it; what was due before stays where it was.
    """
    if not clock.running:
        return None
    due = clock.armed_at + milestone.after
    for each in clock.pauses:
        if each.since < due and each.until is not None:
            due += each.until - each.since
    return due


def deadline(clock: Clock) -> datetime | None:
    """When the breach or the end is or was due; None while the clock is paused or over."""
    wanted = next((m for m in clock.policy.milestones if m.kind in DEADLINE_KINDS), clock.policy.milestones[-1])
    return due_at(clock, wanted)


def pending(clock: Clock) -> tuple[Milestone, ...]:
    passed = {fired.name for fired in clock.fired}
    return tuple(m for m in clock.policy.milestones if m.name not in passed)


def next_due(clock: Clock) -> tuple[datetime, Milestone] | None:
    """The next milestone and its time; None when there is nothing to wait for."""
    for milestone in pending(clock):
        due = due_at(clock, milestone)
        if due is None:
            return None
        if clock.acknowledged_at is not None and milestone.kind is MilestoneKind.ESCALATE:
            continue
        return due, milestone
    return None


def fire(clock: Clock, now: datetime) -> tuple[Clock, tuple[Fired, ...]]:
    """Pass every milestone that is due.

    When several are due at once, after an outage say, stale reminders are suppressed and each audience is told once,
    by the highest step. What is noticed late keeps its true time.
    """
    due = [(milestone, at) for milestone in pending(clock) if (at := due_at(clock, milestone)) and at <= now]
    passed = []
    told: set[Audience] = set()
    for position, (milestone, at) in reversed(list(enumerate(due))):
        fired = _pass(clock, milestone, at, now, followed=position < len(due) - 1, told=told)
        told.update(notice.audience for notice in fired.notices)
        passed.append(fired)
    passed.reverse()
    return clock.model_copy(update={"fired": (*clock.fired, *passed)}), tuple(passed)


def _pass(
    clock: Clock, milestone: Milestone, due: datetime, now: datetime, *, followed: bool, told: set[Audience]
) -> Fired:
    suppressed = None
    if milestone.kind is MilestoneKind.ESCALATE and clock.acknowledged_at is not None:
        suppressed = "acknowledged"
    elif milestone.kind in STALE_KINDS and followed:
        suppressed = "stale"
    notices = () if suppressed else tuple(n for n in milestone.notices if n.audience not in told)
    return Fired(
        name=milestone.name,
        kind=milestone.kind,
        due=due,
        noticed=now,
        detected_late=now - due > LATE_AFTER,
        suppressed=suppressed,
        notices=notices,
    )


def _with_unnoticed_breach(clock: Clock, at: datetime) -> Clock:
    for milestone in pending(clock):
        due = due_at(clock, milestone)
        if milestone.kind is MilestoneKind.BREACH and due is not None and due < at:
            breach = _pass(clock, milestone, due, at, followed=False, told=set())
            untold = breach.model_copy(update={"suppressed": "ended", "notices": ()})
            return clock.model_copy(update={"fired": (*clock.fired, untold)})
    return clock


class SlaState(StrEnum):
    """The search attribute `SlaState`, from good to bad."""

    ON_TIME = "on_time"
    PAUSED = "paused"
    AT_RISK = "at_risk"
    BREACHED = "breached"


def sla_state(clock: Clock) -> SlaState:
    if clock.breached_at is not None:
        return SlaState.BREACHED
    if clock.paused:
        return SlaState.PAUSED
    if clock.outcome is None and any(f.kind is MilestoneKind.WARN for f in clock.fired):
        return SlaState.AT_RISK
    return SlaState.ON_TIME


def explain(clock: Clock, now: datetime) -> tuple[Stretch, ...]:
    """Account for every second from arming to the end or now."""
    until = clock.ended_at or now
    stretches: list[Stretch] = []
    cursor = clock.armed_at
    for each in clock.pauses:
        stretches += _running(clock, cursor, each.since)
        cursor = each.until or until
        stretches.append(Stretch(start=each.since, end=cursor, kind="paused", reason=each.reason))
    stretches += _running(clock, cursor, until)
    return tuple(stretch for stretch in stretches if stretch.end > stretch.start)


def _running(clock: Clock, start: datetime, end: datetime) -> list[Stretch]:
    breached = clock.breached_at
    if breached is None or breached >= end:
        return [Stretch(start=start, end=end, kind="running")]
    turn = max(start, breached)
    return [Stretch(start=start, end=turn, kind="running"), Stretch(start=turn, end=end, kind="overdue")]
