"""A thread of messages to a clinician, each answered within its time (M-01, M-02, decision 09)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

from activities.contracts import AcceptThreadMessage, StepDetail
from domain import names, threads
from domain import thread_rules as rules
from domain.actors import OPERATOR, Audience, Notice
from domain.case import Explanation, explain, may_acknowledge
from domain.names import Process
from domain.threads import (
    REPLY,
    AcknowledgeThread,
    Direction,
    ThreadAct,
    ThreadEvent,
    ThreadOrder,
    ThreadReceipt,
    ThreadSnapshot,
    ThreadSource,
    ThreadStage,
    ThreadState,
    WaiveReply,
    WriteMessage,
)
from workflows.case import Case, refusals, tell


@workflow.defn(name=Process.MESSAGE_THREAD)
class MessageThread(Case):
    """Messages come and are answered, for as long as people write. Their texts are in the database alone.

    A long history is followed by a fresh run that goes on with the state. The execution ends when the thread has been
    closed and silent for long; a later message starts another one, which counts its steps on.
    """

    @workflow.init
    def __init__(self, order: ThreadOrder) -> None:
        self.order = order
        self.policy = order.policy
        now = workflow.now()
        self.state = order.carried or ThreadState(
            sequence=order.after_sequence, opened_at=order.opened_at or now, last_message_at=now
        )
        super().__init__(names.message_thread_case(order.thread_id), self.state)

    @workflow.run
    async def run(self, _: ThreadOrder) -> ThreadReceipt:
        await self._open_thread()
        keeper = asyncio.create_task(self.clocks.keep())
        try:
            await self.beside(keeper, self._life())
        except asyncio.CancelledError:
            await self._close_for_operator()
            await self.finish(keeper)
            raise
        async with self.turn():
            keeper.cancel()  # while it records nothing: the next run knows only what was recorded
        await self.finish(keeper)
        if not rules.is_over(self.policy, self.state, workflow.now()):
            workflow.continue_as_new(self.order.model_copy(update={"carried": self.state}))
        return self._receipt()

    async def _open_thread(self) -> None:
        """Record the first step of this execution: the thread's first message, or one after its end."""
        if self.order.carried:
            self.carry_on()
            return
        message = self.order.opening
        direction = rules.direction(message.actor)
        notices = self._take(message, direction)
        event = ThreadEvent.REOPENED if self.order.after_sequence else ThreadEvent.OPENED
        await self.begin(event, message.actor, _accepted(message), notices, StepDetail(subject=message.message_id))

    async def _life(self) -> None:
        """Until the thread is over, or its history has grown long."""
        while not self._history_is_long():
            ends = rules.over_at(self.policy, self.state)
            left = ends - workflow.now() if ends else None
            if left is not None and left <= timedelta():
                return
            await self._until_something_changes(left)

    async def _until_something_changes(self, left: timedelta | None) -> None:
        closed_at = self.state.closed_at
        try:
            await workflow.wait_condition(
                lambda: self.state.closed_at != closed_at or self._history_is_long(),
                timeout=left,
                timeout_summary="closed; a message opens it again" if left else None,
            )
        except TimeoutError:
            return

    def _history_is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= self.policy.history_limit

    async def _close_for_operator(self) -> None:
        """An operator cancelled the execution: the records must not go on waiting."""
        async with self.turn():
            if self.state.stage is not ThreadStage.CLOSED:
                rules.shut(self.state, OPERATOR, workflow.now())
                await self.write(ThreadEvent.CLOSED, OPERATOR, StepDetail(code="execution_cancelled"))

    @workflow.update
    async def receive_message(self, request: WriteMessage) -> ThreadReceipt:
        """A message to the clinician. One that counted before changes nothing."""
        async with self.asked():
            return await self._message(request, Direction.INBOUND, ThreadEvent.MESSAGE_RECEIVED)

    @receive_message.validator
    def _receive_allowed(self, request: WriteMessage) -> None:
        with refusals():
            rules.may_write_inbound(self.order, request.actor)

    @workflow.update
    async def reply(self, request: WriteMessage) -> ThreadReceipt:
        """The clinician's answer, or another message of theirs."""
        async with self.asked():
            return await self._message(request, Direction.OUTBOUND, ThreadEvent.REPLY_SENT)

    @reply.validator
    def _reply_allowed(self, request: WriteMessage) -> None:
        with refusals():
            rules.may_reply(self.order, request.actor)

    async def _message(self, message: WriteMessage, direction: Direction, event: ThreadEvent) -> ThreadReceipt:
        if rules.counted(self.state, message):
            return self._receipt()
        if self.state.stage is ThreadStage.CLOSED:
            event = ThreadEvent.REOPENED
        notices = self._take(message, direction)
        detail = StepDetail(subject=message.message_id)
        await self.write(event, message.actor, detail, _accepted(message), notices)
        return self._receipt()

    def _take(self, message: WriteMessage, direction: Direction) -> tuple[Notice, ...]:
        """Let the message count; whom to tell of it. The clinician is told of the first that waits for an answer."""
        waited = self.state.stage is ThreadStage.AWAITING_REPLY
        if direction is Direction.OUTBOUND:
            rules.reply(self.order, self.state, message, workflow.now())
            return (_tell_of_reply(self.order.source),)
        rules.receive(self.order, self.state, message, workflow.now())
        return () if waited else (tell(Audience.CLINICIAN, "new_message_clinician"),)

    @workflow.update
    async def close(self, request: ThreadAct) -> ThreadReceipt:
        async with self.asked():
            rules.close(self.order, self.state, request, workflow.now())
            await self.write(ThreadEvent.CLOSED, request.actor)
            return self._receipt()

    @close.validator
    def _close_allowed(self, request: ThreadAct) -> None:
        with refusals():
            rules.may_close(self.order, self.state, request.actor)

    @workflow.update
    async def reopen(self, request: ThreadAct) -> ThreadReceipt:
        """Go on without a message; one that was never answered waits again."""
        async with self.asked():
            rules.reopen(self.order, self.state, request, workflow.now())
            waits = self.state.stage is ThreadStage.AWAITING_REPLY
            told = (tell(Audience.CLINICIAN, "new_message_clinician"),) if waits else ()
            # The deadline tells this reopening from others.
            detail = StepDetail(due=self.clocks.deadline(REPLY) if waits else None)
            await self.write(ThreadEvent.REOPENED, request.actor, detail, notices=told)
            return self._receipt()

    @reopen.validator
    def _reopen_allowed(self, request: ThreadAct) -> None:
        with refusals():
            rules.may_reopen(self.order, self.state, request.actor)

    @workflow.update
    async def waive(self, request: WaiveReply) -> ThreadReceipt:
        """No answer is owed, and staff says why."""
        async with self.asked():
            rules.waive(self.state, request, workflow.now())
            await self.write(ThreadEvent.REPLY_WAIVED, request.actor, StepDetail(code=request.reason))
            return self._receipt()

    @waive.validator
    def _waive_allowed(self, request: WaiveReply) -> None:
        with refusals():
            rules.may_waive(self.state, request.actor)

    @workflow.update
    async def acknowledge_escalation(self, request: AcknowledgeThread) -> ThreadReceipt:
        """Somebody takes the late answer on: the ladder is climbed no further. The first one stands."""
        async with self.asked():
            if rules.acknowledge(self.state, request, workflow.now()):
                await self.write(ThreadEvent.ESCALATION_ACKNOWLEDGED, request.actor, StepDetail(subject=request.clock))
            return self._receipt()

    @acknowledge_escalation.validator
    def _acknowledge_allowed(self, request: AcknowledgeThread) -> None:
        with refusals():
            may_acknowledge(self.state, request.clock)

    @workflow.query
    def status(self) -> ThreadSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))

    def look(self) -> ThreadSnapshot:
        return threads.snapshot(self.order, self.state)

    def remarks(self) -> tuple[str, ...]:
        ends = rules.over_at(self.policy, self.state)
        return (f"closed; kept until {ends:%Y-%m-%d %H:%M} UTC for another message",) if ends else ()

    def _receipt(self) -> ThreadReceipt:
        return ThreadReceipt(sequence=self.state.sequence, stage=self.state.stage)


def _accepted(message: WriteMessage) -> tuple[AcceptThreadMessage, ...]:
    return (AcceptThreadMessage(message_id=message.message_id),)


def _tell_of_reply(source: ThreadSource) -> Notice:
    if source is ThreadSource.PATIENT:
        return tell(Audience.PATIENT, "new_reply_patient")
    audience = Audience.PROVIDER_SUCCESS if source is ThreadSource.PROVIDER_SUCCESS else Audience.SUPPORT
    return tell(audience, "new_reply_support")
