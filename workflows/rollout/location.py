"""Location: being built."""

from __future__ import annotations

from temporalio import workflow

from domain import names
from domain.names import Process
from domain.rollout.location.state import LocationState
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.orders import LocationOrder
from workflows.case import Case


@workflow.defn(name=Process.LOCATION)
class Location(Case):
    @workflow.init
    def __init__(self, order: LocationOrder) -> None:
        self.order = order
        self.state = LocationState()
        super().__init__(names.location_case(order.program_id, order.location.location_id), self.state)

    @workflow.run
    async def run(self, _: LocationOrder) -> None:
        raise NotImplementedError

    def look(self) -> LocationSnapshot:
        raise NotImplementedError
