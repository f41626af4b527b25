"""The money of one eConsult without Temporal: a processor that may do anything, and the books we keep of it.

`Books` goes through the domain as the workflow's payment, refund and specialist tracks do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from domain import ledger
from domain.actors import SYSTEM, Actor
from domain.econsult import payments, rules
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.econsult.payments import Verdict
from domain.econsult.state import Assignment, Dispute, EConsultState, Payment, Refund
from domain.econsult.states import ENDED, AssignmentStatus, RefundStatus, Stage
from domain.ledger import LedgerEntry, Price
from domain.policy import LatePayment
from tests.domain.builders import START, an_assignment, hours


@dataclass
class Paid:
    amount_cents: int
    currency: str
    refunded_cents: int = 0


@dataclass
class Processor:
    """What really happened to the money, and the reports of it, which may be delivered in any order, and again."""

    paid: dict[str, Paid] = field(default_factory=dict)
    reports: list[PaymentEvent] = field(default_factory=list)

    def pay(self, amount_cents: int, currency: str, at: datetime) -> None:
        payment_id = f"payment-{len(self.paid) + 1}"
        self.paid[payment_id] = Paid(amount_cents, currency)
        self.report(PaymentEventKind.SUCCEEDED, payment_id, amount_cents, at=at)

    def refund(self, payment_id: str, amount_cents: int) -> bool:
        """Refuses, as a processor does, what is more than is left."""
        paid = self.paid[payment_id]
        if amount_cents > paid.amount_cents - paid.refunded_cents:
            return False
        paid.refunded_cents += amount_cents
        self.report(PaymentEventKind.REFUNDED, payment_id, amount_cents, total=paid.refunded_cents)
        return True

    def report(
        self,
        kind: PaymentEventKind,
        payment_id: str,
        amount_cents: int,
        *,
        at: datetime = START,
        total: int | None = None,
        dispute: tuple[str, str] | None = None,
    ) -> None:
        reference, outcome = dispute or (None, None)
        self.reports.append(
            PaymentEvent(
                event_id=f"event-{len(self.reports) + 1}",
                kind=kind,
                case_id="econsult-1",
                session_id=None,
                payment_id=payment_id,
                amount_cents=amount_cents,
                currency=self.paid[payment_id].currency,
                occurred_at=at,
                reference=reference,
                outcome=outcome,
                refunded_total_cents=total,
            )
        )


@dataclass
class Books:
    price: Price
    late: LatePayment
    state: EConsultState = field(
        default_factory=lambda: EConsultState(ordered_at=START, link_expires_at=START + hours(168))
    )
    entries: list[LedgerEntry] = field(default_factory=list)

    def take(self, event: PaymentEvent) -> None:
        if event.event_id in self.state.seen_events:
            return
        self.state.seen_events.append(event.event_id)
        {
            PaymentEventKind.SUCCEEDED: self._succeeded,
            PaymentEventKind.REFUNDED: self._refunded_elsewhere,
            PaymentEventKind.DISPUTE_OPENED: self._dispute_opened,
            PaymentEventKind.DISPUTE_CLOSED: self._dispute_closed,
        }[event.kind](event)

    def _succeeded(self, event: PaymentEvent) -> None:
        judged = payments.judge(self.state, event, self.price, self.late)
        if judged.verdict is Verdict.KNOWN or event.payment_id is None:
            return
        self.state.payments[event.payment_id] = Payment(
            payment_id=event.payment_id,
            session_id=None,
            amount_cents=event.amount_cents,
            currency=event.currency,
            at=event.occurred_at,
            reason=judged.code,
        )
        self.entries.append(ledger.payment(f"payment:{event.payment_id}", event.amount_cents, event.currency))
        if judged.verdict is Verdict.REFUND:
            self._refund_by_itself(event.payment_id)
        else:
            self.state.stage = Stage.PAID

    def book_fee(self, payment: Payment, cents: int) -> None:
        self.state.payments[payment.payment_id] = payment.model_copy(update={"fee_cents": cents})
        if cents > 0:
            self.entries.append(ledger.processor_fee(f"fee:{payment.payment_id}", cents, payment.currency))

    def assign(self) -> None:
        self.state.assignments.append(an_assignment(AssignmentStatus.ACCEPTED, len(self.state.assignments) + 1))
        self.state.stage = Stage.WITH_SPECIALIST

    def decline(self, assignment: Assignment) -> None:
        rules.may_decline(self.state, assignment.assignment_id)
        self.state.assignments[assignment.number - 1] = assignment.model_copy(
            update={"status": AssignmentStatus.DECLINED}
        )
        self.state.stage = Stage.PAID

    def reply(self, assignment: Assignment) -> None:
        rules.may_reply(self.state, assignment.assignment_id)
        payment = self.state.accepted_payment
        deposit_cents = self.state.deposit_of(payment.payment_id) if payment else 0
        self.entries.append(ledger.earned("earned", self.price, deposit_cents))
        self.state.replied_at = START
        self.state.stage = Stage.FOLLOW_UP_WINDOW

    def cancel(self) -> None:
        rules.may_cancel(self.state)
        self._over(Stage.CANCELLED)

    def give_up(self) -> None:
        self._over(Stage.SPECIALIST_UNAVAILABLE)

    def _over(self, stage: Stage) -> None:
        self.state.stage = stage
        if payment := self.state.accepted_payment:
            self._refund_by_itself(payment.payment_id)

    def request_refund(self, request_id: str, actor: Actor) -> None:
        rules.may_request_refund(self.state)
        payment = self.state.accepted_payment
        assert payment is not None
        self._add_refund(request_id, payment.payment_id, RefundStatus.REQUESTED, actor)

    def decide_refund(self, request_id: str, amount_cents: int | None) -> None:
        asked = rules.may_decide_refund(self.state, request_id, amount_cents)
        if amount_cents is None:
            self._set_refund(asked, status=RefundStatus.REJECTED)
            return
        self._set_refund(asked, status=RefundStatus.APPROVED, amount_cents=amount_cents)
        if rules.is_unanswered(self.state):
            self.state.stage = Stage.CANCELLED

    def refund_answered(self, refund: Refund, done: bool) -> None:
        """What the processor said to a refund of ours."""
        if done:
            self._set_refund(refund, status=RefundStatus.PAID_BACK)
            self._booked_back(refund.payment_id, refund.amount_cents, refund.request_id)
        else:
            self._set_refund(refund, status=RefundStatus.FAILED)
            self._add_refund(f"{refund.request_id}-again", refund.payment_id, RefundStatus.REQUESTED, SYSTEM)

    def _refund_by_itself(self, payment_id: str) -> None:
        if (amount := self.state.left_of(payment_id)) > 0:
            self._add_refund(f"auto-{payment_id}", payment_id, RefundStatus.APPROVED, SYSTEM, amount)

    def _refunded_elsewhere(self, event: PaymentEvent) -> None:
        payment = self.state.payments.get(event.payment_id or "")
        if payment is None or event.refunded_total_cents is None:
            return
        known = payment.refunded_cents + self.state.under_way(payment.payment_id)
        if (unknown := event.refunded_total_cents - known) > 0:
            reference = f"elsewhere-{payment.payment_id}-{event.refunded_total_cents}"
            self._booked_back(payment.payment_id, unknown, reference)

    def _booked_back(self, payment_id: str, amount_cents: int, reference: str) -> None:
        payment = self.state.payments[payment_id]
        deposit_cents = self.state.deposit_of(payment_id)
        self.entries.append(ledger.refund(f"refund:{reference}", amount_cents, payment.currency, deposit_cents))
        refunded = payment.refunded_cents + amount_cents
        self.state.payments[payment_id] = payment.model_copy(update={"refunded_cents": refunded})
        whole = payment.reason is None and refunded == payment.amount_cents
        if whole and self.state.replied_at is None and self.state.stage in ENDED:
            self.state.stage = Stage.REFUNDED

    def _dispute_opened(self, event: PaymentEvent) -> None:
        if event.reference is None or event.reference in self.state.disputes:
            return
        self.state.disputes[event.reference] = Dispute(
            dispute_id=event.reference,
            payment_id=event.payment_id or "",
            amount_cents=event.amount_cents,
            opened_at=START,
        )
        self.entries.append(ledger.dispute_opened(f"dispute:{event.reference}", event.amount_cents, event.currency))

    def _dispute_closed(self, event: PaymentEvent) -> None:
        self._dispute_opened(event)
        dispute = self.state.disputes.get(event.reference or "")
        if dispute is None or dispute.outcome is not None or event.outcome not in {"won", "lost"}:
            return
        self.state.disputes[dispute.dispute_id] = dispute.model_copy(update={"outcome": event.outcome})
        settle = ledger.dispute_won if event.outcome == "won" else ledger.dispute_lost
        key = f"dispute:{dispute.dispute_id}:{event.outcome}"
        self.entries.append(settle(key, dispute.amount_cents, event.currency))

    def _add_refund(
        self, request_id: str, payment_id: str, status: RefundStatus, actor: Actor, amount_cents: int = 0
    ) -> None:
        self.state.refunds.append(
            Refund(
                request_id=request_id,
                payment_id=payment_id,
                requested_at=START,
                requested_by=actor,
                status=status,
                amount_cents=amount_cents,
            )
        )

    def _set_refund(self, refund: Refund, **changes: object) -> None:
        position = next(i for i, known in enumerate(self.state.refunds) if known.request_id == refund.request_id)
        self.state.refunds[position] = refund.model_copy(update=changes)
