"""What Temporal starts by the clock."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import SearchAttributePair as Pair
from temporalio.common import TypedSearchAttributes

from activities.contracts import SweepInput
from domain import names
from domain.names import Process, TaskQueue
from workflows import search_attributes as attributes
from workflows.reconcile import Reconcile

SWEEP_EVERY = timedelta(minutes=1)
SWEEP_LIMIT = 200


async def ensure_schedule(client: Client) -> None:
    """Create the schedule of the sweep, or bring it up to date. An operator's pause is kept."""
    schedule = _reconcile()

    def updated(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule)

    try:
        await client.create_schedule(names.RECONCILE_SCHEDULE, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(names.RECONCILE_SCHEDULE).update(updated)


def _reconcile() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Reconcile.run,
            SweepInput(limit=SWEEP_LIMIT),
            id=names.RECONCILE_SCHEDULE,
            task_queue=TaskQueue.ECONSULTS,
            execution_timeout=timedelta(minutes=30),
            typed_search_attributes=TypedSearchAttributes([Pair(attributes.PROCESS, str(Process.RECONCILE))]),
            static_summary="Repair what got lost between records and cases",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_EVERY)]),
        # After an outage one sweep does the work of all that were missed.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=SWEEP_EVERY),
    )
