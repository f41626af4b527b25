"""The hosted pay page: what a patient sees where Stripe Checkout would be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader

from embedded.stripe_sandbox.errors import StripeApiError
from embedded.stripe_sandbox.state import StripeSandbox
from embedded.stripe_sandbox.store import Object

router = APIRouter(prefix="/pay")
templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)

ACTS: Mapping[str, Callable[[StripeSandbox, str], Object]] = {
    "pay": StripeSandbox.pay,
    "pay_later": StripeSandbox.pay_later,
    "settle": lambda sandbox, session_id: sandbox.settle_async(session_id, True),
    "bounce": lambda sandbox, session_id: sandbox.settle_async(session_id, False),
}
DECLINED = "Your card was declined. Try another way to pay."


@router.get("/{session_id}")
async def show(request: Request, session_id: str) -> Response:
    return page(request.app.state.sandbox, session_id)


@router.post("/{session_id}")
async def act(request: Request, session_id: str) -> Response:
    """Form field `act`: pay, pay_later, decline, settle or bounce."""
    sandbox: StripeSandbox = request.app.state.sandbox
    chosen = parse_qs((await request.body()).decode()).get("act", [""])[0]
    if chosen == "decline":
        return page(sandbox, session_id, message=DECLINED)
    try:
        session = ACTS[chosen](sandbox, session_id)
    except (KeyError, StripeApiError):
        return page(sandbox, session_id, message="That is not possible now.", status=409)
    address = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id)
    return RedirectResponse(address, status_code=303)


def page(sandbox: StripeSandbox, session_id: str, *, message: str | None = None, status: int = 200) -> HTMLResponse:
    try:
        session = sandbox.get("checkout.session", session_id)
    except StripeApiError:
        return HTMLResponse(templates.get_template("pay.html").render(session=None), 404)
    text = templates.get_template("pay.html").render(
        session=session,
        amount=format_amount(session["amount_total"], session["currency"]),
        description=session["_description"],
        message=message,
        settling=settling(sandbox, session),
    )
    return HTMLResponse(text, status)


def settling(sandbox: StripeSandbox, session: Object) -> bool:
    """Whether a delayed payment is under way."""
    if session["status"] != "complete":
        return False
    intent = sandbox.get("payment_intent", session["payment_intent"])
    return bool(intent["status"] == "processing")


def format_amount(cents: int, currency: str) -> str:
    return f"{cents // 100:,}.{cents % 100:02} {currency.upper()}"
