"""A clinician asks for another portion; operations decide (E-22, decision 16)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import workflow

from activities.contracts import Effect, QueueNotice, RecordStepInput, SetRate, StepDetail, step_identity
from domain import names, rates
from domain.actors import SYSTEM, Actor, Audience, Notice
from domain.clock import Fired
from domain.names import Process
from domain.rates import DecideRate, RateReceipt, RateRequestOrder, RateRequestSnapshot, RateRequestState, RateStage
from workflows.case import Clerk, refusals
from workflows.clock import ClockKeeper

DECISION = "decision"


@workflow.defn(name=Process.RATE_REQUEST)
class RateRequest:
    """Waits for one decision and reminds operations of it. An approval counts for later orders only."""

    @workflow.init
    def __init__(self, order: RateRequestOrder) -> None:
        self.order = order
        self.case_id = names.rate_request_case(order.request_id)
        self.state = RateRequestState(requested_at=workflow.now())
        self.clocks = ClockKeeper(self.state.clocks, self._turn, self._on_fired)
        self._lock = asyncio.Lock()
        self._clerk = Clerk()

    @workflow.run
    async def run(self, _: RateRequestOrder) -> RateReceipt:
        self.clocks.arm(self.order.policy.decision)
        async with self._lock:
            await self._record(
                "rate_requested", self.order.requested_by, notices=(_tell(Audience.OPERATIONS, "rate_requested"),)
            )
        keeper = asyncio.create_task(self.clocks.keep())
        await workflow.wait_condition(lambda: self.state.stage is not RateStage.REQUESTED or keeper.done())
        if keeper.done():
            await keeper
        await workflow.wait_condition(workflow.all_handlers_finished)
        keeper.cancel()
        return RateReceipt(sequence=self.state.sequence, stage=self.state.stage)

    @workflow.update
    async def decide(self, request: DecideRate) -> RateReceipt:
        async with self._turn():
            rates.may_decide(self.state)
            self.state.stage = RateStage.APPROVED if request.approve else RateStage.REJECTED
            self.state.decided_at = workflow.now()
            self.state.decided_by = request.actor
            self.clocks.meet(DECISION, request.actor)
            event = "rate_approved" if request.approve else "rate_rejected"
            effects = (self._rate(),) if request.approve else ()
            return await self._record(event, request.actor, effects, (_tell(Audience.CLINICIAN, event),))

    @decide.validator
    def _decide_allowed(self, request: DecideRate) -> None:
        with refusals():
            rates.may_decide(self.state)

    @workflow.query
    def status(self) -> RateRequestSnapshot:
        return rates.snapshot(self.order, self.state)

    def _rate(self) -> SetRate:
        return SetRate(
            clinician_id=self.order.clinician_id,
            portion_cents=self.order.portion_cents,
            request_id=self.order.request_id,
        )

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        await workflow.wait_condition(lambda: self.state.sequence > 0)
        with refusals():
            async with self._lock:
                await self.clocks.pass_due()
                yield

    async def _on_fired(self, clock: str, fired: Fired) -> None:
        detail = StepDetail(subject=f"{clock}:{fired.name}", code=fired.kind, due=fired.due)
        await self._record("clock_milestone", SYSTEM, notices=fired.notices, detail=detail)

    async def _record(
        self,
        event: str,
        actor: Actor,
        effects: tuple[Effect, ...] = (),
        notices: tuple[Notice, ...] = (),
        detail: StepDetail | None = None,
    ) -> RateReceipt:
        self.state.sequence += 1
        sequence = self.state.sequence
        detail = detail or StepDetail()
        identity = step_identity(event, detail)
        await self._clerk.write(
            RecordStepInput(
                case_id=self.case_id,
                process=Process.RATE_REQUEST,
                sequence=sequence,
                event=event,
                at=workflow.now(),
                actor=actor,
                detail=detail,
                snapshot=rates.snapshot(self.order, self.state),
                effects=(*effects, *(self._queued(identity, notice) for notice in notices)),
            )
        )
        return RateReceipt(sequence=sequence, stage=self.state.stage)

    def _queued(self, identity: str, notice: Notice) -> QueueNotice:
        key = names.operation_key(self.case_id, "notice", identity, notice.audience, notice.template)
        return QueueNotice(key=key, audience=notice.audience, template=notice.template)


def _tell(audience: Audience, template: str) -> Notice:
    return Notice(audience=audience, template=template)
