"""Webhooks arrive signed, again until taken, lost or doubled on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from api.webhooks.stripe_events import translate, verify
from domain.econsult.payment_events import PaymentEventKind
from embedded.stripe_sandbox.forms import CheckoutParams, RefundParams, parse
from embedded.stripe_sandbox.state import StripeSandbox, wall_clock
from embedded.stripe_sandbox.webhooks import RETRY_SECONDS, Deliver, deliver_to
from integrations.stripe_gateway import HttpxTransport
from tests.contract.conftest import Clock
from tests.contract.providers import API_KEY, payer_at_localstripe
from tests.contract.serving import listen, serving

SECRET = "whsec_test"
CHECKOUT = (
    "mode=payment&client_reference_id=case-1&success_url=https://example.com/&line_items[0][quantity]=1"
    "&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=4900"
    "&line_items[0][price_data][product_data][name]=eConsult"
)


class Endpoint:
    """Takes webhooks, answering the statuses it was told to, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.taken: list[tuple[bytes, str]] = []
        self.arrived = asyncio.Event()
        self._statuses = list(statuses)

    async def __call__(self, body: bytes, signature: str) -> int:
        self.taken.append((body, signature))
        self.arrived.set()
        return self._statuses.pop(0) if self._statuses else 200

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/webhooks/stripe")
        async def take(request: Request) -> Response:
            body = await request.body()
            return Response(status_code=await self(body, request.headers["Stripe-Signature"]))

        return app


class Pauses:
    """A sleep that only notes how long it would have been, and lets the clock pass."""

    def __init__(self, clock: Clock) -> None:
        self.seconds: list[float] = []
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._clock.advance(seconds=seconds)


@pytest.fixture
def pauses(clock: Clock) -> Pauses:
    return Pauses(clock)


def sandbox_with(deliver: Deliver, clock: Clock, pauses: Pauses) -> StripeSandbox:
    return StripeSandbox(
        api_key=API_KEY,
        webhook_secret=SECRET,
        base_url="http://stripe.sandbox",
        deliver=deliver,
        clock=clock,
        sleep=pauses,
    )


def open_session(sandbox: StripeSandbox) -> str:
    session_id = sandbox.create_session(parse(CheckoutParams, CHECKOUT))["id"]
    assert isinstance(session_id, str)
    return session_id


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=False) as client:
        yield client


async def test_delivers_over_http_again_after_a_500(client: httpx.AsyncClient, clock: Clock, pauses: Pauses) -> None:
    endpoint = Endpoint(500, 503)
    listener, url = listen()
    async with serving(endpoint.app(), listener):
        sandbox = sandbox_with(deliver_to(f"{url}/webhooks/stripe", client), clock, pauses)
        session_id = open_session(sandbox)
        sandbox.pay(session_id)
        await sandbox.webhooks.settled()
        await sandbox.close()
    assert pauses.seconds == list(RETRY_SECONDS[:2])
    bodies = {body for body, _ in endpoint.taken}
    assert (len(endpoint.taken), len(bodies)) == (3, 1)
    body, signature = endpoint.taken[-1]
    event = translate(verify(body, signature, [SECRET], clock.now))
    assert event is not None
    assert (event.kind, event.session_id, event.case_id) == (
        PaymentEventKind.SUCCEEDED,
        session_id,
        "case-1",
    )


async def test_tells_of_a_refund_that_failed_later(clock: Clock, pauses: Pauses) -> None:
    endpoint = Endpoint()
    sandbox = sandbox_with(endpoint, clock, pauses)
    session = sandbox.pay(open_session(sandbox))
    ours = f"payment_intent={session['payment_intent']}&amount=900&metadata[case_id]=case-1"
    refund = sandbox.create_refund(parse(RefundParams, ours))
    await sandbox.webhooks.settled()
    sandbox.fail_refund(refund["id"])
    await sandbox.webhooks.settled()
    await sandbox.close()
    event = translate(verify(*endpoint.taken[-1], [SECRET], clock.now))
    assert event is not None
    assert (event.kind, event.reference) == (PaymentEventKind.REFUND_FAILED, refund["id"])
    assert (event.case_id, event.payment_id) == ("case-1", session["payment_intent"])
    assert event.amount_cents == 900


