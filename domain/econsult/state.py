"""What an eConsult workflow holds: the pinned order and one serialisable state."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from domain.actors import Actor
from domain.case import CaseProgress
from domain.econsult import payments
from domain.econsult.states import (
    AssignmentStatus,
    FollowUp,
    RefundStatus,
    Stage,
)
from domain.ledger import Price
from domain.model import Value
from domain.policy import EConsultPolicy


class EConsultOrder(Value):
    """The workflow's input: ids, the price and the policy, pinned. No patient data."""

    econsult_id: str
    visit_id: str
    patient_id: str
    clinician_id: str
    """The treating clinician, who stays the treating clinician (E-13)."""
    specialty_code: str
    purpose: str
    price: Price
    policy: EConsultPolicy
    ordered_by: Actor


class OpenCheckout(Value):
    """The one Checkout Session that is open."""

    session_id: str
    url: str
    expires_at: datetime
    number: int
    opened_at: datetime


class Payment(Value):
    payment_id: str
    session_id: str | None
    amount_cents: int
    currency: str
    at: datetime
    reason: str | None = None
    """Why it was not accepted: a stable code; such a payment goes back whole. None for the one that counts."""
    fee_cents: int | None = None
    refunded_cents: int = 0


class Dispute(Value):
    dispute_id: str
    payment_id: str
    amount_cents: int
    opened_at: datetime
    outcome: str | None = None


class Assignment(Value):
    assignment_id: str
    specialist_id: str
    number: int
    status: AssignmentStatus
    at: datetime
    reason: str | None = None


class Question(Value):
    """A follow-up question inside the consult (E-06)."""

    question_id: str
    asked_at: datetime
    answer_id: str | None = None
    answered_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.answer_id is None and self.withdrawn_at is None


class Refund(Value):
    request_id: str
    payment_id: str
    requested_at: datetime
    requested_by: Actor
    status: RefundStatus
    amount_cents: int = 0
    decided_by: Actor | None = None
    decided_at: datetime | None = None
    refund_id: str | None = None
    """The processor's id of the refund, once it has made one."""


class FollowUpVisit(Value):
    visit_id: str
    starts_at: datetime
    after_window: bool
    """The visit falls after the window: the clinician can no longer ask the specialist what comes up in it."""


class Outcome(Value):
    """E-09."""

    improved_care_plan: bool
    avoided_in_person: bool
    captured_at: datetime


class EConsultState(CaseProgress):
    stage: Stage = Stage.AWAITING_PAYMENT
    ordered_at: datetime
    link_number: int = 1
    link_expires_at: datetime | None = None
    checkouts_opened: int = 0
    checkout: OpenCheckout | None = None
    payments: dict[str, Payment] = Field(default_factory=dict)
    processing: str | None = None
    """The session whose asynchronous payment is on its way."""
    seen_events: list[str] = Field(default_factory=list)
    refunds_reported: dict[str, int] = Field(default_factory=dict)
    """Cents that the processor says were ever refunded, by payment."""
    refund_bounced_at: dict[str, datetime] = Field(default_factory=dict)
    """When a refund of a payment last came back; totals reported before that count no more."""
    bounced_early: dict[str, datetime] = Field(default_factory=dict)
    """Refunds, by the processor's id, whose coming back was heard of before their being made."""
    disputes: dict[str, Dispute] = Field(default_factory=dict)
    assignments: list[Assignment] = Field(default_factory=list)
    replied_at: datetime | None = None
    in_person_recommended: bool = False
    questions: list[Question] = Field(default_factory=list)
    follow_up: FollowUp = FollowUp.NONE
    follow_up_visit: FollowUpVisit | None = None
    refunds: list[Refund] = Field(default_factory=list)
    outcome: Outcome | None = None
    closed_at: datetime | None = None
    document_version: int = 0

    @property
    def assignment(self) -> Assignment | None:
        """The assignment in force."""
        live = {AssignmentStatus.OFFERED, AssignmentStatus.ACCEPTED, AssignmentStatus.REPLIED}
        return next((a for a in reversed(self.assignments) if a.status in live), None)

    @property
    def accepted_payment(self) -> Payment | None:
        return next((payment for payment in self.payments.values() if payment.reason is None), None)

    @property
    def pending_questions(self) -> list[Question]:
        return [question for question in self.questions if question.is_open]

    @property
    def window_ends_at(self) -> datetime | None:
        """240 hours after the initial reply, whatever is said later (decision 12)."""
        window = self.clocks.get("follow_up_window")
        return window.armed_at + window.policy.deadline if window else None

    def deposit_of(self, payment_id: str) -> int:
        """Cents of a payment still held for the patient: not refunded, and not earned by an answer."""
        payment = self.payments[payment_id]
        earned = self.replied_at is not None and payment.reason is None
        return 0 if earned else payment.amount_cents - payment.refunded_cents

    @property
    def refundable_cents(self) -> int:
        """What is left of the accepted payment, refunds that are under way taken off."""
        payment = self.accepted_payment
        return self.left_of(payment.payment_id) if payment else 0

    def left_of(self, payment_id: str) -> int:
        return payments.left_of(self.payments[payment_id], self.refunds)

    def under_way(self, payment_id: str) -> int:
        """Cents of a payment whose refund was decided and has not been confirmed."""
        return payments.under_way(payment_id, self.refunds)
