"""Calls of a clinician to their patient, bridged so that neither sees the other's number (V-07)."""

from __future__ import annotations

from datetime import UTC, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

from domain.model import Value


class CallOutcome(StrEnum):
    """How the telephone of the patient answered."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    """The number could not be reached at all."""
    MACHINE = "machine"
    """Voicemail or a fax: no conversation."""
    CANCELED = "canceled"
    """The patient was never rung, as the clinician did not pick up, or rung no longer, as the clinician hung up."""


ATTEMPTS: Final = frozenset({CallOutcome.ANSWERED, CallOutcome.NO_ANSWER, CallOutcome.BUSY, CallOutcome.MACHINE})
"""Outcomes with which the patient's telephone was rung to the end."""

OUTCOMES: Final = {
    "completed": CallOutcome.ANSWERED,
    "no-answer": CallOutcome.NO_ANSWER,
    "busy": CallOutcome.BUSY,
    "failed": CallOutcome.FAILED,
    "canceled": CallOutcome.CANCELED,
}
"""Twilio's final statuses of the patient's leg."""

_ORDER: Final = {"requested": 0, "queued": 1, "initiated": 2, "ringing": 3, "in-progress": 4}
_FINAL: Final = 5


def _utc(value: AwareDatetime) -> AwareDatetime:
    if value.utcoffset() != timedelta():
        raise ValueError("must be UTC")
    return value.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]


class CallReport(Value):
    """One callback of the telephone company, before it is known which visit it belongs to."""

    event_id: str
    attempt_id: str
    leg_sid: str
    call_sid: str | None
    """Of the clinician's leg, where the callback names it."""
    status: str | None
    """None where it says nothing new of the attempt."""
    outcome: CallOutcome | None
    ended: bool
    occurred_at: Moment | None
    duration_seconds: int | None = None


class CallEvent(Value):
    """What the telephone company says of one call of a visit."""

    event_id: str
    visit_id: str
    attempt_id: str
    call_sid: str
    """Of the clinician's leg, which stands for the whole call."""
    status: str
    """The telephone company's word, `clinician-` before it when it is about the clinician's leg."""
    outcome: CallOutcome | None = None
    """None while the call goes on, and where an event says nothing new of how it ended."""
    occurred_at: Moment
    duration_seconds: int | None = None


def counts_as_attempt(event: CallEvent) -> bool:
    """Whether the patient was really called: rung until they, a machine or nobody answered, or the line was busy."""
    return event.outcome in ATTEMPTS


def later(known: str, told: str) -> str:
    """The status that is further on. Callbacks come in any order; the first final one stays."""
    return told if _ORDER.get(told, _FINAL) > _ORDER.get(known, _FINAL) else known


def settled(known: CallOutcome | None, told: CallOutcome | None) -> CallOutcome | None:
    """What a call came to, whichever report comes first. Only what heard a machine can tell it from a person."""
    if CallOutcome.MACHINE in (known, told) and {known, told} <= {CallOutcome.MACHINE, CallOutcome.ANSWERED, None}:
        return CallOutcome.MACHINE
    return known or told
