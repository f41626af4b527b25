"""What is done to a clock. Each function returns the clock as it is afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.actors import Actor, Audience
from domain.clock.model import Clock, ClockPolicy, Fired, Milestone, MilestoneKind, Outcome, Pause, Span
from domain.clock.times import due_at, pending

LATE_AFTER = timedelta(minutes=1)
"""A milestone noticed this long after it was due was missed, by an outage say, and is reported as detected late."""

STALE_KINDS = frozenset({MilestoneKind.REMIND, MilestoneKind.WARN})


def arm(policy: ClockPolicy, at: datetime, hours: tuple[Span, ...] = ()) -> Clock:
    """Start a clock. `hours` are the opening hours that count, where not every hour does."""
    return Clock(policy=policy, armed_at=at, hours=hours)


def arm_for(policy: ClockPolicy, at: datetime, now: datetime) -> Clock:
    """A clock whose time counts from `at`, past or to come.

    Reminders and warnings that were due before it was armed are passed unheard. A breach or an end is not: it was
    armed too late, after an outage say, and somebody has to hear of it.
    """
    clock = arm(policy, at)
    past = [
        Fired(name=m.name, kind=m.kind, due=due, noticed=now, detected_late=False, suppressed="before_arming")
        for m in policy.ladder
        if m.kind in STALE_KINDS and (due := due_at(clock, m)) is not None and due < now
    ]
    return clock.model_copy(update={"fired": tuple(past)})


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
