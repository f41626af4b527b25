"""The references: a workflow that does nothing but take acts and record them, and one that only waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.client import Client

from workflows.options import RECORD

ACTS = 9
"""As many as the happy path of an eConsult has: checkout, payment, fee, accept, reply, book, ask, answer, complete."""


@activity.defn
async def record(step: int) -> int:
    return step


@workflow.defn
class Bare:
    def __init__(self) -> None:
        self.steps = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.execute_local_activity(record, 0, **RECORD)
        await workflow.wait_condition(lambda: self.steps == ACTS)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.steps

    @workflow.update
    async def act(self, step: int) -> int:
        await workflow.execute_local_activity(record, step, **RECORD)
        self.steps += 1
        return self.steps

    @staticmethod
    async def live(client: Client, task_queue: str) -> str:
        """A whole life; the workflow's id."""
        workflow_id = f"bare:{uuid4()}"  # made by the client, outside the workflow
        handle = await client.start_workflow(Bare.run, id=workflow_id, task_queue=task_queue)
        for step in range(ACTS):
            await handle.execute_update(Bare.act, step)
        await handle.result()
        return workflow_id


NOTED: list[float] = []
"""Seconds by which each bare timer was late, in this process."""


@activity.defn
async def note(due: datetime) -> None:
    NOTED.append((datetime.now(UTC) - due).total_seconds())


@workflow.defn
class BareTimer:
    """Waits for a moment, then runs one local activity."""

    @workflow.run
    async def run(self, due: datetime) -> None:
        await asyncio.sleep(max((due - workflow.now()).total_seconds(), 0))
        await workflow.execute_local_activity(note, due, **RECORD)
