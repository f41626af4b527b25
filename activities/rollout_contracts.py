"""Typed inputs, results and effects of a rollout's processes; contracts.py has what all processes share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from domain.model import Value
from domain.rollout.cadences import Cadence
from domain.rollout.gate.evidence import Evidence
from domain.rollout.integration.validation import ValidationPolicy
from domain.rollout.moments import LocalMoment
from domain.rollout.program import PracticeSystemName
from domain.work_calendar import WorkCalendar


class SwitchComms(Value):
    """How much of a location's communication with patients is switched on: checked before each send (P-01, X-05)."""

    kind: Literal["switch_comms"] = "switch_comms"
    location_id: str
    enabled_percent: int
    reason: str
    """A stable code."""


class MomentsInput(Value):
    local: tuple[LocalMoment, ...]


class MomentsResult(Value):
    moments: tuple[datetime, ...]
    """Aware UTC, in the order asked."""


class BusinessDaysInput(Value):
    """When days of a programme end, by their numbers; the first is 1."""

    starts_on: date
    calendar: WorkCalendar
    numbers: tuple[int, ...]


class BusinessDaysResult(Value):
    ends: tuple[datetime, ...]
    """Aware UTC, in the order asked."""


class CollectEvidenceInput(Value):
    """The facts behind the gate of a wave."""

    program_id: str
    wave: int
    locations: tuple[str, ...]
    since: datetime
    """Aware UTC: the first launch of the wave. Shares are over the time from here to `until`."""
    until: datetime
    incidents_since: datetime
    """From when rollbacks and recurring issues count: the first launch, after a no-go the start of the extension."""
    known_at: datetime | None = None
    """Ratings, issues and rollbacks count up to here, so that a decision knows of them. None: up to `until`."""


class CollectEvidenceResult(Value):
    """For each metric an entry per location and one overall, as far as there are facts; in any order."""

    evidence: tuple[Evidence, ...]


class ValidationInput(Value):
    """One run of the nine validation cases against a location's TEST twin (P-12)."""

    key: str
    """Of the run: what a repeat does again, it does once."""
    program_id: str
    location_id: str
    practice_system: PracticeSystemName
    policy: ValidationPolicy


class CadenceOrder(Value):
    """Which regular report a schedule starts."""

    cadence: Cadence


class CadenceInput(Value):
    cadence: Cadence
    at: datetime
    """Aware UTC, by the workflow's clock."""


class CadenceResult(Value):
    published: tuple[str, ...] = ()
    """Ids of the reports that are new."""
