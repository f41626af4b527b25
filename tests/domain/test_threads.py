"""A thread of messages: who may do what in it, and when its clock runs (M-01, M-02, decision 09)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import clock, policy, threads
from domain import thread_rules as rules
from domain.actors import Actor
from domain.clock import Clock, Outcome
from domain.errors import CarewaveError, Forbidden, Refused
from domain.threads import (
    REPLY,
    AcknowledgeThread,
    Direction,
    ThreadAct,
    ThreadKind,
    ThreadOrder,
    ThreadSource,
    ThreadStage,
    ThreadState,
    WaiveReason,
    WaiveReply,
    WriteMessage,
)

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)

CLINICIAN = Actor(role="clinician", id="c-1")
OTHER_CLINICIAN = Actor(role="clinician", id="c-2")
PATIENT = Actor(role="patient", id="p-1")
OTHER_PATIENT = Actor(role="patient", id="p-2")
SUPPORT = Actor(role="support", id="s-1")
OPERATIONS = Actor(role="operations", id="o-1")
EVERYBODY = (CLINICIAN, OTHER_CLINICIAN, PATIENT, OTHER_PATIENT, SUPPORT, OPERATIONS)


def order_of(kind: ThreadKind = ThreadKind.PATIENT) -> ThreadOrder:
    own = kind is ThreadKind.PATIENT
    return ThreadOrder(
        thread_id="t-1",
        kind=kind,
        source=ThreadSource.PATIENT if own else ThreadSource.PROVIDER_SUCCESS,
        clinician_id=CLINICIAN.id,
        patient_id=PATIENT.id if own else None,
        opening=WriteMessage(actor=PATIENT if own else SUPPORT, message_id="m-1"),
        policy=policy.load().message_thread,
    )


OF_PATIENT, OF_SUPPORT = order_of(), order_of(ThreadKind.SUPPORT)


class Life:
    """One thread, with its acts at their times."""

    def __init__(self, order: ThreadOrder = OF_PATIENT) -> None:
        self.order = order
        self.writer = order.opening.actor
        self.state = ThreadState(opened_at=START, last_message_at=START)
        self.at = START
        self.messages = 0

    def after(self, duration: timedelta) -> Life:
        self.at += duration
        return self

    def receive(self) -> Life:
        rules.receive(self.order, self.state, self._message(self.writer), self.at)
        return self

    def reply(self) -> Life:
        rules.reply(self.order, self.state, self._message(CLINICIAN), self.at)
        return self

    def close(self, actor: Actor | None = None) -> Life:
        rules.close(self.order, self.state, ThreadAct(actor=actor or self.writer), self.at)
        return self

    def reopen(self) -> Life:
        rules.reopen(self.order, self.state, ThreadAct(actor=self.writer), self.at)
        return self

    def waive(self) -> Life:
        rules.waive(self.state, WaiveReply(actor=OPERATIONS, reason=WaiveReason.ANSWERED_ELSEWHERE), self.at)
        return self

    def look(self) -> Life:
        """Let the clock pass what is due."""
        self.state.clocks[REPLY], _ = clock.fire(self.clock, self.at)
        return self

    def acknowledge(self, actor: Actor = OPERATIONS) -> bool:
        return rules.acknowledge(self.state, AcknowledgeThread(actor=actor, clock=REPLY), self.at)

    @property
    def clock(self) -> Clock:
        return self.state.clocks[REPLY]

    def _message(self, actor: Actor) -> WriteMessage:
        self.messages += 1
        return WriteMessage(actor=actor, message_id=f"m-{self.messages}")


def refusal(act: Callable[[], object]) -> str | None:
    try:
        act()
    except CarewaveError as error:
        return error.code
    return None


def allowed(rule: Callable[[Actor], object]) -> set[Actor]:
    return {actor for actor in EVERYBODY if refusal(partial(rule, actor)) is None}


# -- who may do what


@pytest.mark.parametrize(
    ("order", "writers"), [(OF_PATIENT, {PATIENT}), (OF_SUPPORT, {SUPPORT, OPERATIONS})], ids=["patient", "support"]
)
def test_only_those_who_take_part_write_close_and_reopen(order: ThreadOrder, writers: set[Actor]) -> None:
    state = Life(order).receive().reply().state
    closed = Life(order).receive().reply().close().state
    assert allowed(lambda who: rules.may_write_inbound(order, who)) == writers
    assert allowed(lambda who: rules.may_reply(order, who)) == {CLINICIAN}
    parties = writers | {CLINICIAN}
    assert allowed(lambda who: rules.may_close(order, state, who)) == parties
    assert allowed(lambda who: rules.may_reopen(order, closed, who)) == parties


def test_a_refused_writer_changes_nothing() -> None:
    life = Life()
    life.writer = OTHER_PATIENT
    with pytest.raises(Forbidden):
        life.receive()
    assert (life.state.seen, life.state.clocks) == ([], {})


def test_only_support_and_operations_waive() -> None:
    state = Life().receive().state
    assert allowed(lambda who: rules.may_waive(state, who)) == {SUPPORT, OPERATIONS}


@pytest.mark.parametrize(
    ("actor", "stage", "code"),
    [
        (PATIENT, ThreadStage.AWAITING_REPLY, None),
        (PATIENT, ThreadStage.ANSWERED, None),
        (PATIENT, ThreadStage.CLOSED, "thread.closed"),
        (CLINICIAN, ThreadStage.AWAITING_REPLY, "thread.unanswered"),
        (CLINICIAN, ThreadStage.ANSWERED, None),
        (CLINICIAN, ThreadStage.CLOSED, "thread.closed"),
    ],
)
def test_closes_by_stage(actor: Actor, stage: ThreadStage, code: str | None) -> None:
    state = ThreadState(opened_at=START, last_message_at=START, stage=stage)
    assert refusal(lambda: rules.may_close(OF_PATIENT, state, actor)) == code


@pytest.mark.parametrize("stage", ThreadStage)
def test_reopens_what_is_closed_and_waives_what_is_awaited(stage: ThreadStage) -> None:
    state = ThreadState(opened_at=START, last_message_at=START, stage=stage)
    reopening = None if stage is ThreadStage.CLOSED else "thread.not_closed"
    waiving = None if stage is ThreadStage.AWAITING_REPLY else "thread.nothing_awaited"
    assert refusal(lambda: rules.may_reopen(OF_PATIENT, state, PATIENT)) == reopening
    assert refusal(lambda: rules.may_waive(state, SUPPORT)) == waiving


@pytest.mark.parametrize("actor", EVERYBODY)
def test_what_the_clinician_writes_goes_out_and_all_else_comes_in(actor: Actor) -> None:
    assert rules.direction(actor) is (Direction.OUTBOUND if actor.role == "clinician" else Direction.INBOUND)


# -- the clock


def test_the_clock_runs_from_the_first_unanswered_message() -> None:
    life = Life().receive().after(3 * HOUR).receive().after(HOUR).receive()
    assert (life.state.unanswered_since, life.clock.armed_at) == (START, START)
    assert clock.deadline(life.clock) == START + 24 * HOUR
    assert life.state.last_message_at == START + 4 * HOUR


def test_a_reply_answers_everything_before_it_and_the_next_message_starts_anew() -> None:
    life = Life().receive().receive().after(5 * HOUR).reply()
    assert (life.state.stage, life.clock.outcome, life.clock.ended_by) == (ThreadStage.ANSWERED, Outcome.MET, CLINICIAN)
    life.after(HOUR).receive()
    assert (life.state.unanswered_since, life.clock.armed_at) == (life.at, life.at)


def test_a_second_reply_changes_no_clock() -> None:
    life = Life().receive().after(HOUR).reply()
    met = life.clock
    assert life.after(HOUR).reply().clock == met


def test_closing_stops_the_clock_and_answers_nothing() -> None:
    life = Life().receive().after(HOUR).close()
    assert (life.clock.outcome, life.clock.why) == (Outcome.CANCELLED, "thread_closed")
    assert (life.state.closed_by, life.state.unanswered_since) == (PATIENT, START)
    life.after(HOUR).reopen()
    assert (life.state.stage, life.clock.armed_at) == (ThreadStage.AWAITING_REPLY, START + 2 * HOUR)
    assert (life.state.closed_at, life.state.closed_by) == (None, None)


def test_an_answered_thread_that_is_reopened_waits_for_nobody() -> None:
    life = Life().receive().reply().close(CLINICIAN).reopen()
    assert (life.state.stage, life.clock.outcome) == (ThreadStage.ANSWERED, Outcome.MET)


def test_a_message_opens_a_closed_thread() -> None:
    life = Life().receive().reply().close().after(HOUR).receive()
    assert (life.state.stage, life.clock.armed_at, life.state.closed_at) == (ThreadStage.AWAITING_REPLY, life.at, None)


def test_a_late_reply_to_a_closed_thread_answers_it() -> None:
    life = Life().receive().close().after(HOUR).reply()
    assert (life.state.stage, life.state.unanswered_since) == (ThreadStage.ANSWERED, None)
    assert life.clock.outcome is Outcome.CANCELLED


def test_a_waived_answer_is_owed_no_more() -> None:
    life = Life().receive().after(HOUR).waive()
    assert (life.state.stage, life.clock.outcome) == (ThreadStage.ANSWERED, Outcome.WAIVED)
    assert (life.clock.ended_by, life.clock.why) == (OPERATIONS, "answered_elsewhere")


def test_a_late_answer_is_taken_on_once_it_has_breached() -> None:
    life = Life().receive().after(23 * HOUR).look()
    with pytest.raises(Refused, match="not escalated"):
        life.acknowledge()
    life.after(HOUR).look()
    assert [life.acknowledge(OPERATIONS), life.acknowledge(SUPPORT)] == [True, False]
    assert life.clock.acknowledged_by == OPERATIONS
    life.reply()
    with pytest.raises(Refused, match="not escalated"):
        life.acknowledge()


def test_the_ladder_is_climbed_until_somebody_acknowledges() -> None:
    life = Life().receive().after(33 * HOUR).look()
    assert [(fired.name, fired.kind.value) for fired in life.clock.fired] == [
        ("reply_reminder", "remind"),
        ("reply_due", "warn"),
        ("reply_late", "breach"),
        ("reply_escalated", "escalate"),
        ("reply_escalated_2", "escalate"),
    ]
    assert life.clock.escalation_level == 3


def test_a_closed_thread_is_over_after_its_silence() -> None:
    life = Life().receive().reply()
    assert not rules.is_over(life.order.policy, life.state, START + timedelta(days=365))
    life.close()
    ends = rules.over_at(life.order.policy, life.state)
    assert ends == START + timedelta(days=30)
    assert not rules.is_over(life.order.policy, life.state, ends - timedelta(microseconds=1))
    assert rules.is_over(life.order.policy, life.state, ends)


@pytest.mark.parametrize(
    ("order", "what"),
    [(OF_PATIENT, "a reply to patient"), (OF_SUPPORT, "a reply to provider success")],
    ids=["patient", "support"],
)
def test_says_whom_it_waits_for_and_for_what(order: ThreadOrder, what: str) -> None:
    life = Life(order).receive()
    shown = threads.snapshot(order, life.state)
    assert [(wait.who, wait.what) for wait in shown.waits_for] == [("clinician", what)]
    assert (shown.business_state, shown.next_deadline) == ("AWAITING_REPLY", START + 24 * HOUR)
    assert threads.snapshot(order, life.reply().state).waits_for == ()


# -- any life


class Step(NamedTuple):
    hours: int
    act: str


ACTS: dict[str, Callable[[Life], object]] = {
    "receive": Life.receive,
    "reply": Life.reply,
    "close": Life.close,
    "close_as_clinician": lambda life: life.close(CLINICIAN),
    "reopen": Life.reopen,
    "waive": Life.waive,
    "look": Life.look,
    "acknowledge": Life.acknowledge,
}
steps = st.lists(st.builds(Step, st.integers(0, 40), st.sampled_from(sorted(ACTS))), max_size=25)


@given(st.sampled_from([OF_PATIENT, OF_SUPPORT]), steps)
def test_the_clock_runs_exactly_while_a_message_waits_in_an_open_thread(order: ThreadOrder, acts: list[Step]) -> None:
    life, waiting = Life(order).receive(), True
    for step in acts:
        before, outcome = life.state.model_copy(deep=True), life.clock.outcome
        try:
            ACTS[step.act](life.after(step.hours * HOUR).look())
        except CarewaveError:
            assert life.state.stage is before.stage
            assert life.clock.outcome is outcome
        else:
            waiting = {"receive": True, "reply": False, "waive": False}.get(step.act, waiting)
        closed = life.state.stage is ThreadStage.CLOSED
        assert (life.state.unanswered_since is not None) is waiting
        assert life.clock.running is (waiting and not closed)
        assert (life.state.stage is ThreadStage.AWAITING_REPLY) is life.clock.running
        assert (life.state.closed_at is not None) is closed
        assert life.clock.armed_at <= life.at
