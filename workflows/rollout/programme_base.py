"""What every track of a programme stands on: its order, its state, its record, whom it tells, when things will be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from temporalio import workflow

from activities.calendars import moments
from activities.contracts import StepDetail
from activities.rollout_contracts import MomentsInput
from domain import names
from domain.actors import SYSTEM, Actor, Notice
from domain.rollout.forecast import ProgrammeForecast
from domain.rollout.news import ProgrammeNews, WavePlanned
from domain.rollout.orders import RolloutOrder
from domain.rollout.programme import rules
from domain.rollout.programme.acts import Act, ProgrammeEvent, ProgrammeReceipt
from domain.rollout.programme.beginning import Armed, fresh
from domain.rollout.programme.looking_ahead import dates_of, local_moments, look_ahead, planned_for, undated
from domain.rollout.programme.state import Planned, Reforecast, Told
from domain.rollout.programme.view import ProgrammeSnapshot, phase, snapshot
from domain.rollout.tasks import CompleteTask, WaiveTask
from workflows import search_attributes as attributes
from workflows import signals
from workflows.case import Case
from workflows.options import RECORD
from workflows.rollout import children


class Mail(NamedTuple):
    """What waves and locations do not know yet, as of a recorded step."""

    sequence: int
    told: Told | None
    planned: dict[str, Planned]


class ProgrammeCase(Case):
    def __init__(self, order: RolloutOrder) -> None:
        self.order = order
        self.policy = order.policy.programme
        self.state = order.carried or fresh(order)
        self._delivering = False
        self._shown_reasons: str | None = None
        super().__init__(names.rollout_case(order.program_id), self.state)

    def look(self) -> ProgrammeSnapshot:
        return snapshot(self.order, self.state, workflow.now())

    def receipt(self) -> ProgrammeReceipt:
        return ProgrammeReceipt(sequence=self.state.sequence, phase=phase(self.state))

    def known(self) -> bool:
        """Whether this very act was done in an earlier run."""
        return _act_id() in self.state.seen

    async def act(
        self,
        event: ProgrammeEvent,
        request: Act | CompleteTask | WaiveTask,
        detail: StepDetail | None = None,
        notices: Iterable[Notice] = (),
    ) -> None:
        """Record what somebody did. Notices of an act go by its id: the same act may be done again, later."""
        self.state.seen = (*self.state.seen, _act_id())[-self.policy.kept_act_ids :]
        await self.record(event, request.actor, detail, notices)

    async def record(
        self,
        event: ProgrammeEvent,
        actor: Actor = SYSTEM,
        detail: StepDetail | None = None,
        notices: Iterable[Notice] = (),
    ) -> None:
        """Write the step, and let waves and locations hear of it where it concerns them."""
        await self.write(event, actor, detail, notices=notices)
        self._show_reasons()
        self.deliver()

    def arm(self, armed: Armed) -> None:
        self.clocks.arm_for(armed.policy, armed.counts_from)

    def drop(self, clock: str) -> None:
        """The record has it; the state of a long programme stays small."""
        self.state.clocks.pop(clock, None)

    async def schedule(self) -> ProgrammeForecast:
        """Look ahead, and work out the moments of the waves that are to come on other days than known."""
        ahead = look_ahead(self.order, self.state, workflow.now())
        waves = undated(self.order, self.state, ahead)
        mondays = {wave.number: ahead.wave(wave.number).starts_on for wave in waves}
        asked = [local_moments(self.order, wave, mondays[wave.number]) for wave in waves]
        if asked:
            local = tuple(moment for one in asked for moment in one)
            answer = await workflow.execute_local_activity(moments, MomentsInput(local=local), **RECORD)
            left = answer.moments
            for wave, one in zip(waves, asked, strict=True):
                found, left = left[: len(one)], left[len(one) :]
                dates = dates_of(self.order, wave, mondays[wave.number], found)
                known = self.state.wave(wave.number)
                self.state.waves[wave.number] = known.model_copy(update={"dates": dates})
        return ahead

    async def reforecast(self, cause: str, *, always: bool = False) -> None:
        """Record when the programme will end, and why, where that has changed; an overrun is told (R-06)."""
        ahead = await self.schedule()
        state = self.state
        known = state.reforecasts[-1].ends_on if state.reforecasts else state.plan.ends_on
        if not always and ahead.ends_on == known:
            self.deliver()
            return
        news = Reforecast(at=workflow.now(), cause=cause, ends_on=ahead.ends_on, last_week=ahead.weeks_forecast)
        state.reforecasts = (*state.reforecasts, news)[-self.policy.reforecasts_kept :]
        worse = ahead.overrun and ahead.weeks_forecast > state.alerted_week
        if worse:
            state.alerted_week = ahead.weeks_forecast
        detail = StepDetail(subject=f"{cause}:{ahead.ends_on}", code=cause)
        notices = self.policy.overrun_notices if worse else ()
        await self.record(ProgrammeEvent.REFORECAST, detail=detail, notices=notices)

    def news(self) -> ProgrammeNews:
        return ProgrammeNews(sequence=self.state.sequence, **self.standing().model_dump())

    def standing(self) -> Told:
        return Told(clearances=rules.clearances(self.order, self.state), holds=self.state.holds, ended=self.state.over)

    def deliver(self) -> None:
        """Tell everybody who does not know yet; one delivery at a time, so that news arrive in their order."""
        if not self._delivering:
            self._delivering = True
            self.start(self._deliver())

    async def _deliver(self) -> None:
        """Until all know. What is told twice, after a crash say, is told with the same content."""
        try:
            while (mail := await self._mail()) is not None:
                plans = [self._send_plan(one, mail.sequence, planned) for one, planned in mail.planned.items()]
                await asyncio.gather(*plans)
                if mail.told is not None:
                    news = ProgrammeNews(sequence=mail.sequence, **mail.told.model_dump())
                    who = self._recipients()
                    await asyncio.gather(*(children.send(one, signals.PROGRAMME_REPORTED, news) for one in who))
                    self.state.told = mail.told
                self.state.planned.update(mail.planned)
        finally:
            self._delivering = False

    async def _mail(self) -> Mail | None:
        async with self.turn():  # between steps: what is told is what was recorded
            state = self.state
            plans = {
                one.location_id: planned
                for one in self.order.locations
                if state.locations[one.location_id].started
                and (planned := planned_for(self.order, state, one)) != state.planned.get(one.location_id)
            }
            standing = self.standing()
            if standing == state.told and (not plans or state.over):
                return None
            return Mail(state.sequence, standing if standing != state.told else None, {} if state.over else plans)

    async def _send_plan(self, location_id: str, sequence: int, planned: Planned) -> None:
        news = WavePlanned(sequence=sequence, **planned.model_dump())
        await children.send(names.location_case(self.order.program_id, location_id), signals.WAVE_PLANNED, news)

    def _recipients(self) -> list[str]:
        program_id, state = self.order.program_id, self.state
        locations = [names.location_case(program_id, one) for one, known in state.locations.items() if known.started]
        running = [one for one, wave in state.waves.items() if wave.started_at is not None and wave.closed_at is None]
        return [*locations, *(names.wave_case(program_id, number) for number in running)]

    def _show_reasons(self) -> None:
        reasons = ", ".join(hold.reason for hold in self.state.holds) or None
        if reasons != self._shown_reasons:
            self._shown_reasons = reasons
            key = attributes.PAUSED_REASON
            workflow.upsert_search_attributes([key.value_set(reasons) if reasons else key.value_unset()])


def _act_id() -> str:
    info = workflow.current_update_info()
    assert info is not None
    return info.id
