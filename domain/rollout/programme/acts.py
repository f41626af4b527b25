"""What people ask of a running programme: the typed input of each update. Texts stay in the database; ids travel."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.actors import Actor
from domain.model import Value
from domain.rollout.phases import ProgrammePhase
from domain.rollout.plan import Plan
from domain.rollout.program import Hosting, WaiverRule

ReasonCode = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
"""A stable code such as `vendor_outage`; what was said with it is kept as evidence."""


class ProgrammeEvent(StrEnum):
    """What a step on the timeline says happened."""

    BEGUN = "programme_begun"
    LOCATIONS_STARTED = "locations_started"
    TASK_DONE = "task_done"
    TASK_WAIVED = "task_waived"
    HOSTING_DECIDED = "hosting_decided"
    COMPLIANCE_ATTESTED = "compliance_attested"
    APPROVED = "approved"
    REJECTED = "rejected"
    PILOT_APPROVED = "pilot_approved"
    PLAN_FOLLOWED = "plan_followed"
    LOCATION_MOVED = "location_moved"
    WAIVER_GRANTED = "waiver_granted"
    WAVE_STARTED = "wave_started"
    WAVE_SLIPPED = "wave_slipped"
    WAVE_REPORTED = "wave_reported"
    WAVE_CLOSED = "wave_closed"
    LOCATION_REPORTED = "location_reported"
    REFORECAST = "reforecast"
    HELD = "programme_held"
    RELEASED = "programme_released"
    PAUSED = "programme_paused"
    RESUMED = "programme_resumed"
    OPTIMIZATION_BEGUN = "optimization_begun"
    COMPLETED = "programme_completed"
    CANCELLED = "programme_cancelled"


class Act(Value):
    actor: Actor


class DecideHosting(Act):
    hosting: Hosting
    evidence_id: str | None = None


class AttestCompliance(Act):
    point_id: str
    passed: bool
    evidence_id: str | None = None


class DecideApproval(Act):
    """In the function that the actor's role names."""

    note_id: str | None = None


class ApprovePilot(Act):
    locations: frozenset[str]
    """The selection that is approved."""


class MoveLocation(Act):
    location_id: str
    to_wave: int | None = Field(default=None, ge=1)
    """None: out of its wave, to wait."""
    reason: ReasonCode


class FollowPlan(Act):
    plan: Plan


class HoldProgramme(Act):
    reason: ReasonCode
    evidence_id: str | None = None


class ReleaseProgramme(Act):
    reason: ReasonCode
    """Of the hold to be lifted."""


class ResumeProgramme(Act):
    override: ReasonCode | None = None
    """Why it goes on although the issue is still systemic: a stable code."""
    evidence_id: str | None = None


class GrantWaiver(Act):
    rule: WaiverRule
    location_id: str | None = None
    reason: str
    """A stable code, or the id of the evidence."""


class CancelProgramme(Act):
    reason: ReasonCode
    evidence_id: str | None = None


class AcknowledgeEscalation(Act):
    clock: str


class ProgrammeReceipt(Value):
    """What an act answers, once its step is recorded."""

    sequence: int
    phase: ProgrammePhase
