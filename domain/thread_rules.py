"""What people may do in a thread of messages, and what it changes (M-01, M-02, decision 09).

The clock `reply` runs exactly while a message waits for an answer in a thread that is not closed. Each act takes its
time, aware UTC, from the workflow, and changes the state only when the rules allow it.
"""

from __future__ import annotations

from datetime import datetime

from domain import clock as sla
from domain.access import Role
from domain.actors import Actor
from domain.case import may_acknowledge
from domain.clock import Clock, Outcome
from domain.errors import Forbidden, Refused
from domain.threads import (
    REPLY,
    AcknowledgeThread,
    Direction,
    ThreadAct,
    ThreadKind,
    ThreadOrder,
    ThreadPolicy,
    ThreadStage,
    ThreadState,
    WaiveReply,
    WriteMessage,
)

SUPPORT_STAFF = (Role.SUPPORT, Role.OPERATIONS)


def direction(actor: Actor) -> Direction:
    return Direction.OUTBOUND if actor.role == Role.CLINICIAN else Direction.INBOUND


def may_write_inbound(order: ThreadOrder, actor: Actor) -> None:
    """The patient of a patient's thread, staff in one of support. Raises `Forbidden` (`thread.not_taking_part`)."""
    allowed = actor.role in SUPPORT_STAFF
    if order.kind is ThreadKind.PATIENT:
        allowed = actor.role == Role.PATIENT and actor.id == order.patient_id
    if not allowed:
        raise _not_taking_part()


def may_reply(order: ThreadOrder, actor: Actor) -> None:
    """The clinician of the thread, whatever its stage: a late answer is better than none."""
    if not _is_clinician(order, actor):
        raise _not_taking_part()


def may_close(order: ThreadOrder, state: ThreadState, actor: Actor) -> None:
    """Whoever wrote to the clinician, at any time; the clinician when nothing waits for an answer."""
    _takes_part(order, actor)
    if state.stage is ThreadStage.CLOSED:
        raise Refused("thread.closed", "the thread is closed already", missing=("thread.open",))
    if _is_clinician(order, actor) and state.stage is ThreadStage.AWAITING_REPLY:
        raise Refused("thread.unanswered", "a message waits for its answer", missing=("thread.answered",))


def may_reopen(order: ThreadOrder, state: ThreadState, actor: Actor) -> None:
    _takes_part(order, actor)
    if state.stage is not ThreadStage.CLOSED:
        raise Refused("thread.not_closed", "the thread is not closed")


def may_waive(state: ThreadState, actor: Actor) -> None:
    """Staff decides that no answer is owed."""
    if actor.role not in SUPPORT_STAFF:
        raise _not_taking_part()
    if state.stage is not ThreadStage.AWAITING_REPLY:
        raise Refused("thread.nothing_awaited", "no message waits for an answer")


def counted(state: ThreadState, message: WriteMessage) -> bool:
    """Whether the message counted before: it does so once."""
    return message.message_id in state.seen


def receive(order: ThreadOrder, state: ThreadState, message: WriteMessage, at: datetime) -> None:
    """A message to the clinician: the first that is unanswered arms the clock, further ones do not touch it."""
    may_write_inbound(order, message.actor)
    _count(state, message, at)
    if state.unanswered_since is None:
        state.unanswered_since = at
    _open(order.policy, state, at)


def reply(order: ThreadOrder, state: ThreadState, message: WriteMessage, at: datetime) -> None:
    """The clinician answers everything that came until now."""
    may_reply(order, message.actor)
    _count(state, message, at)
    state.last_reply_at = at
    state.unanswered_since = None
    _end(state, at, Outcome.MET, message.actor)
    _open(order.policy, state, at)


def close(order: ThreadOrder, state: ThreadState, act: ThreadAct, at: datetime) -> None:
    may_close(order, state, act.actor)
    shut(state, act.actor, at)


def shut(state: ThreadState, actor: Actor, at: datetime) -> None:
    """Close whatever waits: what the clock measured no longer matters."""
    state.stage = ThreadStage.CLOSED
    state.closed_at, state.closed_by = at, actor
    _end(state, at, Outcome.CANCELLED, actor, "thread_closed")


def reopen(order: ThreadOrder, state: ThreadState, act: ThreadAct, at: datetime) -> None:
    """Go on as before: a message that was unanswered waits again, its time counted from now."""
    may_reopen(order, state, act.actor)
    _open(order.policy, state, at)


def waive(state: ThreadState, act: WaiveReply, at: datetime) -> None:
    may_waive(state, act.actor)
    state.unanswered_since = None
    state.stage = ThreadStage.ANSWERED
    _end(state, at, Outcome.WAIVED, act.actor, act.reason)


def acknowledge(state: ThreadState, act: AcknowledgeThread, at: datetime) -> bool:
    """Somebody takes the late answer on. False when somebody did before: that stands."""
    may_acknowledge(state, act.clock)
    before = state.clocks[act.clock]
    state.clocks[act.clock] = sla.acknowledge(before, at, act.actor)
    return before.acknowledged_at is None


def over_at(policy: ThreadPolicy, state: ThreadState) -> datetime | None:
    """When a closed thread has been silent for so long that it is over."""
    return state.closed_at + policy.reopen_within if state.closed_at else None


def is_over(policy: ThreadPolicy, state: ThreadState, now: datetime) -> bool:
    ends = over_at(policy, state)
    return ends is not None and ends <= now


def _count(state: ThreadState, message: WriteMessage, at: datetime) -> None:
    state.seen.append(message.message_id)
    state.last_message_at = at


def _open(policy: ThreadPolicy, state: ThreadState, at: datetime) -> None:
    """Set stage and clock by what waits for an answer."""
    state.closed_at = state.closed_by = None
    state.stage = ThreadStage.ANSWERED if state.unanswered_since is None else ThreadStage.AWAITING_REPLY
    current: Clock | None = state.clocks.get(REPLY)
    if state.stage is ThreadStage.AWAITING_REPLY and (current is None or current.outcome is not None):
        state.clocks[REPLY] = sla.arm(policy.reply, at)


def _end(state: ThreadState, at: datetime, outcome: Outcome, by: Actor, why: str | None = None) -> None:
    if REPLY in state.clocks:
        state.clocks[REPLY] = sla.end(state.clocks[REPLY], at, outcome, by, why)


def _is_clinician(order: ThreadOrder, actor: Actor) -> bool:
    return actor.role == Role.CLINICIAN and actor.id == order.clinician_id


def _takes_part(order: ThreadOrder, actor: Actor) -> None:
    if not _is_clinician(order, actor):
        may_write_inbound(order, actor)


def _not_taking_part() -> Forbidden:
    return Forbidden("thread.not_taking_part", "only those who take part in a thread act in it")
