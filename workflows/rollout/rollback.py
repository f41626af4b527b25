"""Rollback: being built."""

from __future__ import annotations

from temporalio import workflow

from domain import names
from domain.names import Process
from domain.rollout.orders import RollbackOrder
from domain.rollout.rollback.state import RollbackState
from domain.rollout.rollback.view import RollbackSnapshot
from workflows.case import Case


@workflow.defn(name=Process.ROLLBACK)
class Rollback(Case):
    @workflow.init
    def __init__(self, order: RollbackOrder) -> None:
        self.order = order
        self.state = RollbackState()
        super().__init__(names.rollback_case(order.program_id, order.location_id, order.number), self.state)

    @workflow.run
    async def run(self, _: RollbackOrder) -> None:
        raise NotImplementedError

    def look(self) -> RollbackSnapshot:
        raise NotImplementedError
