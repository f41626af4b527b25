"""The shapes of Stripe's objects, as far as Carewave and Stripe's library read them. Amounts are integer cents."""

from __future__ import annotations

import secrets
from datetime import datetime

import stripe

from embedded.stripe_sandbox.forms import CheckoutParams, RefundParams
from embedded.stripe_sandbox.store import Object


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def processing_fee(amount: int) -> int:
    """2.9 %, rounded half up, and 30 cents."""
    return (amount * 29 + 500) // 1000 + 30


def checkout_session(params: CheckoutParams, *, base_url: str, created: int, expires_at: int) -> Object:
    session_id = new_id("cs_test")
    total = sum(item.quantity * item.price_data.unit_amount for item in params.line_items)
    return {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "cancel_url": params.cancel_url,
        "client_reference_id": params.client_reference_id,
        "created": created,
        "currency": params.line_items[0].price_data.currency,
        "customer": None,
        "expires_at": expires_at,
        "livemode": False,
        "metadata": params.metadata,
        "mode": params.mode,
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "status": "open",
        "success_url": params.success_url,
        "ui_mode": "hosted",
        "url": f"{base_url}/pay/{session_id}",
        # Not Stripe's: what the pay page shows, and what the payment will carry.
        "_description": params.line_items[0].price_data.product_data.name,
        "_payment_metadata": params.payment_intent_data.metadata,
    }


def payment_intent(session: Object, *, created: int) -> Object:
    return {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_received": 0,
        "currency": session["currency"],
        "created": created,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": session["_payment_metadata"],
        "status": "processing",
    }


def charge(intent: Object, *, created: int) -> Object:
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "captured": True,
        "created": created,
        "currency": intent["currency"],
        "disputed": False,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": False,
        "payment_intent": intent["id"],
        "refunded": False,
        "status": "pending",
    }


def balance_transaction(source: Object, *, kind: str, amount: int, fee: int, created: int) -> Object:
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "created": created,
        "currency": source["currency"],
        "fee": fee,
        "fee_details": [
            {
                "amount": fee,
                "currency": source["currency"],
                "description": "Processing fee",
                "type": "stripe_fee",
            }
        ],
        "net": amount - fee,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }


def refund(params: RefundParams, paid: Object, *, amount: int, created: int) -> Object:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": paid["id"],
        "created": created,
        "currency": paid["currency"],
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": params.metadata,
        "payment_intent": paid["payment_intent"],
        "reason": params.reason,
        "status": "succeeded",
    }


def dispute(paid: Object, *, created: int) -> Object:
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": paid["amount"] - paid["amount_refunded"],
        "charge": paid["id"],
        "created": created,
        "currency": paid["currency"],
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": paid["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }


def event(kind: str, subject: Object, previous: Object | None, *, created: int) -> Object:
    data: Object = {"object": public(subject)}
    if previous is not None:
        data["previous_attributes"] = previous
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": stripe.api_version,
        "created": created,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def public(item: Object) -> Object:
    """Without the sandbox's own notes."""
    return {name: value for name, value in item.items() if not name.startswith("_")}
