"""Acting so that nothing is under way any more when an act returns: commands then come in one order only."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import WorkflowHistory

from domain import names
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal
from tests.workflows.consult import Consult, People


class SettlingConsult(Consult):
    @property
    def case_id(self) -> str:
        return names.econsult_case(self.econsult_id)

    async def settle(self) -> None:
        await self.world.synchronise()
        await settled(self.world, self.case_id)

    async def pass_time(self, duration: timedelta) -> None:
        await self.world.advance(duration)
        await self.settle()

    async def pay_at_once(self) -> str:
        payment = await self.pay()
        await self.happened("fee_booked")
        await self.assigned()
        await self.settle()
        return payment

    async def watch_out(self) -> str:
        """Let the case come to its end; its id."""
        await self.world.env.sleep(self.policy.money_watch + timedelta(days=1))
        await self.settle()
        return self.case_id


async def placed(world: Rehearsal, people: People) -> SettlingConsult:
    consult = SettlingConsult(world, people)
    await consult.place()
    await consult.settle()
    return consult


async def history_of(world: Rehearsal, execution_id: str) -> WorkflowHistory:
    return await world.client.get_workflow_handle(execution_id).fetch_history()


async def settled(world: Rehearsal, execution_id: str) -> None:
    """Wait, without letting time pass, until the execution waits for the world or is over."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await _rests(world, execution_id):
                await world.stripe.webhooks.settled()
                return
            await asyncio.sleep(POLL_SECONDS)


async def _rests(world: Rehearsal, execution_id: str) -> bool:
    described = DescribeWorkflowExecutionRequest(
        namespace=world.client.namespace, execution=WorkflowExecution(workflow_id=execution_id)
    )
    found = await world.client.workflow_service.describe_workflow_execution(described)
    if found.workflow_execution_info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
        return True
    # This server does not describe pending workflow tasks.
    events = (await history_of(world, execution_id)).events
    tasks = [event.event_type for event in events if event.event_type in _WORKFLOW_TASK]
    asked = sum((event.event_type in _ASKS) - (event.event_type in _ANSWERS) for event in events)
    return not found.pending_activities and not asked and tasks[-1] == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


_ASKS = {
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
}
_ANSWERS = {
    EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
}
"""Whether other executions took what they were told, or were started."""

_WORKFLOW_TASK = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
}
