"""The visit, from its scheduling to its closing (spec/care.md, process V)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from domain.actors import OPERATOR, SYSTEM, Audience
from domain.case import Explanation, explain, may_acknowledge
from domain.clock import Fired, MilestoneKind
from domain.names import Process
from domain.visit import acts
from domain.visit.state import VisitOrder
from domain.visit.states import BEFORE, VisitEvent, VisitKind, VisitStage
from domain.visit.view import VisitSnapshot
from workflows.case import refusals, tell
from workflows.visit.attendance import JOIN, REMINDERS, WAITING, WRAP_UP
from workflows.visit.obligations import ObligationsTrack


@workflow.defn(name=Process.VISIT)
class Visit(ObligationsTrack):
    """Both are expected, both come, the visit is held, and what follows from it is written in time."""

    @workflow.init
    def __init__(self, order: VisitOrder) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, _: VisitOrder) -> acts.VisitReceipt:
        await self._schedule()
        keeper = asyncio.create_task(self.clocks.keep())
        try:
            await self.beside(keeper, self._life())
        except asyncio.CancelledError:
            await self.beside(keeper, self._ended_by_an_operator())
            await self.finish(keeper)
            raise
        await self.finish(keeper)
        return self.receipt()

    async def _schedule(self) -> None:
        self.expect_both()
        # A follow-up visit is booked through its eConsult, which tells of it.
        booked = self.order.kind is VisitKind.ECONSULT_FOLLOW_UP
        told = (tell(Audience.PATIENT, "visit_scheduled"), tell(Audience.CLINICIAN, "visit_scheduled_clinician"))
        await self.begin(VisitEvent.SCHEDULED, self.order.scheduled_by, notices=() if booked else told)

    async def _life(self) -> None:
        await workflow.wait_condition(lambda: self.state.stage not in BEFORE | {VisitStage.IN_PROGRESS})
        if self.state.stage is VisitStage.COMPLETED:
            await self.obligations_end()
        elif self.state.stage is VisitStage.PATIENT_NO_SHOW:
            await self.no_show_is_final()
        elif self.state.stage is VisitStage.CLINICIAN_NO_SHOW:
            await self.absence_is_taken_on()
        async with self.turn():
            if self.state.stage is not VisitStage.CANCELLED:
                await self.close()
        await self.absence_is_excusable()

    async def _ended_by_an_operator(self) -> None:
        async with self.turn():
            if self.state.stage in BEFORE | {VisitStage.IN_PROGRESS}:
                await self.call_off(OPERATOR, "execution_cancelled")
            elif self.state.stage is not VisitStage.CANCELLED and self.state.closed_at is None:
                await self.close()

    async def on_fired(self, clock: str, fired: Fired) -> None:
        """What the end of a clock means; every other milestone is recorded and told."""
        if clock == JOIN:
            await self.on_join_milestone(fired)
        elif clock == WRAP_UP and fired.kind is MilestoneKind.END:
            await self.completed(SYSTEM, "completed_by_itself")
        elif clock == WAITING and fired.kind is MilestoneKind.END:
            await self.call_off(SYSTEM, "never_resolved")
        elif clock == REMINDERS and fired.kind is MilestoneKind.END:
            self.clocks.cancel(REMINDERS, "the visit begins")
        elif fired.kind is not MilestoneKind.END:
            await super().on_fired(clock, fired)

    @workflow.update
    async def acknowledge_escalation(self, request: acts.AcknowledgeEscalation) -> acts.VisitReceipt:
        """Somebody takes a late matter on: its ladder is climbed no further. The first acknowledgement counts."""
        async with self.asked():
            await self.acknowledge(request.clock, request.actor)
            return self.receipt()

    @acknowledge_escalation.validator
    def _acknowledge_allowed(self, request: acts.AcknowledgeEscalation) -> None:
        with refusals():
            may_acknowledge(self.state, request.clock)

    @workflow.query
    def status(self) -> VisitSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))
