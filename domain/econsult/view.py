"""What people see of an eConsult: the snapshot kept with each step, and what it waits for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from domain.case import CaseSnapshot, WaitsFor, progress
from domain.econsult.state import (
    Assignment,
    Dispute,
    EConsultOrder,
    EConsultState,
    FollowUpVisit,
    Outcome,
    Payment,
    Question,
    Refund,
)
from domain.econsult.states import FollowUp, RefundStatus, Stage
from domain.ledger import Price


class EConsultSnapshot(CaseSnapshot):
    process: Literal["EConsult"] = "EConsult"
    econsult_id: str
    visit_id: str
    patient_id: str
    clinician_id: str
    specialty_code: str
    purpose: str
    price: Price
    stage: Stage
    link_number: int
    link_expires_at: datetime | None
    payments: tuple[Payment, ...]
    disputes: tuple[Dispute, ...]
    assignments: tuple[Assignment, ...]
    replied_at: datetime | None
    in_person_recommended: bool
    window_ends_at: datetime | None
    window_left: timedelta | None
    """The countdown of the follow-up window (E-06), as of this snapshot."""
    questions: tuple[Question, ...]
    follow_up: FollowUp
    follow_up_visit: FollowUpVisit | None
    warnings: tuple[str, ...]
    """Codes of what people should know and may go on with."""
    refunds: tuple[Refund, ...]
    outcome: Outcome | None
    document_version: int
    ordered_at: datetime
    closed_at: datetime | None


_FROM_ORDER = {"econsult_id", "visit_id", "patient_id", "clinician_id", "specialty_code", "purpose"}
_FROM_STATE = (
    "stage",
    "link_number",
    "link_expires_at",
    "replied_at",
    "in_person_recommended",
    "follow_up",
    "follow_up_visit",
    "outcome",
    "document_version",
    "ordered_at",
    "closed_at",
    "window_ends_at",
    "assignments",
    "questions",
    "refunds",
)


def snapshot(order: EConsultOrder, state: EConsultState, now: datetime) -> EConsultSnapshot:
    return EConsultSnapshot.model_validate(
        {
            **order.model_dump(include=_FROM_ORDER),
            **progress(state),
            **{name: getattr(state, name) for name in _FROM_STATE},
            "business_state": state.stage,
            "price": order.price,
            "policy_version": order.policy.version,
            "window_left": window_left(state, now),
            "waits_for": waits_for(state),
            "payments": tuple(state.payments.values()),
            "disputes": tuple(state.disputes.values()),
            "warnings": warnings(state),
        }
    )


def window_left(state: EConsultState, now: datetime) -> timedelta | None:
    """The countdown of the follow-up window; None before it opens, zero once it is over."""
    ends = state.window_ends_at
    return max(ends - now, timedelta()) if ends else None


_WAITS: dict[Stage, WaitsFor] = {
    Stage.AWAITING_PAYMENT: WaitsFor(who="patient", what="payment through the link"),
    Stage.PAYMENT_EXPIRED: WaitsFor(who="clinician", what="a new payment link, or nothing"),
    Stage.PAID: WaitsFor(who="network_desk", what="a free specialist"),
    Stage.WITH_SPECIALIST: WaitsFor(who="specialist", what="a reply"),
    Stage.INFO_REQUESTED: WaitsFor(who="clinician", what="the information that the specialist asked for"),
}


def waits_for(state: EConsultState) -> tuple[WaitsFor, ...]:
    waits = [_WAITS[state.stage]] if state.stage in _WAITS else []
    if state.pending_questions:
        waits.append(WaitsFor(who="specialist", what=f"answers to {len(state.pending_questions)} question(s)"))
    if state.follow_up is FollowUp.PROMPTED:
        waits.append(WaitsFor(who="patient", what="booking the follow-up visit"))
    if state.follow_up is FollowUp.BOOKED:
        waits.append(WaitsFor(who="clinician", what="the follow-up visit"))
    if any(refund.status is RefundStatus.REQUESTED for refund in state.refunds):
        waits.append(WaitsFor(who="support", what="a decision on the refund"))
    return tuple(waits)


def warnings(state: EConsultState) -> tuple[str, ...]:
    late_visit = state.follow_up_visit is not None and state.follow_up_visit.after_window
    return ("follow_up_visit.after_window",) if late_visit else ()
