"""Stripe's errors in our taxonomy.

Stripe's messages may quote what a patient typed, so only its codes and request ids are repeated, and the original
exception is not chained.

| code | class |
|---|---|
| payment.gateway_unavailable | GatewayUnavailable: not reached, rate limited, busy with the same key, or failing |
| payment.gateway_auth | GatewayRejected: the API key is wrong or may not do this |
| payment.key_reused | GatewayRejected: the idempotency key was used with other parameters |
| payment.declined | GatewayRejected: the card was refused |
| payment.not_found, payment.already_refunded, payment.disputed | GatewayRejected |
| payment.rejected | GatewayRejected: any other request that Stripe calls invalid |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx
import stripe

from domain.errors import CarewaveError, GatewayRejected, GatewayUnavailable

UNAVAILABLE: Final = "payment.gateway_unavailable"
BY_STRIPE_CODE: Final[Mapping[str, str]] = {
    "resource_missing": "payment.not_found",
    "charge_already_refunded": "payment.already_refunded",
    "charge_disputed": "payment.disputed",
}


@contextmanager
def stripe_errors() -> Iterator[None]:
    """Raise GatewayRejected or GatewayUnavailable for what Stripe's library and httpx raise."""
    try:
        yield
    except httpx.HTTPError as error:
        raise GatewayUnavailable(UNAVAILABLE, f"Stripe was not reached: {type(error).__name__}") from None
    except stripe.StripeError as error:
        raise _ours(error) from None


def _ours(error: stripe.StripeError) -> CarewaveError:
    detail = f"Stripe: {error.code or type(error).__name__}, request {error.request_id or 'unknown'}"
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return GatewayRejected("payment.gateway_auth", detail)
    if isinstance(error, stripe.IdempotencyError):
        return GatewayRejected("payment.key_reused", detail)
    if isinstance(error, stripe.CardError):
        return GatewayRejected("payment.declined", detail)
    if isinstance(error, stripe.InvalidRequestError):
        code = "payment.not_found" if error.http_status == httpx.codes.NOT_FOUND else "payment.rejected"
        return GatewayRejected(BY_STRIPE_CODE.get(error.code or "", code), detail)
    return GatewayUnavailable(UNAVAILABLE, detail)
