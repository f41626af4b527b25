"""When things are due, and how long a clock has run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from domain.clock.model import DEADLINE_KINDS, Clock, Milestone, MilestoneKind, Span

FOREVER = datetime.max.replace(tzinfo=UTC)


def counting(clock: Clock) -> Iterator[Span]:
    """The stretches of time that count, in order, from arming on: opening hours without the pauses."""
    always = (Span(start=clock.armed_at, end=FOREVER),)
    hours = clock.hours if clock.hours or clock.policy.calendar else always
    for span in hours:
        start = max(span.start, clock.armed_at)
        for pause in clock.pauses:
            if pause.since >= span.end or (pause.until is not None and pause.until <= start):
                continue
            if pause.since > start:
                yield Span(start=start, end=pause.since)
            start = pause.until or FOREVER
        if start < span.end:
            yield Span(start=start, end=span.end)


def elapsed(clock: Clock, now: datetime) -> timedelta:
    """Time that counted, from arming to now or to the clock's end."""
    until = clock.ended_at or now
    spans = (min(span.end, until) - span.start for span in counting(clock) if span.start < until)
    return sum(spans, timedelta())


def due_at(clock: Clock, milestone: Milestone) -> datetime | None:
    """When the milestone is due; None while the clock is paused or over, or its known hours do not reach so far.

    A pause that began before the milestone was due moves it; what was due before stays where it was.
    """
    if not clock.running:
        return None
    left = milestone.after
    for span in counting(clock):
        if left <= span.end - span.start:
            return span.start + left
        left -= span.end - span.start
    return None


def hours_needed(clock: Clock) -> timedelta | None:
    """How much opening time must be known from arming on; None when enough is, or every hour counts."""
    last = clock.policy.ladder[-1]
    if clock.policy.calendar is None or not clock.running or (clock.hours and due_at(clock, last) is not None):
        return None
    paused = sum(((each.until or each.since) - each.since for each in clock.pauses), timedelta())
    return last.after + paused


def deadline(clock: Clock) -> datetime | None:
    """When the breach or the end is or was due; None while the clock is paused or over."""
    milestones = clock.policy.milestones
    return due_at(clock, next((m for m in milestones if m.kind in DEADLINE_KINDS), milestones[-1]))


def pending(clock: Clock) -> tuple[Milestone, ...]:
    passed = {fired.name for fired in clock.fired}
    return tuple(m for m in clock.policy.ladder if m.name not in passed)


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
