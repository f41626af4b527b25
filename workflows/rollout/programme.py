"""Rollout: being built."""

from __future__ import annotations

from temporalio import workflow

from domain import names
from domain.names import Process
from domain.rollout.orders import RolloutOrder
from domain.rollout.programme.state import ProgrammeState
from domain.rollout.programme.view import ProgrammeSnapshot
from workflows.case import Case


@workflow.defn(name=Process.ROLLOUT)
class Rollout(Case):
    @workflow.init
    def __init__(self, order: RolloutOrder) -> None:
        self.order = order
        self.state = ProgrammeState()
        super().__init__(names.rollout_case(order.program_id), self.state)

    @workflow.run
    async def run(self, _: RolloutOrder) -> None:
        raise NotImplementedError

    def look(self) -> ProgrammeSnapshot:
        raise NotImplementedError
