"""What is reported about a clinician, reviewed by operations: credential events and conduct reports."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.contracts import StepDetail
from domain import names
from domain import review as rules
from domain.actors import Audience
from domain.case import Explanation, explain, may_acknowledge
from domain.licences import LossReason, ReportedLoss
from domain.names import Process
from domain.review import (
    LOSSES,
    RESOLUTION,
    SUSPENDING,
    TRIAGE,
    AcknowledgeReview,
    Resolve,
    ReviewEvent,
    ReviewOrder,
    ReviewReceipt,
    ReviewSnapshot,
    ReviewStage,
    ReviewState,
    Triage,
)
from workflows import signals
from workflows.case import Case, refusals, tell

FIRST_WAIT = timedelta(seconds=1)
TRIES = 12
"""A licence whose case does not run yet is tried again for about an hour."""


class Review(Case):
    """Reported, triaged, resolved; each in its time, with a ladder that ends with an acknowledgement."""

    def __init__(self, case_id: str, order: ReviewOrder) -> None:
        self.order = order
        self.policy = order.policy
        self.state = ReviewState()
        super().__init__(case_id, self.state)

    async def review(self) -> ReviewReceipt:
        """The whole life."""
        await self._report()
        keeper = asyncio.create_task(self.clocks.keep())
        await self.beside(keeper, self._resolved())
        await self.finish(keeper)
        return self._receipt()

    async def _report(self) -> None:
        prompt = rules.promptness(self.order)
        if prompt:
            self.state.clocks[prompt.policy.name] = prompt
        self.clocks.arm(self.policy.triage, TRIAGE)
        detail = StepDetail(code="late" if rules.is_late(self.order) else None)
        await self.begin(ReviewEvent.REPORTED, self.order.reported_by, notices=self.policy.reported, detail=detail)
        loss = LOSSES.get(self.order.kind)
        if loss and self.order.licence_id:
            told = ReportedLoss(event_id=self.order.report_id, actor=self.order.reported_by, loss=loss)
            self.start(self._tell_licence(self.order.licence_id, told))

    async def _resolved(self) -> None:
        await workflow.wait_condition(lambda: self.state.stage is ReviewStage.RESOLVED)

    @workflow.update
    async def triage(self, request: Triage) -> ReviewReceipt:
        """How grave it is, and who takes it on: from now on the time for a resolution runs."""
        async with self.asked():
            rules.may_triage(self.state)
            rules.triage(self.state, request, workflow.now())
            self.clocks.meet(TRIAGE, request.actor)
            self.clocks.arm(self.policy.resolution.of(request.severity), RESOLUTION)
            await self.write(ReviewEvent.TRIAGED, request.actor, StepDetail(code=request.severity))
            return self._receipt()

    @triage.validator
    def _triage_allowed(self, request: Triage) -> None:
        with refusals():
            rules.may_triage(self.state)

    @workflow.update
    async def resolve(self, request: Resolve) -> ReviewReceipt:
        """What comes of it. An outcome that suspends takes effect on the licences at once."""
        async with self.asked():
            rules.may_resolve(self.order, self.state, request)
            rules.resolve(self.state, request, workflow.now())
            self.clocks.meet(RESOLUTION, request.actor)
            detail = StepDetail(code=request.outcome)
            await self.write(ReviewEvent.RESOLVED, request.actor, detail, notices=self.policy.resolved)
            if request.outcome in SUSPENDING:
                self._suspend(request)
            return self._receipt()

    @resolve.validator
    def _resolve_allowed(self, request: Resolve) -> None:
        with refusals():
            rules.may_resolve(self.order, self.state, request)

    @workflow.update
    async def acknowledge_escalation(self, request: AcknowledgeReview) -> ReviewReceipt:
        """Somebody takes a late matter on: its ladder is climbed no further."""
        async with self.asked():
            await self.acknowledge(request.clock, request.actor)
            return self._receipt()

    @acknowledge_escalation.validator
    def _acknowledge_allowed(self, request: AcknowledgeReview) -> None:
        with refusals():
            may_acknowledge(self.state, request.clock)

    @workflow.query
    def status(self) -> ReviewSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))

    def look(self) -> ReviewSnapshot:
        return rules.snapshot(self.order, self.state)

    def _suspend(self, request: Resolve) -> None:
        for licence_id in request.licence_ids:
            told = ReportedLoss(
                event_id=self.order.report_id,
                actor=request.actor,
                loss="suspended",
                reason=LossReason.REVIEW_OUTCOME,
            )
            self.start(self._tell_licence(licence_id, told))

    async def _tell_licence(self, licence_id: str, told: ReportedLoss) -> None:
        """Its case may not run yet. If it never does a person is told, since nothing must be lost in silence."""
        licence = workflow.get_external_workflow_handle(names.licence_case(licence_id))
        for number in range(TRIES):
            try:
                await licence.signal(signals.LOSS_REPORTED, told)
            except FailureError:
                await workflow.sleep(FIRST_WAIT * (1 << number), summary="the licence's case does not run yet")
            else:
                return
        async with self.turn():
            await self.write(
                ReviewEvent.LICENCE_NOT_REACHED,
                detail=StepDetail(subject=licence_id),
                notices=(tell(Audience.OPERATIONS, "licence_not_reached"),),
            )

    def _receipt(self) -> ReviewReceipt:
        return ReviewReceipt(sequence=self.state.sequence, stage=self.state.stage)


@workflow.defn(name=Process.CREDENTIAL_EVENT)
class CredentialEvent(Review):
    """Something that happened to a clinician's licences or standing, reported promptly (K-01 to K-04)."""

    @workflow.init
    def __init__(self, order: ReviewOrder) -> None:
        super().__init__(names.credential_event_case(order.report_id), order)

    @workflow.run
    async def run(self, _: ReviewOrder) -> ReviewReceipt:
        return await self.review()


@workflow.defn(name=Process.CONDUCT_REPORT)
class ConductReport(Review):
    """How a clinician behaved, or referred patients off the platform (V-17, V-18)."""

    @workflow.init
    def __init__(self, order: ReviewOrder) -> None:
        super().__init__(names.conduct_report_case(order.report_id), order)

    @workflow.run
    async def run(self, _: ReviewOrder) -> ReviewReceipt:
        return await self.review()
