"""What a gate is decided on: measured facts, each with its source and its age (GG-02 to GG-09)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.model import Value


class Metric(StrEnum):
    """What is measured, and what `value` is. Percentages are from 0 to 100."""

    UPTIME = "uptime"
    """Percent of the time from go-live on, around the clock (GG-02, decision 31); counted in seconds."""
    SYNC_SUCCESS = "sync_success"
    """Percent of the appointments that synced correctly (GG-03)."""
    ADOPTION = "adoption"
    """Percent of the trained staff that use the system (GG-04)."""
    DELIVERY = "delivery"
    """Percent of the messages to patients that were delivered (GG-05)."""
    CRITICAL_ISSUES = "critical_issues"
    """Open issues of severity 1 (GG-06, decision 32)."""
    CHAMPION_CONFIDENCE = "champion_confidence"
    """The lowest rating of a champion, 1 to 5 (GG-07); counted: champions who rated, of how many."""
    SYSTEMIC_ISSUES = "systemic_issues"
    """Classes of issue that recurred at more than one location of the wave (GG-09 b). Overall only."""
    TRAINING_VALIDATED = "training_validated"
    """Percent of the staff whom the champions trained with success (GG-09 c)."""
    ROLLBACKS = "rollbacks"
    """Rollbacks that began in the period (GG-09 d)."""


class Evidence(Value):
    """One measured value, of one location or overall. Without a value, or without its time, it is missing."""

    metric: Metric
    location_id: str | None = None
    """None: over all locations of the wave."""
    value: Decimal | None = None
    numerator: int | None = None
    """What the value was worked out from, where it is a share."""
    denominator: int | None = None
    source: str
    """A stable code, such as `vendor_dashboard` or `champion_attestation`."""
    as_of: datetime | None = None
    """Aware UTC: until when the facts behind it reach."""
    submitted_by: str | None = None
    """Id of the member who entered it; None: measured by a machine."""
    submitters: tuple[str, ...] = ()
    """Ids of everybody who entered a part of it, where there are several."""

    @property
    def people(self) -> frozenset[str]:
        """Who submitted it."""
        return frozenset({*self.submitters, *((self.submitted_by,) if self.submitted_by else ())})
