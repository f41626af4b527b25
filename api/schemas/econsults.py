"""An eConsult as people see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.orders import FINDING
from api.values import EXAMPLE_ID
from db.econsults import ORDERED, Case
from db.tables import Timeline
from domain.case import ClockView, WaitsFor
from domain.clock import SlaState
from domain.econsult.linter import Finding
from domain.econsult.state import Assignment, Dispute, FollowUpVisit, Outcome, Payment, Question, Refund
from domain.econsult.states import FollowUp, Stage
from domain.econsult.view import EConsultSnapshot
from domain.specialties import catalogue

State = Stage | Literal["ORDERED"]

_AT = "2026-03-02T16:20:00Z"
_EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "state": "AWAITING_PAYMENT",
    "visit_id": EXAMPLE_ID,
    "patient_id": EXAMPLE_ID,
    "clinician_id": EXAMPLE_ID,
    "specialty_code": "207N00000X",
    "specialty_name": "Dermatology",
    "purpose": "second_opinion",
    "ordered_at": _AT,
    "policy_version": "econsult-2026.1",
    "sequence": 1,
    "waits_for": [{"who": "patient", "what": "payment through the link"}],
    "next_deadline": "2026-03-09T16:20:00Z",
    "sla_state": "on_time",
    "escalation_level": 0,
    "clocks": [
        {
            "name": "payment",
            "state": "on_time",
            "running": True,
            "armed_at": _AT,
            "deadline": "2026-03-09T16:20:00Z",
            "breached_at": None,
            "outcome": None,
            "escalation_level": 0,
            "acknowledged": False,
        }
    ],
    "assignments": [],
    "replied_at": None,
    "in_person_recommended": False,
    "window_ends_at": None,
    "window_left": None,
    "questions": [],
    "follow_up": "NONE",
    "follow_up_visit": None,
    "outcome": None,
    "document_version": 0,
    "closed_at": None,
    "warnings": [],
    "money": {
        "network_fee_cents": 12000,
        "clinician_portion_cents": 2000,
        "total_cents": 14000,
        "currency": "usd",
        "link_number": 1,
        "link_expires_at": "2026-03-09T16:20:00Z",
        "payments": [],
        "refunds": [],
        "disputes": [],
    },
}


class Money(BaseModel):
    """The pinned price, what was paid and what went back. Integer cents."""

    network_fee_cents: int
    clinician_portion_cents: int
    total_cents: int
    currency: str
    link_number: int = Field(default=1, description="Counts the payment links that were sent; the last one works.")
    link_expires_at: datetime | None = None
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()


class EConsultView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    state: State = Field(description="ORDERED until the process has recorded its first step.")
    visit_id: str
    patient_id: str
    clinician_id: str = Field(description="The treating clinician, from the order to the end (E-13).")
    specialty_code: str
    specialty_name: str
    purpose: str
    ordered_at: datetime
    policy_version: str = Field(description="The policy pinned into this case.")
    sequence: int = Field(default=0, description="Steps recorded so far.")
    waits_for: tuple[WaitsFor, ...] = ()
    next_deadline: datetime | None = None
    sla_state: SlaState = SlaState.ON_TIME
    escalation_level: int = 0
    clocks: tuple[ClockView, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    replied_at: datetime | None = None
    in_person_recommended: bool = False
    window_ends_at: datetime | None = Field(default=None, description="Until then questions may be asked (E-06).")
    window_left: timedelta | None = Field(default=None, description="The time left for them, now.")
    questions: tuple[Question, ...] = ()
    follow_up: FollowUp = FollowUp.NONE
    follow_up_visit: FollowUpVisit | None = None
    outcome: Outcome | None = None
    document_version: int = 0
    closed_at: datetime | None = None
    warnings: tuple[str, ...] = Field(default=(), description="Codes of what to know; nothing is refused for them.")
    money: Money | None = Field(default=None, description="Not for specialists.")


class OrderedEConsult(EConsultView):
    """The answer to an order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "advice": [FINDING]}]})

    advice: list[Finding] = Field(default_factory=list, description="What would make the submission stronger.")


def econsult_view(case: Case, now: datetime, *, money: bool, live: EConsultSnapshot | None = None) -> EConsultView:
    """The case after its latest recorded step, or as the workflow itself tells it; countdowns as of now."""
    return EConsultView.model_validate(view_fields(case, now, money=money, live=live))


def view_fields(case: Case, now: datetime, *, money: bool, live: EConsultSnapshot | None = None) -> dict[str, Any]:
    order, snapshot = case.order, live or case.snapshot
    names = {specialty.code: specialty.name for specialty in catalogue()}
    fields: dict[str, Any] = {
        "ordered_at": order.created_at,
        "policy_version": order.order["policy"]["version"],
        **(snapshot.model_dump() if snapshot else {}),
        "id": order.id,
        "state": snapshot.stage if snapshot else ORDERED,
        "visit_id": order.visit_id,
        "patient_id": order.patient_id,
        "clinician_id": order.clinician_id,
        "specialty_code": order.specialty_code,
        "specialty_name": names.get(order.specialty_code, order.specialty_code),
        "purpose": order.purpose,
    }
    window_ends = snapshot.window_ends_at if snapshot else None
    return fields | {
        "window_left": max(window_ends - now, timedelta()) if window_ends else None,
        "money": _money(case, snapshot) if money else None,
    }


def _money(case: Case, snapshot: EConsultSnapshot | None) -> Money:
    order = case.order
    price = {
        "network_fee_cents": order.network_fee_cents,
        "clinician_portion_cents": order.clinician_portion_cents,
        "total_cents": order.network_fee_cents + order.clinician_portion_cents,
        "currency": order.currency,
    }
    return Money.model_validate({**(snapshot.model_dump() if snapshot else {}), **price})


class StepView(BaseModel):
    """One business event, and where the case stood after it."""

    sequence: int
    event: str
    at: datetime
    actor_role: str
    actor_id: str
    detail: dict[str, Any] = Field(description="Opaque ids, stable codes, amounts in cents, due times.")
    state: str
    sla_state: str
    next_deadline: datetime | None


class TimelinePage(BaseModel):
    items: list[StepView]
    next_cursor: int | None = Field(default=None, description="Give it as `cursor` for what follows; null at the end.")


def step_view(step: Timeline) -> StepView:
    after = step.snapshot
    return StepView(
        sequence=step.sequence,
        event=step.event,
        at=step.at,
        actor_role=step.actor_role,
        actor_id=step.actor_id,
        detail=step.detail,
        state=after["business_state"],
        sla_state=after["sla_state"],
        next_deadline=after["next_deadline"],
    )
