"""Visits, as people schedule, change and see them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.values import EXAMPLE_ID, RecordId, Time
from db.visits import VisitCase
from domain.access import Role
from domain.actors import Actor
from domain.case import ClockView, WaitsFor
from domain.clock import SlaState
from domain.visit.state import Call, Dispute, Settled
from domain.visit.states import NoteStatus, Obligation, VisitKind, VisitStage, VisitStatus, VisitType
from domain.visit.view import VisitSnapshot

Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,120}$")]

_AT = "2026-03-02T16:00:00Z"


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class NewVisit(BaseModel):
    model_config = _example(
        patient_id=EXAMPLE_ID, starts_at="2026-03-02T09:00:00-07:00", duration_minutes=30, visit_type="general"
    )

    patient_id: RecordId
    clinician_id: RecordId | None = Field(default=None, description="Staff names it; a clinician need not.")
    starts_at: Time
    duration_minutes: int = Field(ge=5, le=240)
    visit_type: VisitType = Field(
        default=VisitType.GENERAL, description="Notes of therapy may stay drafts (decision 08)."
    )


class NewStart(BaseModel):
    model_config = _example(starts_at="2026-03-03T09:00:00-07:00")

    starts_at: Time


class VisitCancelReason(StrEnum):
    PATIENT_REQUEST = "patient_request"
    CLINICIAN_UNAVAILABLE = "clinician_unavailable"
    TECHNICAL_PROBLEM = "technical_problem"
    SCHEDULED_IN_ERROR = "scheduled_in_error"
    OTHER = "other"


class VisitCancellation(BaseModel):
    model_config = _example(reason="patient_request")

    reason: VisitCancelReason


class DisputeDecision(BaseModel):
    model_config = _example(uphold=False)

    uphold: bool = Field(description="True: it was a no-show. False: it was none, and its consequences are undone.")


class Fulfilled(BaseModel):
    model_config = _example(needed=True, reference_id="rx-20260302-7")

    needed: bool = Field(description="False: there is nothing to submit (decision 07).")
    reference_id: Reference | None = Field(default=None, description="Opaque id of what was submitted.")


class ObligationWaiveReason(StrEnum):
    SUBMITTED_ELSEWHERE = "submitted_elsewhere"
    SYSTEM_OUTAGE = "system_outage"
    CLINICIAN_UNAVAILABLE = "clinician_unavailable"
    NOT_APPLICABLE = "not_applicable"
    OTHER = "other"


class ObligationWaiver(BaseModel):
    model_config = _example(reason="system_outage")

    reason: ObligationWaiveReason


class ExcuseReason(StrEnum):
    ILLNESS = "illness"
    EMERGENCY = "emergency"
    TECHNICAL_PROBLEM = "technical_problem"
    SCHEDULED_IN_ERROR = "scheduled_in_error"
    OTHER = "other"


class Excuse(BaseModel):
    model_config = _example(reason="technical_problem")

    reason: ExcuseReason


_EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "patient_id": EXAMPLE_ID,
    "clinician_id": EXAMPLE_ID,
    "kind": "standard",
    "visit_type": "general",
    "econsult_id": None,
    "status": "scheduled",
    "state": "WAITING_FOR_PATIENT",
    "starts_at": _AT,
    "duration_minutes": 30,
    "price_cents": 0,
    "started_at": None,
    "completed_at": None,
    "created_at": "2026-02-20T10:00:00Z",
    "policy_version": "visit-2026.1",
    "sequence": 3,
    "waits_for": [{"who": "patient", "what": "joining: the clinician is there"}],
    "times_rescheduled": 0,
    "clinician_joined_at": "2026-03-02T15:59:00Z",
    "patient_joined_at": None,
    "no_show_from": "2026-03-02T16:10:00Z",
    "calls": [{"attempt_id": EXAMPLE_ID, "at": "2026-03-02T16:03:00Z", "outcome": "no_answer"}],
    "owed": [],
    "settled": {},
    "note": None,
    "note_id": None,
    "ended_at": None,
    "ended_by": None,
    "end_reason": None,
    "dispute": None,
    "missed": False,
    "excused_by": None,
    "excuse": None,
    "closed_at": None,
    "next_deadline": "2026-03-02T16:10:00Z",
    "sla_state": "on_time",
    "escalation_level": 0,
    "clocks": [
        {
            "name": "waiting",
            "state": "on_time",
            "running": True,
            "armed_at": "2026-03-02T16:10:00Z",
            "deadline": "2026-03-02T17:10:00Z",
            "breached_at": None,
            "outcome": None,
            "escalation_level": 0,
            "acknowledged": False,
            "may_breach": True,
        }
    ],
}


class VisitView(BaseModel):
    """The record of a visit, and where its process stands. Texts are read apart."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    patient_id: str
    clinician_id: str
    kind: VisitKind
    visit_type: VisitType
    econsult_id: str | None = Field(description="Of a follow-up visit: the eConsult that it belongs to.")
    status: VisitStatus = Field(description="The record's, which other processes go by.")
    state: VisitStage | None = Field(
        default=None, description="The process's; null until it has recorded its first step, and where there is none."
    )
    starts_at: datetime
    duration_minutes: int
    price_cents: int
    started_at: datetime | None = Field(description="When both were there.")
    completed_at: datetime | None
    created_at: datetime
    policy_version: str | None = Field(default=None, description="The policy pinned into this visit.")
    sequence: int = Field(default=0, description="Steps recorded so far.")
    waits_for: tuple[WaitsFor, ...] = ()
    times_rescheduled: int = 0
    clinician_joined_at: datetime | None = None
    patient_joined_at: datetime | None = None
    no_show_from: datetime | None = Field(default=None, description="When the minimum wait is over (V-05, V-06).")
    calls: tuple[Call, ...] = Field(default=(), description="To the patient, through Call Patient (V-07).")
    owed: tuple[Obligation, ...] = Field(default=(), description="What the clinician still has to settle.")
    settled: dict[Obligation, Settled] = Field(default_factory=dict)
    note: NoteStatus | None = Field(default=None, description="Of the clinical note; patients see a complete one only.")
    note_id: str | None = None
    ended_at: datetime | None = Field(default=None, description="When it was cancelled or nobody came.")
    ended_by: Actor | None = None
    end_reason: str | None = None
    dispute: Dispute | None = None
    missed: bool = Field(default=False, description="The clinician was late, did not come, or called it off (V-02).")
    excused_by: Actor | None = None
    excuse: str | None = Field(default=None, description="Why the absence is excused (decision 03); not for patients.")
    closed_at: datetime | None = None
    next_deadline: datetime | None = None
    sla_state: SlaState = SlaState.ON_TIME
    escalation_level: int = 0
    clocks: tuple[ClockView, ...] = ()


_FROM_RECORD = {
    "id",
    "patient_id",
    "clinician_id",
    "kind",
    "visit_type",
    "econsult_id",
    "status",
    "duration_minutes",
    "price_cents",
    "started_at",
    "completed_at",
    "created_at",
}


def visit_view(case: VisitCase, role: Role, *, live: VisitSnapshot | None = None) -> VisitView:
    """The visit after its latest recorded step, or as the workflow itself tells it, as this role may see it."""
    snapshot = live or case.snapshot
    fields: dict[str, Any] = {
        "starts_at": case.visit.scheduled_start,
        **(snapshot.model_dump() if snapshot else {}),
        **case.visit.model_dump(include=_FROM_RECORD),
        "state": snapshot.stage if snapshot else None,
    }
    if role is Role.PATIENT:
        fields |= {"excuse": None, "excused_by": None}
        if fields.get("note") is not NoteStatus.COMPLETE:
            fields |= {"note": None, "note_id": None}
    return VisitView.model_validate(fields)
