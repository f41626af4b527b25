"""Holds: why something may not go forward, each with its own start, so that several coexist and end apart."""

from __future__ import annotations

from datetime import datetime

from domain.actors import Actor
from domain.model import Value


class Hold(Value):
    reason: str
    """A stable code, such as `systemic:sync_failure`, `executive` or `rollback:2`. One hold for each reason."""
    since: datetime
    by: Actor


Holds = tuple[Hold, ...]


def place(holds: Holds, hold: Hold) -> Holds:
    """The first hold of a reason stands."""
    return holds if has(holds, hold.reason) else (*holds, hold)


def lift(holds: Holds, reason: str) -> Holds:
    return tuple(hold for hold in holds if hold.reason != reason)


def has(holds: Holds, reason: str) -> bool:
    return any(hold.reason == reason for hold in holds)
