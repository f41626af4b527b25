"""The wave's turn: preparation, the launch, and what the programme and the wave say of them."""

from __future__ import annotations

from temporalio import workflow

from activities.contracts import StepDetail
from domain.actors import SYSTEM, Audience
from domain.rollout.location import rules
from domain.rollout.location.state import LocationEvent
from domain.rollout.news import GoLiveDue, ProgrammeNews, WavePlanned
from workflows.case import tell
from workflows.rollout.location.training import TrainingTrack

GO_LIVE = "go_live"


class LaunchTrack(TrainingTrack):
    async def prepare(self) -> None:
        """Work on the integration may begin (decision 38)."""
        async with self.turn():
            if rules.may_begin_preparation(self.state, workflow.now()):
                self.state.preparing_since = workflow.now()
                told = (
                    tell(Audience.IT_LEAD, "rollout_preparation_begins"),
                    tell(Audience.OFFICE_MANAGER, "rollout_preparation_begins"),
                )
                await self.write(LocationEvent.PREPARATION_BEGUN, notices=told)

    async def go_live(self) -> None:
        """Its communication is on from this step on, and it is watched."""
        async with self.turn():
            now = workflow.now()
            if not rules.may_go_live(self.order, self.state, now):
                return  # something came between
            self.state.live_at, self.state.base_percent = now, rules.FULL
            self.state.blocked_by = None
            self.clocks.meet(GO_LIVE, SYSTEM)
            self.clocks.arm(self.order.training.adoption_report)
            self.watch(now)
            told = (
                tell(Audience.CHAMPION, "rollout_went_live"),
                tell(Audience.OFFICE_MANAGER, "rollout_went_live"),
                tell(Audience.REGIONAL_MANAGER, "rollout_went_live"),
            )
            await self.write(LocationEvent.WENT_LIVE, notices=told)

    async def report_what_is_missing(self) -> None:
        """The launch is due and cannot take place: the wave and the programme hear what is missing."""
        async with self.turn():
            if not rules.launch_is_blocked(self.order, self.state, workflow.now()):
                return
            if self.state.blocked_by is None:
                self.clocks.arm(self.policy.go_live)
            self.state.blocked_by = rules.missing_for_go_live(self.order, self.state)
            detail = StepDetail(subject=f"blocked:{self.state.sequence + 1}", code=self.state.blocked_by[0])
            await self.write(LocationEvent.GO_LIVE_BLOCKED, detail=detail)

    async def close(self) -> None:
        async with self.turn():
            if rules.is_over(self.state):
                self.clocks.cancel_all("the programme is over")
                self.state.closed_at = workflow.now()
                await self.write(LocationEvent.CLOSED)

    @workflow.signal
    async def programme_reported(self, news: ProgrammeNews) -> None:
        """Clearances and holds. A hold stops the way to the launch; monitors, rollbacks and clocks go on."""
        async with self.turn():
            before = self.state.news
            if news.sequence <= before.sequence:
                return
            self.state.news = news
            if news.model_copy(update={"sequence": before.sequence}) != before:
                detail = StepDetail(subject=f"programme:{news.sequence}")
                await self.write(LocationEvent.PROGRAMME_CHANGED, detail=detail)

    @workflow.signal
    async def wave_planned(self, planned: WavePlanned) -> None:
        async with self.turn():
            before = self.state.planned
            if planned.sequence <= before.sequence:
                return
            if rules.is_put_off(self.state, planned, workflow.now()):
                self.state.due = self.state.blocked_by = None
                self.clocks.cancel(GO_LIVE, "the launch was put off")
            self.state.planned = planned
            if planned.model_copy(update={"sequence": before.sequence}) != before:
                self.replan_checklist()
                detail = StepDetail(subject=f"plan:{planned.sequence}", due=planned.go_live_at)
                await self.write(LocationEvent.WAVE_PLANNED, detail=detail)

    @workflow.signal
    async def go_live_due(self, due: GoLiveDue) -> None:
        """The wave calls for the launch. It hears at once how this location stands, whatever that is."""
        async with self.turn():
            known = self.state.due
            is_old = known is not None and known.wave == due.wave and due.sequence <= known.sequence
            if is_old or due.wave != self.state.planned.wave:
                return
            self.state.due = due
            detail = StepDetail(subject=f"wave:{due.wave}:{due.sequence}", due=due.at)
            self.state.told = None  # so that the step is reported
            await self.write(LocationEvent.GO_LIVE_DUE, detail=detail)
