"""A clinician asks for another portion; operations decide (E-22, decision 16)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from activities.contracts import SetRate
from domain import names, rates
from domain.actors import Audience
from domain.names import Process
from domain.rates import DecideRate, RateReceipt, RateRequestOrder, RateRequestSnapshot, RateRequestState, RateStage
from workflows.case import Case, refusals, tell

DECISION = "decision"


@workflow.defn(name=Process.RATE_REQUEST)
class RateRequest(Case):
    """Waits for one decision and reminds operations of it. An approval counts for later orders only."""

    @workflow.init
    def __init__(self, order: RateRequestOrder) -> None:
        self.order = order
        self.state = RateRequestState(requested_at=workflow.now())
        super().__init__(names.rate_request_case(order.request_id), self.state)

    @workflow.run
    async def run(self, _: RateRequestOrder) -> RateReceipt:
        self.clocks.arm(self.order.policy.decision)
        await self.begin(
            "rate_requested", self.order.requested_by, notices=(tell(Audience.OPERATIONS, "rate_requested"),)
        )
        keeper = asyncio.create_task(self.clocks.keep())
        await self.beside(keeper, self._decided())
        await self.finish(keeper)
        return RateReceipt(sequence=self.state.sequence, stage=self.state.stage)

    async def _decided(self) -> None:
        await workflow.wait_condition(lambda: self.state.stage is not RateStage.REQUESTED)

    @workflow.update
    async def decide(self, request: DecideRate) -> RateReceipt:
        async with self.asked():
            rates.may_decide(self.state)
            self.state.stage = RateStage.APPROVED if request.approve else RateStage.REJECTED
            self.state.decided_at = workflow.now()
            self.state.decided_by = request.actor
            self.clocks.meet(DECISION, request.actor)
            event = "rate_approved" if request.approve else "rate_rejected"
            effects = (self._rate(),) if request.approve else ()
            told = (tell(Audience.CLINICIAN, event),)
            sequence = await self.write(event, request.actor, effects=effects, notices=told)
            return RateReceipt(sequence=sequence, stage=self.state.stage)

    @decide.validator
    def _decide_allowed(self, request: DecideRate) -> None:
        with refusals():
            rates.may_decide(self.state)

    @workflow.query
    def status(self) -> RateRequestSnapshot:
        return self.look()

    def look(self) -> RateRequestSnapshot:
        return rates.snapshot(self.order, self.state)

    def _rate(self) -> SetRate:
        return SetRate(
            clinician_id=self.order.clinician_id,
            portion_cents=self.order.portion_cents,
            request_id=self.order.request_id,
        )
