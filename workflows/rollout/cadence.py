"""A regular report, on its schedule: worked out from the records and sent to the people of each programme (A-03)."""

from __future__ import annotations

from temporalio import workflow

from activities.cadences import CadenceActivities
from activities.rollout_contracts import CadenceInput, CadenceOrder, CadenceResult
from domain.names import Process
from workflows.options import SWEEP


@workflow.defn(name=Process.CADENCE)
class Cadence:
    """Its result names the reports that are new."""

    @workflow.run
    async def run(self, order: CadenceOrder) -> CadenceResult:
        asked = CadenceInput(cadence=order.cadence, at=workflow.now())
        return await workflow.execute_activity_method(CadenceActivities.publish_reports, asked, **SWEEP)
