"""What every track of an eConsult stands on: its state, one turn at a time, its clocks, its record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from temporalio import workflow

from activities.contracts import Effect, QueueNotice, RecordStepInput, SaveAssignment, StepDetail, step_identity
from domain import names
from domain.actors import SYSTEM, Actor, Audience, Notice
from domain.clock import Fired
from domain.econsult.acts import Receipt
from domain.econsult.state import EConsultOrder, EConsultState
from domain.econsult.states import AssignmentStatus, Event
from domain.econsult.view import snapshot
from domain.names import Process
from workflows.case import Clerk, refusals
from workflows.clock import ClockKeeper


class EConsultCase:
    def __init__(self, order: EConsultOrder) -> None:
        self.order = order
        self.policy = order.policy
        self.case_id = names.econsult_case(order.econsult_id)
        self.state = EConsultState(ordered_at=workflow.now())
        self.clocks = ClockKeeper(self.state.clocks, self.turn, self.on_fired)
        self.background: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()
        self._clerk = Clerk()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One act at a time, none before the order is recorded; a refusal goes back with its code."""
        await workflow.wait_condition(lambda: self.state.sequence > 0)
        with refusals():
            async with self._lock:
                await self.clocks.pass_due()
                yield

    async def record(
        self,
        event: Event,
        actor: Actor = SYSTEM,
        detail: StepDetail | None = None,
        effects: Iterable[Effect] = (),
        notices: Iterable[Notice] = (),
    ) -> Receipt:
        """Write the step and all that belongs to it, in one transaction; what the caller reads next includes it."""
        self.state.sequence += 1
        sequence = self.state.sequence
        detail = detail or StepDetail()
        identity = step_identity(event, detail)
        await self._clerk.write(
            RecordStepInput(
                case_id=self.case_id,
                process=Process.ECONSULT,
                sequence=sequence,
                event=event,
                at=workflow.now(),
                actor=actor,
                detail=detail,
                snapshot=snapshot(self.order, self.state),
                effects=(*effects, *(self._queued(identity, notice) for notice in notices)),
            ),
            *self._remarks(),
        )
        return Receipt(sequence=sequence, stage=self.state.stage)

    def key(self, *operation: str | int) -> str:
        return names.operation_key(self.case_id, *operation)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something take its time beside the rest; run() waits for it."""
        task = asyncio.create_task(work)
        self.background.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """Failed work stays in the set, where `beside` finds it."""
        if _fault(task) is None:
            self.background.discard(task)

    async def beside(self, keeper: asyncio.Task[None], work: Coroutine[Any, Any, None]) -> None:
        """Do the work; a fault in whatever runs beside it fails the workflow task, where operators see it."""
        main = asyncio.create_task(work)
        try:
            await workflow.wait_condition(lambda: main.done() or any(map(_fault, (keeper, *self.background))))
        except asyncio.CancelledError:
            main.cancel()
            raise
        for task in (main, keeper, *self.background):
            if fault := _fault(task):
                raise fault

    def set_assignment(self, status: AssignmentStatus, reason: str | None = None) -> SaveAssignment:
        """Change the assignment in force; the effect goes into the step that records it."""
        current = self.state.assignment
        assert current is not None
        changed = current.model_copy(update={"status": status, "reason": reason, "at": workflow.now()})
        self.state.assignments[current.number - 1] = changed
        return SaveAssignment(assignment=changed)

    async def on_fired(self, clock: str, fired: Fired) -> None:
        """A milestone was passed: record it and tell whom the policy names."""
        await self.record(Event.CLOCK_MILESTONE, detail=milestone_detail(clock, fired), notices=fired.notices)

    def _queued(self, identity: str, notice: Notice) -> QueueNotice:
        latest = self.state.assignments[-1] if self.state.assignments else None
        return QueueNotice(
            key=self.key("notice", identity, notice.audience, notice.template),
            audience=notice.audience,
            template=notice.template,
            specialist_id=latest.specialist_id if latest else None,
            link_number=self.state.link_number,
        )

    def _remarks(self) -> tuple[str, ...]:
        if self.state.closed_at is None:
            return ()
        return (f"closed {self.state.closed_at:%Y-%m-%d %H:%M} UTC; kept open for refunds and disputes",)


def milestone_detail(clock: str, fired: Fired) -> StepDetail:
    return StepDetail(
        subject=f"{clock}:{fired.name}",
        code=fired.suppressed or fired.kind,
        due=fired.due,
        detected_late=fired.detected_late,
    )


def tell(audience: Audience, template: str) -> Notice:
    return Notice(audience=audience, template=template)


def _fault(task: asyncio.Task[None]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None
