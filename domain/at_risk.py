"""What of a case is at risk: the next breach to come, and the breach that is open (the at-risk board)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.case import CaseSnapshot, ClockView
from domain.model import Value


class Standing(Value):
    """Columns of the case's projection, aware UTC. `next_deadline` beside them also counts windows that just end."""

    owner: str | None
    """Whom the case waits for first."""
    clinician_id: str | None
    breach_due: datetime | None
    """When the next breach comes if nobody acts. It lies in the past while nothing has noticed it, after an outage."""
    next_clock: str | None
    breached_at: datetime | None
    breached_clock: str | None
    unacknowledged: bool
    """Something has breached, is not over, and nobody has taken it on."""


def standing(view: CaseSnapshot) -> Standing:
    ahead, breached = next_breach(view.clocks), open_breach(view.clocks)
    return Standing(
        owner=view.waits_for[0].who if view.waits_for else None,
        clinician_id=getattr(view, "clinician_id", None),  # not every process has one
        breach_due=ahead.deadline if ahead else None,
        next_clock=ahead.name if ahead else None,
        breached_at=breached.breached_at if breached else None,
        breached_clock=breached.name if breached else None,
        unacknowledged=breached is not None and not breached.acknowledged,
    )


def next_breach(clocks: Iterable[ClockView]) -> ClockView | None:
    """The running clock that breaches first. A breached one runs on, with a deadline that tells nothing any more."""
    ahead = [
        (clock.deadline, clock.name, clock)
        for clock in clocks
        if clock.running and clock.may_breach and clock.breached_at is None and clock.deadline is not None
    ]
    return min(ahead, default=(None, None, None))[2]


def open_breach(clocks: Iterable[ClockView]) -> ClockView | None:
    """The earliest breach that nobody has acknowledged, or else the earliest, among the clocks that are not over."""
    breached = [
        (clock.acknowledged, clock.breached_at, clock.name, clock)
        for clock in clocks
        if clock.outcome is None and clock.breached_at is not None
    ]
    return min(breached, default=(None, None, None, None))[3]
