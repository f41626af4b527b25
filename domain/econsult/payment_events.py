"""What the payment processor reported, in our own words (E-26, decision 18)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from domain.model import Value


class PaymentEventKind(StrEnum):
    SUCCEEDED = "succeeded"
    PROCESSING = "processing"  # checkout is complete, the money is still on its way
    FAILED = "failed"
    CHECKOUT_EXPIRED = "checkout_expired"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"  # one that had seemed to succeed: the money came back to us
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_CLOSED = "dispute_closed"


class PaymentEvent(Value):
    """One report. It may arrive twice, late, or before the case knows of the payment."""

    event_id: str
    kind: PaymentEventKind
    case_id: str | None
    """None where the processor does not repeat our reference (disputes): find the case by `payment_id`."""
    session_id: str | None
    payment_id: str | None
    amount_cents: int
    """What this event is about: the sum paid, this refund alone, the sum disputed."""
    currency: str
    occurred_at: datetime
    reference: str | None
    """The refund or dispute, where the event names it."""
    outcome: str | None
    """The dispute's status: `won`, `lost`, `needs_response`; one that starts with `warning_` takes no money."""
    refunded_total_cents: int | None = None
    """For a refund: all that was ever refunded of the payment. Unlike the amount, it holds when events are lost."""
