"""What can be wrong with a twin, and its clock."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.errors import GatewayUnavailable

PROMPT = timedelta(seconds=2)
"""How long a change takes from one system to the other when all is well."""
SLOW = timedelta(minutes=7)


class Fault(StrEnum):
    STALE = "stale"
    """Changes of what is known already never arrive."""
    SLOW = "slow"
    """Changes take longer than they may."""
    DOWN = "down"
    """Neither system answers."""
    WRONG_PATIENT = "wrong_patient"
    """Reminders and texts reach somebody else."""
    CANCELLATION_SENT = "cancellation_sent"
    REMINDERS_LEFT = "reminders_left"
    """Cancelled appointments keep theirs."""
    OPT_OUT_IGNORED = "opt_out_ignored"
    REMINDER_LOST = "reminder_lost"
    CONFIRMATION_LOST = "confirmation_lost"
    CALLBACK_LOST = "callback_lost"
    REPLIES_LOST = "replies_lost"


@dataclass
class Simulation:
    """What both systems of a twin share: the time, the faults, ids. Waiting takes no real time."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    faults: set[Fault] = field(default_factory=set)
    outage_calls: int = 0
    """So many calls find the system down."""
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    def new_id(self, kind: str) -> str:
        return f"{kind}-{next(self._ids) + 1}"

    def answer(self) -> None:
        """Raises `GatewayUnavailable` (`practice_system.unavailable`) while it is down."""
        self.outage_calls = max(self.outage_calls - 1, -1)
        if Fault.DOWN in self.faults or self.outage_calls >= 0:
            raise GatewayUnavailable("practice_system.unavailable", "the practice system does not answer")

    def arrives(self, changed_at: datetime) -> datetime:
        """When a change is known in the other system."""
        return changed_at + (SLOW if Fault.SLOW in self.faults else PROMPT)
