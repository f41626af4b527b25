"""A wave of locations, from its first day to what was learned from it (spec/rollout.md, processes W and G)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from activities.contracts import StepDetail
from domain.actors import OPERATOR, SYSTEM, Actor, Audience
from domain.case import Explanation, explain, may_acknowledge
from domain.clock import Fired, MilestoneKind
from domain.names import Process
from domain.rollout.news import LocationNews, ProgrammeNews
from domain.rollout.orders import WaveOrder
from domain.rollout.wave import rules
from domain.rollout.wave.acts import AcknowledgeEscalation, WaveReceipt
from domain.rollout.wave.state import WaveEvent
from domain.rollout.wave.view import WaveSnapshot
from workflows.case import refusals, tell
from workflows.rollout.wave_days import CHECK_IN, PLAN
from workflows.rollout.wave_gate import DECISION, INPUTS, GateTrack


@workflow.defn(name=Process.WAVE)
class Wave(GateTrack):
    """Its days are followed, its locations launched, their champions heard, its gate decided, its lessons written."""

    @workflow.init
    def __init__(self, order: WaveOrder) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, _: WaveOrder) -> WaveReceipt:
        await self._begin_wave()
        keeper = asyncio.create_task(self.clocks.keep())
        try:
            await self.beside(keeper, self.follow_the_plan())
        except asyncio.CancelledError:
            await self.beside(keeper, self._call_off(OPERATOR))
            await self.finish(keeper)
            raise
        async with self.turn():
            keeper.cancel()  # while it records nothing: the next run knows only what was recorded
        await self.finish(keeper)
        if not self.state.over:
            workflow.continue_as_new(self.order.model_copy(update={"carried": self.state}))
        return self.receipt()

    async def _begin_wave(self) -> None:
        if self.order.carried:
            self.carry_on()
            return
        await self.plan_days()
        told = [tell(reader, "rollout_wave_started") for reader in (Audience.VP_OPERATIONS, Audience.PROJECT_MANAGER)]
        await self.begin(WaveEvent.STARTED, SYSTEM, notices=told)
        async with self.turn():
            await self.report()

    async def _call_off(self, by: Actor) -> None:
        async with self.turn():
            await self._cancel(by)

    async def _cancel(self, by: Actor) -> None:
        if self.state.over:
            return
        self.state.cancelled_at = workflow.now()
        self.state.gate = None
        self.clocks.cancel_all("cancelled")
        await self.record(WaveEvent.CANCELLED, by)

    async def on_fired(self, clock: str, fired: Fired) -> None:
        """What the end of a clock means; every other milestone is recorded and told."""
        if clock == PLAN:
            await self.on_plan_milestone()
        elif clock.startswith(CHECK_IN):
            await self.on_check_in_milestone(clock, fired)
        elif fired.kind is not MilestoneKind.END:
            await super().on_fired(clock, fired)
        elif clock == INPUTS:
            await self.input_is_over()
        elif clock == DECISION:
            await self.decision_is_over()

    @workflow.update
    async def acknowledge_escalation(self, request: AcknowledgeEscalation) -> WaveReceipt:
        """Somebody takes a late matter on: its ladder is climbed no further. The first acknowledgement counts."""
        async with self.asked():
            await self.acknowledge(request.clock, request.actor)
            return self.receipt()

    @acknowledge_escalation.validator
    def _acknowledge_allowed(self, request: AcknowledgeEscalation) -> None:
        with refusals():
            may_acknowledge(self.state, request.clock)

    @workflow.signal
    async def programme_reported(self, news: ProgrammeNews) -> None:
        """Holds stop launches and the gate; the end of the programme is the end of the wave."""
        async with self.turn():
            if self.state.over or not rules.is_news_of_programme(self.order, self.state, news):
                return
            before = rules.programme(self.order, self.state).holds
            self.state.news = news
            if news.ended:
                await self._cancel(SYSTEM)
            elif news.holds != before:
                added = [hold.reason for hold in news.holds if hold not in before]
                lifted = [hold.reason for hold in before if hold not in news.holds]
                detail = StepDetail(subject=f"programme:{news.sequence}", code=",".join(added or lifted))
                await self.record(WaveEvent.HELD if added else WaveEvent.RELEASED, detail=detail)

    @workflow.signal
    async def location_reported(self, news: LocationNews) -> None:
        async with self.turn():
            if self.state.over or not rules.is_news_of_location(self.order, self.state, news):
                return
            known = self.state.locations.get(news.location_id)
            self.state.locations[news.location_id] = news
            if known is not None and known.model_copy(update={"sequence": news.sequence}) == news:
                return
            detail = StepDetail(subject=f"{news.location_id}:{news.sequence}", code=news.phase)
            await self.record(WaveEvent.LOCATION_CHANGED, detail=detail)

    @workflow.query
    def status(self) -> WaveSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))
