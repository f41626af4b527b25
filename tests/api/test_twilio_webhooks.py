"""Twilio's callbacks: kept once, answered at once; visits hear how calls ended, notices what became of texts."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx
import pytest
from sqlmodel import col, select
from temporalio.service import RPCError, RPCStatusCode

from activities.calls import CallActivities
from activities.contracts import PlaceCallInput
from api.webhooks.twilio_signature import sign
from db.calls import SqlCallRecords
from db.tables import CallAttempt, OutboxNotice, WebhookEvent
from domain.visit_calls import CallOutcome
from embedded import seed
from embedded.twilio_sandbox import TwilioSandbox, twilio_app
from embedded.twilio_sandbox.calls import Answer
from embedded.twilio_sandbox.delivery import deliver_over
from integrations.twilio_voice import TwilioVoice
from tests.api.conftest import BASE, TWILIO_TOKEN
from tests.api.front import NOW, Front, problem

ATTEMPT = "a-1"
VOICE = f"/webhooks/twilio/voice?attempt={ATTEMPT}"
CLINICIANS_LEG = f"{VOICE}&leg=clinician"
NOTICE = "econsult:e-1:notice:1:patient:payment_reminder_text"
MESSAGES = f"/webhooks/twilio/messages?notice={quote(NOTICE)}"


def leg(status: str, sequence: int, **more: str) -> dict[str, str]:
    """A callback of the patient's leg."""
    return {
        "CallSid": "CA2",
        "ParentCallSid": "CA1",
        "CallStatus": status,
        "SequenceNumber": str(sequence),
        "Timestamp": f"Mon, 02 Mar 2026 16:20:0{sequence} +0000",
        "To": "+12025550142",
        **more,
    }


def clinicians_leg(status: str, sequence: int) -> dict[str, str]:
    form = leg(status, sequence, CallSid="CA1")
    del form["ParentCallSid"]
    return form


ENDED = leg("completed", 3, CallDuration="42")
MACHINE = {"CallSid": "CA2", "AnsweredBy": "machine_start"}


async def send(
    front: Front, path: str, form: dict[str, str], *, token: str = TWILIO_TOKEN, signature: str | None = None
) -> httpx.Response:
    header = sign(BASE + path, list(form.items()), token) if signature is None else signature
    headers = {"X-Twilio-Signature": header} if header else {}
    return await front.anybody.post(path, data=form, headers=headers)


async def told(front: Front, *callbacks: dict[str, str]) -> list[CallOutcome | None]:
    """Report the patient's leg in this order; the outcomes that the visit heard."""
    for form in callbacks:
        assert (await send(front, VOICE, form)).status_code == 202
    return [event.outcome for _, event in front.cases.calls]


async def kept(front: Front) -> list[WebhookEvent]:
    async with front.database.transaction() as session:
        return list((await session.exec(select(WebhookEvent).order_by(col(WebhookEvent.received_at)))).all())


async def attempt(front: Front) -> CallAttempt:
    async with front.database.transaction() as session:
        return await session.get_one(CallAttempt, ATTEMPT)


@pytest.fixture
async def calling(front: Front) -> Front:
    """A call has been requested, and nothing is known of it yet."""
    async with front.database.transaction() as session:
        session.add(
            CallAttempt(
                id=ATTEMPT, visit_id=seed.VISIT_COMPLETED, requested_by=seed.CLINICIAN, call_sid="CA1", requested_at=NOW
            )
        )
    return front


async def test_the_visit_hears_how_the_call_ended(calling: Front) -> None:
    outcomes = await told(
        calling, leg("initiated", 0), leg("ringing", 1), leg("in-progress", 2, AnsweredBy="human"), ENDED
    )
    assert outcomes == [CallOutcome.ANSWERED]
    ((visit_id, event),) = calling.cases.calls
    assert (visit_id, event.visit_id, event.attempt_id) == (seed.VISIT_COMPLETED, seed.VISIT_COMPLETED, ATTEMPT)
    assert (event.event_id, event.call_sid, event.duration_seconds) == ("CA2:completed:3", "CA1", 42)
    assert event.occurred_at == NOW.replace(second=3)
    row = await attempt(calling)
    assert (row.status, row.outcome, row.ended_at, row.duration_seconds) == (
        "completed",
        "answered",
        event.occurred_at,
        42,
    )
    assert {one.status for one in await kept(calling)} == {"delivered"}
    assert "+1202" not in json.dumps([one.event for one in await kept(calling)])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("no-answer", "no_answer"), ("busy", "busy"), ("failed", "failed"), ("canceled", "canceled")],
)
async def test_a_call_that_does_not_get_through_says_why(calling: Front, status: str, outcome: str) -> None:
    assert await told(calling, leg("ringing", 1), leg(status, 2)) == [outcome]
    assert (await attempt(calling)).status == status


