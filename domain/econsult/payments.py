"""What to do with a payment that the processor reports, and what is left of one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from domain.econsult.payment_events import PaymentEvent
from domain.econsult.states import RefundStatus, Stage
from domain.ledger import Price
from domain.model import Value
from domain.policy import LatePayment

if TYPE_CHECKING:  # the state asks this module what is left
    from domain.econsult.state import EConsultState, Payment, Refund


class Verdict(StrEnum):
    ACCEPT = "accept"
    REFUND = "refund"
    KNOWN = "known"


class Judgement(Value):
    verdict: Verdict
    code: str | None = None


def judge(state: EConsultState, event: PaymentEvent, price: Price, late: LatePayment) -> Judgement:
    """Accept a payment once and of the pinned amount; whatever else was paid goes back by itself.

    A payment made before the link expired counts, however late the news of it comes.
    """
    if event.payment_id in state.payments:
        return Judgement(verdict=Verdict.KNOWN)
    if fault := amount_fault(event.amount_cents, event.currency, price) or _timing_fault(state, event, late):
        return Judgement(verdict=Verdict.REFUND, code=fault)
    return Judgement(verdict=Verdict.ACCEPT)


def _timing_fault(state: EConsultState, event: PaymentEvent, late: LatePayment) -> str | None:
    if state.accepted_payment is not None:
        return "payment.duplicate"
    if state.stage is Stage.AWAITING_PAYMENT:
        return None
    if state.stage is Stage.PAYMENT_EXPIRED:
        in_time = state.link_expires_at is not None and event.occurred_at < state.link_expires_at
        return None if in_time or late is LatePayment.REOPEN else "payment.after_expiry"
    return "payment.after_cancellation"


def amount_fault(amount_cents: int, currency: str, price: Price) -> str | None:
    """The code of what is wrong with an amount, or None when it is the price."""
    if currency.lower() != price.currency:
        return "payment.currency_mismatch"
    if amount_cents != price.total_cents:
        return "payment.amount_mismatch"
    return None


def left_of(payment: Payment, refunds: Iterable[Refund]) -> int:
    """Cents of a payment that neither went back nor are on their way. `refunds` may be about other payments too."""
    return payment.amount_cents - payment.refunded_cents - under_way(payment.payment_id, refunds)


def under_way(payment_id: str, refunds: Iterable[Refund]) -> int:
    """Cents of a payment whose refund was decided and has not been confirmed."""
    approved = (r for r in refunds if r.payment_id == payment_id and r.status is RefundStatus.APPROVED)
    return sum(refund.amount_cents for refund in approved)
