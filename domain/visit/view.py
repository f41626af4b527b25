"""What people see of a visit: the snapshot kept with each step, and what it waits for."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from domain.actors import Actor
from domain.case import CaseSnapshot, WaitsFor, progress
from domain.visit.rules import wait_is_over_at, was_missed
from domain.visit.state import Call, Dispute, Settled, VisitOrder, VisitState
from domain.visit.states import NoteStatus, Obligation, VisitKind, VisitStage, VisitType


class VisitSnapshot(CaseSnapshot):
    process: Literal["Visit"] = "Visit"
    visit_id: str
    patient_id: str
    clinician_id: str
    kind: VisitKind
    visit_type: VisitType
    econsult_id: str | None
    duration_minutes: int
    stage: VisitStage
    starts_at: datetime
    times_rescheduled: int
    clinician_joined_at: datetime | None
    patient_joined_at: datetime | None
    no_show_from: datetime | None
    """When the minimum wait is over."""
    calls: tuple[Call, ...]
    completed_at: datetime | None
    settled: dict[Obligation, Settled]
    owed: tuple[Obligation, ...]
    note: NoteStatus | None
    note_id: str | None
    ended_at: datetime | None
    ended_by: Actor | None
    end_reason: str | None
    dispute: Dispute | None
    missed: bool
    """The clinician was late, did not come, or called the visit off."""
    excused_by: Actor | None
    excuse: str | None
    closed_at: datetime | None


_FROM_ORDER = {"visit_id", "patient_id", "clinician_id", "kind", "visit_type", "econsult_id", "duration_minutes"}
_FROM_STATE = (
    "stage",
    "starts_at",
    "times_rescheduled",
    "clinician_joined_at",
    "patient_joined_at",
    "completed_at",
    "settled",
    "owed",
    "note",
    "note_id",
    "ended_at",
    "ended_by",
    "end_reason",
    "dispute",
    "excused_by",
    "excuse",
    "closed_at",
)


def snapshot(order: VisitOrder, state: VisitState) -> VisitSnapshot:
    return VisitSnapshot.model_validate(
        {
            **order.model_dump(include=_FROM_ORDER),
            **progress(state),
            **{name: getattr(state, name) for name in _FROM_STATE},
            "business_state": state.stage,
            "policy_version": order.policy.version,
            "waits_for": waits_for(state),
            "calls": tuple(state.calls.values()),
            "no_show_from": wait_is_over_at(state, order),
            "missed": was_missed(state, order.policy.join_allowance),
        }
    )


_WAITS: dict[VisitStage, WaitsFor] = {
    VisitStage.SCHEDULED: WaitsFor(who="clinician", what="joining at the start"),
    VisitStage.WAITING_FOR_CLINICIAN: WaitsFor(who="clinician", what="joining: the patient is there"),
    VisitStage.WAITING_FOR_PATIENT: WaitsFor(who="patient", what="joining: the clinician is there"),
    VisitStage.CLINICIAN_LATE: WaitsFor(who="clinician", what="joining, late"),
    VisitStage.IN_PROGRESS: WaitsFor(who="clinician", what="completing the visit"),
}


def waits_for(state: VisitState) -> tuple[WaitsFor, ...]:
    waits = [_WAITS[state.stage]] if state.stage in _WAITS else []
    if state.stage is VisitStage.COMPLETED:
        waits += [WaitsFor(who="clinician", what=each) for each in state.owed]
    if state.dispute is not None and state.dispute.upheld is None:
        waits.append(WaitsFor(who="support", what="a decision on the disputed no-show"))
    return tuple(waits)
