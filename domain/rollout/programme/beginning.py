"""How a programme begins: what is owed by when, and the clocks that ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from domain.clock import ClockPolicy
from domain.rollout.orders import RolloutOrder
from domain.rollout.people import Function
from domain.rollout.programme.policy import Chase
from domain.rollout.programme.state import Approval, ComplianceMark, HostingDecision, LocationRecord, ProgrammeState
from domain.rollout.tasks import TaskSpec, TaskState

COMPLIANCE = "compliance"
PILOT = "pilot"


class Armed(NamedTuple):
    """A clock, and from when its times count."""

    policy: ClockPolicy
    counts_from: datetime


def task_clock(task_id: str) -> str:
    return f"task:{task_id}"


def approval_clock(function: Function) -> str:
    return f"approval:{function}"


def fresh(order: RolloutOrder) -> ProgrammeState:
    policy = order.policy.programme
    return ProgrammeState(
        plan=order.plan,
        hosting=HostingDecision(hosting=order.hosting),
        tasks={spec.task_id: TaskState() for spec in policy.all_tasks},
        approvals={one.function: Approval() for one in policy.approvers_for(order.spend_cents)},
        compliance={point.point_id: ComplianceMark() for point in policy.compliance},
        locations={one.location_id: LocationRecord() for one in order.locations},
        waivers=order.waivers,
    )


def due_days(order: RolloutOrder) -> tuple[int, ...]:
    """The business days by which something is owed, by number (decision 22)."""
    policy = order.policy.programme
    listed = {spec.due_business_day for spec in policy.tasks if spec.due_business_day is not None}
    lists = {policy.approvals_due_business_day, policy.compliance_due_business_day, policy.pilot_due_business_day}
    return tuple(sorted(listed | lists))


def set_due(order: RolloutOrder, state: ProgrammeState, ends: Mapping[int, datetime]) -> tuple[Armed, ...]:
    """`ends` says when those days end. The clocks that are to be armed."""
    policy = order.policy.programme
    for spec in policy.tasks:
        if spec.due_business_day is not None:
            state.tasks[spec.task_id] = TaskState(due=ends[spec.due_business_day])
    state.approvals = {function: Approval(due=ends[policy.approvals_due_business_day]) for function in state.approvals}
    state.compliance_due = ends[policy.compliance_due_business_day]
    state.pilot_due = ends[policy.pilot_due_business_day]
    return tuple(_armed(order, state))


def _armed(order: RolloutOrder, state: ProgrammeState) -> Iterator[Armed]:
    policy = order.policy.programme
    for spec in policy.tasks:
        due = state.tasks[spec.task_id].due
        if due is not None:
            yield of_task(order, spec, due)
    for function in state.approvals:
        yield of_approval(order, state, function)
    assert state.compliance_due is not None
    owners = tuple(dict.fromkeys(point.owners[0] for point in policy.compliance))
    yield _chased(policy.compliance_chase, COMPLIANCE, owners, state.compliance_due)
    yield of_pilot(order, state)


def of_task(order: RolloutOrder, spec: TaskSpec, due: datetime) -> Armed:
    return _chased(order.policy.programme.chases[spec.party], task_clock(spec.task_id), (spec.owner,), due)


def of_approval(order: RolloutOrder, state: ProgrammeState, function: Function) -> Armed:
    due = state.approvals[function].due
    assert due is not None
    return _chased(order.policy.programme.approval_chase, approval_clock(function), (function,), due)


def of_pilot(order: RolloutOrder, state: ProgrammeState) -> Armed:
    assert state.pilot_due is not None
    return _chased(order.policy.programme.pilot_chase, PILOT, (Function.VP_OPERATIONS,), state.pilot_due)


def _chased(chase: Chase, name: str, owners: tuple[Function, ...], due: datetime) -> Armed:
    return Armed(chase.clock_for(name, owners), due - chase.lead)
