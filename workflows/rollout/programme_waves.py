"""Locations from the first day, and one wave after the other when its turn has come (R-05, W-01, W-02)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

from activities.contracts import StepDetail
from domain.rollout.news import WavePlanned
from domain.rollout.orders import LocationOrder, ProgramLocation, WaveOrder
from domain.rollout.phases import WavePhase
from domain.rollout.plan import PlannedWave
from domain.rollout.programme import rules
from domain.rollout.programme.acts import ProgrammeEvent
from domain.rollout.programme.looking_ahead import as_started, is_pilot, next_monday, planned_for
from domain.rollout.programme.state import Slip, WaveDates
from workflows.rollout import children
from workflows.rollout.programme_steering import SteeringTrack

DAY_PASSED = "day_passed"
MONDAY = timedelta(days=1)


class WavesTrack(SteeringTrack):
    async def start_locations(self) -> None:
        """Each in a turn of its own: what people ask meanwhile does not wait for all of them."""
        waiting = [one for one in self.order.locations if not self.state.locations[one.location_id].started]
        for location in waiting:
            async with self.turn():
                await self._start_location(location)
        if waiting:
            async with self.turn():
                await self.record(ProgrammeEvent.LOCATIONS_STARTED)

    async def _start_location(self, location: ProgramLocation) -> None:
        order, state = self.order, self.state
        planned = planned_for(order, state, location)
        await children.start_location(
            LocationOrder(
                program_id=order.program_id,
                location=location,
                program_calendar=order.calendar,
                starts_on=order.starts_on,
                policy_version=order.policy.version,
                policy=order.policy.location,
                integration=order.policy.integration,
                training=order.policy.training,
                triggers=order.policy.triggers,
                rollback=order.policy.rollback,
                planned=WavePlanned(sequence=state.sequence, **planned.model_dump()),
                news=self.news(),
            )
        )
        state.planned[location.location_id] = planned
        known = state.locations[location.location_id]
        state.locations[location.location_id] = known.model_copy(update={"started": True})

    async def wave_passes(self, wave: PlannedWave) -> None:
        """Until it is closed, or the plan has become another one."""
        number, version = wave.number, self.state.plan.version
        if self.state.wave(number).started_at is None:
            await self._wave_starts(wave)
        else:
            await workflow.wait_condition(
                lambda: self.state.wave(number).closed_at is not None or self.state.plan.version != version
            )

    async def _wave_starts(self, wave: PlannedWave) -> None:
        """On its Monday when nothing is missing, or else it slips by a week."""
        number, dates = wave.number, self.state.wave(wave.number).dates
        assert dates is not None

        def changed() -> bool:
            return self.state.wave(number).dates != dates

        await self.until(dates.starts_at, changed, f"wave {number} starts")
        ready = dates.starts_at + self.policy.start_grace
        await self.until(ready, lambda: changed() or not self._missing(number), f"what wave {number} needs to start")
        async with self.turn():
            if changed() or rules.next_wave(self.state) != wave:
                return
            missing = self._missing(number)
            if workflow.now() >= dates.starts_at + MONDAY:
                missing = (*missing, DAY_PASSED)
            if missing:
                await self._slip(wave, dates, missing)
            else:
                await self._start_wave(wave, dates)

    def _missing(self, number: int) -> tuple[str, ...]:
        return rules.missing_for_wave(self.order, self.state, number, workflow.now())

    async def _start_wave(self, wave: PlannedWave, dates: WaveDates) -> None:
        order, state = self.order, self.state
        here = [one for one in order.locations if one.location_id in wave.locations]
        await children.start_wave(
            WaveOrder(
                program_id=order.program_id,
                planned=as_started(order, wave, dates.of),
                calendar=order.calendar,
                time_zones={one.location_id: one.calendar.time_zone for one in here},
                regions={one.location_id: one.region for one in here},
                policy_version=order.policy.version,
                policy=order.policy.wave,
                gate=order.policy.gate,
                pilot=is_pilot(wave.number),
                news=self.news(),
            )
        )
        state.waves[wave.number] = state.wave(wave.number).model_copy(
            update={"started_on": dates.of, "started_at": workflow.now(), "phase": WavePhase.TRAINING}
        )
        await self.record(ProgrammeEvent.WAVE_STARTED, detail=StepDetail(subject=str(wave.number)))

    async def _slip(self, wave: PlannedWave, dates: WaveDates, missing: tuple[str, ...]) -> None:
        state, number = self.state, wave.number
        slip = Slip(wave=number, monday=dates.of, causes=missing)
        state.slips = (*state.slips, slip)[-self.policy.reforecasts_kept :]
        later = next_monday(self.order, dates.of)
        state.waves[number] = state.wave(number).model_copy(update={"not_before": later})
        detail = StepDetail(subject=f"{number}:{dates.of}", code=missing[0])
        await self.record(ProgrammeEvent.WAVE_SLIPPED, detail=detail, notices=self.policy.slip_notices)
        await self.reforecast(f"slip:{number}", always=True)

    async def until(self, moment: datetime, sooner: Callable[[], bool], what: str) -> None:
        """Wait for a moment; `sooner` ends it before."""
        left = moment - workflow.now()
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(sooner, timeout=max(left, timedelta()), timeout_summary=what)
