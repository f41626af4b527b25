"""Messages between a clinician and a patient, or support (M-01, M-02): what a thread is and where it stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field

from domain.actors import Actor
from domain.case import CaseProgress, CaseSnapshot, WaitsFor, progress
from domain.clock import ClockPolicy
from domain.model import Value

REPLY = "reply"
"""The clock of a thread. It runs while a message waits for the clinician's answer (decision 09)."""


class ThreadKind(StrEnum):
    PATIENT = "patient"
    SUPPORT = "support"


class ThreadSource(StrEnum):
    """Who writes to the clinician. The last two are support (M-02)."""

    PATIENT = "patient"
    PROVIDER_SUCCESS = "provider_success"
    CUSTOMER_SUPPORT = "customer_support"


class Direction(StrEnum):
    """As the clinician sees it."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ThreadStage(StrEnum):
    AWAITING_REPLY = "AWAITING_REPLY"
    ANSWERED = "ANSWERED"  # nothing waits for the clinician: it was answered, or the answer waived
    CLOSED = "CLOSED"


class ThreadEvent(StrEnum):
    OPENED = "thread_opened"
    MESSAGE_RECEIVED = "message_received"
    REPLY_SENT = "reply_sent"
    CLOSED = "thread_closed"
    REOPENED = "thread_reopened"
    REPLY_WAIVED = "reply_waived"
    ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"


class WaiveReason(StrEnum):
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    NO_ANSWER_NEEDED = "no_answer_needed"
    EXCUSED_ABSENCE = "excused_absence"
    SENT_IN_ERROR = "sent_in_error"
    OTHER = "other"


class ThreadPolicy(Value):
    version: str
    reply: ClockPolicy
    reopen_within: timedelta
    """A closed thread that is silent for so long is over; a later message begins it anew."""
    history_limit: int = Field(ge=20)
    """Events of one run's history, after which a fresh run goes on with the thread."""


class ThreadAct(Value):
    actor: Actor


class WriteMessage(ThreadAct):
    """A text that was stored before; only its id travels."""

    message_id: str


class WaiveReply(ThreadAct):
    reason: WaiveReason


class AcknowledgeThread(ThreadAct):
    clock: str


class ThreadReceipt(Value):
    sequence: int
    stage: ThreadStage


class ThreadState(CaseProgress):
    stage: ThreadStage = ThreadStage.ANSWERED
    opened_at: datetime
    unanswered_since: datetime | None = None
    """When the first message came that the clinician has not answered. Closing does not answer it."""
    last_message_at: datetime
    last_reply_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: Actor | None = None
    seen: list[str] = Field(default_factory=list)
    """Ids of the messages that counted, in that order: each counts once."""


class ThreadOrder(Value):
    """The workflow's input."""

    thread_id: str
    kind: ThreadKind
    source: ThreadSource
    clinician_id: str
    patient_id: str | None = None
    visit_id: str | None = None
    opening: WriteMessage
    """The message that this execution begins with."""
    policy: ThreadPolicy
    after_sequence: int = 0
    """Steps that earlier executions recorded: a thread that was over and begins anew counts on."""
    opened_at: datetime | None = None
    """Of a thread that begins anew: when it was opened first."""
    carried: ThreadState | None = None
    """Of a fresh run: where the one before left off."""


class ThreadSnapshot(CaseSnapshot):
    process: Literal["MessageThread"] = "MessageThread"
    thread_id: str
    kind: ThreadKind
    source: ThreadSource
    clinician_id: str
    patient_id: str | None
    visit_id: str | None
    stage: ThreadStage
    opened_at: datetime
    unanswered_since: datetime | None
    last_message_at: datetime
    last_reply_at: datetime | None
    closed_at: datetime | None
    closed_by: Actor | None


def snapshot(order: ThreadOrder, state: ThreadState) -> ThreadSnapshot:
    return ThreadSnapshot(
        business_state=state.stage,
        policy_version=order.policy.version,
        waits_for=_waits_for(order, state),
        **progress(state),
        **order.model_dump(include={"thread_id", "kind", "source", "clinician_id", "patient_id", "visit_id"}),
        **state.model_dump(exclude={"sequence", "clocks", "seen"}),
    )


def _waits_for(order: ThreadOrder, state: ThreadState) -> tuple[WaitsFor, ...]:
    if state.stage is not ThreadStage.AWAITING_REPLY:
        return ()
    return (WaitsFor(who="clinician", what=f"a reply to {order.source.replace('_', ' ')}"),)
