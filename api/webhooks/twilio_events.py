"""What Twilio's status callbacks say, in our words. Pure functions; numbers of people are not taken over.

Raise Invalid `webhook.payload_malformed` when a callback lacks what Twilio documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError

from api.webhooks.twilio_signature import Form
from domain.errors import Invalid
from domain.model import Value
from domain.text_deliveries import TextReport
from domain.visit_calls import OUTCOMES, CallOutcome, CallReport

MACHINES: Final = ("machine", "fax")
CLINICIAN: Final = "clinician"

V = TypeVar("V", bound=Value)


class VoiceCallback(Value):
    """Of one leg: its progress with `CallStatus`, or with `AnsweredBy` alone who picked up."""

    call_sid: str = Field(alias="CallSid")
    parent_sid: str | None = Field(default=None, alias="ParentCallSid")
    status: str | None = Field(default=None, alias="CallStatus")
    timestamp: str | None = Field(default=None, alias="Timestamp")
    sequence: int | None = Field(default=None, alias="SequenceNumber")
    duration: int | None = Field(default=None, alias="CallDuration")
    answered_by: str = Field(default="", alias="AnsweredBy")


class MessageCallback(Value):
    sid: str = Field(alias="MessageSid")
    status: str = Field(alias="MessageStatus")
    error_code: str | None = Field(default=None, alias="ErrorCode")


def parse_form(body: bytes) -> Form:
    """The fields of a posted form, in its order."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise _malformed() from None


def voice_report(form: Form, attempt_id: str, leg: str) -> CallReport:
    """`leg` is `clinician` in callbacks about the clinician's telephone."""
    callback = _parse(VoiceCallback, form)
    about = callback.status or "answered-by"
    event_id = f"{callback.call_sid}:{about}"
    if callback.sequence is not None:
        event_id += f":{callback.sequence}"
    facts = _of_clinician(callback) if leg == CLINICIAN else _of_patient(callback)
    return CallReport(
        event_id=event_id,
        attempt_id=attempt_id,
        leg_sid=callback.call_sid,
        occurred_at=_moment(callback),
        **facts,
    )


def text_report(form: Form, notice_key: str) -> TextReport:
    callback = _parse(MessageCallback, form)
    return TextReport(
        event_id=f"{callback.sid}:{callback.status}",
        notice_key=notice_key,
        message_sid=callback.sid,
        status=callback.status,
        error_code=callback.error_code,
    )


def _of_clinician(callback: VoiceCallback) -> dict[str, object]:
    """A clinician who picks up says nothing yet; one who does not ends the attempt before the patient was rung."""
    gone = callback.status in OUTCOMES and callback.status != "completed"
    return {
        "call_sid": callback.call_sid,
        "status": f"{CLINICIAN}-{callback.status}" if gone else None,
        "outcome": CallOutcome.CANCELED if gone else None,
        "ended": gone,
    }


def _of_patient(callback: VoiceCallback) -> dict[str, object]:
    outcome = OUTCOMES.get(callback.status or "")
    if callback.answered_by.startswith(MACHINES) and outcome in {None, CallOutcome.ANSWERED}:
        ended, outcome = outcome is not None, CallOutcome.MACHINE
    else:
        ended = outcome is not None
    return {
        "call_sid": callback.parent_sid,
        "status": callback.status,
        "outcome": outcome,
        "ended": ended,
        "duration_seconds": callback.duration if ended else None,
    }


def _moment(callback: VoiceCallback) -> datetime | None:
    """Only a report of who picked up has no time of its own."""
    if callback.timestamp is None:
        if callback.status is not None:
            raise _malformed()
        return None
    try:
        moment = parsedate_to_datetime(callback.timestamp)
    except ValueError:
        raise _malformed() from None
    if moment.tzinfo is None:
        raise _malformed()
    return moment.astimezone(UTC)


def _parse(shape: type[V], form: Form) -> V:
    fields: Mapping[str, str] = {name: value for name, value in form if value}
    try:
        return shape.model_validate(fields)
    except ValidationError:
        raise _malformed() from None


def _malformed() -> Invalid:
    return Invalid("webhook.payload_malformed", "not a status callback as Twilio documents it")
