"""Telemetry and its clocks: from the launch on, in any state and under any hold (X-01 to X-03)."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime

from temporalio import workflow

from activities.calendars import opening_hours
from activities.contracts import OpeningHoursInput, StepDetail
from domain.actors import Actor
from domain.clock import Clock, ClockPolicy, Fired, Span
from domain.rollout import triggers
from domain.rollout.location.state import LocationEvent
from domain.rollout.triggers import OUTAGE, Monitor, TelemetryNews, Watch
from workflows.options import RECORD
from workflows.rollout.location.rollbacks import RollbackTrack

TELEMETRY = Actor(role="system", id="telemetry")


class MonitorTrack(RollbackTrack):
    @workflow.signal
    async def telemetry_reported(self, news: TelemetryNews) -> None:
        """A stored batch. Healthy ones leave no step: there are many."""
        async with self.turn():
            await self.hear_of_integration(news)
            if self.state.monitor is None:
                return
            monitor, watch = triggers.observe(self.state.monitor, news, self.order.triggers, workflow.now())
            self.state.monitor = monitor
            await self._follow(watch)
            for outage in watch.to_measure:
                await self._measure(outage)

    @abstractmethod
    async def hear_of_integration(self, news: TelemetryNews) -> None:
        """A failure begins an integration's watch anew."""

    def watch(self, since: datetime) -> None:
        """From the launch, or from a re-enabling: what was before does not count any more."""
        known = self.state.monitor
        self.state.monitor = triggers.watch_from(known, since) if known else Monitor(watched_from=since)
        self.state.monitor, watch = triggers.judge(self.state.monitor, self.order.triggers, workflow.now())
        self._set_clocks(watch)

    async def on_sync_clock_ended(self) -> None:
        assert self.state.monitor is not None
        self.state.monitor, watch = triggers.judge(self.state.monitor, self.order.triggers, workflow.now())
        await self._follow(watch)

    async def on_outage_clock_ended(self, fired: Fired) -> None:
        await self._outage_was_too_long(self.state.clocks[OUTAGE].armed_at, fired.due)

    async def _follow(self, watch: Watch) -> None:
        for met in watch.met:
            await self.meet_trigger(met, TELEMETRY)
        changed = self._set_clocks(watch)
        for event, since in changed:
            detail = StepDetail(code="failing" if since else "well", due=since)
            await self.write(event, TELEMETRY, detail)

    def _set_clocks(self, watch: Watch) -> list[tuple[LocationEvent, datetime | None]]:
        """What changed with it."""
        policy = self.order.triggers
        outage = triggers.outage_clock(policy, self.order.location.calendar)
        wanted = (
            (LocationEvent.SYNC_CHANGED, triggers.sync_clock(policy), watch.sync_since),
            (LocationEvent.OUTAGE_CHANGED, outage, watch.outage_since),
        )
        return [(event, since) for event, clock, since in wanted if self._set(clock, since)]

    def _set(self, policy: ClockPolicy, since: datetime | None) -> bool:
        known = self.state.clocks.get(policy.name)
        if since == _runs_since(known):
            return False
        if since is None:
            self.clocks.cancel(policy.name, "it is well again")
        else:
            self.clocks.arm(policy, at=since)
        return True

    async def _measure(self, outage: Span) -> None:
        """One that is over: whether it held more than the limit of opening hours."""
        policy = self.order.triggers
        limit = policy.outage_longer_than + policy.resolution
        asked = OpeningHoursInput(calendar=self.order.location.calendar, start=outage.start, enough=limit)
        found = await workflow.execute_local_activity(opening_hours, asked, **RECORD)
        if triggers.too_long(outage, found.hours, policy):
            await self._outage_was_too_long(outage.start, outage.end)

    async def _outage_was_too_long(self, since: datetime, at: datetime) -> None:
        assert self.state.monitor is not None
        self.state.monitor, met = triggers.report_outage(self.state.monitor, since, at)
        if met is not None:
            await self.meet_trigger(met, TELEMETRY)


def _runs_since(clock: Clock | None) -> datetime | None:
    return clock.armed_at if clock and clock.outcome is None else None
