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
from activities.rollout_contracts import CadenceOrder
from domain import names
from domain.names import Process, TaskQueue
from domain.rollout.cadences import CadencePolicy, CadenceSpec
from workflows import search_attributes as attributes
from workflows.reconcile import Reconcile
from workflows.rollout.cadence import Cadence

SWEEP_EVERY = timedelta(minutes=1)
SWEEP_LIMIT = 200
CATCH_UP = timedelta(days=1)
"""How long after its time a regular report is still sent."""


async def ensure_schedule(client: Client) -> None:
    """Create the schedule of the sweep, or bring it up to date. An operator's pause is kept."""
    await _ensure(client, names.RECONCILE_SCHEDULE, _reconcile())


async def ensure_cadences(client: Client, policy: CadencePolicy) -> None:
    """The same for the regular reports of rollouts, one schedule each (A-03)."""
    for spec in policy.cadences:
        await _ensure(client, names.cadence_schedule(spec.cadence), _cadence(spec))


async def _ensure(client: Client, schedule_id: str, schedule: Schedule) -> None:
    def updated(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule)

    try:
        await client.create_schedule(schedule_id, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(schedule_id).update(updated)


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


def _cadence(spec: CadenceSpec) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Cadence.run,
            CadenceOrder(cadence=spec.cadence),
            id=names.cadence_schedule(spec.cadence),
            task_queue=TaskQueue.ROLLOUTS,
            execution_timeout=timedelta(minutes=30),
            typed_search_attributes=TypedSearchAttributes([Pair(attributes.PROCESS, str(Process.CADENCE))]),
            static_summary=f"Regular report, {spec.cadence}",
        ),
        spec=ScheduleSpec(cron_expressions=[spec.cron]),
        # A report that was missed in an outage is sent afterwards. A period has one, however often it is asked for.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=CATCH_UP),
    )
