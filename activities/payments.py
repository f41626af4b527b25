"""Asking the payment processor."""

from __future__ import annotations

from temporalio import activity

from activities.contracts import CheckoutInput, OpenCheckoutInput, ReadFeeInput, RefundInput
from activities.ports import (
    Checkout,
    CheckoutRequest,
    PaymentFee,
    PaymentGateway,
    PaymentPages,
    RefundRequest,
    RefundResult,
)
from domain.errors import GatewayRejected, GatewayUnavailable


class PaymentActivities:
    def __init__(self, gateway: PaymentGateway, pages: PaymentPages) -> None:
        self._gateway = gateway
        self._pages = pages

    @activity.defn
    async def open_checkout(self, order: OpenCheckoutInput) -> Checkout:
        link = self._pages.payment_link(order.econsult_id, order.link_number)
        return await self._gateway.open_checkout(
            CheckoutRequest(
                key=order.key,
                case_id=order.econsult_id,
                amount_cents=order.amount_cents,
                currency=order.currency,
                description="Specialist eConsult, follow-up visit included",
                success_url=f"{link}?paid=1",
                cancel_url=link,
                expires_at=order.expires_at,
            )
        )

    @activity.defn
    async def read_checkout(self, checkout: CheckoutInput) -> Checkout:
        return await self._gateway.read_checkout(checkout.session_id)

    @activity.defn
    async def close_checkout(self, checkout: CheckoutInput) -> Checkout:
        """Close the session, so that it can no longer be paid; says if it was paid already."""
        return await self._gateway.expire_checkout(checkout.session_id)

    @activity.defn
    async def refund(self, order: RefundInput) -> RefundResult:
        """Raises `GatewayRejected` (`payment.refund_failed`) when the money did not go back: people decide then."""
        result = await self._gateway.refund(
            RefundRequest(
                key=order.key,
                case_id=order.econsult_id,
                payment_id=order.payment_id,
                amount_cents=order.amount_cents,
                reason=order.reason,
            )
        )
        if result.status in {"failed", "canceled"}:
            raise GatewayRejected("payment.refund_failed", "the processor could not return the money")
        return result

    @activity.defn
    async def read_fee(self, payment: ReadFeeInput) -> PaymentFee:
        """The processor's fee. Raises `GatewayUnavailable` (`payment.fee_unknown`) until it is known."""
        fee = await self._gateway.read_fee(payment.payment_id)
        if fee is None:
            raise GatewayUnavailable("payment.fee_unknown", "the processor does not know its fee yet")
        return fee
