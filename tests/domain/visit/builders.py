"""Values of a visit for tests: valid by default, one thing changed at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain import policy
from domain.actors import Actor
from domain.visit.state import Call, Settled, VisitOrder, VisitState
from domain.visit.states import Fulfilment, VisitStage
from domain.visit_calls import CallOutcome

START = datetime(2026, 3, 2, 15, tzinfo=UTC)
POLICY = policy.load().visit
CLINICIAN = Actor(role="clinician", id="clinician-1")
PATIENT = Actor(role="patient", id="patient-1")
SUPPORT = Actor(role="support", id="support-1")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def after(count: float) -> datetime:
    """So many minutes after the start of the visit."""
    return START + minutes(count)


def an_order(duration_minutes: int = 15, **fields: Any) -> VisitOrder:
    known = {
        "visit_id": "visit-1",
        "patient_id": "patient-1",
        "clinician_id": "clinician-1",
        "starts_at": START,
        "policy": POLICY,
        "scheduled_by": SUPPORT,
    }
    return VisitOrder(duration_minutes=duration_minutes, **{**known, **fields})


def a_state(stage: VisitStage = VisitStage.SCHEDULED, **fields: Any) -> VisitState:
    return VisitState(starts_at=START, stage=stage, **fields)


def a_call(minute: float, outcome: CallOutcome | None = CallOutcome.NO_ANSWER) -> Call:
    return Call(attempt_id=f"call-{minute}", at=after(minute), outcome=outcome)


def calls(*made: Call | float) -> dict[str, Call]:
    placed = [call if isinstance(call, Call) else a_call(call) for call in made]
    return {call.attempt_id: call for call in placed}


def waiting(
    *made: Call | float, joined: float = 0, stage: VisitStage = VisitStage.WAITING_FOR_PATIENT, **fields: Any
) -> VisitState:
    """The clinician joined so many minutes after the start and called the patient so many minutes after it."""
    return a_state(stage, clinician_joined_at=after(joined), calls=calls(*made), **fields)


def in_progress(stage: VisitStage = VisitStage.IN_PROGRESS, **fields: Any) -> VisitState:
    return a_state(stage, clinician_joined_at=START, patient_joined_at=START, **fields)


def completed(stage: VisitStage = VisitStage.COMPLETED, **fields: Any) -> VisitState:
    return in_progress(stage, completed_at=after(20), **fields)


def settled(how: Fulfilment = Fulfilment.SUBMITTED) -> Settled:
    return Settled(how=how, at=after(30), by=CLINICIAN)
