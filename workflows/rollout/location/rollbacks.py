"""Back to manual work, and forward again by stages. Accepted in any state, under any hold (X-01 to X-08)."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime

from temporalio import workflow

from activities.contracts import StepDetail
from domain import names
from domain.actors import Actor
from domain.rollout import triggers
from domain.rollout.location import acts, rollbacks
from domain.rollout.location.state import Cause, LocationEvent, LocationRollback
from domain.rollout.news import Relapse, RollbackNews
from domain.rollout.orders import LocationOrder, RollbackOrder
from domain.rollout.triggers import Met
from workflows import signals
from workflows.case import refusals
from workflows.rollout import children
from workflows.rollout.location.checklist import ChecklistTrack


class RollbackTrack(ChecklistTrack):
    def __init__(self, order: LocationOrder) -> None:
        self._starting: set[int] = set()
        """Numbers of rollbacks whose workflows are being started."""
        super().__init__(order)

    @abstractmethod
    def watch(self, since: datetime) -> None:
        """Begin to watch the location's telemetry, or begin anew."""

    @workflow.update
    async def request_rollback(self, request: acts.RequestRollback) -> acts.LocationReceipt:
        """By a provider or the office manager (X-04). While a rollback is open it is one more cause of it."""
        async with self.asked():
            if not self.is_known():
                triggers.may_request_rollback(self.order.triggers, request.actor)
                self.remember()
                met = triggers.requested(request.evidence_id, workflow.now())
                await self.meet_trigger(met, request.actor, request.reason)
            return self.receipt()

    @request_rollback.validator
    def _request_rollback_allowed(self, request: acts.RequestRollback) -> None:
        with refusals():
            self.check(lambda: triggers.may_request_rollback(self.order.triggers, request.actor))

    async def meet_trigger(self, met: Met, by: Actor, code: str | None = None) -> None:
        cause = Cause(issue=met.issue, at=met.at, by=by, evidence=met.evidence, code=code)
        if self.state.rollback is None:
            await self._roll_back(cause)
        else:
            await self._add_cause(self.state.rollback, cause)

    async def _roll_back(self, cause: Cause) -> None:
        """Sending is off with this very step, in its transaction; the ladder begins right after it."""
        rollback = rollbacks.begin(self.state, cause, workflow.now())
        self._starting.add(rollback.number)
        detail = StepDetail(subject=f"rollback:{rollback.number}", code=cause.issue, due=cause.at)
        await self.write(LocationEvent.ROLLED_BACK, cause.by, detail)
        self.start(self._start_rollback(rollback))

    async def _start_rollback(self, rollback: LocationRollback) -> None:
        order = RollbackOrder(
            program_id=self.order.program_id,
            location_id=self.location_id,
            region=self.order.location.region,
            wave=self.state.planned.wave,
            number=rollback.number,
            issue=rollback.cause.issue,
            triggered_at=rollback.cause.at,
            triggered_by=rollback.cause.by,
            disabled_at=rollback.disabled_at,
            policy_version=self.order.policy_version,
            policy=self.order.rollback,
        )
        await children.start_rollback(order)
        self._starting.discard(rollback.number)

    async def _add_cause(self, open_one: LocationRollback, cause: Cause) -> None:
        """What is on again by stages goes off at once; the rollback hears of whatever it did not know."""
        is_news = rollbacks.is_news(open_one, cause)
        rollback = rollbacks.add_cause(self.state, open_one, cause)
        detail = StepDetail(subject=f"rollback:{rollback.number}:{cause.evidence}", code=cause.issue, due=cause.at)
        sequence = await self.write(LocationEvent.FURTHER_CAUSE, cause.by, detail)
        if is_news:
            relapse = Relapse(sequence=sequence, issue=cause.issue, at=cause.at, by=cause.by)
            self.start(self._tell_rollback(rollback.number, relapse, cause))

    async def _tell_rollback(self, number: int, relapse: Relapse, cause: Cause) -> None:
        await workflow.wait_condition(lambda: number not in self._starting)
        case_id = names.rollback_case(self.order.program_id, self.location_id, number)
        if await children.send(case_id, signals.RELAPSED, relapse):
            return
        async with self.turn():
            current = self.state.rollback
            if current is not None and current.number == number:
                rollbacks.give_up(self.state, current, workflow.now())  # it was over before it could hear of this
                await self._roll_back(cause)

    @workflow.signal
    async def rollback_reported(self, news: RollbackNews) -> None:
        """It moves on, switches on by stages, or is over."""
        async with self.turn():
            was_off = self.state.comms_percent == 0
            rollback = rollbacks.hear(self.state, news, workflow.now())
            if rollback is None:
                return
            if was_off and news.enabled_percent > 0 and self.state.live_at is not None:
                self.watch(workflow.now())
            event = LocationEvent.ROLLBACK_OVER if rollback.over_at else LocationEvent.ROLLBACK_MOVED
            detail = StepDetail(subject=f"rollback:{news.number}:{news.sequence}", code=news.phase)
            await self.write(event, news.by, detail)
