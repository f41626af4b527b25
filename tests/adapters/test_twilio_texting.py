"""Texting against a sandbox that speaks Twilio's API over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from activities.ports import TextMessage
from domain.errors import CarewaveError, GatewayRejected, GatewayUnavailable
from embedded.twilio_sandbox import StoredText, TwilioSandbox, twilio_app
from integrations.twilio_texting import TwilioTexting
from tests.adapters.loopback import closed_port, serve, silent_server

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "sandbox-token"
PATIENT = "+12025550123"
FROM = "+12025550100"


class TextingTo:
    """Makes adapters that talk to one server, and closes them in the end."""

    def __init__(self, url: str, sandbox: TwilioSandbox) -> None:
        self.url = url
        self.sandbox = sandbox
        self._made: list[TwilioTexting] = []

    def texting(self, *, token: str = TOKEN, status_callback: str | None = None, timeout: float = 5.0) -> TwilioTexting:
        made = TwilioTexting(
            account_sid=ACCOUNT,
            auth_token=token,
            from_number=FROM,
            api_base=self.url,
            status_callback=status_callback,
            timeout=timeout,
        )
        self._made.append(made)
        return made

    async def aclose(self) -> None:
        for made in self._made:
            await made.aclose()


@pytest.fixture
async def twilio() -> AsyncIterator[TextingTo]:
    sandbox = TwilioSandbox(account_sid=ACCOUNT, auth_token=TOKEN)
    async with serve(twilio_app(sandbox)) as url:
        clients = TextingTo(url, sandbox)
        yield clients
        await clients.aclose()


def a_text(to: str = PATIENT, body: str = "Your specialist has answered.") -> TextMessage:
    return TextMessage(key="econsult:1:reply", to=to, body=body)


def assert_tells_nothing(error: CarewaveError, number: str = PATIENT) -> None:
    assert number not in f"{error} {error.args} {error.__cause__}"
    assert error.__suppress_context__


async def test_sends_a_text(twilio: TextingTo) -> None:
    receipt = await twilio.texting().send(a_text())

    (text,) = twilio.sandbox.messages
    assert (text.sender, text.to, text.body) == (FROM, PATIENT, "Your specialist has answered.")
    assert receipt.message_sid == text.sid
    assert receipt.status == "queued"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550004", "text.opted_out"),
        ("+15005550001", "text.number_invalid"),
        ("+15005550009", "text.number_invalid"),
        ("+15005550002", "text.rejected"),
        ("not a number", "text.number_invalid"),
    ],
)
async def test_a_number_that_cannot_be_texted_is_rejected_for_good(twilio: TextingTo, number: str, code: str) -> None:
    with pytest.raises(GatewayRejected) as raised:
        await twilio.texting().send(a_text(number))

    assert raised.value.code == code
    assert_tells_nothing(raised.value, number)


async def test_a_person_who_answers_stop_gets_no_texts_until_start(twilio: TextingTo) -> None:
    twilio.sandbox.opt_out(PATIENT)
    with pytest.raises(GatewayRejected) as raised:
        await twilio.texting().send(a_text())
    twilio.sandbox.opt_in(PATIENT)
    await twilio.texting().send(a_text())

    assert raised.value.code == "text.opted_out"
    assert len(twilio.sandbox.messages) == 1


async def test_a_text_without_a_body_is_rejected_for_good(twilio: TextingTo) -> None:
    with pytest.raises(GatewayRejected) as raised:
        await twilio.texting().send(a_text(body=""))

    assert raised.value.code == "text.rejected"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_overloaded_or_broken_service_takes_the_text_later(twilio: TextingTo, status: int) -> None:
    twilio.sandbox.fail_next(status)
    with pytest.raises(GatewayUnavailable) as raised:
        await twilio.texting().send(a_text())
    await twilio.texting().send(a_text())

    assert raised.value.code == "text.unavailable"
    assert_tells_nothing(raised.value)
    assert len(twilio.sandbox.messages) == 1


async def test_refused_credentials_hold_the_text_back(twilio: TextingTo) -> None:
    with pytest.raises(GatewayUnavailable) as raised:
        await twilio.texting(token="wrong").send(a_text())

    assert raised.value.code == "text.unavailable"


async def test_an_unreachable_service_is_unavailable(twilio: TextingTo) -> None:
    twilio.url = f"http://127.0.0.1:{closed_port()}"

    with pytest.raises(GatewayUnavailable) as raised:
        await twilio.texting().send(a_text())

    assert_tells_nothing(raised.value)


async def test_a_silent_service_is_unavailable_after_the_time_limit(twilio: TextingTo) -> None:
    async with silent_server() as port:
        twilio.url = f"http://127.0.0.1:{port}"
        with pytest.raises(GatewayUnavailable) as raised:
            await twilio.texting(timeout=0.1).send(a_text())

    assert raised.value.code == "text.unavailable"


async def test_an_answer_that_is_not_twilios_is_unavailable(twilio: TextingTo) -> None:
    captive = FastAPI()

    @captive.post("/{path:path}")
    async def portal(path: str) -> Response:
        return Response("<html>Sign in to the network</html>")

    async with serve(captive) as twilio.url:
        with pytest.raises(GatewayUnavailable) as raised:
            await twilio.texting().send(a_text())

    assert raised.value.code == "text.unavailable"


class Receiver:
    """An application that keeps the status callbacks whose signature holds."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.forms: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.refused = 0
        self.app.post("/webhooks/twilio/status")(self.receive)

    async def receive(self, request: Request) -> None:
        form = {name: str(value) for name, value in (await request.form()).items()}
        signature = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(TOKEN).validate(str(request.url), form, signature):
            self.refused += 1
            return
        await self.forms.put(form)