async def test_callbacks_in_the_wrong_order_come_to_the_same(calling: Front) -> None:
    assert await told(calling, ENDED, leg("ringing", 1), leg("initiated", 0)) == [CallOutcome.ANSWERED]
    row = await attempt(calling)
    assert (row.status, row.outcome, row.ended_at) == ("completed", "answered", NOW.replace(second=3))


async def test_a_repeat_is_told_once(calling: Front) -> None:
    await told(calling, ENDED)
    assert (await send(calling, VOICE, ENDED)).json() == {"outcome": "duplicate", "code": None}
    assert len(calling.cases.calls) == 1
    assert len(await kept(calling)) == 1


async def test_a_machine_is_no_conversation(calling: Front) -> None:
    assert await told(calling, leg("in-progress", 2), MACHINE, ENDED) == [CallOutcome.MACHINE]


async def test_a_machine_that_is_known_late_corrects_the_outcome(calling: Front) -> None:
    assert await told(calling, ENDED, MACHINE) == [CallOutcome.ANSWERED, CallOutcome.MACHINE]
    assert (await attempt(calling)).outcome == "machine"


async def test_a_person_who_is_recognised_late_changes_nothing(calling: Front) -> None:
    assert await told(calling, ENDED, {"CallSid": "CA2", "AnsweredBy": "human"}) == [CallOutcome.ANSWERED]


async def test_a_clinician_who_does_not_pick_up_ends_the_attempt(calling: Front) -> None:
    await send(calling, CLINICIANS_LEG, clinicians_leg("initiated", 0))
    await send(calling, CLINICIANS_LEG, clinicians_leg("no-answer", 1))
    ((_, event),) = calling.cases.calls
    assert (event.outcome, event.status) == (CallOutcome.CANCELED, "clinician-no-answer")


async def test_a_clinician_who_hangs_up_in_the_end_adds_nothing(calling: Front) -> None:
    await told(calling, leg("no-answer", 2))
    await send(calling, CLINICIANS_LEG, clinicians_leg("completed", 1))
    assert [event.outcome for _, event in calling.cases.calls] == [CallOutcome.NO_ANSWER]
    assert (await attempt(calling)).status == "no-answer"


async def test_the_first_callback_names_a_call_whose_answer_was_lost(calling: Front) -> None:
    async with calling.database.transaction() as session:
        (await session.get_one(CallAttempt, ATTEMPT)).call_sid = None
    await send(calling, CLINICIANS_LEG, clinicians_leg("initiated", 0))
    assert (await attempt(calling)).call_sid == "CA1"


async def test_a_call_that_is_not_ours_is_kept_and_ignored(front: Front) -> None:
    response = await send(front, VOICE, ENDED)
    assert (response.status_code, response.json()) == (
        202,
        {"outcome": "ignored", "code": "webhook.attempt_unknown"},
    )
    (row,) = await kept(front)
    assert (row.provider, row.status, row.event) == ("twilio", "ignored", None)
    assert front.cases.calls == []


async def test_a_callback_that_beats_its_visit_waits(calling: Front) -> None:
    calling.cases.running = False
    await told(calling, ENDED)
    (row,) = await kept(calling)
    assert (row.status, row.attempts) == ("received", 1)
    calling.cases.running = True
    assert await told(calling, ENDED) == [CallOutcome.ANSWERED]
    assert (await kept(calling))[0].status == "delivered"


@pytest.mark.parametrize("outage", [RPCError("down", RPCStatusCode.UNAVAILABLE, b""), RuntimeError("Failed client")])
async def test_an_outage_of_temporal_loses_nothing(calling: Front, outage: Exception) -> None:
    calling.cases.outage = outage
    await told(calling, ENDED)
    assert (await kept(calling))[0].status == "received"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"signature": ""}, "webhook.signature_missing"),
        ({"signature": "nonsense"}, "webhook.signature_malformed"),
        ({"token": "another"}, "webhook.signature_invalid"),
        ({"signature": sign(BASE + CLINICIANS_LEG, list(ENDED.items()), TWILIO_TOKEN)}, "webhook.signature_invalid"),
    ],
)
async def test_refuses_what_is_not_from_twilio(calling: Front, how: dict[str, str], code: str) -> None:
    assert problem(await send(calling, VOICE, ENDED, **how)) == (401, code)
    assert problem(await send(calling, MESSAGES, ENDED, **how)) == (401, code)
    assert await kept(calling) == []


@pytest.mark.parametrize(
    "form",
    [
        {"CallStatus": "completed"},
        leg("completed", 3, Timestamp="yesterday"),
        leg("completed", 3, Timestamp=""),
        leg("completed", 3, CallDuration="long"),
    ],
)
async def test_refuses_a_signed_form_that_is_no_callback(calling: Front, form: dict[str, str]) -> None:
    assert problem(await send(calling, VOICE, form)) == (422, "webhook.payload_malformed")
    assert problem(await send(calling, MESSAGES, form)) == (422, "webhook.payload_malformed")


