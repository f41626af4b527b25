"""What an ungated edit of the eConsult would look like. In a file of its own, which the sandbox can import."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from domain.econsult import acts
from domain.econsult.state import EConsultOrder
from domain.names import Process
from workflows.econsult import workflow as original


@workflow.defn(name=Process.ECONSULT)
class SleepsFirst(original.EConsult):
    @workflow.init
    def __init__(self, order: EConsultOrder) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: EConsultOrder) -> acts.Receipt:
        await workflow.sleep(timedelta(minutes=1))
        return await super().run(order)


@workflow.defn(name=Process.ECONSULT)
class SleepsFirstInNewExecutions(original.EConsult):
    """The same edit as it should be made."""

    @workflow.init
    def __init__(self, order: EConsultOrder) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: EConsultOrder) -> acts.Receipt:
        if workflow.patched("sleeps-first"):
            await workflow.sleep(timedelta(minutes=1))
        return await super().run(order)
