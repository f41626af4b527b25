"""The state of a Rollout workflow."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.case import CaseProgress
from domain.model import Value
from domain.rollout.holds import Holds
from domain.rollout.news import Clearance, IssueClass
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase, WavePhase
from domain.rollout.plan import Plan
from domain.rollout.program import Hosting, Waiver
from domain.rollout.tasks import TaskState


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Approval(Value):
    """A-01. A rejection blocks until its function approves anew."""

    status: ApprovalStatus = ApprovalStatus.PENDING
    due: datetime | None = None
    at: datetime | None = None
    by: Actor | None = None
    note_id: str | None = None
    """Of the record that holds what was said with it."""


class Attestation(StrEnum):
    PENDING = "pending"
    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"


class ComplianceMark(Value):
    status: Attestation = Attestation.PENDING
    at: datetime | None = None
    by: Actor | None = None
    evidence_id: str | None = None


class PilotApproval(Value):
    """S-11. It is for these locations: another selection needs another one."""

    locations: frozenset[str]
    at: datetime
    by: Actor


class HostingDecision(Value):
    """H-01; nobody's decision is the default."""

    hosting: Hosting = Hosting.CENTRALIZED
    at: datetime | None = None
    by: Actor | None = None
    evidence_id: str | None = None


class LocationRecord(Value):
    """What the programme has heard of a location, and what it told it."""

    started: bool = False
    heard: int = 0
    """Sequence of the last news."""
    phase: LocationPhase = LocationPhase.WAITING
    deployed: bool = False
    baseline_validated: bool = False
    issues: tuple[IssueClass, ...] = ()
    rollbacks: int = 0
    missing: tuple[str, ...] = ()


class WaveDates(Value):
    """The moments of a wave by its forecast start, aware UTC."""

    of: date
    """The Monday that they were worked out from."""
    starts_at: datetime
    integration_from: datetime
    launches: dict[str, datetime]
    """By the time zone of the location."""


class WaveRecord(Value):
    """What became of a wave. Its locations and planned dates are in the plan."""

    not_before: date | None = None
    """A Monday: it has slipped to there at least."""
    dates: WaveDates | None = None
    started_on: date | None = None
    """The Monday it went by."""
    started_at: datetime | None = None
    heard: int = 0
    phase: WavePhase = WavePhase.PLANNED
    closed_at: datetime | None = None
    extended_weeks: int = 0
    slipped_weeks: int = 0


class Slip(Value):
    """A wave that could not start on its Monday."""

    wave: int
    monday: date
    causes: tuple[str, ...]
    """Stable codes of what was missing."""


class Reforecast(Value):
    at: datetime
    cause: str
    """A stable code with what it is about, such as `slip:2` or `no_go:1`."""
    ends_on: date
    last_week: int


class Told(Value):
    """What waves and locations were told last."""

    clearances: frozenset[Clearance] = frozenset()
    holds: Holds = ()
    ended: bool = False


class Planned(Value):
    """What a location was told of its wave last."""

    wave: int | None = None
    integration_from: datetime | None = None
    go_live_at: datetime | None = None
    baselines_due: datetime | None = None


class ProgrammeState(CaseProgress):
    plan: Plan
    hosting: HostingDecision = HostingDecision()
    tasks: dict[str, TaskState]
    approvals: dict[Function, Approval]
    """Of those whose approval is mandatory here."""
    compliance: dict[str, ComplianceMark]
    compliance_due: datetime | None = None
    pilot: PilotApproval | None = None
    pilot_due: datetime | None = None
    stakeholders_told_at: datetime | None = None
    locations: dict[str, LocationRecord]
    waves: dict[int, WaveRecord] = Field(default_factory=dict)
    holds: Holds = ()
    accepted: dict[IssueClass, frozenset[str]] = Field(default_factory=dict)
    """Affected locations with which an executive resumed all the same; they alone pause nothing again."""
    last_resumed_at: datetime | None = None
    waivers: tuple[Waiver, ...] = ()
    slips: tuple[Slip, ...] = ()
    reforecasts: tuple[Reforecast, ...] = ()
    alerted_week: int = 0
    """The latest last week that an overrun was reported for."""
    optimization_from: datetime | None = None
    optimization_on: date | None = None
    """The Monday it went by."""
    ends_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    told: Told | None = None
    planned: dict[str, Planned] = Field(default_factory=dict)
    seen: tuple[str, ...] = ()
    """Ids of the latest acts."""

    @property
    def over(self) -> bool:
        return self.completed_at is not None or self.cancelled_at is not None

    def wave(self, number: int) -> WaveRecord:
        return self.waves.get(number, WaveRecord())