@pytest.mark.parametrize(
    ("answer", "outcome"), [(Answer.NO_ANSWER, CallOutcome.NO_ANSWER), (Answer.MACHINE, CallOutcome.MACHINE)]
)
async def test_a_call_through_the_sandbox_reaches_its_visit(front: Front, answer: Answer, outcome: CallOutcome) -> None:
    deliver = deliver_over(front.anybody)
    sandbox = TwilioSandbox(account_sid="AC1", auth_token=TWILIO_TOKEN, deliver=deliver, clock=lambda: NOW)
    sandbox.default_answer = answer
    voice = TwilioVoice(
        account_sid="AC1",
        auth_token=TWILIO_TOKEN,
        from_number="+12025550100",
        status_callback=f"{BASE}/webhooks/twilio/voice",
        machine_detection=True,
        api_base="http://twilio.sandbox",
        http=httpx.AsyncClient(transport=httpx.ASGITransport(twilio_app(sandbox))),
    )
    order = PlaceCallInput(key="k", visit_id=seed.VISIT_COMPLETED, attempt_id=ATTEMPT, requested_at=NOW)
    placed = await CallActivities(voice, SqlCallRecords(front.database)).place_call(order)
    await sandbox.settled()
    await voice.aclose()

    ((visit_id, event),) = front.cases.calls
    assert (visit_id, event.call_sid, event.outcome) == (seed.VISIT_COMPLETED, placed.call_sid, outcome)
    assert event.occurred_at == NOW


def message(status: str, sid: str = "SM1", **more: str) -> dict[str, str]:
    return {"MessageSid": sid, "MessageStatus": status, "To": "+12025550142", **more}


async def texted(front: Front, status: str = "sent", provider_id: str | None = "SM1") -> None:
    async with front.database.transaction() as session:
        session.add(
            OutboxNotice(
                key=NOTICE,
                case_id="econsult:e-1",
                audience="patient",
                template="payment_reminder_text",
                queued_at=NOW,
                not_before=NOW,
                status=status,
                provider_id=provider_id,
            )
        )


async def notice(front: Front) -> OutboxNotice:
    async with front.database.transaction() as session:
        return await session.get_one(OutboxNotice, NOTICE)


async def test_a_text_that_arrives_is_known_to_have_arrived(front: Front) -> None:
    await texted(front)
    for form in (message("delivered"), message("sent")):
        assert (await send(front, MESSAGES, form)).json() == {"outcome": "accepted", "code": None}
    row = await notice(front)
    assert (row.status, row.delivery_status, row.error_code) == ("sent", "delivered", None)


@pytest.mark.parametrize("status", ["undelivered", "failed"])
async def test_a_text_that_does_not_arrive_is_listed_as_failed(front: Front, status: str) -> None:
    await texted(front)
    await send(front, MESSAGES, message("sent"))
    await send(front, MESSAGES, message(status, ErrorCode="30003"))
    (listed,) = (await front.operations.get("/reports/outbox")).json()["items"]
    assert (listed["key"], listed["error_code"], listed["delivery_error"]) == (NOTICE, "text.undelivered", "30003")
    assert (await notice(front)).delivery_status == status
    again = await send(front, MESSAGES, message(status, ErrorCode="30003"))
    assert again.json()["outcome"] == "duplicate"


async def test_a_text_whose_answer_was_lost_is_not_sent_again(front: Front) -> None:
    await texted(front, status="pending", provider_id=None)
    await send(front, MESSAGES, message("sent"))
    row = await notice(front)
    assert (row.status, row.provider_id) == ("sent", "SM1")
    assert row.sent_at is not None


async def test_of_a_text_that_went_out_twice_the_newer_copy_counts(front: Front) -> None:
    await texted(front, provider_id="SM2")
    await send(front, MESSAGES, message("undelivered", "SM1", ErrorCode="30003"))
    assert (await notice(front)).status == "sent"


async def test_a_text_that_is_not_ours_is_kept_and_ignored(front: Front) -> None:
    response = await send(front, MESSAGES, message("delivered"))
    assert response.json() == {"outcome": "ignored", "code": "webhook.notice_unknown"}
    assert [row.status for row in await kept(front)] == ["ignored"]


async def test_a_clinician_has_a_number_to_be_rung(front: Front) -> None:
    new = {
        "subject": "oidc|c-9",
        "name": "Dr. Sol Iversen",
        "email": "sol.iversen@example.com",
        "phone": "+12025550149",
        "time_zone": "America/Denver",
        "licence_states": ["CO"],
    }
    added = await front.operations.post("/clinicians", json=new)
    assert (added.status_code, added.json()["phone"]) == (201, "+12025550149")
    assert problem(await front.operations.post("/clinicians", json=new | {"phone": "555"}))[0] == 422
