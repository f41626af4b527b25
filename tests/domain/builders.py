"""Values of an eConsult for tests: valid by default, one thing changed at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain import policy
from domain.actors import Actor
from domain.clock import Clock, arm, fire
from domain.econsult.state import Assignment, EConsultOrder, EConsultState, Payment, Question, Refund
from domain.econsult.states import AssignmentStatus, RefundStatus, Stage
from domain.ledger import Price

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLICY = policy.load().econsult
PRICE = Price(network_fee_cents=12_000, clinician_portion_cents=2_000)
PERSON = Actor(role="support", id="person-1")


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def after(count: float) -> datetime:
    """So many hours after the start of the world."""
    return START + hours(count)


def an_order() -> EConsultOrder:
    return EConsultOrder(
        econsult_id="econsult-1",
        visit_id="visit-1",
        patient_id="patient-1",
        clinician_id="clinician-1",
        specialty_code="207RC0000X",
        purpose="second_opinion",
        price=PRICE,
        policy=POLICY,
        ordered_by=Actor(role="clinician", id="clinician-1"),
    )


def a_state(stage: Stage, **fields: Any) -> EConsultState:
    return EConsultState(ordered_at=START, stage=stage, **fields)


def a_payment(payment_id: str = "payment-1", amount_cents: int = PRICE.total_cents, **fields: Any) -> Payment:
    known = {"session_id": "session-1", "currency": "usd", "at": START, **fields}
    return Payment(payment_id=payment_id, amount_cents=amount_cents, **known)


def paid(*payments: Payment) -> dict[str, Payment]:
    return {payment.payment_id: payment for payment in payments or (a_payment(),)}


def an_assignment(status: AssignmentStatus = AssignmentStatus.ACCEPTED, number: int = 1) -> Assignment:
    return Assignment(
        assignment_id=f"assignment-{number}",
        specialist_id=f"specialist-{number}",
        number=number,
        status=status,
        at=START,
    )


def a_refund(status: RefundStatus = RefundStatus.REQUESTED, amount_cents: int = 0, number: int = 1) -> Refund:
    return Refund(
        request_id=f"request-{number}",
        payment_id="payment-1",
        requested_at=START,
        requested_by=PERSON,
        status=status,
        amount_cents=amount_cents,
    )


def a_question(answered: bool = False) -> Question:
    return Question(question_id="question-1", asked_at=START, answer_id="answer-1" if answered else None)


def a_turnaround(noticed_at: datetime = START) -> Clock:
    """Armed at the start, with everything fired that was due when it was last looked at."""
    return fire(arm(POLICY.turnaround, START), noticed_at)[0]
