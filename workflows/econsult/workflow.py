"""The specialist eConsult, from order to closing (spec/care.md, process E)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

from activities.contracts import StepDetail
from domain.actors import OPERATOR, Audience
from domain.case import Explanation, explain, may_acknowledge
from domain.clock import Fired, MilestoneKind
from domain.econsult import acts, rules
from domain.econsult.state import EConsultOrder
from domain.econsult.states import ENDED, Event, Stage
from domain.econsult.view import EConsultSnapshot
from domain.names import Process
from workflows.case import refusals, tell
from workflows.econsult.checkout import PAYMENT
from workflows.econsult.follow_up import FollowUpTrack


@workflow.defn(name=Process.ECONSULT)
class EConsult(FollowUpTrack):
    """A clinician orders, the patient pays, a specialist answers, questions follow, the money is split."""

    @workflow.init
    def __init__(self, order: EConsultOrder) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, _: EConsultOrder) -> acts.Receipt:
        await self._place_order()
        keeper = asyncio.create_task(self.clocks.keep())
        try:
            await self.beside(keeper, self._life())
        except asyncio.CancelledError:
            await self.beside(keeper, self._wind_down())
            await self.finish(keeper)
            raise
        await self.finish(keeper)
        return acts.Receipt(sequence=self.state.sequence, stage=self.state.stage)

    async def _life(self) -> None:
        while True:
            if await self.payment_arrives() and await self.specialist_answers():
                await self.follow_up_passes()
                await self._close_case()
            if await self._money_is_settled():
                return

    async def _place_order(self) -> None:
        self.send_payment_link()
        await self.begin(Event.ORDERED, self.order.ordered_by, notices=(tell(Audience.PATIENT, "payment_link"),))

    async def _close_case(self) -> None:
        async with self.turn():
            await self._closed(StepDetail())

    async def _closed(self, detail: StepDetail) -> None:
        self.state.stage = Stage.CLOSED
        self.state.closed_at = workflow.now()
        told = [tell(Audience.PATIENT, "consult_closed")]
        if self.state.outcome is None:
            told.append(tell(Audience.CLINICIAN, "outcome_wanted"))
        await self.record(Event.CLOSED, detail=detail, notices=told)

    async def _money_is_settled(self) -> bool:
        """Stay open for late payments, refunds and disputes, and until none of them is undecided.

        False when a new link or a late payment has brought the order back to life meanwhile.
        """
        try:
            await workflow.wait_condition(
                lambda: rules.is_alive(self.state),
                timeout=self._watch(),
                timeout_summary="watching for late payments, refunds and disputes",
            )
        except TimeoutError:
            await workflow.wait_condition(lambda: rules.is_alive(self.state) or self._nothing_is_open())
        return not rules.is_alive(self.state)

    def _watch(self) -> timedelta:
        if self.state.payments:
            return self.policy.money_watch
        payable = self.state.checkouts_opened and self.state.stage is Stage.CANCELLED
        return self.policy.unpaid_watch if payable else timedelta()

    def _nothing_is_open(self) -> bool:
        return not self.background and not rules.open_money_matters(self.state)

    async def _wind_down(self) -> None:
        """An operator cancelled the execution: leave nobody's money behind, then go."""
        async with self.turn():
            if rules.is_before_answer(self.state):
                await self.cancel_order(acts.CancelOrder(actor=OPERATOR, reason="execution_cancelled"))
            elif self.state.stage not in ENDED:
                await self._closed(StepDetail(code="execution_cancelled"))
        await workflow.wait_condition(lambda: not self.background)

    async def on_fired(self, clock: str, fired: Fired) -> None:
        """What the end of a clock means; every other milestone is recorded and told."""
        if clock == PAYMENT and fired.kind is MilestoneKind.END:
            await self.on_link_run_out(fired)
        elif fired.kind is not MilestoneKind.END:
            await super().on_fired(clock, fired)

    @workflow.update
    async def acknowledge_escalation(self, request: acts.AcknowledgeEscalation) -> acts.Receipt:
        """Somebody takes a late matter on: its ladder is climbed no further."""
        async with self.asked():
            await self.acknowledge(request.clock, request.actor)
            return acts.Receipt(sequence=self.state.sequence, stage=self.state.stage)

    @acknowledge_escalation.validator
    def _acknowledge_allowed(self, request: acts.AcknowledgeEscalation) -> None:
        with refusals():
            may_acknowledge(self.state, request.clock)

    @workflow.query
    def status(self) -> EConsultSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))
