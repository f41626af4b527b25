"""Wave: being built."""

from __future__ import annotations

from temporalio import workflow

from domain import names
from domain.names import Process
from domain.rollout.orders import WaveOrder
from domain.rollout.wave.state import WaveState
from domain.rollout.wave.view import WaveSnapshot
from workflows.case import Case


@workflow.defn(name=Process.WAVE)
class Wave(Case):
    @workflow.init
    def __init__(self, order: WaveOrder) -> None:
        self.order = order
        self.state = WaveState()
        super().__init__(names.wave_case(order.program_id, order.planned.number), self.state)

    @workflow.run
    async def run(self, _: WaveOrder) -> None:
        raise NotImplementedError

    def look(self) -> WaveSnapshot:
        raise NotImplementedError
