"""How the processes of a rollout start and reach each other: by name and id, so that none imports another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributePair as Pair
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError

from domain import names
from domain.names import Process
from domain.rollout.orders import LocationOrder, RollbackOrder, WaveOrder
from workflows import search_attributes as attributes


async def start_wave(order: WaveOrder) -> None:
    """Start it; one that runs or ran before stays as it is."""
    number = order.planned.number
    await _start(
        Process.WAVE,
        order,
        names.wave_case(order.program_id, number),
        f"Wave {number}, {len(order.planned.locations)} locations",
        (*_common(Process.WAVE, order.program_id, order.policy_version), Pair(attributes.WAVE_NUMBER, number)),
    )


async def start_location(order: LocationOrder) -> None:
    location_id = order.location.location_id
    await _start(
        Process.LOCATION,
        order,
        names.location_case(order.program_id, location_id),
        f"Location {location_id}",
        (
            *_common(Process.LOCATION, order.program_id, order.policy_version),
            Pair(attributes.LOCATION_ID, location_id),
        ),
    )


async def start_rollback(order: RollbackOrder) -> None:
    await _start(
        Process.ROLLBACK,
        order,
        names.rollback_case(order.program_id, order.location_id, order.number),
        f"Rollback {order.number} of {order.location_id}, {order.issue}",
        (
            *_common(Process.ROLLBACK, order.program_id, order.policy_version),
            Pair(attributes.LOCATION_ID, order.location_id),
        ),
    )


async def send(case_id: str, signal: str, news: object) -> bool:
    """Tell another process. False when it is over, or was never started."""
    try:
        await workflow.get_external_workflow_handle(case_id).signal(signal, news)
    except FailureError:
        return False
    return True


async def _start(
    process: Process,
    order: WaveOrder | LocationOrder | RollbackOrder,
    case_id: str,
    summary: str,
    pairs: Iterable[Pair[str] | Pair[int]],
) -> None:
    try:
        child = await workflow.start_child_workflow(
            process,
            order,
            id=case_id,
            # A parent that continues as new would otherwise end its children.
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=TypedSearchAttributes(list(pairs)),
            static_summary=summary,
        )
    except WorkflowAlreadyStartedError:
        return
    child.add_done_callback(_heard)


def _heard(child: asyncio.Task[Any]) -> None:
    """Its own news says how it ended: a cancelled one is not reported as an error that nobody looked at."""
    if not child.cancelled():
        child.exception()


def _common(process: Process, program_id: str, policy_version: str) -> tuple[Pair[str], ...]:
    return (
        Pair(attributes.PROCESS, str(process)),
        Pair(attributes.PROGRAM_ID, program_id),
        Pair(attributes.POLICY_VERSION, policy_version),
    )
