"""Calls against a sandbox that speaks Twilio's API over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from activities.ports import BridgeCall
from domain.errors import CarewaveError, GatewayRejected, GatewayUnavailable
from embedded.twilio_sandbox import StoredCall, TwilioSandbox, twilio_app
from embedded.twilio_sandbox.calls import Answer, read_twiml
from embedded.twilio_sandbox.errors import TwilioError
from integrations.twilio_voice import TwilioVoice
from tests.adapters.loopback import closed_port, serve, silent_server

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "sandbox-token"
CLINICIAN = "+12025550141"
PATIENT = "+12025550142"
OURS = "+12025550100"
CALLBACK = "https://api.example.org/webhooks/twilio/voice"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Told:
    """Takes callbacks whose signature holds."""

    forms: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    lost: bool = False

    async def deliver(self, url: str, form: Mapping[str, str], signature: str) -> int:
        if self.lost:
            raise httpx.ConnectError("nobody is there")
        assert RequestValidator(TOKEN).validate(url, dict(form), signature)
        self.forms.append((url, form))
        return 202

    def steps(self, leg: str = "") -> list[str]:
        query = "?attempt=a-1&leg=clinician" if leg else "?attempt=a-1"
        return [form.get("CallStatus") or form["AnsweredBy"] for url, form in self.forms if url == CALLBACK + query]


@dataclass
class Exchange:
    """The sandbox behind its URL, and adapters that talk to it."""

    url: str
    sandbox: TwilioSandbox
    told: Told
    made: list[TwilioVoice] = field(default_factory=list)

    def voice(
        self, *, token: str = TOKEN, machine_detection: bool = False, http: httpx.AsyncClient | None = None
    ) -> TwilioVoice:
        made = TwilioVoice(
            account_sid=ACCOUNT,
            auth_token=token,
            from_number=OURS,
            status_callback=CALLBACK,
            machine_detection=machine_detection,
            api_base=self.url,
            http=http,
        )
        self.made.append(made)
        return made


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    told = Told()
    sandbox = TwilioSandbox(account_sid=ACCOUNT, auth_token=TOKEN, deliver=told.deliver, clock=lambda: NOON)
    async with serve(twilio_app(sandbox)) as url:
        place = Exchange(url, sandbox, told)
        yield place
        for made in place.made:
            await made.aclose()


def a_call(clinician: str = CLINICIAN, patient: str = PATIENT) -> BridgeCall:
    return BridgeCall(
        key="visit:v-1:call:a-1", visit_id="v-1", attempt_id="a-1", clinician_phone=clinician, patient_phone=patient
    )


async def played(exchange: Exchange) -> None:
    """Wait until the call has taken its course."""
    await asyncio.wait_for(exchange.sandbox.settled(), timeout=5)


async def test_rings_the_clinician_and_dials_the_patient_both_from_our_number(exchange: Exchange) -> None:
    receipt = await exchange.voice().bridge(a_call())

    (call,) = exchange.sandbox.calls
    assert (call.sid, receipt.status) == (receipt.call_sid, "queued")
    assert (call.sender, call.to) == (OURS, CLINICIAN)
    assert (call.patient.caller_id, call.patient.number) == (OURS, PATIENT)
    assert PATIENT not in f"{a_call()!r} {receipt!r}"


@pytest.mark.parametrize(
    ("answer", "statuses"),
    [
        (Answer.ANSWERED, ["initiated", "ringing", "in-progress", "completed"]),
        (Answer.NO_ANSWER, ["initiated", "ringing", "no-answer"]),
        (Answer.BUSY, ["initiated", "ringing", "busy"]),
        (Answer.FAILED, ["initiated", "failed"]),
    ],
)
async def test_reports_the_patients_leg_by_signed_callbacks(
    exchange: Exchange, answer: Answer, statuses: list[str]
) -> None:
    exchange.sandbox.default_answer = answer
    await exchange.voice().bridge(a_call())
    await played(exchange)

    assert exchange.told.steps() == statuses
    assert exchange.told.steps("clinician") == ["initiated", "completed"]
    call = exchange.sandbox.calls[0]
    _, last = next((url, form) for url, form in reversed(exchange.told.forms) if "ParentCallSid" in form)
    assert (last["ParentCallSid"], last["Timestamp"]) == (call.sid, "Mon, 02 Mar 2026 12:00:00 +0000")
    assert (call.patient_status, call.status) == (statuses[-1], "completed")


async def test_a_clinician_who_does_not_pick_up_keeps_the_patient_from_being_rung(exchange: Exchange) -> None:
    exchange.sandbox.answers[CLINICIAN] = Answer.NO_ANSWER
    await exchange.voice().bridge(a_call())
    await played(exchange)

    assert exchange.told.steps() == []
    assert exchange.told.steps("clinician") == ["initiated", "no-answer"]
    assert exchange.sandbox.calls[0].patient_status is None


async def test_tells_a_machine_from_a_person_when_asked_to(exchange: Exchange) -> None:
    exchange.sandbox.answers[PATIENT] = Answer.MACHINE
    await exchange.voice(machine_detection=True).bridge(a_call())
    await played(exchange)
    assert exchange.told.steps() == ["initiated", "ringing", "in-progress", "machine_start", "completed"]


async def test_takes_a_machine_for_a_person_unless_asked(exchange: Exchange) -> None:
    exchange.sandbox.answers[PATIENT] = Answer.MACHINE
    await exchange.voice().bridge(a_call())
    await played(exchange)
    assert exchange.told.steps() == ["initiated", "ringing", "in-progress", "completed"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550001", "call.number_invalid"),
        ("+15005550002", "call.number_invalid"),
        ("+15005550003", "call.rejected"),
        ("not a number", "call.number_invalid"),
    ],
)
async def test_a_number_that_cannot_be_called_is_rejected_for_good(exchange: Exchange, number: str, code: str) -> None:
    with pytest.raises(GatewayRejected) as raised:
        await exchange.voice().bridge(a_call(number))

    assert raised.value.code == code
    assert_tells_nothing(raised.value, number)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_overloaded_or_broken_service_takes_the_call_later(exchange: Exchange, status: int) -> None:
    exchange.sandbox.fail_next(status)
    with pytest.raises(GatewayUnavailable) as raised:
        await exchange.voice().bridge(a_call())
    await exchange.voice().bridge(a_call())

    assert raised.value.code == "call.unavailable"
    assert len(exchange.sandbox.calls) == 1


async def test_refused_credentials_hold_the_call_back(exchange: Exchange) -> None:
    with pytest.raises(GatewayUnavailable, match="401"):
        await exchange.voice(token="wrong").bridge(a_call())


async def test_an_unreachable_service_is_unavailable(exchange: Exchange) -> None:
    exchange.url = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(GatewayUnavailable) as raised:
        await exchange.voice().bridge(a_call())
    assert_tells_nothing(raised.value, CLINICIAN)


async def test_a_silent_service_is_unavailable_after_the_time_limit(exchange: Exchange) -> None:
    async with silent_server() as port:
        exchange.url = f"http://127.0.0.1:{port}"
        with pytest.raises(GatewayUnavailable):
            await exchange.voice(http=httpx.AsyncClient(timeout=0.1, trust_env=False)).bridge(a_call())


async def test_lost_callbacks_do_not_stop_the_call(exchange: Exchange) -> None:
    exchange.told.lost = True
    await exchange.voice().bridge(a_call())
    await played(exchange)
    assert exchange.sandbox.calls[0].patient_status == "completed"


@pytest.mark.parametrize("twiml", ["", "<Response><Say>Hello</Say></Response>", "<Response><Dial><Number/></Dial>"])
def test_the_sandbox_refuses_twiml_that_dials_nobody(twiml: str) -> None:
    with pytest.raises(TwilioError):
        read_twiml(twiml, "CA1")


async def test_the_sandbox_keeps_calls_across_restarts(tmp_path: Path) -> None:
    store = tmp_path / "calls.jsonl"
    first = TwilioSandbox(account_sid=ACCOUNT, auth_token=TOKEN, call_store=store)
    first.accept_call(_stored())
    await first.ring("CA1")

    second = TwilioSandbox(account_sid=ACCOUNT, auth_token=TOKEN, call_store=store)

    assert [(kept.sid, kept.patient_status) for kept in second.calls] == [("CA1", "completed")]


def assert_tells_nothing(error: CarewaveError, number: str) -> None:
    assert number not in f"{error} {error.args} {error.__cause__}"
    assert error.__suppress_context__


def _stored() -> StoredCall:
    twiml = f"<Response><Dial callerId='{OURS}'><Number>{PATIENT}</Number></Dial></Response>"
    return StoredCall(
        sid="CA1", account_sid=ACCOUNT, created_at=NOON, sender=OURS, to=CLINICIAN, patient=read_twiml(twiml, "CA2")
    )
