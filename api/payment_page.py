"""The page behind a payment link: what it says in each state. It shows a price and no health data."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict

from config import Settings
from db.econsults import Case
from domain.clock import SlaState
from domain.econsult.guide import faq, money
from domain.econsult.states import Stage

TEMPLATES = Path(__file__).parent / "templates"
STYLE = (TEMPLATES / "pay.css").read_text(encoding="utf-8")

_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


class PageState(StrEnum):
    PAYABLE = "payable"
    PROCESSING = "processing"  # the patient has paid, or says so, and the processor has not confirmed it yet
    PAID = "paid"
    EXPIRED = "expired"
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class PaymentPage(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "state": "payable",
                    "total_cents": 14000,
                    "currency": "usd",
                    "expires_at": "2026-03-09T16:20:00Z",
                }
            ]
        }
    )

    state: PageState
    total_cents: int
    currency: str
    expires_at: datetime | None = None


class _Text(NamedTuple):
    title: str
    lead: str


_TEXTS = {
    PageState.PAYABLE: _Text(
        "Pay for your eConsult",
        "Your clinician would like a specialist's written opinion. It is sent to the specialist once you have paid.",
    ),
    PageState.PROCESSING: _Text(
        "Your payment is being confirmed",
        "Thank you. This usually takes less than a minute; some ways to pay take a few days. You will get an e-mail.",
    ),
    PageState.PAID: _Text(
        "Thank you, your eConsult is paid",
        "There is nothing more to do here. You will get an e-mail when the answer has arrived.",
    ),
    PageState.EXPIRED: _Text(
        "This payment link has expired", "Ask your clinician for a new one. You have not been charged through it."
    ),
    PageState.REPLACED: _Text(
        "A newer payment link was sent to you", "Please use the link in the latest e-mail. This one no longer works."
    ),
    PageState.CANCELLED: _Text(
        "This order is no longer open", "Nothing is to be paid. If you have paid already, your money goes back to you."
    ),
    PageState.UNKNOWN: _Text(
        "This payment link is not known", "Please open the link again from the e-mail, and see that it is complete."
    ),
}
_FAQ_SHOWN = {"cost", "in_person_needed", "how_long", "refund"}
_OVER = {Stage.CANCELLED, Stage.SPECIALIST_UNAVAILABLE, Stage.REFUNDED}


def page_of(case: Case, link_number: int, *, came_back: bool) -> PaymentPage:
    """`came_back`: the processor has sent the patient back as having paid; its own report may be on its way."""
    snapshot = case.snapshot
    return PaymentPage(
        state=_state(case, link_number, came_back=came_back),
        total_cents=case.order.network_fee_cents + case.order.clinician_portion_cents,
        currency=case.order.currency,
        expires_at=snapshot.link_expires_at if snapshot else None,
    )


def _state(case: Case, link_number: int, *, came_back: bool) -> PageState:
    snapshot = case.snapshot
    if snapshot is None:
        return PageState.PAYABLE
    if snapshot.stage is Stage.PAYMENT_EXPIRED:
        return PageState.EXPIRED
    if snapshot.stage in _OVER:
        return PageState.CANCELLED
    if snapshot.stage is not Stage.AWAITING_PAYMENT:
        return PageState.PAID
    if link_number != snapshot.link_number:
        return PageState.REPLACED
    settling = any(clock.name == "payment" and clock.state is SlaState.PAUSED for clock in snapshot.clocks)
    return PageState.PROCESSING if settling or came_back else PageState.PAYABLE


def render(page: PaymentPage | None, settings: Settings, notice: str | None = None) -> str:
    """The page as HTML; None for a link that is not known."""
    price = money(page.total_cents, page.currency) if page else ""
    expires = page.expires_at if page else None
    return _pages.get_template("pay.html").render(
        page=page or {"state": PageState.UNKNOWN},
        text=_TEXTS[page.state if page else PageState.UNKNOWN],
        brand=settings.brand_name,
        support=settings.support_contact,
        price=price,
        expires=f"{expires:%B} {expires.day}, {expires.year}, {expires:%H:%M} UTC" if expires else None,
        notice=notice,
        faq=[entry for entry in faq(price, settings.support_contact) if entry.id in _FAQ_SHOWN] if page else [],
    )


def security_headers(settings: Settings) -> dict[str, str]:
    """The token is in the address: nobody may learn it from a referrer or a cache, and no page may frame this one."""
    processor = urlsplit(settings.stripe_api_base or "")
    # A form's answer may redirect only to what form-action names, and Checkout may live on a domain of its own.
    targets = f"'self' https: {processor.scheme}://{processor.netloc}" if processor.netloc else "'self' https:"
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
        f"form-action {targets}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    }
