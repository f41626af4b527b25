"""The routes of Stripe's API that Carewave calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from embedded.stripe_sandbox import pages
from embedded.stripe_sandbox.calls import ApiCall, answer, read_call
from embedded.stripe_sandbox.errors import StripeApiError
from embedded.stripe_sandbox.forms import (
    CheckoutParams,
    EventListParams,
    Params,
    RefundListParams,
    RefundParams,
)
from embedded.stripe_sandbox.state import StripeSandbox

router = APIRouter(prefix="/v1")


def create_app(sandbox: StripeSandbox) -> FastAPI:
    """The API under /v1 and the pay page under /pay. Starting it takes up undelivered webhooks; it does not close
    the sandbox, which belongs to the caller."""

    @asynccontextmanager
    async def resume_webhooks(_: FastAPI) -> AsyncIterator[None]:
        sandbox.webhooks.resume()
        yield

    app = FastAPI(title="Stripe sandbox", openapi_url=None, lifespan=resume_webhooks)
    app.state.sandbox = sandbox
    app.add_exception_handler(StripeApiError, answer_error)
    app.include_router(router)
    app.include_router(pages.router)
    return app


async def answer_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StripeApiError)
    return answer(error.body, status=error.status)


@router.post("/checkout/sessions")
async def create_session(call: ApiCall) -> JSONResponse:
    return call.write(CheckoutParams, call.sandbox.create_session)


@router.get("/checkout/sessions/{session_id}")
async def read_session(call: ApiCall, session_id: str) -> JSONResponse:
    return call.read(call.sandbox.get("checkout.session", session_id), call.params(Params).expand)


@router.post("/checkout/sessions/{session_id}/expire")
async def expire_session(call: ApiCall, session_id: str) -> JSONResponse:
    return call.write(Params, lambda _: call.sandbox.expire_session(session_id))


@router.get("/payment_intents/{payment_id}")
async def read_payment(call: ApiCall, payment_id: str) -> JSONResponse:
    return call.read(call.sandbox.get("payment_intent", payment_id), call.params(Params).expand)


@router.post("/refunds")
async def create_refund(call: ApiCall) -> JSONResponse:
    return call.write(RefundParams, call.sandbox.create_refund)


@router.get("/refunds")
async def list_refunds(call: ApiCall) -> JSONResponse:
    params = call.params(RefundListParams)
    if params.payment_intent is None:
        return call.page(call.sandbox.store.find("refund"), params)
    call.sandbox.get("payment_intent", params.payment_intent, param="payment_intent")
    return call.page(call.sandbox.store.find("refund", "payment_intent", params.payment_intent), params)


@router.get("/events")
async def list_events(call: ApiCall) -> JSONResponse:
    params = call.params(EventListParams)
    call.sandbox.expire_due()
    events = [event for event in call.sandbox.store.find("event") if params.created.holds(event["created"])]
    return call.page([event for event in events if params.type in (None, event["type"])], params)


@router.get("/balance")
async def read_balance(call: ApiCall) -> JSONResponse:
    net = sum(entry["net"] for entry in call.sandbox.store.find("balance_transaction"))
    available = [{"amount": net, "currency": "usd", "source_types": {"card": net}}]
    return answer({"object": "balance", "available": available, "livemode": False, "pending": []})


@router.get("/account", dependencies=[Depends(read_call)])
async def read_account() -> JSONResponse:
    return answer(
        {
            "id": "acct_sandbox",
            "object": "account",
            "charges_enabled": True,
            "country": "US",
            "default_currency": "usd",
            "details_submitted": True,
            "payouts_enabled": True,
        }
    )


@router.api_route("/{path:path}", methods=["GET", "POST", "DELETE"])
async def unknown(call: ApiCall) -> JSONResponse:
    raise StripeApiError(f"Unrecognized request URL ({call.method}: {call.path}).", status=404)
