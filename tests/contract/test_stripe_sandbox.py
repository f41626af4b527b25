"""The sandbox behaves as Stripe does, and fails on demand as Stripe may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from activities.ports import Checkout, CheckoutRequest, CheckoutStatus
from domain.errors import GatewayRejected, GatewayUnavailable
from embedded.stripe_sandbox.app import create_app
from embedded.stripe_sandbox.errors import StripeApiError
from embedded.stripe_sandbox.objects import processing_fee
from embedded.stripe_sandbox.state import StripeSandbox
from integrations.stripe_gateway import StripeGateway
from tests.contract.conftest import Clock
from tests.contract.providers import API_KEY, checkout_request, refund_request

BASE = "http://stripe.sandbox"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Bearer {API_KEY}"}


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[StripeSandbox]:
    sandbox = StripeSandbox(api_key=API_KEY, webhook_secret="whsec_test", base_url=BASE, clock=clock)
    yield sandbox
    await sandbox.close()


@pytest.fixture
async def client(sandbox: StripeSandbox) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(sandbox))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
def gateway(client: httpx.AsyncClient) -> StripeGateway:
    return StripeGateway(API_KEY, api_base=BASE, http_client=client)


@pytest.fixture
def request_(clock: Clock) -> CheckoutRequest:
    request = checkout_request()
    return request.model_copy(update={"expires_at": clock.now.replace(hour=15)})


@pytest.fixture
async def checkout(gateway: StripeGateway, request_: CheckoutRequest) -> Checkout:
    return await gateway.open_checkout(request_)


@pytest.fixture
async def payment_id(sandbox: StripeSandbox, checkout: Checkout) -> str:
    paid = sandbox.pay(checkout.session_id)["payment_intent"]
    assert isinstance(paid, str)
    return paid


def event_types(sandbox: StripeSandbox) -> list[str]:
    return [event["type"] for event in reversed(sandbox.store.find("event"))]


async def test_a_paid_checkout_names_its_payment_and_its_fee(
    sandbox: StripeSandbox, gateway: StripeGateway, checkout: Checkout, payment_id: str
) -> None:
    paid = await gateway.read_checkout(checkout.session_id)
    assert (paid.status, paid.payment_id, paid.url) == (CheckoutStatus.PAID, payment_id, None)
    fee = await gateway.read_fee(payment_id)
    assert fee is not None
    assert fee.fee_cents == 172
    assert event_types(sandbox) == ["checkout.session.completed"]


async def test_expiring_a_paid_checkout_answers_that_it_is_paid(
    gateway: StripeGateway, checkout: Checkout, payment_id: str
) -> None:
    assert (await gateway.expire_checkout(checkout.session_id)).status is CheckoutStatus.PAID


async def test_the_payment_carries_the_case(
    client: httpx.AsyncClient, request_: CheckoutRequest, payment_id: str
) -> None:
    answer = await client.get(f"/v1/payment_intents/{payment_id}?expand[]=latest_charge", headers=FORM)
    intent = answer.json()
    assert intent["metadata"] == intent["latest_charge"]["metadata"] == {"case_id": request_.case_id}


async def test_a_delayed_payment_is_processing_until_it_arrives(
    sandbox: StripeSandbox, gateway: StripeGateway, checkout: Checkout
) -> None:
    sandbox.pay_later(checkout.session_id)
    pending = await gateway.read_checkout(checkout.session_id)
    assert pending.status is CheckoutStatus.PROCESSING
    assert pending.payment_id is not None
    assert await gateway.read_fee(pending.payment_id) is None
    sandbox.settle_async(checkout.session_id, succeeded=True)
    assert (await gateway.read_checkout(checkout.session_id)).status is CheckoutStatus.PAID
    assert event_types(sandbox) == ["checkout.session.completed", "checkout.session.async_payment_succeeded"]


async def test_a_checkout_whose_delayed_payment_failed_is_over(
    sandbox: StripeSandbox, gateway: StripeGateway, checkout: Checkout
) -> None:
    sandbox.pay_later(checkout.session_id)
    sandbox.settle_async(checkout.session_id, succeeded=False)
    assert (await gateway.read_checkout(checkout.session_id)).status is CheckoutStatus.EXPIRED


async def test_a_checkout_expires_when_its_time_has_come(
    sandbox: StripeSandbox, gateway: StripeGateway, checkout: Checkout, clock: Clock
) -> None:
    clock.advance(hours=6)
    assert (await gateway.read_checkout(checkout.session_id)).status is CheckoutStatus.EXPIRED
    sandbox.expire_due()
    assert event_types(sandbox) == ["checkout.session.expired"]


async def test_a_key_is_forgotten_after_a_day(
    gateway: StripeGateway, request_: CheckoutRequest, checkout: Checkout, clock: Clock
) -> None:
    clock.advance(hours=25)
    later = request_.model_copy(update={"expires_at": clock.now.replace(hour=20)})
    assert (await gateway.open_checkout(later)).session_id != checkout.session_id


@pytest.mark.parametrize("amount_cents", [2000, 4900])
async def test_a_refund_happens_once_although_its_key_was_forgotten(
    gateway: StripeGateway, payment_id: str, clock: Clock, amount_cents: int
) -> None:
    request = refund_request(payment_id, amount_cents)
    first = await gateway.refund(request)
    clock.advance(days=9)
    assert await gateway.refund(request) == first


async def test_a_refund_happens_once_although_its_answer_was_lost(
    sandbox: StripeSandbox, gateway: StripeGateway, payment_id: str
) -> None:
    request = refund_request(payment_id, 2000)
    await gateway.read_fee(payment_id)
    sandbox.faults.fail_next(2, after_executing=True)
    with pytest.raises(GatewayUnavailable):
        await gateway.refund(request)
    result = await gateway.refund(request)
    refunds = sandbox.store.find("refund")
    assert [refund["id"] for refund in refunds] == [result.refund_id]
    assert refunds[0]["metadata"] == {"case_id": request.case_id, "key": request.key}


async def test_a_refund_that_failed_later_leaves_the_payment_to_be_refunded_again(
    sandbox: StripeSandbox, gateway: StripeGateway, client: httpx.AsyncClient, payment_id: str
) -> None:
    whole = refund_request(payment_id, 4900)
    first = await gateway.refund(whole)
    assert first.status == "succeeded"
    failed = sandbox.fail_refund(first.refund_id)
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert await gateway.refund(whole) == first.model_copy(update={"status": "failed"})
    assert event_types(sandbox)[-2:] == ["charge.refunded", "refund.failed"]
    with pytest.raises(StripeApiError):
        sandbox.fail_refund(first.refund_id)
    again = await gateway.refund(refund_request(payment_id, 4900))
    assert (again.amount_cents, again.status) == (4900, "succeeded")
    answer = await client.get(f"/v1/payment_intents/{payment_id}?expand[]=latest_charge", headers=FORM)
    charge = answer.json()["latest_charge"]
    assert (charge["amount_refunded"], charge["refunded"]) == (4900, True)


async def test_a_refund_fails_when_the_time_has_come_that_the_fault_names(
    sandbox: StripeSandbox, gateway: StripeGateway, payment_id: str, clock: Clock
) -> None:
    sandbox.faults.bounce_refunds(after=timedelta(days=5))
    bouncing = await gateway.refund(refund_request(payment_id, 1000))
    lasting = await gateway.refund(refund_request(payment_id, 500))
    clock.advance(days=4)
    sandbox.expire_due()
    assert "refund.failed" not in event_types(sandbox)
    clock.advance(days=1)
    for _ in range(2):
        sandbox.expire_due()
    assert event_types(sandbox).count("refund.failed") == 1
    statuses = {refund["id"]: refund["status"] for refund in sandbox.store.find("refund")}
    assert statuses == {bouncing.refund_id: "failed", lasting.refund_id: "succeeded"}


async def test_a_checkout_is_opened_once_although_its_answer_was_lost(
    sandbox: StripeSandbox, gateway: StripeGateway, request_: CheckoutRequest
) -> None:
    sandbox.faults.fail_next(after_executing=True)
    with pytest.raises(GatewayUnavailable):
        await gateway.open_checkout(request_)
    again = await gateway.open_checkout(request_)
    assert [session["id"] for session in sandbox.store.find("checkout.session")] == [again.session_id]


@pytest.mark.parametrize("status", [409, 429, 500, 503])
async def test_a_passing_failure_may_be_tried_again(
    sandbox: StripeSandbox, gateway: StripeGateway, checkout: Checkout, status: int
) -> None:
    sandbox.faults.fail_next(status=status)
    with pytest.raises(GatewayUnavailable) as failure:
        await gateway.read_checkout(checkout.session_id)
    assert failure.value.code == "payment.gateway_unavailable"
    assert failure.value.__cause__ is None
    assert await gateway.read_checkout(checkout.session_id) == checkout


@pytest.mark.parametrize(("status", "code"), [(402, "payment.declined"), (403, "payment.gateway_auth")])
async def test_a_final_refusal_has_its_code(
    sandbox: StripeSandbox, gateway: StripeGateway, status: int, code: str
) -> None:
    sandbox.faults.fail_next(status=status)
    with pytest.raises(GatewayRejected) as refusal:
        await gateway.ping()
    assert refusal.value.code == code
    assert "asked to fail" not in str(refusal.value), "Stripe's own words may hold personal data"


async def test_a_disputed_payment_is_not_refunded(
    sandbox: StripeSandbox, gateway: StripeGateway, payment_id: str
) -> None:
    sandbox.dispute(payment_id)
    with pytest.raises(GatewayRejected) as refusal:
        await gateway.refund(refund_request(payment_id, 100))
    assert refusal.value.code == "payment.disputed"
    assert sandbox.close_dispute(payment_id, won=False)["status"] == "lost"
    assert event_types(sandbox)[-2:] == ["charge.dispute.created", "charge.dispute.closed"]


@pytest.mark.parametrize(("amount", "fee"), [(4900, 172), (50, 31), (500, 45), (1000, 59), (0, 30), (51, 31)])
def test_the_fee_is_rounded_half_up(amount: int, fee: int) -> None:
    assert processing_fee(amount) == fee


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ("reason=duplicate", "parameter_missing", "payment_intent"),
        ("payment_intent=pi_1&payment_intents=pi_1", "parameter_unknown", "payment_intents"),
        ("payment_intent=pi_1&amount=none", "parameter_invalid", "amount"),
        ("payment_intent=pi_1&metadata[case]=a&metadata[case][x]=b", None, "case"),
        ("payment_intent=pi_1", "resource_missing", "payment_intent"),
    ],
)
async def test_refuses_parameters_as_stripe_does(
    client: httpx.AsyncClient, form: str, code: str | None, param: str
) -> None:
    answer = await client.post("/v1/refunds", content=form, headers=FORM)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error.get("code"), error["param"]) == (code, param)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer sk_test_wrong"}, {"Authorization": "Basic !"}])
async def test_refuses_a_caller_without_the_key(client: httpx.AsyncClient, header: dict[str, str]) -> None:
    answer = await client.get("/v1/account", headers=header)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_answers_a_route_it_lacks_in_stripes_shape(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/customers", headers=FORM)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")


async def test_repeats_an_answer_and_says_so(client: httpx.AsyncClient, payment_id: str) -> None:
    headers = FORM | {"Idempotency-Key": "once"}
    form = urlencode({"payment_intent": payment_id, "amount": "100"})
    first = await client.post("/v1/refunds", content=form, headers=headers)
    again = await client.post("/v1/refunds", content=form, headers=headers)
    assert again.json() == first.json()
    assert (again.headers.get("Idempotent-Replayed"), first.headers.get("Idempotent-Replayed")) == ("true", None)


async def test_lists_events_newest_first_in_pages(
    sandbox: StripeSandbox, client: httpx.AsyncClient, payment_id: str, clock: Clock
) -> None:
    clock.advance(minutes=1)
    sandbox.dispute(payment_id)
    first = (await client.get("/v1/events?limit=1", headers=FORM)).json()
    assert ([event["type"] for event in first["data"]], first["has_more"]) == (["charge.dispute.created"], True)
    after = first["data"][0]["id"]
    second = (await client.get(f"/v1/events?limit=1&starting_after={after}", headers=FORM)).json()
    assert [event["type"] for event in second["data"]] == ["checkout.session.completed"]
    moment = int(clock.now.timestamp())
    recent = (await client.get(f"/v1/events?created[gte]={moment}", headers=FORM)).json()
    assert [event["type"] for event in recent["data"]] == ["charge.dispute.created"]


async def test_state_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    def start() -> StripeSandbox:
        return StripeSandbox(
            api_key=API_KEY, webhook_secret="whsec_test", base_url=BASE, clock=clock, path=tmp_path / "stripe.sqlite"
        )

    before = start()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(before))) as client:
        gateway = StripeGateway(API_KEY, api_base=BASE, http_client=client)
        request = checkout_request(expires_at=clock.now.replace(hour=15))
        checkout = await gateway.open_checkout(request)
    await before.close()
    after = start()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(after))) as client:
        gateway = StripeGateway(API_KEY, api_base=BASE, http_client=client)
        assert await gateway.open_checkout(request) == checkout
    await after.close()


async def test_a_paid_session_cannot_be_paid_again(client: httpx.AsyncClient, checkout: Checkout) -> None:
    address = f"/pay/{checkout.session_id}"
    first = await client.post(address, content="act=pay")
    assert first.status_code == 303
    assert first.headers["location"] == f"https://example.com/paid?session={checkout.session_id}"
    assert (await client.post(address, content="act=pay")).status_code == 409


async def test_the_pay_page_shows_the_amount_and_the_ways_to_pay(client: httpx.AsyncClient, checkout: Checkout) -> None:
    page = (await client.get(f"/pay/{checkout.session_id}")).text
    for text in ("49.00 USD", "Specialist eConsult", "Sandbox", 'value="pay_later"', "example.com/cancelled"):
        assert text in page


async def test_a_declined_card_leaves_the_session_open(
    gateway: StripeGateway, client: httpx.AsyncClient, checkout: Checkout
) -> None:
    page = await client.post(f"/pay/{checkout.session_id}", content="act=decline")
    assert "declined" in page.text
    assert await gateway.read_checkout(checkout.session_id) == checkout


@pytest.mark.parametrize(("act", "status"), [("settle", CheckoutStatus.PAID), ("bounce", CheckoutStatus.EXPIRED)])
async def test_the_pay_page_settles_a_delayed_payment(
    gateway: StripeGateway, client: httpx.AsyncClient, checkout: Checkout, act: str, status: CheckoutStatus
) -> None:
    address = f"/pay/{checkout.session_id}"
    await client.post(address, content="act=pay_later")
    assert 'value="settle"' in (await client.get(address)).text
    await client.post(address, content=f"act={act}")
    assert (await gateway.read_checkout(checkout.session_id)).status is status


async def test_the_page_of_an_expired_or_unknown_session_says_so(
    client: httpx.AsyncClient, checkout: Checkout, clock: Clock
) -> None:
    clock.advance(hours=7)
    assert "has expired" in (await client.get(f"/pay/{checkout.session_id}")).text
    assert (await client.post(f"/pay/{checkout.session_id}", content="act=pay")).status_code == 409
    assert (await client.get("/pay/cs_test_nobody")).status_code == 404
