"""The `PaymentGateway` port on Stripe: hosted Checkout, refunds and fees (E-26, decisions 15 and 18)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, TypeVar

import httpx
import stripe
from stripe.checkout import Session
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from activities.ports import (
    Checkout,
    CheckoutRequest,
    CheckoutStatus,
    PaymentFee,
    RefundRequest,
    RefundResult,
)
from domain.errors import GatewayRejected
from integrations.stripe_errors import stripe_errors

# Telemetry would write an identifier into the home directory and send the platform's details along.
stripe.enable_telemetry = False

StripeReason = Literal["duplicate", "fraudulent", "requested_by_customer"]
REASONS: Final[Mapping[str, StripeReason]] = {
    "duplicate": "duplicate",
    "fraudulent": "fraudulent",
    "requested_by_customer": "requested_by_customer",
}
PAYMENT_FAILED: Final = frozenset({"requires_payment_method", "canceled"})

T = TypeVar("T")


class HttpxTransport(stripe.HTTPClient):
    """Stripe's requests over an httpx client of ours: one pool, and in tests any transport, an ASGI app included."""

    name = "httpx"

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__()
        self._client = client

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        response = await self._client.request(method, url, headers=dict(headers), content=post_data)
        return response.content, response.status_code, response.headers

    async def sleep_async(self, secs: float) -> None:
        await asyncio.sleep(secs)

    async def close_async(self) -> None:
        await self._client.aclose()


class StripeGateway:
    """Stripe, or any server that speaks its API at `api_base`.

    The library makes no retries of its own: Temporal repeats the activity, with the same idempotency key. Errors are
    those of `integrations.stripe_errors`. `timeout_seconds` holds for connecting and for each read.
    """

    def __init__(
        self,
        api_key: str,
        *,
        api_base: str | None = None,
        timeout_seconds: float = 20.0,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self._transport = HttpxTransport(http_client or httpx.AsyncClient(timeout=timeout_seconds))
        self._stripe = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            max_network_retries=0,
            http_client=self._transport,
        )

    async def close(self) -> None:
        await self._transport.close_async()

    async def ping(self) -> None:
        """Raise as every call does when Stripe cannot be reached or refuses the key."""
        with stripe_errors():
            await self._stripe.v1.balance.retrieve_async()

    async def open_checkout(self, request: CheckoutRequest) -> Checkout:
        with stripe_errors():
            session = await self._stripe.v1.checkout.sessions.create_async(
                _session_params(request), {"idempotency_key": request.key}
            )
        return _checkout(session)

    async def read_checkout(self, session_id: str) -> Checkout:
        with stripe_errors():
            return _checkout(await self._retrieve(session_id))

    async def expire_checkout(self, session_id: str) -> Checkout:
        with stripe_errors():
            try:
                session = await self._stripe.v1.checkout.sessions.expire_async(session_id)
            except stripe.InvalidRequestError:
                session = await self._retrieve(session_id)
                if session.status == "open":
                    raise
        return _checkout(session)

    async def refund(self, request: RefundRequest) -> RefundResult:
        """Refund once per `request.key`, however late the repeat.

        Stripe forgets idempotency keys after a day, so the key is also kept in the refund's metadata and looked for
        first. Of `request.reason` only Stripe's own three words leave the house.
        """
        with stripe_errors():
            found = await self._find_refund(request)
            if found is not None:
                return found
            try:
                refund = await self._stripe.v1.refunds.create_async(
                    _refund_params(request), {"idempotency_key": request.key}
                )
            except stripe.InvalidRequestError as error:
                found = await self._find_refund(request) if error.code == "charge_already_refunded" else None
                if found is None:
                    raise
                return found
        return _refund_result(refund)

    async def read_fee(self, payment_id: str) -> PaymentFee | None:
        with stripe_errors():
            intent = await self._stripe.v1.payment_intents.retrieve_async(
                payment_id, {"expand": ["latest_charge.balance_transaction"]}
            )
        charge = intent.latest_charge
        entry = charge.balance_transaction if isinstance(charge, stripe.Charge) else None
        if not isinstance(entry, stripe.BalanceTransaction):
            return None
        return PaymentFee(payment_id=payment_id, fee_cents=entry.fee, currency=entry.currency)

    async def _retrieve(self, session_id: str) -> Session:
        return await self._stripe.v1.checkout.sessions.retrieve_async(session_id, {"expand": ["payment_intent"]})

    async def _find_refund(self, request: RefundRequest) -> RefundResult | None:
        refunds = await self._stripe.v1.refunds.list_async({"payment_intent": request.payment_id, "limit": 100})
        async for refund in refunds.auto_paging_iter():
            metadata = refund.metadata.to_dict() if refund.metadata else {}
            if metadata.get("key") != request.key:
                continue
            if refund.amount != request.amount_cents:
                raise GatewayRejected("payment.key_reused", "a refund with this key has another amount")
            return _refund_result(refund)
        return None


def _session_params(request: CheckoutRequest) -> SessionCreateParams:
    return {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": request.currency,
                    "unit_amount": request.amount_cents,
                    "product_data": {"name": request.description},
                },
            }
        ],
        "client_reference_id": request.case_id,
        "metadata": {"case_id": request.case_id},
        "payment_intent_data": {"metadata": {"case_id": request.case_id}},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }


def _refund_params(request: RefundRequest) -> RefundCreateParams:
    params: RefundCreateParams = {
        "payment_intent": request.payment_id,
        "amount": request.amount_cents,
        "metadata": {"case_id": request.case_id, "key": request.key},
    }
    if reason := REASONS.get(request.reason):
        params["reason"] = reason
    return params


def _refund_result(refund: stripe.Refund) -> RefundResult:
    return RefundResult(refund_id=refund.id, amount_cents=refund.amount, status=_known(refund.status, "refund status"))


def _checkout(session: Session) -> Checkout:
    intent = session.payment_intent
    return Checkout(
        session_id=session.id,
        status=_checkout_status(session),
        url=session.url,
        payment_id=intent.id if isinstance(intent, stripe.PaymentIntent) else intent,
        amount_cents=_known(session.amount_total, "amount"),
        currency=_known(session.currency, "currency"),
        expires_at=datetime.fromtimestamp(session.expires_at, UTC),
    )


def _checkout_status(session: Session) -> CheckoutStatus:
    """A completed session whose delayed payment then failed counts as expired: no money will come of it."""
    if session.status == "open":
        return CheckoutStatus.OPEN
    if session.status == "expired":
        return CheckoutStatus.EXPIRED
    if session.payment_status != "unpaid":
        return CheckoutStatus.PAID
    intent = session.payment_intent
    if isinstance(intent, stripe.PaymentIntent) and intent.status in PAYMENT_FAILED:
        return CheckoutStatus.EXPIRED
    return CheckoutStatus.PROCESSING


def _known(value: T | None, what: str) -> T:
    if value is None:
        raise GatewayRejected("payment.unexpected_answer", f"Stripe named no {what}")
    return value
