"""A location's rollback, from its trigger to the end of its re-enabling (spec/rollout.md, X-05 to X-08)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from temporalio import workflow

from activities.contracts import StepDetail
from domain import names
from domain.actors import OPERATOR, SYSTEM, Actor, Notice
from domain.case import Explanation, explain, may_acknowledge
from domain.clock import ClockPolicy, Fired, MilestoneKind
from domain.names import Process
from domain.rollout.news import Relapse, RollbackNews
from domain.rollout.orders import RollbackOrder
from domain.rollout.rollback import acts, rules, view
from domain.rollout.rollback.policy import Ladder
from domain.rollout.rollback.state import RollbackEvent
from workflows import signals
from workflows.case import Case, milestone_detail, refusals
from workflows.rollout import children

REMINDING = frozenset({MilestoneKind.REMIND, MilestoneKind.WARN})


@workflow.defn(name=Process.ROLLBACK)
class Rollback(Case):
    """Sending is off. The location is made safe, the cause is found and removed, and sending comes back in stages."""

    @workflow.init
    def __init__(self, order: RollbackOrder) -> None:
        self.order = order
        self.policy = order.policy
        self.state = rules.begin(order)
        super().__init__(names.rollback_case(order.program_id, order.location_id, order.number), self.state)

    @workflow.run
    async def run(self, _: RollbackOrder) -> acts.RollbackReceipt:
        await self._begin()
        keeper = asyncio.create_task(self.clocks.keep())
        try:
            await self.beside(keeper, self._resolved())
        except asyncio.CancelledError:
            await self.beside(keeper, self._ended_by_an_operator())
            await self.finish(keeper)
            raise
        await self.finish(keeper)
        return self._receipt()

    async def _begin(self) -> None:
        self._arm_ladders()
        self._arm_awaited()
        detail = StepDetail(code=self.order.issue, due=self.order.triggered_at)
        await self.begin(RollbackEvent.BEGUN, self.order.triggered_by, (), self.policy.notices.begun, detail)
        self._tell_location(self.order.triggered_by)

    async def _resolved(self) -> None:
        """The trouble may come back while the last word of it is on its way."""
        await workflow.wait_condition(
            lambda: self.state.over and workflow.all_handlers_finished() and not self.background
        )

    async def _ended_by_an_operator(self) -> None:
        """Communication stays off, or goes off again."""
        async with self.turn():
            if not self.state.over:
                self.state.cancelled_at = workflow.now()
                self.clocks.cancel_all("execution_cancelled")
                await self._record(RollbackEvent.CANCELLED, OPERATOR, notices=self.policy.notices.cancelled)

    @workflow.update
    async def acknowledge_step(self, request: acts.AcknowledgeStep) -> acts.RollbackReceipt:
        """The owner of a step has done it (X-05, X-06). The first acknowledgement stands."""
        async with self.asked():
            rules.may_acknowledge_step(self.state, self.policy, request)
            if request.step_id in self.state.steps:
                return self._receipt()
            rules.acknowledge_step(self.state, request, workflow.now())
            for ladder in self.policy.ladders:
                if not rules.open_steps(self.state, ladder):
                    self.clocks.meet(ladder.clock.name, request.actor)
            detail = StepDetail(subject=f"{request.step_id}:{self.state.round}")
            return await self._record(RollbackEvent.STEP_ACKNOWLEDGED, request.actor, detail)

    @acknowledge_step.validator
    def _acknowledge_step_allowed(self, request: acts.AcknowledgeStep) -> None:
        with refusals():
            rules.may_acknowledge_step(self.state, self.policy, request)

    @workflow.update
    async def provide_fix(self, request: acts.ProvideFix) -> acts.RollbackReceipt:
        """A fix or a workaround is there to be tested (X-07.1)."""
        async with self.asked():
            rules.may_provide_fix(self.state, self.policy, request)
            rules.provide_fix(self.state, request, workflow.now())
            return await self._record(
                RollbackEvent.FIX_PROVIDED, request.actor, self._of_the_fix(), self.policy.notices.fix_provided
            )

    @provide_fix.validator
    def _provide_fix_allowed(self, request: acts.ProvideFix) -> None:
        with refusals():
            rules.may_provide_fix(self.state, self.policy, request)

    @workflow.update
    async def validate_fix(self, request: acts.ValidateFix) -> acts.RollbackReceipt:
        """How the fix did in the test environment (X-07.2)."""
        async with self.asked():
            rules.may_validate_fix(self.state, self.policy, request)
            rules.validate_fix(self.state, request, workflow.now())
            event = RollbackEvent.FIX_VALIDATED if request.passed else RollbackEvent.FIX_REJECTED
            told = () if request.passed else self.policy.notices.fix_rejected
            return await self._record(event, request.actor, self._of_the_fix(), told)

    @validate_fix.validator
    def _validate_fix_allowed(self, request: acts.ValidateFix) -> None:
        with refusals():
            rules.may_validate_fix(self.state, self.policy, request)

    @workflow.update
    async def confirm_root_cause(self, request: acts.ConfirmRootCause) -> acts.RollbackReceipt:
        """[critical] The root cause is confirmed as resolved (X-07.4). The first confirmation stands."""
        async with self.asked():
            rules.may_confirm_root_cause(self.state, self.policy, request)
            if self.state.root_cause is not None:
                return self._receipt()
            rules.confirm_root_cause(self.state, request, workflow.now())
            return await self._record(RollbackEvent.ROOT_CAUSE_CONFIRMED, request.actor, self._of_the_fix())

    @confirm_root_cause.validator
    def _confirm_root_cause_allowed(self, request: acts.ConfirmRootCause) -> None:
        with refusals():
            rules.may_confirm_root_cause(self.state, self.policy, request)

    @workflow.update
    async def re_enable(self, request: acts.ReEnable) -> acts.RollbackReceipt:
        """The next stage begins: so much of the communication is on, and is watched (X-07.3)."""
        async with self.asked():
            rules.may_re_enable(self.state, self.policy, request, view.watched_until(self.state, self.policy))
            stage = rules.re_enable(self.state, self.policy, request, workflow.now())
            self.clocks.arm(stage.watched)
            return await self._record(
                RollbackEvent.STAGE_BEGUN, request.actor, self._of_the_stage(), self.policy.notices.stage_begun
            )

    @re_enable.validator
    def _re_enable_allowed(self, request: acts.ReEnable) -> None:
        with refusals():
            rules.may_re_enable(self.state, self.policy, request, view.watched_until(self.state, self.policy))

    @workflow.update
    async def acknowledge_escalation(self, request: acts.AcknowledgeEscalation) -> acts.RollbackReceipt:
        """Somebody takes a late matter on: its ladder is climbed no further. The first acknowledgement stands."""
        async with self.asked():
            rules.may_act(request.actor, self.policy.acknowledgers)
            await self.acknowledge(request.clock, request.actor)
            return self._receipt()

    @acknowledge_escalation.validator
    def _acknowledge_escalation_allowed(self, request: acts.AcknowledgeEscalation) -> None:
        with refusals():
            rules.may_act(request.actor, self.policy.acknowledgers)
            may_acknowledge(self.state, request.clock)

    @workflow.signal
    async def relapsed(self, news: Relapse) -> None:
        """Says the location: the trouble is back, or there is more of it. Whatever was on is off again."""
        async with self.turn():
            if not rules.is_news(self.state, news):
                return
            anew = rules.relapse(self.state, self.policy, news, workflow.now())
            detail = StepDetail(subject=f"{news.issue}:{news.sequence}", code=news.issue, due=news.at)
            if not anew:
                await self._record(RollbackEvent.ISSUE_ADDED, news.by, detail)
                return
            self.clocks.cancel_all("relapsed")
            self._arm_ladders()
            await self._record(RollbackEvent.RELAPSED, news.by, detail, self.policy.notices.relapsed)

    @workflow.query
    def status(self) -> view.RollbackSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))

    def look(self) -> view.RollbackSnapshot:
        return view.snapshot(self.order, self.state)

    def remarks(self) -> tuple[str, ...]:
        return view.remarks(self.state, self.policy)

    async def on_fired(self, clock: str, fired: Fired) -> None:
        """The end of a watch ends its stage. Of a ladder only those are reminded who have steps to take."""
        if fired.kind is MilestoneKind.END:
            await self._stage_watched(clock, fired)
            return
        ladder = next((one for one in self.policy.ladders if one.clock.name == clock), None)
        if ladder is not None and fired.kind in REMINDING:
            fired = fired.model_copy(update={"notices": self._to_owners(ladder, fired.notices)})
        await super().on_fired(clock, fired)

    def _to_owners(self, ladder: Ladder, notices: Iterable[Notice]) -> tuple[Notice, ...]:
        owners = {owner.value for step in rules.open_steps(self.state, ladder) for owner in step.owners}
        return tuple(notice for notice in notices if notice.audience.value in owners)

    async def _stage_watched(self, clock: str, fired: Fired) -> None:
        rules.stage_watched(self.state, fired.due)
        if rules.next_stage(self.state, self.policy) is not None:
            await self._record(RollbackEvent.STAGE_WATCHED, SYSTEM, milestone_detail(clock, fired), fired.notices)
            return
        self.state.resolved_at = fired.due
        self.clocks.cancel_all("resolved")
        detail = milestone_detail(clock, fired)
        await self._record(RollbackEvent.RESOLVED, SYSTEM, detail, self.policy.notices.resolved)

    def _arm_ladders(self) -> None:
        """Both count from the trigger."""
        for ladder in self.policy.ladders:
            self.clocks.arm(ladder.clock, at=self.state.triggered_at)

    def _arm_awaited(self) -> None:
        """One reminds at a time: of what the resolution waits for now."""
        wanted = rules.awaited(self.state, self.policy)
        for one in self._waiting_clocks():
            if one != wanted:
                self.clocks.cancel(one.name, "no longer awaited")
        if wanted is not None:
            running = self.state.clocks.get(wanted.name)
            if running is None or running.outcome is not None:
                self.clocks.arm(wanted)

    def _waiting_clocks(self) -> tuple[ClockPolicy, ...]:
        waiting = self.policy.awaiting
        return (waiting.fix, waiting.validation, waiting.root_cause, waiting.stage)

    async def _record(
        self,
        event: RollbackEvent,
        actor: Actor,
        detail: StepDetail | None = None,
        notices: Iterable[Notice] = (),
    ) -> acts.RollbackReceipt:
        """Write the step; the location hears of it where it matters there."""
        self._arm_awaited()
        await self.write(event, actor, detail, notices=notices)
        self._tell_location(actor, always=event is RollbackEvent.ISSUE_ADDED)
        return self._receipt()

    def _tell_location(self, actor: Actor, *, always: bool = False) -> None:
        news = RollbackNews(
            sequence=self.state.sequence,
            number=self.order.number,
            phase=view.phase(self.state, self.policy),
            enabled_percent=self.state.enabled_percent,
            by=actor,
        )
        told = self.state.told
        if always or told is None or (told.phase, told.enabled_percent) != (news.phase, news.enabled_percent):
            self.state.told = news
            self.start(self._send(news))

    async def _send(self, news: RollbackNews) -> None:
        location = names.location_case(self.order.program_id, self.order.location_id)
        await children.send(location, signals.ROLLBACK_REPORTED, news)

    def _of_the_fix(self) -> StepDetail:
        fix = self.state.fix
        assert fix is not None
        return StepDetail(subject=f"fix:{self.state.round}:{fix.number}", code=fix.kind)

    def _of_the_stage(self) -> StepDetail:
        return StepDetail(subject=f"stage:{self.state.round}:{self.state.enabled_percent}")

    def _receipt(self) -> acts.RollbackReceipt:
        view_now = self.look()
        return acts.RollbackReceipt(
            sequence=view_now.sequence,
            phase=view_now.phase,
            enabled_percent=view_now.enabled_percent,
            missing=view_now.missing,
        )
