"""What a Rollout workflow shows after each step."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from domain.case import WaitsFor, progress
from domain.model import Value
from domain.rollout.forecast import ProgrammeForecast
from domain.rollout.news import Clearance, IssueClass
from domain.rollout.orders import RolloutOrder
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase, ProgrammePhase, WavePhase
from domain.rollout.plan import Plan
from domain.rollout.program import Waiver
from domain.rollout.programme import rules
from domain.rollout.programme.looking_ahead import look_ahead
from domain.rollout.programme.policy import Hours
from domain.rollout.programme.state import (
    ApprovalStatus,
    Attestation,
    HostingDecision,
    ProgrammeState,
    Reforecast,
    Slip,
)
from domain.rollout.snapshot import RolloutCaseSnapshot
from domain.rollout.tasks import Party, TaskState, TaskStatus


class TaskView(Value):
    task_id: str
    title: str
    requirement: str
    party: Party
    owner: Function
    critical: bool
    status: TaskStatus
    due: datetime | None
    late: bool
    """Overdue, or it was done after its day."""
    evidence_id: str | None
    location_ids: tuple[str, ...]


class ApprovalView(Value):
    function: Function
    covers: tuple[str, ...]
    status: ApprovalStatus
    at: datetime | None
    note_id: str | None


class ComplianceView(Value):
    point_id: str
    title: str
    owners: tuple[Function, ...]
    status: Attestation
    at: datetime | None
    evidence_id: str | None


class WaveView(Value):
    number: int
    locations: tuple[str, ...]
    phase: WavePhase
    planned_from: date
    planned_to: date
    forecast_from: date
    forecast_to: date
    started_at: datetime | None
    closed_at: datetime | None
    extended_weeks: int


class LocationView(Value):
    location_id: str
    region: str
    wave: int | None
    phase: LocationPhase
    deployed: bool
    baseline_validated: bool
    issues: tuple[IssueClass, ...]
    rollbacks: int
    missing: tuple[str, ...]


class ProgrammeSnapshot(RolloutCaseSnapshot):
    process: Literal["Rollout"] = "Rollout"
    phase: ProgrammePhase
    starts_on: date
    plan: Plan
    """That the programme follows."""
    plan_version: int
    hosting: HostingDecision
    tasks: tuple[TaskView, ...]
    tasks_open: int
    tasks_late: int
    """Of the open ones."""
    approvals: tuple[ApprovalView, ...]
    compliance: tuple[ComplianceView, ...]
    clearances: tuple[Clearance, ...]
    pilot_approved: bool
    stakeholders_told_at: datetime | None
    waves: tuple[WaveView, ...]
    locations: tuple[LocationView, ...]
    missing: tuple[str, ...]
    """What the next wave waits for, as stable codes, apart from its day."""
    waivers: tuple[Waiver, ...]
    planned_end: date
    forecast: ProgrammeForecast
    slips: tuple[Slip, ...]
    reforecasts: tuple[Reforecast, ...]
    optimization_from: datetime | None
    baseline_effort_hours: Hours
    completed_at: datetime | None
    cancelled_at: datetime | None
    cancel_reason: str | None


_FROM_STATE = (
    "plan",
    "hosting",
    "stakeholders_told_at",
    "holds",
    "waivers",
    "slips",
    "reforecasts",
    "optimization_from",
    "completed_at",
    "cancelled_at",
    "cancel_reason",
)


def phase(state: ProgrammeState) -> ProgrammePhase:
    """Computed, never stored. What holds the programme hides how far it is."""
    if state.cancelled_at is not None:
        return ProgrammePhase.CANCELLED
    if state.completed_at is not None:
        return ProgrammePhase.COMPLETE
    if rules.systemic_holds(state):
        return ProgrammePhase.PAUSED_SYSTEMIC
    if state.holds:
        return ProgrammePhase.ON_HOLD
    return reached(state)


def reached(state: ProgrammeState) -> ProgrammePhase:
    """How far it is, whatever holds it (R-05)."""
    if state.optimization_from is not None:
        return ProgrammePhase.OPTIMIZATION
    started = [number for number, record in state.waves.items() if record.started_at is not None]
    if not started:
        return ProgrammePhase.PRE_IMPLEMENTATION
    return ProgrammePhase.PILOT if len(started) == 1 else ProgrammePhase.EXPANSION


def snapshot(order: RolloutOrder, state: ProgrammeState, now: datetime) -> ProgrammeSnapshot:
    forecast = look_ahead(order, state, now)
    tasks = task_views(order, state, now)
    waiting = _waiting_wave(state)
    return ProgrammeSnapshot.model_validate(
        {
            **progress(state),
            **{name: getattr(state, name) for name in _FROM_STATE},
            "program_id": order.program_id,
            "policy_version": order.policy.version,
            "business_state": phase(state),
            "phase": phase(state),
            "starts_on": order.starts_on,
            "plan_version": state.plan.version,
            "waits_for": waits_for(state, tasks),
            "tasks": tasks,
            "tasks_open": sum(task.status is TaskStatus.OPEN for task in tasks),
            "tasks_late": sum(task.late and task.status is TaskStatus.OPEN for task in tasks),
            "approvals": _approvals(order, state),
            "compliance": _compliance(order, state),
            "clearances": tuple(sorted(rules.clearances(order, state))),
            "pilot_approved": rules.pilot_approved(state),
            "waves": tuple(_wave(state, forecast, number) for number in (wave.number for wave in rules.waves(state))),
            "locations": _locations(order, state),
            "missing": rules.missing_for_wave(order, state, waiting, now) if waiting else (),
            "planned_end": state.plan.ends_on,
            "forecast": forecast,
            "baseline_effort_hours": order.policy.programme.baseline_effort_hours,
        }
    )


def task_views(order: RolloutOrder, state: ProgrammeState, now: datetime) -> tuple[TaskView, ...]:
    return tuple(
        TaskView(
            **spec.model_dump(include={"task_id", "title", "requirement", "party", "owner", "critical"}),
            **state.tasks[spec.task_id].model_dump(include={"status", "due", "evidence_id", "location_ids"}),
            late=_is_late(state.tasks[spec.task_id], now),
        )
        for spec in order.policy.programme.all_tasks
    )


def _is_late(task: TaskState, now: datetime) -> bool:
    return task.due is not None and (task.ended_at or now) > task.due


def _approvals(order: RolloutOrder, state: ProgrammeState) -> tuple[ApprovalView, ...]:
    covers = {one.function: one.covers for one in order.policy.programme.approvers}
    return tuple(
        ApprovalView(function=one, covers=covers[one], **found.model_dump(include={"status", "at", "note_id"}))
        for one, found in state.approvals.items()
    )


def _compliance(order: RolloutOrder, state: ProgrammeState) -> tuple[ComplianceView, ...]:
    return tuple(
        ComplianceView(
            **point.model_dump(include={"point_id", "title", "owners"}),
            **state.compliance[point.point_id].model_dump(include={"status", "at", "evidence_id"}),
        )
        for point in order.policy.programme.compliance
    )


def _wave(state: ProgrammeState, forecast: ProgrammeForecast, number: int) -> WaveView:
    planned = next(wave for wave in state.plan.waves if wave.number == number)
    ahead = forecast.wave(number)
    return WaveView(
        number=number,
        locations=planned.locations,
        planned_from=planned.starts_on,
        planned_to=planned.ends_on,
        forecast_from=ahead.starts_on,
        forecast_to=ahead.ends_on,
        **state.wave(number).model_dump(include={"phase", "started_at", "closed_at", "extended_weeks"}),
    )


def _locations(order: RolloutOrder, state: ProgrammeState) -> tuple[LocationView, ...]:
    waves = {one: wave.number for wave in state.plan.waves for one in wave.locations}
    shown = {"phase", "deployed", "baseline_validated", "issues", "rollbacks", "missing"}
    return tuple(
        LocationView(
            location_id=one.location_id,
            region=one.region,
            wave=waves.get(one.location_id),
            **state.locations[one.location_id].model_dump(include=shown),
        )
        for one in order.locations
    )


def _waiting_wave(state: ProgrammeState) -> int | None:
    """The number of the next wave to start."""
    ahead = (wave.number for wave in rules.waves(state) if state.wave(wave.number).started_at is None)
    return None if state.over else next(ahead, None)


def waits_for(state: ProgrammeState, tasks: tuple[TaskView, ...]) -> tuple[WaitsFor, ...]:
    """Open matters by who has them; a wave or the calendar where nobody has any."""
    if state.over:
        return ()
    waits = [WaitsFor(who="vp_operations", what=f"lifting the hold {hold.reason}") for hold in state.holds]
    for function, approval in state.approvals.items():
        if approval.status is not ApprovalStatus.APPROVED:
            waits.append(WaitsFor(who=function, what="an approval"))
    if not rules.pilot_approved(state) and not rules.any_wave_started(state):
        waits.append(WaitsFor(who=Function.VP_OPERATIONS, what="the approval of the pilot locations"))
    if any(mark.status is not Attestation.PASS for mark in state.compliance.values()):
        waits.append(WaitsFor(who=Function.COMPLIANCE, what="the compliance list"))
    due = {task.owner for task in tasks if task.status is TaskStatus.OPEN and task.due is not None}
    waits += [WaitsFor(who=owner, what="open tasks") for owner in Function if owner in due]
    current = rules.next_wave(state)
    if current is not None and state.wave(current.number).started_at is not None:
        waits.append(WaitsFor(who=f"wave {current.number}", what="its closing"))
    return tuple(waits)
