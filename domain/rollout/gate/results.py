"""What comes of judging evidence by criteria."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.model import Value
from domain.rollout.gate.evidence import Metric
from domain.rollout.gate.policy import Comparison


class Result(StrEnum):
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Doubt(StrEnum):
    """Why a result is inconclusive."""

    MISSING = "missing"
    INCOMPLETE = "incomplete"
    """Not every champion has rated."""
    STALE = "stale"


class Verdict(Value):
    """A criterion at one place, with the evidence it was judged by."""

    metric: Metric
    requirement: str
    location_id: str | None
    """None: overall."""
    result: Result
    doubt: Doubt | None = None
    comparison: Comparison
    threshold: Decimal
    value: Decimal | None = None
    numerator: int | None = None
    denominator: int | None = None
    source: str | None = None
    as_of: datetime | None = None
    needed: str | None = None
    """What would make it pass, in numbers."""

    @property
    def code(self) -> str:
        """Stable, such as `uptime:loc-3`, or `uptime` overall."""
        return f"{self.metric}:{self.location_id}" if self.location_id else self.metric