@pytest.mark.parametrize(
    ("number", "steps"),
    [
        (PATIENT, [("sent", None), ("delivered", None)]),
        ("+15005553003", [("sent", None), ("undelivered", "30003")]),
        ("+15005553007", [("sent", None), ("undelivered", "30007")]),
    ],
)
async def test_reports_delivery_by_signed_callbacks(
    twilio: TextingTo, number: str, steps: list[tuple[str, str | None]]
) -> None:
    receiver = Receiver()
    async with serve(receiver.app) as url:
        callback = f"{url}/webhooks/twilio/status"
        receipt = await twilio.texting(status_callback=callback).send(a_text(number))
        forms = [await asyncio.wait_for(receiver.forms.get(), timeout=5) for _ in steps]

    assert [(form["MessageStatus"], form.get("ErrorCode")) for form in forms] == steps
    assert {form["MessageSid"] for form in forms} == {receipt.message_sid}
    assert twilio.sandbox.text(receipt.message_sid).status_callback == f"{callback}?notice=econsult%3A1%3Areply"
    assert receiver.refused == 0


async def test_an_unreachable_callback_does_not_stop_the_delivery(twilio: TextingTo) -> None:
    callback = f"http://127.0.0.1:{closed_port()}/status"
    text = twilio.sandbox.accept(_stored(callback))

    await twilio.sandbox.deliver(text.sid)

    assert twilio.sandbox.text(text.sid).status == "delivered"


async def test_tells_the_state_of_one_message(twilio: TextingTo) -> None:
    texting = twilio.texting()
    receipt = await texting.send(a_text("+15005553005"))
    await twilio.sandbox.deliver(receipt.message_sid)

    message = await texting._client.messages(receipt.message_sid).fetch_async()

    assert (message.status, message.error_code) == ("undelivered", 30005)


async def test_a_ping_tells_whether_the_account_is_ours(twilio: TextingTo) -> None:
    await twilio.texting().ping()
    with pytest.raises(GatewayUnavailable, match="401"):
        await twilio.texting(token="wrong").ping()


async def test_the_sandbox_keeps_texts_across_restarts(tmp_path: Path) -> None:
    store = tmp_path / "texts.jsonl"
    first = TwilioSandbox(account_sid=ACCOUNT, auth_token=TOKEN, store=store)
    text = first.accept(_stored(None))
    await first.deliver(text.sid)

    second = TwilioSandbox(account_sid=ACCOUNT, auth_token=TOKEN, store=store)

    assert [(kept.sid, kept.status) for kept in second.messages] == [(text.sid, "delivered")]


def _stored(status_callback: str | None) -> StoredText:
    return StoredText(
        sid="SM1",
        account_sid=ACCOUNT,
        created_at=datetime.now(UTC),
        sender=FROM,
        to=PATIENT,
        body="Hello",
        status="queued",
        status_callback=status_callback,
    )
