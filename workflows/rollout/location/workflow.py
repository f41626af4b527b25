"""A location of a rollout, from the first day of its programme to the last (spec/rollout.md, T, N, B, I, L, X)."""

from __future__ import annotations

import asyncio
import contextlib

from temporalio import workflow

from domain.actors import SYSTEM
from domain.case import Explanation, explain, may_acknowledge
from domain.clock import Fired, MilestoneKind
from domain.names import Process
from domain.rollout.location import acts, rules
from domain.rollout.location.state import LocationEvent
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.orders import LocationOrder
from domain.rollout.triggers import OUTAGE, SYNC_FAILING
from workflows.case import refusals
from workflows.rollout.location.launch import LaunchTrack


@workflow.defn(name=Process.LOCATION)
class Location(LaunchTrack):
    """Prepares when its wave's turn comes, goes live when its wave is at it and nothing is missing, is watched from
    then on, and is back on manual work at once when it must be. A long history is followed by a fresh run."""

    @workflow.init
    def __init__(self, order: LocationOrder) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, _: LocationOrder) -> acts.LocationReceipt:
        await self._open()
        keeper = asyncio.create_task(self.clocks.keep())
        await self.beside(keeper, self._life())
        async with self.turn():
            keeper.cancel()  # while it records nothing: the next run knows only what was recorded
        await self.finish(keeper)
        if self.state.closed_at is None:
            workflow.continue_as_new(self.order.model_copy(update={"carried": self.state}))
        return self.receipt()

    async def _open(self) -> None:
        if self.order.carried:
            self.carry_on()
            return
        await self.open_checklist()
        await self.begin(LocationEvent.OPENED, SYSTEM)

    async def _life(self) -> None:
        """Until the programme is over, or the history has grown long while nothing is under way."""
        while self.state.closed_at is None and not self._rests():
            now = workflow.now()
            if rules.is_over(self.state):
                await self.close()
            elif rules.may_begin_preparation(self.state, now):
                await self.prepare()
            elif rules.may_go_live(self.order, self.state, now):
                await self.go_live()
            elif rules.launch_is_blocked(self.order, self.state, now):
                await self.report_what_is_missing()
            else:
                await self._something_happens()

    async def _something_happens(self) -> None:
        """An act or news that lets it go on, or the moment for which it waits."""
        due = rules.next_moment(self.state, workflow.now())
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._may_go_on() or self._rests() or rules.next_moment(self.state, workflow.now()) != due,
                timeout=due - workflow.now() if due else None,
                timeout_summary="its wave's turn" if due else None,
            )

    def _may_go_on(self) -> bool:
        now = workflow.now()
        return (
            rules.is_over(self.state)
            or rules.may_begin_preparation(self.state, now)
            or rules.may_go_live(self.order, self.state, now)
            or rules.launch_is_blocked(self.order, self.state, now)
        )

    def _rests(self) -> bool:
        """Whether a fresh run may go on from here: nothing is under way that it would not know of."""
        info = workflow.info()
        is_long = info.is_continue_as_new_suggested() or info.get_current_history_length() >= self.policy.history_limit
        return is_long and not self.background

    async def on_fired(self, clock: str, fired: Fired) -> None:
        """What the end of a clock means; every other milestone is recorded and told."""
        if fired.kind is not MilestoneKind.END:
            await super().on_fired(clock, fired)
            await self.on_training_milestone(clock, fired)
        elif clock == SYNC_FAILING:
            await self.on_sync_clock_ended()
        elif clock == OUTAGE:
            await self.on_outage_clock_ended(fired)
        elif clock == self.order.integration.monitor.name:
            await self.on_integration_watched()
        else:
            await super().on_fired(clock, fired)

    @workflow.update
    async def acknowledge_escalation(self, request: acts.AcknowledgeEscalation) -> acts.LocationReceipt:
        """Somebody takes a late matter on: its ladder is climbed no further. The first acknowledgement counts."""
        async with self.asked():
            await self.acknowledge(request.clock, request.actor)
            return self.receipt()

    @acknowledge_escalation.validator
    def _acknowledge_allowed(self, request: acts.AcknowledgeEscalation) -> None:
        with refusals():
            may_acknowledge(self.state, request.clock)

    @workflow.query
    def status(self) -> LocationSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))
