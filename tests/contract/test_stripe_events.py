"""Webhooks are Stripe's, fresh, and say what happened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from api.webhooks.stripe_events import StripeEvent, translate, verify
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.errors import CarewaveError, Invalid, Unauthenticated

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = "whsec_one"
SESSION = {
    "id": "cs_1",
    "object": "checkout.session",
    "amount_total": 4900,
    "currency": "usd",
    "payment_status": "paid",
    "payment_intent": "pi_1",
    "client_reference_id": "case-1",
    "metadata": {"case_id": "case-1"},
}
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "amount_refunded": 4900,
    "currency": "usd",
    "payment_intent": "pi_1",
    "metadata": {"case_id": "case-1"},
}
REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 1900,
    "charge": "ch_1",
    "currency": "usd",
    "failure_reason": "expired_or_canceled_card",
    "payment_intent": "pi_1",
    "status": "failed",
}
DISPUTE = {
    "id": "du_1",
    "object": "dispute",
    "amount": 4900,
    "currency": "usd",
    "payment_intent": "pi_1",
    "status": "lost",
    "metadata": {},
}


def payload(kind: str = "checkout.session.completed", subject: dict[str, Any] = SESSION, **data: Any) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "created": int(NOW.timestamp()),
        "data": {"object": subject, **data},
    }
    return json.dumps(event).encode()


def signature(body: bytes, secret: str = SECRET, at: datetime = NOW) -> str:
    """Stripe's own signature of a body."""
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at.timestamp()))
    assert isinstance(header, str)
    return header


def refusal(body: bytes, header: str | None, secrets: Sequence[str] = (SECRET,)) -> CarewaveError:
    with pytest.raises((Invalid, Unauthenticated)) as caught:
        verify(body, header, secrets, NOW)
    error = caught.value
    assert isinstance(error, Invalid if error.code == "webhook.payload_malformed" else Unauthenticated)
    return error


def event_of(body: bytes) -> StripeEvent:
    return verify(body, signature(body), [SECRET], NOW)


def translated(kind: str, subject: dict[str, Any], **data: Any) -> PaymentEvent:
    event = translate(event_of(payload(kind, subject, **data)))
    assert event is not None
    return event


def test_accepts_a_fresh_signature() -> None:
    event = event_of(payload())
    assert (event.id, event.type, event.created) == ("evt_1", "checkout.session.completed", NOW)


def test_accepts_either_secret_while_one_is_rotated() -> None:
    body = payload()
    for secret in ("whsec_old", "whsec_new"):
        assert verify(body, signature(body, secret), ["whsec_old", "whsec_new"], NOW).id == "evt_1"


def test_accepts_a_header_with_other_schemes_and_several_signatures() -> None:
    body = payload()
    header = signature(body).replace(",v1=", f",v0={'0' * 64},v1={'1' * 64},v1=")
    assert verify(body, header, [SECRET], NOW).id == "evt_1"


@pytest.mark.parametrize("secrets", [[], [""], [SECRET, " "]])
def test_will_not_work_without_a_secret(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="signing secret"):
        verify(payload(), signature(payload()), secrets, NOW)


@pytest.mark.parametrize("header", [None, ""])
def test_refuses_a_missing_signature(header: str | None) -> None:
    assert refusal(payload(), header).code == "webhook.signature_missing"


@pytest.mark.parametrize(
    "header",
    [
        "nonsense",
        "t=1772442000",
        f"v1={'0' * 64}",
        f"t=soon,v1={'0' * 64}",
        f"t=-1,v1={'0' * 64}",
        f"t={'9' * 400},v1={'0' * 64}",
        f"t=1,t=1772442000,v1={'0' * 64}",
        "t=1772442000,v1=\N{LATIN SMALL LETTER E WITH ACUTE}",
        f"t=1772442000,v0={'0' * 64}",
    ],
)
def test_refuses_a_malformed_signature(header: str) -> None:
    assert refusal(payload(), header).code == "webhook.signature_malformed"


def test_refuses_a_signature_of_another_secret() -> None:
    body = payload()
    assert refusal(body, signature(body, "whsec_other")).code == "webhook.signature_invalid"


def test_refuses_a_changed_body() -> None:
    header = signature(payload())
    assert refusal(payload().replace(b"4900", b"0100"), header).code == "webhook.signature_invalid"


