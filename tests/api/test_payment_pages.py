"""The page behind a payment link: every state, no health data, no scripts."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from temporalio.service import RPCError, RPCStatusCode

from domain.actors import Actor
from domain.clock import pause
from domain.econsult.acts import OpenCheckout
from domain.econsult.states import Stage
from domain.errors import Refused
from embedded import seed
from tests.api.front import CHECKOUT_URL, DRAFT, NOW, Front, problem, refused_by_workflow

JSON = {"Accept": "application/json"}


def path(front: Front, econsult_id: str, number: int = 1) -> str:
    return front.links.payment_link(econsult_id, number).removeprefix("http://api.test")


async def show(front: Front, **changes: Any) -> tuple[str, httpx.Response]:
    """The page of a fresh order whose state was changed, and its path."""
    econsult_id = await front.order()
    state = front.cases.states[econsult_id]
    for name, value in changes.items():
        setattr(state, name, value)
    await front.cases.record(econsult_id, "changed")
    url = path(front, econsult_id)
    return url, await front.anybody.get(url)


async def test_shows_price_and_button_and_nothing_about_health(front: Front) -> None:
    _, page = await show(front)
    assert page.status_code == 200
    assert "$140" in page.text
    assert '<form method="post">' in page.text
    assert "What does it cost?" in page.text
    for secret in ("Dermatology", "Quillfeather", DRAFT["question"], "<script"):
        assert secret not in page.text


async def test_the_token_in_the_address_stays_here(front: Front) -> None:
    _, page = await show(front)
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' https: http://stripe.sandbox:12111;" in policy
    style = await front.anybody.get("/assets/pay.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "payable"),
        ({"link_number": 2}, "replaced"),
        ({"stage": Stage.PAYMENT_EXPIRED}, "expired"),
        ({"stage": Stage.CANCELLED}, "cancelled"),
        ({"stage": Stage.REFUNDED}, "cancelled"),
        ({"stage": Stage.SPECIALIST_UNAVAILABLE}, "cancelled"),
        ({"stage": Stage.PAID}, "paid"),
        ({"stage": Stage.CLOSED}, "paid"),
    ],
)
async def test_each_state_has_its_page(front: Front, changes: dict[str, Any], state: str) -> None:
    url, page = await show(front, **changes)
    assert page.status_code == 200
    assert ('<form method="post">' in page.text) is (state == "payable")
    told = (await front.anybody.get(url, headers=JSON)).json()
    assert (told["state"], told["total_cents"]) == (state, 14_000)


async def test_a_payer_who_comes_back_is_not_asked_to_pay_again(front: Front) -> None:
    url, _ = await show(front)
    back = await front.anybody.get(url, params={"paid": "1"})
    assert "being confirmed" in back.text
    assert "<form" not in back.text


async def test_a_payment_that_settles_later_is_being_confirmed(front: Front) -> None:
    econsult_id = await front.order()
    state = front.cases.states[econsult_id]
    state.clocks["payment"] = pause(state.clocks["payment"], NOW, "payment is processing")
    await front.cases.record(econsult_id, "payment_processing")
    assert (await front.anybody.get(path(front, econsult_id), headers=JSON)).json()["state"] == "processing"


async def test_can_be_paid_before_the_first_step_is_recorded(front: Front) -> None:
    front.cases.records_first_step = False
    url = path(front, await front.order())
    assert '<form method="post">' in (await front.anybody.get(url)).text


async def test_leads_to_the_processor(front: Front) -> None:
    url, _ = await show(front)
    response = await front.anybody.post(url)
    assert (response.status_code, response.headers["location"]) == (303, CHECKOUT_URL)
    assert response.headers["referrer-policy"] == "no-referrer"
    ((_, name, asked, _),) = front.cases.acts
    assert name == "open_checkout"
    assert asked == OpenCheckout(actor=Actor(role="patient", id=seed.PATIENT), link_number=1)


async def test_a_refusal_shows_the_page_as_it_is_now(front: Front) -> None:
    url, _ = await show(front, stage=Stage.PAYMENT_EXPIRED)
    front.cases.refusal = refused_by_workflow(Refused("payment.link_expired", "expired", missing=("x",)))
    page = await front.anybody.post(url)
    assert page.status_code == 409
    assert "has expired" in page.text
    told = await front.anybody.post(url, headers=JSON)
    assert problem(told) == (409, "payment.link_expired")
    assert told.json()["missing"] == ["x"]


async def test_an_outage_asks_to_try_again(front: Front) -> None:
    url, _ = await show(front)
    front.cases.outage = RPCError("down", RPCStatusCode.UNAVAILABLE, b"")
    page = await front.anybody.post(url)
    assert page.status_code == 503
    assert 'role="alert"' in page.text
    assert problem(await front.anybody.post(url, headers=JSON)) == (503, "temporal.unavailable")


@pytest.mark.parametrize("token", ["nope", "%C3%BC", "A" * 3_000])
async def test_an_unknown_link_has_a_page(front: Front, token: str) -> None:
    for answer in (await front.anybody.get(f"/pay/{token}"), await front.anybody.post(f"/pay/{token}")):
        assert answer.status_code == 404
        assert "not known" in answer.text
    assert problem(await front.anybody.get(f"/pay/{token}", headers=JSON)) == (404, "payment.link_unknown")
    assert problem(await front.anybody.post(f"/pay/{token}", headers=JSON)) == (404, "payment.link_unknown")


async def test_a_link_to_no_order_of_ours_is_unknown(front: Front) -> None:
    assert (await front.anybody.get(path(front, seed.PATIENT))).status_code == 404
