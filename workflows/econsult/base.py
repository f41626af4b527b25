"""What every track of an eConsult stands on: its order, its state, its record."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio import workflow

from activities.contracts import Effect, QueueNotice, SaveAssignment, StepDetail
from domain import names
from domain.actors import SYSTEM, Actor, Notice
from domain.econsult.acts import Receipt
from domain.econsult.state import EConsultOrder, EConsultState
from domain.econsult.states import AssignmentStatus, Event
from domain.econsult.view import EConsultSnapshot, snapshot
from workflows.case import Case


class EConsultCase(Case):
    def __init__(self, order: EConsultOrder) -> None:
        self.order = order
        self.policy = order.policy
        self.state = EConsultState(ordered_at=workflow.now())
        super().__init__(names.econsult_case(order.econsult_id), self.state)

    def look(self) -> EConsultSnapshot:
        return snapshot(self.order, self.state, workflow.now())

    async def record(
        self,
        event: Event,
        actor: Actor = SYSTEM,
        detail: StepDetail | None = None,
        effects: Iterable[Effect] = (),
        notices: Iterable[Notice] = (),
    ) -> Receipt:
        """Write the step; what the caller reads next includes it."""
        sequence = await self.write(event, actor, detail, effects, notices)
        return Receipt(sequence=sequence, stage=self.state.stage)

    def set_assignment(self, status: AssignmentStatus, reason: str | None = None) -> SaveAssignment:
        """Change the assignment in force; the effect goes into the step that records it."""
        current = self.state.assignment
        assert current is not None
        changed = current.model_copy(update={"status": status, "reason": reason, "at": workflow.now()})
        self.state.assignments[current.number - 1] = changed
        return SaveAssignment(assignment=changed)

    def queued(self, identity: str, notice: Notice) -> QueueNotice:
        latest = self.state.assignments[-1] if self.state.assignments else None
        return (
            super()
            .queued(identity, notice)
            .model_copy(
                update={
                    "specialist_id": latest.specialist_id if latest else None,
                    "link_number": self.state.link_number,
                }
            )
        )

    def remarks(self) -> tuple[str, ...]:
        if self.state.closed_at is None:
            return ()
        return (f"closed {self.state.closed_at:%Y-%m-%d %H:%M} UTC; kept open for refunds and disputes",)