@pytest.mark.parametrize("age", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(days=400)])
def test_refuses_a_stale_signature(age: timedelta) -> None:
    body = payload()
    assert refusal(body, signature(body, at=NOW - age)).code == "webhook.signature_stale"


def test_accepts_a_signature_at_the_edge_of_the_tolerance() -> None:
    body = payload()
    assert verify(body, signature(body, at=NOW - timedelta(seconds=300)), [SECRET], NOW).id == "evt_1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"object": "v2.core.event", "id": "evt_1", "type": "x", "created": 1, "data": {"object": {}}}',
        b'{"object": "event", "id": "evt_1"}',
    ],
)
def test_refuses_a_signed_body_that_is_no_event(body: bytes) -> None:
    assert refusal(body, signature(body)).code == "webhook.payload_malformed"


def test_refuses_a_body_that_is_no_text() -> None:
    assert refusal(b"\xff\xfe", signature(payload())).code == "webhook.payload_malformed"


def test_refuses_an_event_whose_object_lacks_its_amount() -> None:
    session = {name: value for name, value in SESSION.items() if name != "amount_total"}
    with pytest.raises(Invalid) as caught:
        translate(event_of(payload(subject=session)))
    assert caught.value.code == "webhook.payload_malformed"


@pytest.mark.parametrize(
    ("kind", "payment_status", "expected"),
    [
        ("checkout.session.completed", "paid", PaymentEventKind.SUCCEEDED),
        ("checkout.session.completed", "unpaid", PaymentEventKind.PROCESSING),
        ("checkout.session.async_payment_succeeded", "paid", PaymentEventKind.SUCCEEDED),
        ("checkout.session.async_payment_failed", "unpaid", PaymentEventKind.FAILED),
        ("checkout.session.expired", "unpaid", PaymentEventKind.CHECKOUT_EXPIRED),
    ],
)
def test_translates_what_became_of_a_checkout(kind: str, payment_status: str, expected: PaymentEventKind) -> None:
    assert translated(kind, {**SESSION, "payment_status": payment_status}) == PaymentEvent(
        event_id="evt_1",
        kind=expected,
        case_id="case-1",
        session_id="cs_1",
        payment_id="pi_1",
        amount_cents=4900,
        currency="usd",
        occurred_at=NOW,
        reference=None,
        outcome=None,
    )


def test_finds_the_case_in_the_metadata_of_a_session() -> None:
    event = translated("checkout.session.completed", {**SESSION, "client_reference_id": None})
    assert event.case_id == "case-1"


def test_translates_a_refund_with_its_own_amount_and_the_total() -> None:
    event = translated("charge.refunded", CHARGE, previous_attributes={"amount_refunded": 1900})
    assert (event.kind, event.amount_cents, event.refunded_total_cents) == (
        PaymentEventKind.REFUNDED,
        3000,
        4900,
    )
    assert (event.case_id, event.payment_id) == ("case-1", "pi_1")


def test_translates_a_refund_of_a_charge_that_is_not_ours() -> None:
    assert translated("charge.refunded", {**CHARGE, "metadata": {}}).case_id is None


@pytest.mark.parametrize("case_id", ["case-1", None])
def test_translates_a_refund_that_failed_later(case_id: str | None) -> None:
    metadata = {"case_id": case_id, "key": "k-1"} if case_id else {}
    assert translated("refund.failed", {**REFUND, "metadata": metadata}) == PaymentEvent(
        event_id="evt_1",
        kind=PaymentEventKind.REFUND_FAILED,
        case_id=case_id,
        session_id=None,
        payment_id="pi_1",
        amount_cents=1900,
        currency="usd",
        occurred_at=NOW,
        reference="re_1",
        outcome=None,
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("charge.dispute.created", PaymentEventKind.DISPUTE_OPENED),
        ("charge.dispute.closed", PaymentEventKind.DISPUTE_CLOSED),
    ],
)
def test_translates_a_dispute(kind: str, expected: PaymentEventKind) -> None:
    event = translated(kind, DISPUTE)
    assert (event.kind, event.reference, event.outcome) == (expected, "du_1", "lost")
    assert (event.case_id, event.payment_id, event.amount_cents) == (None, "pi_1", 4900)


def test_leaves_other_events_alone() -> None:
    assert translate(event_of(payload("customer.created", {"id": "cus_1", "object": "customer"}))) is None
