"""Stripe's webhooks: is it Stripe's, is it fresh, and what does it say. Pure functions; the route stores and delivers.

| code | class | when |
|---|---|---|
| webhook.signature_missing | Unauthenticated | no Stripe-Signature header |
| webhook.signature_malformed | Unauthenticated | the header holds no timestamp or no v1 signature |
| webhook.signature_invalid | Unauthenticated | no secret of ours made it |
| webhook.signature_stale | Unauthenticated | rightly signed, too long ago or too far ahead |
| webhook.payload_malformed | Invalid | not a Stripe event, or an object in it lacks what we need |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

import stripe
from pydantic import Field, ValidationError

from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.errors import Invalid, Unauthenticated
from domain.model import Value

TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")

V = TypeVar("V", bound=Value)


class EventData(Value):
    object: dict[str, Any]
    previous_attributes: dict[str, Any] = Field(default_factory=dict)


class StripeEvent(Value):
    """Stripe's event envelope. `id` is unique for ever: store it to know a repeat."""

    object: Literal["event"]
    id: str
    type: str
    created: datetime
    livemode: bool = False
    data: EventData


def verify(
    payload: bytes,
    signature_header: str | None,
    secrets: Sequence[str],
    now: datetime,
    tolerance_seconds: int = 300,
) -> StripeEvent:
    """The event, once its signature fits one of `secrets` (several while one is rotated).

    Raises Unauthenticated and Invalid with the codes above; ValueError when a secret is empty or there is none.
    """
    if not secrets or not all(secret.strip() for secret in secrets):
        raise ValueError("Stripe webhooks need a signing secret")
    if not signature_header:
        raise Unauthenticated("webhook.signature_missing", "the Stripe-Signature header is missing")
    signed_at = _timestamp(signature_header)
    body = _text(payload)
    if not any(_signed_by(body, signature_header, secret) for secret in secrets):
        raise Unauthenticated("webhook.signature_invalid", "the signature does not fit the body")
    if abs(now.timestamp() - signed_at) > tolerance_seconds:
        raise Unauthenticated("webhook.signature_stale", "the signature is too old, or of the future")
    return _parse(StripeEvent, body)


def translate(event: StripeEvent) -> PaymentEvent | None:
    """What the event says in our words; None for a type that we do not follow.

    Raises Invalid `webhook.payload_malformed` when its object lacks a field.
    """
    translation = TRANSLATIONS.get(event.type)
    return translation(event) if translation else None


def _timestamp(header: str) -> int:
    """Seconds since the epoch. Refuses a header that Stripe's library might read in another way."""
    items = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in items if name == "t"]
    signatures = [value for name, _, value in items if name == "v1"]
    well_formed = len(times) == 1 and TIMESTAMP.fullmatch(times[0]) and signatures
    if not well_formed or not all(SIGNATURE.fullmatch(signature) for signature in signatures):
        raise Unauthenticated("webhook.signature_malformed", "the Stripe-Signature header is malformed")
    return int(times[0])


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Invalid("webhook.payload_malformed", "the body is not UTF-8") from None


def _signed_by(body: str, header: str, secret: str) -> bool:
    try:
        # Without a tolerance the library leaves the age alone: it would ask the machine's clock, not the caller's.
        stripe.WebhookSignature.verify_header(body, header, secret)
    except stripe.SignatureVerificationError:
        return False
    return True


def _parse(shape: type[V], body: str | Mapping[str, Any]) -> V:
    try:
        return shape.model_validate_json(body) if isinstance(body, str) else shape.model_validate(body)
    except ValidationError:
        raise Invalid("webhook.payload_malformed", f"not the {shape.__name__} that Stripe documents") from None


class Session(Value):
    id: str
    amount_total: int
    currency: str
    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    payment_intent: str | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] | None = None


class Charge(Value):
    id: str
    amount_refunded: int
    currency: str
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class ChargeBefore(Value):
    amount_refunded: int = 0


class Refund(Value):
    id: str
    amount: int
    currency: str
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None


class Dispute(Value):
    id: str
    amount: int
    currency: str
    status: str
    payment_intent: str | None = None


def _completed(event: StripeEvent) -> PaymentEvent:
    unpaid = _parse(Session, event.data.object).payment_status == "unpaid"
    return _session_event(event, PaymentEventKind.PROCESSING if unpaid else PaymentEventKind.SUCCEEDED)


def _session_event(event: StripeEvent, kind: PaymentEventKind) -> PaymentEvent:
    session = _parse(Session, event.data.object)
    return PaymentEvent(
        event_id=event.id,
        kind=kind,
        case_id=session.client_reference_id or _case_id(session.metadata),
        session_id=session.id,
        payment_id=session.payment_intent,
        amount_cents=session.amount_total,
        currency=session.currency,
        occurred_at=event.created,
        reference=None,
        outcome=None,
    )


def _refunded(event: StripeEvent) -> PaymentEvent:
    charge = _parse(Charge, event.data.object)
    before = _parse(ChargeBefore, event.data.previous_attributes)
    return PaymentEvent(
        event_id=event.id,
        kind=PaymentEventKind.REFUNDED,
        case_id=_case_id(charge.metadata),
        session_id=None,
        payment_id=charge.payment_intent,
        amount_cents=charge.amount_refunded - before.amount_refunded,
        currency=charge.currency,
        occurred_at=event.created,
        reference=None,  # Stripe lists no refunds in a charge since API version 2022-11-15
        outcome=None,
        refunded_total_cents=charge.amount_refunded,
    )


def _refund_failed(event: StripeEvent) -> PaymentEvent:
    refund = _parse(Refund, event.data.object)
    return PaymentEvent(
        event_id=event.id,
        kind=PaymentEventKind.REFUND_FAILED,
        case_id=_case_id(refund.metadata),
        session_id=None,
        payment_id=refund.payment_intent,
        amount_cents=refund.amount,
        currency=refund.currency,
        occurred_at=event.created,
        reference=refund.id,
        outcome=None,
    )


def _dispute_event(event: StripeEvent, kind: PaymentEventKind) -> PaymentEvent:
    dispute = _parse(Dispute, event.data.object)
    return PaymentEvent(
        event_id=event.id,
        kind=kind,
        case_id=None,
        session_id=None,
        payment_id=dispute.payment_intent,
        amount_cents=dispute.amount,
        currency=dispute.currency,
        occurred_at=event.created,
        reference=dispute.id,
        outcome=dispute.status,
    )


def _case_id(metadata: Mapping[str, str] | None) -> str | None:
    return (metadata or {}).get("case_id")


TRANSLATIONS: Final[Mapping[str, Callable[[StripeEvent], PaymentEvent]]] = {
    "checkout.session.completed": _completed,
    "checkout.session.expired": lambda event: _session_event(event, PaymentEventKind.CHECKOUT_EXPIRED),
    "checkout.session.async_payment_succeeded": lambda event: _session_event(event, PaymentEventKind.SUCCEEDED),
    "checkout.session.async_payment_failed": lambda event: _session_event(event, PaymentEventKind.FAILED),
    "charge.refunded": _refunded,
    "refund.failed": _refund_failed,
    "charge.dispute.created": lambda event: _dispute_event(event, PaymentEventKind.DISPUTE_OPENED),
    "charge.dispute.closed": lambda event: _dispute_event(event, PaymentEventKind.DISPUTE_CLOSED),
}
