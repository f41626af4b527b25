"""What is reported about a clinician and reviewed by operations (K-01 to K-04, V-17, V-18).

Credential events and conduct reports go the same way: reported, triaged, resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from domain import clock as sla
from domain.actors import Actor, Notice
from domain.case import CaseProgress, CaseSnapshot, WaitsFor, progress
from domain.clock import Clock, ClockPolicy
from domain.errors import Refused
from domain.model import Value

TRIAGE = "triage"
RESOLUTION = "resolution"


class ReviewStage(StrEnum):
    REPORTED = "REPORTED"
    TRIAGED = "TRIAGED"
    RESOLVED = "RESOLVED"


class ReviewEvent(StrEnum):
    REPORTED = "reported"
    TRIAGED = "triaged"
    RESOLVED = "resolved"
    ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"
    LICENCE_NOT_REACHED = "licence_not_reached"


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class CredentialEventKind(StrEnum):
    BOARD_ACTION = "board_action"  # K-02
    LICENSE_STATUS_CHANGE = "license_status_change"
    LICENSE_EXPIRED = "license_expired"  # K-03
    LICENSE_SUSPENDED = "license_suspended"
    LICENSE_WAIVER = "license_waiver"
    LEGAL_ACTION = "legal_action"  # K-04


NAMES_A_LICENCE = frozenset(
    {CredentialEventKind.LICENSE_EXPIRED, CredentialEventKind.LICENSE_SUSPENDED, CredentialEventKind.LICENSE_WAIVER}
)
LOSSES: Mapping[str, Literal["suspended", "expired"]] = {
    CredentialEventKind.LICENSE_SUSPENDED: "suspended",
    CredentialEventKind.LICENSE_EXPIRED: "expired",
}
"""What takes effect on the licence as soon as it is reported."""


class ConductKind(StrEnum):
    CONDUCT = "conduct"  # V-17
    OFF_PLATFORM_REFERRAL = "off_platform_referral"  # V-18


class CredentialOutcome(StrEnum):
    NO_ACTION = "no_action"
    LICENCE_SUSPENDED = "licence_suspended"
    LICENCE_WAIVED = "licence_waived"
    CLINICIAN_BLOCKED = "clinician_blocked"  # every licence of theirs is suspended


class ConductOutcome(StrEnum):
    UNFOUNDED = "unfounded"
    COACHING = "coaching"
    WARNING = "warning"
    SUSPENSION_RECOMMENDED = "suspension_recommended"


SUSPENDING = frozenset({CredentialOutcome.LICENCE_SUSPENDED, CredentialOutcome.CLINICIAN_BLOCKED})

ReviewProcess = Literal["CredentialEvent", "ConductReport"]
OUTCOMES: Mapping[str, frozenset[str]] = {
    "CredentialEvent": frozenset(CredentialOutcome),
    "ConductReport": frozenset(ConductOutcome),
}


class ResolutionPolicy(Value):
    """The clock of the resolution, by severity."""

    low: ClockPolicy
    medium: ClockPolicy
    high: ClockPolicy

    def of(self, severity: Severity) -> ClockPolicy:
        return {Severity.LOW: self.low, Severity.MEDIUM: self.medium, Severity.HIGH: self.high}[severity]


class ReviewPolicy(Value):
    version: str
    promptly: ClockPolicy | None = None
    """How soon after they knew of it a clinician should report (K-01, decision 11): later is noted, never refused."""
    triage: ClockPolicy
    resolution: ResolutionPolicy
    reported: tuple[Notice, ...]
    resolved: tuple[Notice, ...]


class ReviewOrder(Value):
    """The workflow's input. What was reported in words stays in the database."""

    process: ReviewProcess
    report_id: str
    clinician_id: str
    """Whom it is about."""
    kind: str
    licence_id: str | None = None
    reported_by: Actor
    reported_at: datetime
    aware_at: datetime | None = None
    policy: ReviewPolicy


class ReviewAct(Value):
    actor: Actor


