"""What the processes of a rollout tell each other, as signals: past tense, safe to repeat, in any order.

`sequence` is the sender's step: news with a lower one than the last heard is old and changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from domain.actors import Actor
from domain.model import Value
from domain.rollout.holds import Holds
from domain.rollout.phases import LocationPhase, RollbackPhase, WavePhase


class IssueClass(StrEnum):
    """What a rollback is about; a systemic issue is of one class (decision 37)."""

    SYNC_FAILURE = "sync_failure"
    WRONG_MESSAGE = "wrong_message"
    OUTAGE = "outage"
    REQUESTED = "requested"


class Clearance(StrEnum):
    """What the programme grants to its locations; each is a hard gate there."""

    BAA = "baa"
    """N-02: no integration before it."""
    CREDENTIALS = "credentials"
    """N-05: no integration before them."""
    CONSENT = "consent"
    """N-11: no sending before it."""
    COMPLIANCE = "compliance"
    """P-00: no go-live before all ten points."""
    APPROVALS = "approvals"
    """A-01: no go-live before the mandatory approvers agree."""
    PILOT_BASELINES = "pilot_baselines"
    """B-01: granted when the baselines of every location of wave 1 are validated."""


class ProgrammeNews(Value):
    """To waves and locations: what the programme grants and what holds it. Whole, so that the latest is enough."""

    sequence: int
    clearances: frozenset[Clearance] = frozenset()
    holds: Holds = ()
    ended: bool = False
    """The programme is over or was cancelled: nothing goes forward any more."""


class WavePlanned(Value):
    """Programme to location: the wave it is in. None: it was taken out and waits."""

    sequence: int
    wave: int | None
    integration_from: datetime | None
    """When work on its integration may begin: a week before its wave (decision 38)."""
    go_live_at: datetime | None
    """The planned launch, aware UTC."""
    baselines_due: datetime | None = None
    """When its baseline is due, a week before the pilot's go-live (B-13). None: a week before its own."""


class GoLiveDue(Value):
    """Wave to location: today is your launch. It happens when the location's own gates are met."""

    sequence: int
    wave: int
    at: datetime


class LocationNews(Value):
    """Location to programme and wave."""

    sequence: int
    location_id: str
    phase: LocationPhase
    deployed: bool
    """It has gone live at some time, whether or not it is rolled back now."""
    baseline_validated: bool
    issue: IssueClass | None = None
    """Of the rollback that is not over, if there is one."""
    further_issues: tuple[IssueClass, ...] = ()
    """What else came to light in that rollback."""
    rollbacks: int = 0
    """How many it has had."""
    missing: tuple[str, ...] = ()
    """Before go-live: stable codes of what is missing for it."""


class WaveNews(Value):
    """Wave to programme."""

    sequence: int
    number: int
    phase: WavePhase
    closed_at: datetime | None = None
    """When its gate was passed and what was learned was written down: the buffer runs from here (W-02)."""
    extended_weeks: int = 0
    """How many weeks no-go decisions have added."""
    slipped_weeks: int = 0
    """How many weeks its launch had to wait on top."""


class RollbackNews(Value):
    """Rollback to location."""

    sequence: int
    number: int
    phase: RollbackPhase
    enabled_percent: int = 0
    """How much of the location's communication the staged re-enabling has switched on again."""
    by: Actor


class Relapse(Value):
    """Location to its open rollback: the trouble is back, or more of it came to light. Sending is switched off."""

    sequence: int
    issue: IssueClass
    at: datetime
    """When the trigger was met."""
    by: Actor
