"""How a clock stands, and where its time went."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from domain.clock.model import Clock, MilestoneKind
from domain.clock.times import counting
from domain.model import Value


class Stretch(Value):
    """A part of a clock's life: every second from arming to the end belongs to exactly one."""

    start: datetime
    end: datetime
    kind: str
    """running, paused, closed (outside the opening hours) or overdue"""
    reason: str | None = None


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
    edges = {clock.armed_at, until, *(edge for span in counting(clock) for edge in (span.start, span.end))}
    edges |= {edge for pause in clock.pauses for edge in (pause.since, pause.until or until)}
    if clock.breached_at is not None:
        edges.add(clock.breached_at)
    marks = sorted(edge for edge in edges if clock.armed_at <= edge <= until)
    stretches: list[Stretch] = []
    for start, end in pairwise(marks):
        kind, reason = _kind_at(clock, start)
        if stretches and (stretches[-1].kind, stretches[-1].reason) == (kind, reason):
            start = stretches.pop().start  # noqa: PLW2901 - the same stretch goes on
        stretches.append(Stretch(start=start, end=end, kind=kind, reason=reason))
    return tuple(stretches)


def _kind_at(clock: Clock, moment: datetime) -> tuple[str, str | None]:
    for pause in clock.pauses:
        if pause.since <= moment and (pause.until is None or moment < pause.until):
            return "paused", pause.reason
    if clock.breached_at is not None and moment >= clock.breached_at:
        return "overdue", None
    open_now = any(span.start <= moment < span.end for span in counting(clock))
    return ("running" if open_now else "closed"), None
