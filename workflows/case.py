"""What every process stands on: one turn at a time, its clocks, its record, what it shows in the Temporal UI."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.contracts import Effect, QueueNotice, RecordStepInput, Snapshot, StepDetail, step_identity
from domain import names
from domain.actors import SYSTEM, Actor, Audience, Notice
from domain.case import CaseProgress, card, may_acknowledge
from domain.clock import Fired
from domain.error_details import to_details
from domain.errors import CarewaveError, GatewayUnavailable
from workflows.clerk import Clerk
from workflows.clock import ClockKeeper

CLOCK_MILESTONE = "clock_milestone"
ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a domain error into the ApplicationError that a caller of an update gets: code, and what is missing."""
    try:
        yield
    except CarewaveError as error:
        raise ApplicationError(error.detail, to_details(error), type=error.code, non_retryable=True) from None
    except ActivityError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type and cause.details:
            raise ApplicationError(cause.message, *cause.details, type=cause.type, non_retryable=True) from None
        outage = GatewayUnavailable("gateway.unavailable", "an outside service did not do its part")
        raise ApplicationError(outage.detail, to_details(outage), type=outage.code, non_retryable=True) from None


class StepFailedError(Exception):
    """An activity failed for good where nobody waits for an answer: the workflow task fails and operators see it."""


class Case(ABC):
    """One process with its state. Update handlers work inside `asked()`, everything else inside `turn()`."""

    def __init__(self, case_id: str, progress: CaseProgress) -> None:
        self.case_id = case_id
        self._clerk = Clerk()
        self.clocks = ClockKeeper(progress.clocks, self.turn, self.on_fired, lambda: self._clerk.lag)
        self.background: set[asyncio.Task[None]] = set()
        self._progress = progress
        self._begun = False
        self._lock = asyncio.Lock()

    @abstractmethod
    def look(self) -> Snapshot:
        """The case as it stands, for the record of a step."""

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[None]:
        """The turn of an update: a refusal goes back to the caller with its code."""
        with refusals():
            async with self._exclusively():
                yield

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The turn of a signal, a clock or background work. A fault in it must not end the execution."""
        try:
            async with self._exclusively():
                yield
        except (ActivityError, ApplicationError) as error:  # the latter from a local activity
            raise StepFailedError(str(error)) from error

    @asynccontextmanager
    async def _exclusively(self) -> AsyncIterator[None]:
        """One act at a time, none before the first step is recorded, and nothing overdue when it begins."""
        await workflow.wait_condition(lambda: self._begun)
        async with self._lock:
            await self.clocks.pass_due()
            yield

    async def begin(
        self,
        event: str,
        actor: Actor,
        effects: Iterable[Effect] = (),
        notices: Iterable[Notice] = (),
        detail: StepDetail | None = None,
    ) -> None:
        """Record the first step; acts that came before it wait for it."""
        async with self._lock:
            self._begun = True
            await self.write(event, actor, detail, effects, notices)

    def carry_on(self) -> None:
        """Instead of a first step, in a run that goes on with what an earlier one recorded."""
        self._begun = True
        workflow.set_current_details(card(self.look(), *self.remarks()))

    async def write(
        self,
        event: str,
        actor: Actor = SYSTEM,
        detail: StepDetail | None = None,
        effects: Iterable[Effect] = (),
        notices: Iterable[Notice] = (),
    ) -> int:
        """Write the step and all that belongs to it, in one transaction; its number."""
        await self.clocks.learn_hours()
        self._progress.sequence += 1
        sequence = self._progress.sequence
        detail = detail or StepDetail()
        identity = step_identity(event, detail)
        view = self.look()
        await self._clerk.write(
            RecordStepInput(
                case_id=self.case_id,
                process=view.process,
                sequence=sequence,
                event=event,
                at=workflow.now(),
                actor=actor,
                detail=detail,
                snapshot=view,
                effects=(*effects, *(self.queued(identity, notice) for notice in notices)),
            ),
            *self.remarks(),
        )
        return sequence

    def key(self, *operation: str | int) -> str:
        return names.operation_key(self.case_id, *operation)

    def queued(self, identity: str, notice: Notice) -> QueueNotice:
        return QueueNotice(
            key=self.key("notice", identity, notice.audience, notice.template),
            audience=notice.audience,
            template=notice.template,
        )

    def remarks(self) -> tuple[str, ...]:
        """More lines for the card in the Temporal UI."""
        return ()

    async def on_fired(self, clock: str, fired: Fired) -> None:
        """A milestone was passed: record it and tell whom the policy names."""
        await self.write(CLOCK_MILESTONE, detail=milestone_detail(clock, fired), notices=fired.notices)

    async def acknowledge(self, clock: str, actor: Actor) -> None:
        """Somebody takes a late matter on: its ladder is climbed no further. The first acknowledgement stands."""
        may_acknowledge(self._progress, clock)
        if not self.clocks.is_acknowledged(clock):
            self.clocks.acknowledge(clock, actor)
            await self.write(ESCALATION_ACKNOWLEDGED, actor, StepDetail(subject=clock))

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

    async def finish(self, keeper: asyncio.Task[None]) -> None:
        """Nothing that somebody asked for is cut off, nor what it set going, nor a step that is being recorded."""
        await workflow.wait_condition(
            lambda: workflow.all_handlers_finished() and not self.background and not self._lock.locked()
        )
        keeper.cancel()


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
