"""The rollout of a programme, from its first day to the report on what it was worth (spec/rollout.md, process R)."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta

from temporalio import workflow

from activities.calendars import business_days, moments
from activities.contracts import StepDetail
from activities.rollout_contracts import BusinessDaysInput, MomentsInput
from domain.actors import OPERATOR, Audience
from domain.case import Explanation, explain
from domain.names import Process
from domain.rollout.moments import LocalMoment
from domain.rollout.orders import RolloutOrder
from domain.rollout.programme import rules
from domain.rollout.programme.acts import ProgrammeEvent, ProgrammeReceipt
from domain.rollout.programme.beginning import due_days, of_task, set_due
from domain.rollout.programme.looking_ahead import look_ahead
from domain.rollout.programme.view import ProgrammeSnapshot
from workflows.case import tell
from workflows.options import RECORD
from workflows.rollout.programme_waves import WavesTrack


@workflow.defn(name=Process.ROLLOUT)
class Rollout(WavesTrack):
    """Everything is prepared, wave after wave goes live, and what it was worth is reported.

    A long history is followed by a fresh run; the locations and waves live on.
    """

    @workflow.init
    def __init__(self, order: RolloutOrder) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, _: RolloutOrder) -> ProgrammeReceipt:
        await self._begin()
        keeper = asyncio.create_task(self.clocks.keep())
        try:
            await self.beside(keeper, self._life())
        except asyncio.CancelledError:
            await self.beside(keeper, self._ended_by_an_operator())
            await self.finish(keeper)
            raise
        async with self.turn():
            keeper.cancel()  # while it records nothing: the next run knows only what was recorded
        await self.finish(keeper)
        if not self.state.over:
            workflow.continue_as_new(self.order.model_copy(update={"carried": self.state}))
        return self.receipt()

    async def _story(self) -> None:
        await self.start_locations()
        while not self.state.over:
            wave = rules.next_wave(self.state)
            if wave is not None:
                await self.wave_passes(wave)
            elif self.state.optimization_from is None:
                await self._optimization_begins()
            else:
                await self._optimization_ends()

    async def _begin(self) -> None:
        if self.order.carried:
            self.carry_on()
            self.deliver()
            return
        await self._learn_days()
        ahead = await self.schedule()
        self.state.told = self.standing()
        await self.begin(ProgrammeEvent.BEGUN, self.order.ordered_by)
        if ahead.overrun:
            async with self.turn():
                await self.reforecast("planned", always=True)

    async def _learn_days(self) -> None:
        """What is owed by when, in business days of the programme (decision 22)."""
        numbers = due_days(self.order)
        asked = BusinessDaysInput(starts_on=self.order.starts_on, calendar=self.order.calendar, numbers=numbers)
        found = await workflow.execute_local_activity(business_days, asked, **RECORD)
        for armed in set_due(self.order, self.state, dict(zip(numbers, found.ends, strict=True))):
            self.arm(armed)

    async def _life(self) -> None:
        """The story as far as it goes, until it is over or the history has grown long."""
        story = asyncio.create_task(self._story())
        try:
            await workflow.wait_condition(lambda: story.done() or self.state.over or self._history_is_long())
        except asyncio.CancelledError:
            story.cancel()
            raise
        if story.done():
            story.result()
        async with self.turn():
            story.cancel()  # between two steps; the next run finds its place by the state

    def _history_is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= self.policy.history_limit

    async def _optimization_begins(self) -> None:
        """R-05, Z-04: when the last wave is closed, on its Monday."""
        async with self.turn():  # after whatever closed the wave is recorded
            ahead = look_ahead(self.order, self.state, workflow.now())
            central = self.order.calendar.time_zone
            days = (ahead.optimization_starts_on, ahead.ends_on + timedelta(days=1))
            local = tuple(LocalMoment(day=day, at=time.min, time_zone=central) for day in days)
            found = await workflow.execute_local_activity(moments, MomentsInput(local=local), **RECORD)
            begins, ends = found.moments
        await self.until(begins, lambda: rules.next_wave(self.state) is not None, "the optimization begins")
        async with self.turn():
            if rules.next_wave(self.state) is not None or self.state.over:
                return
            self.state.optimization_from, self.state.optimization_on = workflow.now(), days[0]
            self.state.ends_at = ends
            for spec in self.open_optimization_tasks():
                self.state.tasks[spec.task_id] = self.state.tasks[spec.task_id].model_copy(update={"due": ends})
                self.arm(of_task(self.order, spec, ends))
            told = (
                tell(Audience.VP_OPERATIONS, "rollout_optimization"),
                tell(Audience.PROJECT_MANAGER, "rollout_optimization"),
            )
            await self.record(ProgrammeEvent.OPTIMIZATION_BEGUN, notices=told)

    async def _optimization_ends(self) -> None:
        """At its end, and not before everything of it is done and nothing holds the programme."""
        ends = self.state.ends_at
        assert ends is not None
        await self.until(ends, lambda: self.state.over, "the optimization ends")
        await workflow.wait_condition(
            lambda: self.state.over or not (self.open_optimization_tasks() or self.state.holds)
        )
        async with self.turn():
            if self.state.over or self.open_optimization_tasks() or self.state.holds:
                return
            self.state.completed_at = workflow.now()
            self.clocks.cancel_all("completed")
            told = (
                tell(Audience.VP_OPERATIONS, "rollout_complete"),
                tell(Audience.CEO_COO, "rollout_complete"),
                tell(Audience.BOARD, "rollout_complete"),
            )
            detail = StepDetail(subject=str(self.order.starts_on))
            await self.record(ProgrammeEvent.COMPLETED, detail=detail, notices=told)

    async def _ended_by_an_operator(self) -> None:
        async with self.turn():
            if not self.state.over:
                await self.call_off(OPERATOR, "execution_cancelled")

    @workflow.query
    def status(self) -> ProgrammeSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))