class Triage(ReviewAct):
    severity: Severity
    assigned_to: str
    """Id of a person of the staff, or the subject of who triages."""


class Resolve(ReviewAct):
    outcome: str
    licence_ids: tuple[str, ...] = ()
    """The licences that a suspending outcome suspends."""


class AcknowledgeReview(ReviewAct):
    clock: str


class ReviewReceipt(Value):
    sequence: int
    stage: ReviewStage


class ReviewState(CaseProgress):
    stage: ReviewStage = ReviewStage.REPORTED
    severity: Severity | None = None
    assigned_to: str | None = None
    triaged_at: datetime | None = None
    outcome: str | None = None
    resolved_at: datetime | None = None
    resolved_by: Actor | None = None


class ReviewSnapshot(CaseSnapshot):
    process: ReviewProcess
    report_id: str
    kind: str
    subject_id: str
    """The clinician whom it is about."""
    clinician_id: str | None
    """The clinician who is told and whose board shows it: of a conduct report nobody."""
    licence_id: str | None
    stage: ReviewStage
    reported_at: datetime
    aware_at: datetime | None
    late_report: bool
    severity: Severity | None
    assigned_to: str | None
    triaged_at: datetime | None
    outcome: str | None
    resolved_at: datetime | None
    resolved_by: Actor | None


def promptness(order: ReviewOrder) -> Clock | None:
    """The clock from awareness to the report. It is over when the case begins; its breach says that it was late."""
    if order.policy.promptly is None or order.aware_at is None:
        return None
    clock = sla.arm(order.policy.promptly, order.aware_at)
    return sla.end(clock, order.reported_at, sla.Outcome.MET, order.reported_by)


def is_late(order: ReviewOrder) -> bool:
    clock = promptness(order)
    return clock is not None and clock.breached_at is not None


def may_triage(state: ReviewState) -> None:
    if state.stage is not ReviewStage.REPORTED:
        raise Refused("review.already_triaged", f"the report is {state.stage}")


def triage(state: ReviewState, asked: Triage, now: datetime) -> None:
    state.stage = ReviewStage.TRIAGED
    state.severity, state.assigned_to, state.triaged_at = asked.severity, asked.assigned_to, now


def may_resolve(order: ReviewOrder, state: ReviewState, asked: Resolve) -> None:
    if state.stage is ReviewStage.RESOLVED:
        raise Refused("review.already_resolved", "the report is resolved")
    if state.stage is ReviewStage.REPORTED:
        raise Refused("review.not_triaged", "triage comes first", missing=("review.triaged",))
    if asked.outcome not in OUTCOMES[order.process]:
        raise Refused("review.outcome_unfit", "this is no outcome of such a report")
    if asked.outcome in SUSPENDING and not asked.licence_ids:
        raise Refused("review.no_licence", "there is no licence to suspend", missing=("licence.recorded",))


def resolve(state: ReviewState, asked: Resolve, now: datetime) -> None:
    state.stage = ReviewStage.RESOLVED
    state.outcome, state.resolved_at, state.resolved_by = asked.outcome, now, asked.actor


def snapshot(order: ReviewOrder, state: ReviewState) -> ReviewSnapshot:
    return ReviewSnapshot(
        business_state=state.stage,
        policy_version=order.policy.version,
        waits_for=_waits_for(state),
        **progress(state),
        process=order.process,
        subject_id=order.clinician_id,
        clinician_id=order.clinician_id if order.process == "CredentialEvent" else None,
        late_report=is_late(order),
        **order.model_dump(include={"report_id", "kind", "licence_id", "reported_at", "aware_at"}),
        **state.model_dump(exclude={"sequence", "clocks"}),
    )


def _waits_for(state: ReviewState) -> tuple[WaitsFor, ...]:
    if state.stage is ReviewStage.RESOLVED:
        return ()
    what = "a triage" if state.stage is ReviewStage.REPORTED else "a resolution"
    return (WaitsFor(who="operations", what=what),)
