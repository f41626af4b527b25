"""Calls: a clinician's leg that Twilio's API starts, and a patient's leg that its TwiML dials.

Numbers that are refused are Twilio's own magic numbers for test credentials; those with a fixed outcome are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from typing import Any
from xml.etree import ElementTree

from domain.model import Value
from embedded.twilio_sandbox.errors import TwilioError
from embedded.twilio_sandbox.texts import E164

REFUSED_NUMBERS = {"+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}
TALK_SECONDS = 42

Callback = tuple[str, dict[str, str]]
"""URL and form."""


class Answer(StrEnum):
    """What a telephone that is rung comes to."""

    ANSWERED = "answered"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    FAILED = "failed"
    MACHINE = "machine"


ANSWERS = {
    "+15005554001": Answer.NO_ANSWER,
    "+15005554002": Answer.BUSY,
    "+15005554003": Answer.FAILED,
    "+15005554004": Answer.MACHINE,
}


class Patient(Value):
    """The leg that `<Dial><Number>` asks for."""

    sid: str
    number: str
    caller_id: str
    status_callback: str | None
    events: tuple[str, ...]
    amd_status_callback: str | None


class StoredCall(Value):
    """One call. `to` is the clinician; `status` is of their leg, `patient_status` of the other, once it was dialled."""

    sid: str
    account_sid: str
    created_at: datetime
    sender: str
    to: str
    status: str = "queued"
    status_callback: str | None = None
    events: tuple[str, ...] = ("completed",)
    patient: Patient
    patient_status: str | None = None
    answered_by: str | None = None


def read_twiml(twiml: str, sid: str) -> Patient:
    """The patient's leg, or the `TwilioError` for TwiML that does not dial a number for us."""
    try:
        number = ElementTree.fromstring(twiml).find("Dial/Number")  # noqa: S314 - our own process wrote it
        dial = ElementTree.fromstring(twiml).find("Dial")  # noqa: S314
    except ElementTree.ParseError:
        raise TwilioError(21205) from None
    if number is None or dial is None or not number.text:
        raise TwilioError(21205)
    detects = number.get("machineDetection") is not None
    return Patient(
        sid=sid,
        number=number.text,
        caller_id=dial.get("callerId", ""),
        status_callback=number.get("statusCallback"),
        events=tuple(number.get("statusCallbackEvent", "completed").split()),
        amd_status_callback=number.get("amdStatusCallback") if detects else None,
    )


def call_fault(call: StoredCall) -> int | None:
    """The code of what is wrong with the request itself, or with the clinician's number."""
    checks = {21201: not call.to, 21213: not call.sender, 21211: not E164.fullmatch(call.to)}
    return next((code for code, wrong in checks.items() if wrong), None) or REFUSED_NUMBERS.get(call.to)


def play(
    call: StoredCall, clinician: Answer, patient: Answer, now: datetime
) -> Iterator[tuple[StoredCall, Callback | None]]:
    """The call step by step, each with what Twilio reports then. Nobody waits: every step is at `now`."""
    tell = _Teller(call, now)
    yield call, tell.clinician("initiated")
    if clinician is not Answer.ANSWERED:
        status = "completed" if clinician is Answer.MACHINE else clinician.value
        yield call.model_copy(update={"status": status}), tell.clinician(status)
        return
    talking = call.model_copy(update={"status": "in-progress"})
    yield from _play_patient(talking, patient, tell)
    yield tell.call.model_copy(update={"status": "completed"}), tell.clinician("completed")


def _play_patient(call: StoredCall, answer: Answer, tell: _Teller) -> Iterator[tuple[StoredCall, Callback | None]]:
    for status in _patient_statuses(answer):
        tell.call = call = call.model_copy(update={"patient_status": status})
        yield call, tell.patient(status)
        if status == "in-progress" and call.patient.amd_status_callback:
            by = "machine_start" if answer is Answer.MACHINE else "human"
            tell.call = call = call.model_copy(update={"answered_by": by})
            yield call, tell.answered_by(by)


def _patient_statuses(answer: Answer) -> tuple[str, ...]:
    if answer is Answer.FAILED:
        return "initiated", "failed"
    if answer in {Answer.ANSWERED, Answer.MACHINE}:
        return "initiated", "ringing", "in-progress", "completed"
    return "initiated", "ringing", answer.value


EVENTS = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
"""The event under which a status is reported; every other one is `completed`."""


class _Teller:
    """Makes the forms of one call's callbacks, numbered for each leg."""

    def __init__(self, call: StoredCall, now: datetime) -> None:
        self.call = call
        self._now = now
        self._told = {"clinician": 0, "patient": 0}

    def clinician(self, status: str) -> Callback | None:
        call = self.call
        form = self._form(status, "clinician") | {"CallSid": call.sid, "From": call.sender, "To": call.to}
        return self._callback(call.status_callback, call.events, status, form)

    def patient(self, status: str) -> Callback | None:
        leg = self.call.patient
        legs = {"CallSid": leg.sid, "ParentCallSid": self.call.sid, "From": leg.caller_id, "To": leg.number}
        return self._callback(leg.status_callback, leg.events, status, self._form(status, "patient") | legs)

    def answered_by(self, by: str) -> Callback | None:
        leg = self.call.patient
        form = {
            "AccountSid": self.call.account_sid,
            "AnsweredBy": by,
            "CallSid": leg.sid,
            "MachineDetectionDuration": "2100",
        }
        return (leg.amd_status_callback, form) if leg.amd_status_callback else None

    def _form(self, status: str, leg: str) -> dict[str, str]:
        sequence = self._told[leg]
        self._told[leg] += 1
        form = {
            "AccountSid": self.call.account_sid,
            "ApiVersion": "2010-04-01",
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
            "Direction": "outbound-api" if leg == "clinician" else "outbound-dial",
            "SequenceNumber": str(sequence),
            "Timestamp": format_datetime(self._now),
        }
        if status not in EVENTS:
            form["CallDuration"] = str(TALK_SECONDS if status == "completed" else 0)
        return form

    @staticmethod
    def _callback(url: str | None, events: tuple[str, ...], status: str, form: dict[str, str]) -> Callback | None:
        return (url, form) if url and EVENTS.get(status, "completed") in events else None


def call_resource(call: StoredCall) -> dict[str, Any]:
    return {
        "sid": call.sid,
        "account_sid": call.account_sid,
        "answered_by": None,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": format_datetime(call.created_at),
        "date_updated": format_datetime(call.created_at),
        "direction": "outbound-api",
        "duration": None,
        "end_time": None,
        "forwarded_from": None,
        "from": call.sender,
        "from_formatted": call.sender,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "start_time": None,
        "status": call.status,
        "subresource_uris": {},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"/2010-04-01/Accounts/{call.account_sid}/Calls/{call.sid}.json",
    }
