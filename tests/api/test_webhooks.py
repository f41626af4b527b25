"""Stripe's events: kept once, answered at once, delivered to their case."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from sqlmodel import select
from temporalio.service import RPCError, RPCStatusCode

from db.tables import WebhookEvent
from domain.econsult.payment_events import PaymentEventKind
from tests.api.conftest import WEBHOOK_SECRET
from tests.api.front import NOW, Front, problem


def completed(econsult_id: str, amount: int = 14_000, event_id: str = "evt_1", **session: Any) -> dict[str, Any]:
    return event(
        event_id,
        "checkout.session.completed",
        {
            "id": "cs_1",
            "amount_total": amount,
            "currency": "usd",
            "payment_status": "paid",
            "payment_intent": "pi_1",
            "client_reference_id": econsult_id,
            "customer_details": {"email": "secret@example.com"},
            **session,
        },
    )


def dispute(payment_id: str) -> dict[str, Any]:
    sued = {"id": "dp_1", "amount": 14_000, "currency": "usd", "status": "needs_response", "payment_intent": payment_id}
    return event("evt_2", "charge.dispute.created", sued)


def event(event_id: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": event_id,
        "object": "event",
        "type": kind,
        "created": int(NOW.timestamp()),
        "data": {"object": data},
    }


async def send(
    front: Front, body: dict[str, Any] | bytes, secret: str = WEBHOOK_SECRET, age: int = 0, header: str | None = None
) -> httpx.Response:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256).hexdigest()
    signature = f"t={at},v1={digest}" if header is None else header
    headers = {"Stripe-Signature": signature} if signature else {}
    return await front.anybody.post("/webhooks/stripe", content=payload, headers=headers)


async def kept(front: Front) -> list[WebhookEvent]:
    async with front.database.transaction() as session:
        return list((await session.exec(select(WebhookEvent))).all())


async def test_tells_the_case_that_it_is_paid(front: Front) -> None:
    econsult_id = await front.order()
    response = await send(front, completed(econsult_id))
    assert (response.status_code, response.json()) == (202, {"outcome": "accepted", "code": None})
    ((told, payment),) = front.cases.payments
    assert told == econsult_id
    assert (payment.kind, payment.payment_id, payment.amount_cents) == (PaymentEventKind.SUCCEEDED, "pi_1", 14_000)
    (row,) = await kept(front)
    assert (row.status, row.attempts, row.econsult_id) == ("delivered", 1, econsult_id)
    assert row.delivered_at is not None
    assert "secret@example.com" not in json.dumps(row.event)


async def test_a_repeat_is_told_once(front: Front) -> None:
    econsult_id = await front.order()
    await send(front, completed(econsult_id))
    again = await send(front, completed(econsult_id))
    assert again.json()["outcome"] == "duplicate"
    assert len(front.cases.payments) == 1


async def test_a_webhook_that_beats_its_case_waits(front: Front) -> None:
    econsult_id = await front.order()
    front.cases.running = False
    assert (await send(front, completed(econsult_id))).status_code == 202
    (row,) = await kept(front)
    assert (row.status, row.attempts) == ("received", 1)
    front.cases.running = True
    assert (await send(front, completed(econsult_id))).json()["outcome"] == "duplicate"
    (row,) = await kept(front)
    assert (row.status, row.attempts) == ("delivered", 2)


@pytest.mark.parametrize("outage", [RPCError("down", RPCStatusCode.UNAVAILABLE, b""), RuntimeError("Failed client")])
async def test_an_outage_of_temporal_loses_nothing(front: Front, outage: Exception) -> None:
    econsult_id = await front.order()
    front.cases.outage = outage
    assert (await send(front, completed(econsult_id))).status_code == 202
    (row,) = await kept(front)
    assert row.status == "received"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"amount": 13_999}, "payment.amount_mismatch"), ({"currency": "eur"}, "payment.currency_mismatch")],
)
async def test_a_wrong_sum_is_named_and_delivered(front: Front, changes: dict[str, Any], code: str) -> None:
    response = await send(front, completed(await front.order(), **changes))
    assert (response.status_code, response.json()) == (202, {"outcome": "accepted", "code": code})
    assert len(front.cases.payments) == 1


async def test_a_dispute_finds_its_case_by_the_payment(front: Front) -> None:
    await front.order("k-0")
    econsult_id = await front.order()
    await front.cases.paid(econsult_id, "pi_9")
    assert (await send(front, dispute("pi_9"))).json() == {"outcome": "accepted", "code": None}
    assert [(told, payment.kind) for told, payment in front.cases.payments] == [
        (econsult_id, PaymentEventKind.DISPUTE_OPENED)
    ]


async def test_a_dispute_that_comes_before_its_payment_finds_the_case_on_a_later_try(front: Front) -> None:
    econsult_id = await front.order()
    assert (await send(front, dispute("pi_9"))).json() == {"outcome": "accepted", "code": "webhook.case_unknown"}
    assert (await kept(front))[0].status == "received"
    await front.cases.paid(econsult_id, "pi_9")
    await send(front, dispute("pi_9"))
    (row,) = await kept(front)
    assert (row.status, row.econsult_id) == ("delivered", econsult_id)


async def test_an_unknown_type_is_ignored_and_keeps_nothing_of_it(front: Front) -> None:
    response = await send(front, event("evt_3", "customer.created", {"id": "cus_1", "email": "secret@example.com"}))
    assert (response.status_code, response.json()) == (202, {"outcome": "ignored", "code": "webhook.event_unknown"})
    (row,) = await kept(front)
    assert (row.status, row.event) == ("ignored", None)
    assert front.cases.payments == []


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"header": ""}, (401, "webhook.signature_missing")),
        ({"header": "v1=zz"}, (401, "webhook.signature_malformed")),
        ({"secret": "whsec_other"}, (401, "webhook.signature_invalid")),
        ({"age": 301}, (401, "webhook.signature_stale")),
        ({"age": -600}, (401, "webhook.signature_stale")),
    ],
)
async def test_refuses_what_is_not_from_stripe_just_now(
    front: Front, how: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert problem(await send(front, completed("e-1"), **how)) == refusal
    assert await kept(front) == []


@pytest.mark.parametrize("body", [b"[]", b"\xff", completed("e-1") | {"data": {"object": {}}}])
async def test_refuses_a_signed_body_that_is_no_event(front: Front, body: Any) -> None:
    assert problem(await send(front, body)) == (422, "webhook.payload_malformed")
