"""What every track of a visit stands on: its order, its state, its record."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.contracts import Effect, SaveVisit, StepDetail
from domain import names
from domain.actors import SYSTEM, Actor, Notice
from domain.econsult.acts import FollowUpNews, FollowUpReport
from domain.visit.acts import VisitReceipt
from domain.visit.state import VisitOrder, VisitState
from domain.visit.states import RECORD_STATUS, VisitEvent, VisitStage
from domain.visit.view import VisitSnapshot, snapshot
from workflows import signals
from workflows.case import Case


class VisitCase(Case):
    def __init__(self, order: VisitOrder) -> None:
        self.order = order
        self.policy = order.policy
        self.state = VisitState(starts_at=order.starts_at)
        self._saved = self._record_of_visit()
        super().__init__(names.visit_case(order.visit_id), self.state)

    def look(self) -> VisitSnapshot:
        return snapshot(self.order, self.state)

    async def record(
        self,
        event: VisitEvent,
        actor: Actor = SYSTEM,
        detail: StepDetail | None = None,
        effects: Iterable[Effect] = (),
        notices: Iterable[Notice] = (),
    ) -> VisitReceipt:
        """Write the step, and the visit's record where it changed; what the caller reads next includes both."""
        saved = self._record_of_visit()
        changed = (saved,) if saved != self._saved else ()
        sequence = await self.write(event, actor, detail, (*changed, *effects), notices)
        self._saved = saved
        return self.receipt(sequence)

    def receipt(self, sequence: int | None = None) -> VisitReceipt:
        return VisitReceipt(sequence=sequence or self.state.sequence, stage=self.state.stage)

    def end(self, stage: VisitStage, by: Actor, reason: str) -> None:
        """The visit does not take place, or no more."""
        self.state.stage = stage
        self.state.ended_at = workflow.now()
        self.state.ended_by = by
        self.state.end_reason = reason
        self.clocks.cancel_all(reason)

    def tell_econsult(self, news: FollowUpNews) -> None:
        """The eConsult that this visit follows up hears what became of it."""
        if self.order.econsult_id is not None:
            report = FollowUpReport(visit_id=self.order.visit_id, news=news, starts_at=self.state.starts_at)
            self.start(self._signal_econsult(names.econsult_case(self.order.econsult_id), report))

    async def _signal_econsult(self, case_id: str, report: FollowUpReport) -> None:
        handle = workflow.get_external_workflow_handle(case_id)
        try:
            await handle.signal(signals.FOLLOW_UP_VISIT_REPORTED, report)
        except FailureError:
            workflow.logger.warning("the eConsult of this visit is over")

    def _record_of_visit(self) -> SaveVisit:
        state = self.state
        both = (state.clinician_joined_at, state.patient_joined_at)
        begun = max(at for at in both if at is not None) if None not in both else None
        return SaveVisit(
            visit_id=self.order.visit_id,
            status=RECORD_STATUS[state.stage],
            starts_at=state.starts_at,
            started_at=begun,
            completed_at=state.completed_at,
        )
