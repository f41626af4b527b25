"""Each regular report has a schedule of its own, which starts what publishes it; on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow, ScheduleHandle
from temporalio.worker import Worker

from activities.cadences import CadenceActivities
from activities.rollout_contracts import CadenceResult
from crypto import Keyring
from domain import names, policy
from domain.names import TaskQueue
from domain.rollout.cadences import Cadence
from embedded.temporal_servers import DevServer
from schedules import ensure_cadences
from temporal_client import data_converter, register_search_attributes
from worker import BUILD, sandbox
from workflows.rollout.cadence import Cadence as CadenceWorkflow

POLICY = policy.load().rollout.cadences


class Programmes:
    """The port `CadenceReports`: two programmes, each with a report of each period."""

    def __init__(self) -> None:
        self.published: set[str] = set()
        self.asked_at: list[datetime] = []

    async def programmes(self) -> list[str]:
        return ["one", "two"]

    async def publish(self, program_id: str, cadence: Cadence, at: datetime) -> tuple[str, ...]:
        self.asked_at.append(at)
        report_id = f"{program_id}:{cadence}"
        new = {report_id} - self.published
        self.published |= new
        return tuple(new)


@pytest.fixture
def address() -> Iterator[str]:
    with DevServer() as server:
        yield server.address


async def test_reports_are_published_on_their_schedules_and_not_again(address: str, keyring: Keyring) -> None:
    client = await Client.connect(address, data_converter=data_converter(keyring))
    await register_search_attributes(client)
    for _ in range(2):
        await ensure_cadences(client, POLICY)
    for spec in POLICY.cadences:
        handle = client.get_schedule_handle(names.cadence_schedule(spec.cadence))
        assert (await handle.describe()).info.next_action_times, spec.cadence
    programmes = Programmes()
    worker = Worker(
        client,
        task_queue=TaskQueue.ROLLOUTS,
        workflows=[CadenceWorkflow],
        activities=[CadenceActivities(programmes).publish_reports],
        workflow_runner=sandbox(),
        build_id=BUILD,
    )
    handle = client.get_schedule_handle(names.cadence_schedule(Cadence.BOARD_REPORT))
    async with worker:
        first, second = await _ran(client, handle, 1), await _ran(client, handle, 2)
    assert (first.published, second.published) == (("one:board_report", "two:board_report"), ())
    assert [at.utcoffset() for at in programmes.asked_at] == [timedelta()] * 4


async def _ran(client: Client, schedule: ScheduleHandle, times: int) -> CadenceResult:
    """Trigger the schedule and wait for the result of its run."""
    await schedule.trigger()
    async with asyncio.timeout(30):
        while len(actions := (await schedule.describe()).info.recent_actions) < times:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        action = actions[-1].action
        assert isinstance(action, ScheduleActionExecutionStartWorkflow)
        found: CadenceResult = await client.get_workflow_handle(action.workflow_id, result_type=CadenceResult).result()
        return found