async def test_gives_up_after_the_last_retry(clock: Clock, pauses: Pauses) -> None:
    endpoint = Endpoint(*[500] * 50)
    sandbox = sandbox_with(endpoint, clock, pauses)
    sandbox.pay(open_session(sandbox))
    await sandbox.webhooks.settled()
    assert pauses.seconds == list(RETRY_SECONDS)
    assert len(endpoint.taken) == len(RETRY_SECONDS) + 1
    await sandbox.close()


async def test_sends_again_when_nobody_listens(client: httpx.AsyncClient, clock: Clock, pauses: Pauses) -> None:
    listener, url = listen()
    listener.close()
    sandbox = sandbox_with(deliver_to(url, client), clock, pauses)
    sandbox.pay(open_session(sandbox))
    await sandbox.webhooks.settled()
    assert pauses.seconds == list(RETRY_SECONDS)
    await sandbox.close()


async def test_loses_webhooks_on_demand_and_still_lists_their_events(clock: Clock, pauses: Pauses) -> None:
    endpoint = Endpoint()
    sandbox = sandbox_with(endpoint, clock, pauses)
    sandbox.webhooks.dropping = True
    sandbox.pay(open_session(sandbox))
    await sandbox.webhooks.settled()
    assert endpoint.taken == []
    [event] = sandbox.store.find("event")
    sandbox.webhooks.dropping = False
    sandbox.webhooks.send(event["id"])
    await sandbox.webhooks.settled()
    assert len(endpoint.taken) == 1
    await sandbox.close()


async def test_doubles_webhooks_on_demand(clock: Clock, pauses: Pauses) -> None:
    endpoint = Endpoint()
    sandbox = sandbox_with(endpoint, clock, pauses)
    sandbox.webhooks.copies = 2
    sandbox.pay(open_session(sandbox))
    await sandbox.webhooks.settled()
    ids = [verify(body, signature, [SECRET], clock.now).id for body, signature in endpoint.taken]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    await sandbox.close()


async def test_takes_up_what_an_interrupted_process_had_not_delivered(clock: Clock, pauses: Pauses) -> None:
    endpoint = Endpoint()
    sandbox = sandbox_with(endpoint, clock, pauses)
    sandbox.pay(open_session(sandbox))
    await sandbox.webhooks.close()
    assert endpoint.taken == []
    sandbox.webhooks.resume()
    await sandbox.webhooks.settled()
    assert len(endpoint.taken) == 1
    await sandbox.close()


async def test_sends_nothing_of_a_change_that_was_undone(clock: Clock, pauses: Pauses) -> None:
    endpoint = Endpoint()
    sandbox = sandbox_with(endpoint, clock, pauses)
    session_id = open_session(sandbox)

    def pay_and_fail() -> None:
        with sandbox.store.atomic():
            sandbox.pay(session_id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        pay_and_fail()
    await sandbox.webhooks.settled()
    assert endpoint.taken == []
    assert sandbox.get("checkout.session", session_id)["status"] == "open"
    await sandbox.close()


@pytest.mark.contract
async def test_localstripe_signs_as_we_verify(client: httpx.AsyncClient, localstripe_url: str) -> None:
    endpoint = Endpoint()
    listener, url = listen()
    async with serving(endpoint.app(), listener):
        registration = {"url": f"{url}/webhooks/stripe", "secret": SECRET}
        await client.post(f"{localstripe_url}/_config/webhooks/ours", json=registration)
        await payer_at_localstripe(localstripe_url, HttpxTransport(client))(4900)
        async with asyncio.timeout(10):
            await endpoint.arrived.wait()
    body, signature = endpoint.taken[0]
    assert verify(body, signature, [SECRET], wall_clock()).type == "payment_intent.succeeded"
