"""What activities ask of the outside world. Adapters in integrations/ and db/ implement these Protocols.

Money is integer cents. Times are aware UTC. Every `key` is an idempotency key made from business ids: the same call
with the same key happens once.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from activities.contracts import ChooseSpecialistInput, RecordStepInput
from domain.model import Value


class CheckoutStatus(StrEnum):
    """Stripe's Checkout Session `status`, with `complete` split by `payment_status`."""

    OPEN = "open"
    EXPIRED = "expired"
    PAID = "paid"
    PROCESSING = "processing"  # complete, but an asynchronous payment method has not settled yet


class CheckoutRequest(Value):
    key: str
    case_id: str
    """Opaque business id, returned in every webhook as `client_reference_id` and in the payment's metadata."""
    amount_cents: int
    currency: str
    description: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    """Stripe allows 30 minutes to 24 hours after creation."""


class Checkout(Value):
    session_id: str
    status: CheckoutStatus
    url: str | None = None
    """The hosted page, while the session is open."""
    payment_id: str | None = None
    """The PaymentIntent, once there is one."""
    amount_cents: int
    currency: str
    expires_at: datetime


class RefundRequest(Value):
    key: str
    case_id: str
    payment_id: str
    amount_cents: int
    reason: str


class RefundResult(Value):
    refund_id: str
    amount_cents: int
    status: str
    """Stripe's: pending, succeeded, failed, canceled or requires_action."""


class PaymentFee(Value):
    """What the processor kept, from the charge's balance transaction."""

    payment_id: str
    fee_cents: int
    currency: str


class PaymentGateway(Protocol):
    """Stripe's part that we use.

    Every method raises `GatewayRejected` when a repeat cannot succeed and `GatewayUnavailable` when it may.
    """

    async def open_checkout(self, request: CheckoutRequest) -> Checkout: ...

    async def read_checkout(self, session_id: str) -> Checkout: ...

    async def expire_checkout(self, session_id: str) -> Checkout:
        """Close an open session and return what it is now: already paid or expired is an answer, not an error."""
        ...

    async def refund(self, request: RefundRequest) -> RefundResult: ...

    async def read_fee(self, payment_id: str) -> PaymentFee | None:
        """None until the processor knows its fee."""
        ...


class Email(Value):
    message_id: str
    """Made from the business key, so that a repeat carries the same RFC 5322 Message-ID."""
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Raises `GatewayRejected` for an address refused for good, `GatewayUnavailable` otherwise."""

    async def send(self, email: Email) -> None: ...


class TextMessage(Value):
    key: str
    to: str
    """E.164."""
    body: str


class TextReceipt(Value):
    message_sid: str
    status: str


class Texting(Protocol):
    """Raises `GatewayRejected` (`text.opted_out` on Twilio's error 21610) or `GatewayUnavailable`."""

    async def send(self, message: TextMessage) -> TextReceipt: ...


class PaymentPages(Protocol):
    """Where patients pay."""

    def payment_link(self, econsult_id: str, number: int) -> str:
        """Our own link, which opens a fresh Checkout Session."""
        ...


class CaseRecords(Protocol):
    """The records of cases in the database."""

    async def record(self, step: RecordStepInput) -> None:
        """Write a step, its snapshot and its effects in one transaction; nothing if the step is there already."""
        ...


class SpecialistNetwork(Protocol):
    """Who answers eConsults."""

    async def choose(self, case: ChooseSpecialistInput) -> str | None:
        """Id of a board-certified, US-based specialist (E-05) who has not had the case; None while none is free."""
        ...
