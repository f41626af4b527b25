"""What a Visit workflow holds: the pinned order and one serialisable state."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from domain.actors import Actor
from domain.case import CaseProgress
from domain.model import Value
from domain.visit.policy import VisitPolicy
from domain.visit.states import Fulfilment, NoteStatus, Obligation, VisitKind, VisitStage, VisitType
from domain.visit_calls import ATTEMPTS, CallOutcome


class VisitOrder(Value):
    """The workflow's input: ids, times and the policy, pinned. No patient data."""

    visit_id: str
    patient_id: str
    clinician_id: str
    kind: VisitKind = VisitKind.STANDARD
    visit_type: VisitType = VisitType.GENERAL
    econsult_id: str | None = None
    """Of a follow-up visit: the eConsult that waits for it."""
    starts_at: datetime
    duration_minutes: int = Field(ge=5, le=240)
    policy: VisitPolicy
    scheduled_by: Actor


class Call(Value):
    """A call to the patient through "Call Patient" (V-07)."""

    attempt_id: str
    at: datetime
    outcome: CallOutcome | None = None

    @property
    def counts(self) -> bool:
        return self.outcome in ATTEMPTS


class Settled(Value):
    """How an obligation came to its end."""

    how: Fulfilment
    at: datetime
    by: Actor
    reference: str | None = None
    """Opaque id of what was submitted, or the stable code of why it was waived."""


class Dispute(Value):
    opened_at: datetime
    opened_by: Actor
    upheld: bool | None = None
    decided_by: Actor | None = None


class VisitState(CaseProgress):
    stage: VisitStage = VisitStage.SCHEDULED
    starts_at: datetime
    times_rescheduled: int = 0
    clinician_joined_at: datetime | None = None
    patient_joined_at: datetime | None = None
    calls: dict[str, Call] = Field(default_factory=dict)
    completed_at: datetime | None = None
    settled: dict[Obligation, Settled] = Field(default_factory=dict)
    note: NoteStatus | None = None
    note_id: str | None = None
    ended_at: datetime | None = None
    ended_by: Actor | None = None
    end_reason: str | None = None
    dispute: Dispute | None = None
    excused_by: Actor | None = None
    excuse: str | None = None
    closed_at: datetime | None = None

    @property
    def waited_from(self) -> datetime | None:
        """The patient's grace begins with the start, or with a clinician who comes later (decision 05)."""
        return max(self.starts_at, self.clinician_joined_at) if self.clinician_joined_at else None

    @property
    def owed(self) -> tuple[Obligation, ...]:
        """What the clinician still has to settle."""
        return tuple(each for each in Obligation if each not in self.settled) if self.completed_at else ()

    def attempts(self, spacing: timedelta) -> list[datetime]:
        """When the patient was really called, at least so far apart, none before the start."""
        counted: list[datetime] = []
        for call in sorted((c for c in self.calls.values() if c.counts), key=lambda c: c.at):
            if call.at >= self.starts_at and (not counted or call.at - counted[-1] >= spacing):
                counted.append(call.at)
        return counted
