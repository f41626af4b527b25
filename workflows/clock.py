"""The durable clock: one Temporal timer for whichever milestone of a case comes next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from temporalio import workflow

from activities.calendars import opening_hours
from activities.contracts import OpeningHoursInput
from domain import clock as sla
from domain.actors import Actor
from domain.clock import Clock, ClockPolicy, Fired, MilestoneKind, Outcome
from workflows.options import RECORD

OnFired = Callable[[str, Fired], Awaitable[None]]


class ClockKeeper:
    """Arms, pauses and ends the clocks of a case and tells when a milestone is passed.

    `clocks` is part of the workflow's state: the keeper holds no time of its own.
    """

    def __init__(
        self,
        clocks: dict[str, Clock],
        turn: Callable[[], AbstractAsyncContextManager[None]],
        on_fired: OnFired,
        lag: Callable[[], timedelta],
    ) -> None:
        self._clocks = clocks
        self._turn = turn
        self._on_fired = on_fired
        self._lag = lag

    def arm(self, policy: ClockPolicy, name: str | None = None, at: datetime | None = None) -> None:
        """From now, or from `at` where what it measures began before anybody noticed."""
        self._clocks[name or policy.name] = sla.arm(policy, at or workflow.now())

    def arm_for(self, policy: ClockPolicy, at: datetime) -> None:
        """Arm a clock whose time counts from `at`; reminders that were due before now are passed unheard."""
        self._clocks[policy.name] = sla.arm_for(policy, at, workflow.now())

    def pause(self, name: str, reason: str) -> None:
        self._change(name, lambda clock: sla.pause(clock, workflow.now(), reason))

    def resume(self, name: str) -> None:
        self._change(name, lambda clock: sla.resume(clock, workflow.now()))

    def meet(self, name: str, by: Actor) -> None:
        self._change(name, lambda clock: sla.end(clock, workflow.now(), Outcome.MET, by))

    def waive(self, name: str, by: Actor, why: str) -> None:
        """What it waited for is not asked for any more: by whom, and a stable code of why."""
        self._change(name, lambda clock: sla.end(clock, workflow.now(), Outcome.WAIVED, by, why))

    def cancel(self, name: str, why: str) -> None:
        self._change(name, lambda clock: sla.end(clock, workflow.now(), Outcome.CANCELLED, why=why))

    def cancel_all(self, why: str) -> None:
        for name in self._clocks:
            self.cancel(name, why)

    def acknowledge(self, name: str, by: Actor) -> None:
        self._change(name, lambda clock: sla.acknowledge(clock, workflow.now(), by))

    def deadline(self, name: str) -> datetime | None:
        """When the clock's breach or end is due; None while it is paused or over."""
        clock = self._clocks.get(name)
        return sla.deadline(clock) if clock else None

    def has_run_out(self, name: str) -> bool:
        clock = self._clocks.get(name)
        return clock is not None and any(fired.kind is MilestoneKind.END for fired in clock.fired)

    def is_acknowledged(self, name: str) -> bool:
        clock = self._clocks.get(name)
        return clock is not None and clock.acknowledged_at is not None

    async def learn_hours(self) -> None:
        """Have the opening hours worked out that clocks in working time count by, as far as they may be needed."""
        for name, clock in list(self._clocks.items()):
            enough = sla.hours_needed(clock)
            if enough is not None and clock.policy.calendar is not None:
                found = await workflow.execute_local_activity(
                    opening_hours,
                    OpeningHoursInput(calendar=clock.policy.calendar, start=clock.armed_at, enough=enough),
                    **RECORD,
                )
                self._clocks[name] = self._clocks[name].model_copy(update={"hours": found.hours})

    async def keep(self) -> None:
        """Run for the whole life of the case."""
        while True:
            due = self._next()
            try:
                await workflow.wait_condition(
                    lambda due=due: self._next() != due,  # type: ignore[misc]
                    timeout=max(due[0] - workflow.now() - self._lag(), timedelta()) if due else None,
                    timeout_summary=f"{due[1]}: {due[2]}" if due else None,
                )
            except TimeoutError:
                async with self._turn():
                    pass  # whoever takes a turn passes what is due

    def _next(self) -> tuple[datetime, str, str] | None:
        upcoming = ((name, sla.next_due(clock)) for name, clock in self._clocks.items())
        return min(((found[0], name, found[1].name) for name, found in upcoming if found), default=None)

    async def pass_due(self) -> None:
        """Pass every milestone that is due by now. Each turn begins with this: an act finds nothing overdue."""
        for name in list(self._clocks):
            self._clocks[name], passed = sla.fire(self._clocks[name], workflow.now())
            for fired in passed:
                await self._on_fired(name, fired)

    def _change(self, name: str, change: Callable[[Clock], Clock]) -> None:
        if name in self._clocks:
            self._clocks[name] = change(self._clocks[name])
