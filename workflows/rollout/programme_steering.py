"""Who holds and turns the wheel: plan, holds, the systemic pause, and what waves and locations report (X-09, X-10)."""

from __future__ import annotations

from temporalio import workflow

from activities.contracts import StepDetail
from domain.actors import SYSTEM, Actor, Audience
from domain.case import may_acknowledge
from domain.rollout.holds import Hold, lift, place
from domain.rollout.news import LocationNews, WaveNews
from domain.rollout.phases import WavePhase
from domain.rollout.plan import Plan
from domain.rollout.programme import acts, pausing, replanning, rules
from domain.rollout.programme.acts import ProgrammeEvent, ProgrammeReceipt
from workflows.case import refusals, tell
from workflows.rollout.programme_checklists import ChecklistTrack


class SteeringTrack(ChecklistTrack):
    @workflow.update
    async def move_location(self, request: acts.MoveLocation) -> ProgrammeReceipt:
        """To another wave, or out of all: while neither has started."""
        async with self.asked():
            if not self.known():
                replanning.may_move(self.order, self.state, request)
                current = self.state.plan.wave_of(request.location_id)
                if (current.number if current else None) != request.to_wave:
                    plan = replanning.moved(self.state.plan, request)
                    detail = StepDetail(subject=f"{request.location_id}:{plan.version}", code=request.reason)
                    await self._follow(plan, ProgrammeEvent.LOCATION_MOVED, request, detail)
            return self.receipt()

    @move_location.validator
    def _move_allowed(self, request: acts.MoveLocation) -> None:
        with refusals():
            if not self.known():
                replanning.may_move(self.order, self.state, request)

    @workflow.update
    async def follow_plan(self, request: acts.FollowPlan) -> ProgrammeReceipt:
        """A new plan of the planner: waves that have started stay as they are."""
        async with self.asked():
            if not self.known():
                replanning.may_follow(self.order, self.state, request)
                for number, wave in self.state.waves.items():
                    if wave.started_at is None:  # what it slipped to is part of the new plan
                        self.state.waves[number] = wave.model_copy(update={"not_before": None})
                detail = StepDetail(subject=f"plan:{request.plan.version}")
                await self._follow(request.plan, ProgrammeEvent.PLAN_FOLLOWED, request, detail)
            return self.receipt()

    @follow_plan.validator
    def _follow_plan_allowed(self, request: acts.FollowPlan) -> None:
        with refusals():
            if not self.known():
                replanning.may_follow(self.order, self.state, request)

    async def _follow(self, plan: Plan, event: ProgrammeEvent, request: acts.Act, detail: StepDetail) -> None:
        self.state.plan = plan
        self.ask_for_pilot_again()
        await self.schedule()
        await self.act(event, request, detail)
        await self.reforecast(f"plan:{plan.version}")

    @workflow.update
    async def hold(self, request: acts.HoldProgramme) -> ProgrammeReceipt:
        """Nothing goes forward until it is released; other holds stand beside it. Held twice is held once."""
        async with self.asked():
            if not self.known():
                rules.may_hold(self.order, self.state, request)
                if self._place(request.reason, request.actor):
                    told = (
                        tell(Audience.PROJECT_MANAGER, "rollout_held"),
                        tell(Audience.REGIONAL_MANAGER, "rollout_held"),
                    )
                    detail = StepDetail(subject=request.reason, code=request.evidence_id, due=workflow.now())
                    await self.act(ProgrammeEvent.HELD, request, detail, told)
            return self.receipt()

    @hold.validator
    def _hold_allowed(self, request: acts.HoldProgramme) -> None:
        with refusals():
            if not self.known():
                rules.may_hold(self.order, self.state, request)

    @workflow.update
    async def release(self, request: acts.ReleaseProgramme) -> ProgrammeReceipt:
        async with self.asked():
            if not self.known():
                rules.may_release(self.order, self.state, request)
                self.state.holds = lift(self.state.holds, request.reason)
                told = (
                    tell(Audience.PROJECT_MANAGER, "rollout_released"),
                    tell(Audience.REGIONAL_MANAGER, "rollout_released"),
                )
                detail = StepDetail(subject=request.reason, due=workflow.now())
                await self.act(ProgrammeEvent.RELEASED, request, detail, told)
                await self.reforecast(f"released:{request.reason}")
            return self.receipt()

    @release.validator
    def _release_allowed(self, request: acts.ReleaseProgramme) -> None:
        with refusals():
            if not self.known():
                rules.may_release(self.order, self.state, request)

    @workflow.update
    async def resume_program(self, request: acts.ResumeProgramme) -> ProgrammeReceipt:
        """After a systemic pause (X-10). Holds of other reasons stand. Resuming twice is harmless."""
        async with self.asked():
            if not self.known():
                pausing.may_resume(self.order, self.state, request)
                held = rules.systemic_holds(self.state)
                if held:
                    self.state.holds = tuple(hold for hold in self.state.holds if hold not in held)
                    pausing.accept(self.order, self.state)
                    self.state.last_resumed_at = workflow.now()
                    detail = StepDetail(code=request.override, due=workflow.now())
                    await self.act(ProgrammeEvent.RESUMED, request, detail, self.policy.resume_notices)
                    await self.reforecast("resumed", always=True)
            return self.receipt()

    @resume_program.validator
    def _resume_allowed(self, request: acts.ResumeProgramme) -> None:
        with refusals():
            if not self.known():
                pausing.may_resume(self.order, self.state, request)

    @workflow.update
    async def cancel_program(self, request: acts.CancelProgramme) -> ProgrammeReceipt:
        """For good: waves and locations hear that nothing goes forward any more."""
        async with self.asked():
            if not self.known():
                rules.may_cancel(self.order, self.state, request)
                await self.call_off(request.actor, request.reason)
            return self.receipt()

    @cancel_program.validator
    def _cancel_allowed(self, request: acts.CancelProgramme) -> None:
        with refusals():
            if not self.known():
                rules.may_cancel(self.order, self.state, request)

    async def call_off(self, actor: Actor, reason: str) -> None:
        self.state.cancelled_at = workflow.now()
        self.state.cancel_reason = reason
        self.clocks.cancel_all("cancelled")
        told = (
            tell(Audience.VP_OPERATIONS, "rollout_cancelled"),
            tell(Audience.PROJECT_MANAGER, "rollout_cancelled"),
            tell(Audience.REGIONAL_MANAGER, "rollout_cancelled"),
        )
        await self.record(ProgrammeEvent.CANCELLED, actor, StepDetail(code=reason), told)

    @workflow.update
    async def acknowledge_escalation(self, request: acts.AcknowledgeEscalation) -> ProgrammeReceipt:
        """Somebody takes a late matter on: its ladder is climbed no further."""
        async with self.asked():
            await self.acknowledge(request.clock, request.actor)
            return self.receipt()

    @acknowledge_escalation.validator
    def _acknowledge_allowed(self, request: acts.AcknowledgeEscalation) -> None:
        with refusals():
            may_acknowledge(self.state, request.clock)

    @workflow.signal
    async def wave_reported(self, news: WaveNews) -> None:
        """Old news changes nothing, nor does news of a wave that was never started."""
        async with self.turn():
            known = self.state.wave(news.number)
            if self.state.over or known.started_at is None or news.sequence <= known.heard:
                return
            closed_at = known.closed_at or news.closed_at
            heard = known.model_copy(
                update={
                    "heard": news.sequence,
                    "phase": news.phase,
                    "closed_at": closed_at,
                    "extended_weeks": news.extended_weeks,
                    "slipped_weeks": news.slipped_weeks,
                }
            )
            self.state.waves[news.number] = heard
            closing = known.closed_at is None and closed_at is not None
            event = ProgrammeEvent.WAVE_CLOSED if closing else ProgrammeEvent.WAVE_REPORTED
            if news.phase is WavePhase.CANCELLED and known.phase is not WavePhase.CANCELLED:
                # It passed no gate: an executive releases the rest, or cancels the programme.
                self._place(f"wave_cancelled_{news.number}", SYSTEM)
            await self.record(event, detail=StepDetail(subject=f"{news.number}:{news.sequence}", code=news.phase))
            if heard.extended_weeks != known.extended_weeks:
                await self.reforecast(f"no_go:{news.number}", always=True)
            elif heard.slipped_weeks != known.slipped_weeks:
                await self.reforecast(f"launches_moved:{news.number}", always=True)
            elif closing:
                await self.reforecast(f"closed:{news.number}")

    @workflow.signal
    async def location_reported(self, news: LocationNews) -> None:
        """Its issue may be one too many (X-09, decision 37)."""
        async with self.turn():
            known = self.state.locations.get(news.location_id)
            if self.state.over or known is None or news.sequence <= known.heard:
                return
            issues = (news.issue, *news.further_issues) if news.issue else ()
            heard = known.model_copy(
                update={
                    "heard": news.sequence,
                    "phase": news.phase,
                    "deployed": known.deployed or news.deployed,
                    "baseline_validated": news.baseline_validated,
                    "issues": issues,
                    "rollbacks": news.rollbacks,
                    "missing": news.missing,
                }
            )
            self.state.locations[news.location_id] = heard
            pausing.forget_recovered(self.state)
            quiet = {"heard": 0, "missing": ()}
            if heard.model_copy(update=quiet) != known.model_copy(update=quiet):
                detail = StepDetail(subject=f"{news.location_id}:{news.sequence}", code=news.phase)
                await self.record(ProgrammeEvent.LOCATION_REPORTED, detail=detail)
            await self._pause_for_systemic()

    async def _pause_for_systemic(self) -> None:
        for issue in pausing.to_pause_for(self.order, self.state):
            if self._place(pausing.reason_of(issue), SYSTEM):
                detail = StepDetail(subject=issue, due=workflow.now())
                await self.record(ProgrammeEvent.PAUSED, detail=detail, notices=self.policy.pause_notices)

    def _place(self, reason: str, by: Actor) -> bool:
        """False when this reason holds it already."""
        before = self.state.holds
        self.state.holds = place(before, Hold(reason=reason, since=workflow.now(), by=by))
        return self.state.holds != before
