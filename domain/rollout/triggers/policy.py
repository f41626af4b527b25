"""Policy data: the triggers of a rollback, and what makes an issue systemic."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from domain.clock import Milestone
from domain.model import Value
from domain.rollout.people import Function

SYNC_FAILING = "sync_failing"
OUTAGE = "outage"


class TriggerPolicy(Value):
    sync_failed_percent: Decimal
    """X-01: of the appointments; more than this is failing."""
    sync_failing_longer_than: timedelta
    """X-01: every hour counts, without a break (decision 35)."""
    sync_failing: tuple[Milestone, ...]
    """Who is warned before that."""
    silence_tolerated: timedelta
    """How long failing is taken to go on without a word."""
    outage_longer_than: timedelta
    """X-03: in the location's business hours, without a break (decision 36)."""
    outage: tuple[Milestone, ...]
    """Who is warned before that, in business hours too."""
    resolution: timedelta
    """The least by which a time is longer than its limit."""
    late_accepted: timedelta
    """What ended longer ago than this is not looked at any more."""
    incidents_kept: int = Field(ge=1)
    """How many incidents are remembered, so that none counts twice."""
    requesters: tuple[Function, ...]
    """X-04."""
    systemic_percent: Decimal
    """X-09: of the deployed locations; more than this is systemic."""
    systemic_locations: int = Field(ge=1)
    """Decision 37: and at least so many."""
