"""The servers that the payment port's contract runs against, and how a payment is made at each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import stripe

from activities.ports import CheckoutRequest, PaymentGateway, RefundRequest
from integrations.stripe_gateway import HttpxTransport

API_KEY = "sk_test_contract"


@dataclass(frozen=True)
class Provider:
    gateway: PaymentGateway
    stranger: PaymentGateway
    """The same server, with a key that it does not know."""
    paid: Callable[[int], Awaitable[str]]
    """Make a payment of that many cents, by whatever means, and return its id."""
    has_checkout: bool
    guards_refunds: bool
    """Refuses to give back more than was paid."""


def checkout_request(**changes: object) -> CheckoutRequest:
    case_id = str(uuid4())
    request = CheckoutRequest(
        key=f"econsult:{case_id}:checkout:1",
        case_id=case_id,
        amount_cents=4900,
        currency="usd",
        description="Specialist eConsult",
        success_url="https://example.com/paid?session={CHECKOUT_SESSION_ID}",
        cancel_url="https://example.com/cancelled",
        expires_at=datetime.now(UTC) + timedelta(hours=2),
    )
    return request.model_copy(update=changes)


def refund_request(payment_id: str, amount_cents: int, **changes: object) -> RefundRequest:
    case_id = str(uuid4())
    request = RefundRequest(
        key=f"econsult:{case_id}:refund",
        case_id=case_id,
        payment_id=payment_id,
        amount_cents=amount_cents,
        reason="cancelled",
    )
    return request.model_copy(update=changes)


def payer_at_sandbox(gateway: PaymentGateway, client: httpx.AsyncClient) -> Callable[[int], Awaitable[str]]:
    async def pay(amount_cents: int) -> str:
        checkout = await gateway.open_checkout(checkout_request(amount_cents=amount_cents))
        assert checkout.url is not None
        await client.post(checkout.url, data={"act": "pay"})
        payment_id = (await gateway.read_checkout(checkout.session_id)).payment_id
        assert payment_id is not None
        return payment_id

    return pay


def payer_at_localstripe(url: str, transport: HttpxTransport) -> Callable[[int], Awaitable[str]]:
    client = stripe.StripeClient(API_KEY, base_addresses={"api": url}, http_client=transport)

    async def pay(amount_cents: int) -> str:
        card = await client.v1.payment_methods.create_async(
            {
                "type": "card",
                "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2050, "cvc": "123"},
            }
        )
        intent = await client.v1.payment_intents.create_async(
            {"amount": amount_cents, "currency": "usd", "payment_method": card.id, "confirm": True}
        )
        return intent.id

    return pay


def payer_at_stripe(api_key: str, transport: HttpxTransport) -> Callable[[int], Awaitable[str]]:
    client = stripe.StripeClient(api_key, http_client=transport)

    async def pay(amount_cents: int) -> str:
        intent = await client.v1.payment_intents.create_async(
            {
                "amount": amount_cents,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": True,
                "capture_method": "automatic",  # the default captures later, and the fee is known later still
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            }
        )
        return intent.id

    return pay
