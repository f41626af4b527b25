"""The schedule of the sweep, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from temporalio import activity
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow, ScheduleHandle
from temporalio.worker import Worker

from activities.contracts import (
    DeliveredNotices,
    DeliveredWebhooks,
    ReconcileReport,
    StartedCases,
    StrandedCases,
    SweepInput,
)
from crypto import Keyring
from domain import names
from domain.names import TaskQueue
from embedded.temporal_servers import DevServer
from schedules import SWEEP_LIMIT, ensure_schedule
from temporal_client import data_converter, register_search_attributes
from worker import BUILD, sandbox
from workflows.reconcile import Reconcile


class EndlessCases:
    """Sweep activities for which there is always more to look at."""

    @activity.defn
    async def start_missing_cases(self, sweep: SweepInput) -> StartedCases:
        return StartedCases(started=(f"limit {sweep.limit}",))

    @activity.defn
    async def deliver_pending_webhooks(self, sweep: SweepInput) -> DeliveredWebhooks:
        return DeliveredWebhooks()

    @activity.defn
    async def deliver_due_notices(self, sweep: SweepInput) -> DeliveredNotices:
        return DeliveredNotices()

    @activity.defn
    async def find_stranded(self, sweep: SweepInput) -> StrandedCases:
        return StrandedCases(after=sweep.after + "x")


@pytest.fixture
def address() -> Iterator[str]:
    with DevServer() as server:
        yield server.address


async def test_sweeps_on_a_schedule_and_goes_on_where_the_last_one_stopped(address: str, keyring: Keyring) -> None:
    client = await Client.connect(address, data_converter=data_converter(keyring))
    await register_search_attributes(client)
    await ensure_schedule(client)
    handle = client.get_schedule_handle(names.RECONCILE_SCHEDULE)
    await handle.pause(note="an operator looks into something")
    await ensure_schedule(client)
    assert (await handle.describe()).schedule.state.paused
    async with _worker(client):
        first, second = await _swept(client, handle, 1), await _swept(client, handle, 2)
    assert first.cases.started == (f"limit {SWEEP_LIMIT}",)
    assert (first.stranded.after, second.stranded.after) == ("x", "xx")


def _worker(client: Client) -> Worker:
    activities = EndlessCases()
    return Worker(
        client,
        task_queue=TaskQueue.ECONSULTS,
        workflows=[Reconcile],
        activities=[
            activities.start_missing_cases,
            activities.deliver_pending_webhooks,
            activities.deliver_due_notices,
            activities.find_stranded,
        ],
        workflow_runner=sandbox(),
        build_id=BUILD,
    )


async def _swept(client: Client, schedule: ScheduleHandle, times: int) -> ReconcileReport:
    """Trigger the schedule and wait for the result of its run."""
    await schedule.trigger()
    async with asyncio.timeout(20):
        while len(actions := (await schedule.describe()).info.recent_actions) < times:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        action = actions[-1].action
        assert isinstance(action, ScheduleActionExecutionStartWorkflow)
        report: ReconcileReport = await client.get_workflow_handle(
            action.workflow_id, result_type=ReconcileReport
        ).result()
        return report
