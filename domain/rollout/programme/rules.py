"""Which act is allowed when, and what a programme grants. A rule raises with a stable code, or returns nothing."""

from __future__ import annotations

from datetime import datetime

from domain.actors import Actor
from domain.errors import Forbidden, NotFound, Refused
from domain.rollout import tasks
from domain.rollout.holds import Hold, has
from domain.rollout.news import Clearance
from domain.rollout.orders import RolloutOrder
from domain.rollout.people import Function
from domain.rollout.plan import PlannedWave
from domain.rollout.programme import acts
from domain.rollout.programme.policy import CompliancePoint, Power, ProgrammePolicy
from domain.rollout.programme.state import ApprovalStatus, Attestation, ProgrammeState
from domain.rollout.tasks import CompleteTask, TaskStatus, WaiveTask

SYSTEMIC = "systemic:"
"""Holds whose reason begins so were placed by the system."""


def require(policy: ProgrammePolicy, power: Power, actor: Actor) -> None:
    """Raises `Forbidden` (`rollout.function_missing`)."""
    if actor.role not in policy.authority[power]:
        raise Forbidden("rollout.function_missing", f"this needs one of: {', '.join(sorted(policy.authority[power]))}")


def may_act(state: ProgrammeState) -> None:
    """Raises `Refused` (`programme.over`)."""
    if state.over:
        raise Refused("programme.over", "the programme is over")


def may_complete(order: RolloutOrder, state: ProgrammeState, asked: CompleteTask) -> None:
    """By its owner, or by who may complete any. Raises `Forbidden` and what tasks.may_complete raises, and `Refused`
    (`programme.over`, `task.too_early` for what belongs to the optimisation), `NotFound` (`location.unknown`).
    """
    may_act(state)
    policy = order.policy.programme
    spec = tasks.spec_of(policy.all_tasks, asked.task_id)
    if asked.actor.role != spec.owner:
        require(policy, Power.COMPLETE_ANY_TASK, asked.actor)
    if spec in policy.optimization_tasks and state.optimization_from is None:
        raise Refused("task.too_early", "this belongs to the optimisation", missing=("optimization",))
    for location_id in asked.location_ids:
        known_location(state, location_id)
    tasks.may_complete(policy.all_tasks, state.tasks, asked)


def may_waive(order: RolloutOrder, state: ProgrammeState, asked: WaiveTask) -> None:
    may_act(state)
    require(order.policy.programme, Power.WAIVE_TASK, asked.actor)
    tasks.may_waive(order.policy.programme.all_tasks, state.tasks, asked)


def may_decide_hosting(order: RolloutOrder, state: ProgrammeState, asked: acts.DecideHosting) -> None:
    """Until the first wave starts: what follows is built on it (H-01). Raises `Refused` (`wave.started`)."""
    may_act(state)
    require(order.policy.programme, Power.DECIDE_HOSTING, asked.actor)
    if any_wave_started(state):
        raise Refused("wave.started", "the first wave has started")


def known_location(state: ProgrammeState, location_id: str) -> None:
    """Raises `NotFound` (`location.unknown`)."""
    if location_id not in state.locations:
        raise NotFound("location.unknown", "there is no such location in this programme")


def any_wave_started(state: ProgrammeState) -> bool:
    return any(wave.started_at is not None for wave in state.waves.values())


def point_of(policy: ProgrammePolicy, point_id: str) -> CompliancePoint:
    """Raises `NotFound` (`compliance.unknown`)."""
    found = next((point for point in policy.compliance if point.point_id == point_id), None)
    if found is None:
        raise NotFound("compliance.unknown", "there is no such point on the compliance list")
    return found


def may_attest(order: RolloutOrder, state: ProgrammeState, asked: acts.AttestCompliance) -> None:
    """P-00. Raises `Forbidden` (`compliance.not_the_owner`), `Refused` (`compliance.task_open`,
    `compliance.evidence_missing`).
    """
    may_act(state)
    point = point_of(order.policy.programme, asked.point_id)
    if asked.actor.role not in point.owners:
        raise Forbidden("compliance.not_the_owner", f"this point is for: {', '.join(point.owners)}")
    if not asked.passed:
        return
    if wanting := tuple(need for need in point.needs if state.tasks[need].status is not TaskStatus.DONE):
        raise Refused("compliance.task_open", "other tasks come first", missing=wanting)
    if asked.evidence_id is None:
        raise Refused("compliance.evidence_missing", "a point passes when there is evidence", missing=("evidence",))


def may_decide_approval(state: ProgrammeState, actor: Actor, *, approve: bool) -> Function:
    """The function in which they decide. Raises `Forbidden` (`approval.not_an_approver`), `Refused`
    (`approval.wave_started`): once locations are worked on, a hold is the way to stop.
    """
    may_act(state)
    function = next((one for one in state.approvals if one == actor.role), None)
    if function is None:
        raise Forbidden("approval.not_an_approver", "this programme does not ask for their approval")
    if not approve and any_wave_started(state):
        raise Refused("approval.wave_started", "the first wave has started; hold the programme instead")
    return function


def may_approve_pilot(order: RolloutOrder, state: ProgrammeState, asked: acts.ApprovePilot) -> None:
    """S-11. Raises `Refused` (`wave.started`, `pilot.selection_changed`)."""
    may_act(state)
    require(order.policy.programme, Power.APPROVE_PILOT, asked.actor)
    if any_wave_started(state):
        raise Refused("wave.started", "the first wave has started")
    if asked.locations != pilots(state):
        raise Refused(
            "pilot.selection_changed", "these are not the locations of wave 1", missing=tuple(sorted(pilots(state)))
        )


def pilots(state: ProgrammeState) -> frozenset[str]:
    """The locations of the first wave."""
    first = next(iter(waves(state)), None)
    return frozenset(first.locations) if first else frozenset()


def waves(state: ProgrammeState) -> tuple[PlannedWave, ...]:
    """Those that have locations, in order."""
    return tuple(sorted((wave for wave in state.plan.waves if wave.locations), key=lambda wave: wave.number))


def clearances(order: RolloutOrder, state: ProgrammeState) -> frozenset[Clearance]:
    """What is granted to all locations: hard gates there."""
    specs = order.policy.programme.all_tasks
    granted = {
        spec.grants for spec in specs if spec.grants is not None and state.tasks[spec.task_id].status is TaskStatus.DONE
    }
    if all(mark.status is Attestation.PASS for mark in state.compliance.values()):
        granted.add(Clearance.COMPLIANCE)
    if all(one.status is ApprovalStatus.APPROVED for one in state.approvals.values()):
        granted.add(Clearance.APPROVALS)
    chosen = pilots(state)
    if chosen and all(state.locations[one].baseline_validated for one in chosen):
        granted.add(Clearance.PILOT_BASELINES)
    return frozenset(granted)


def pilot_approved(state: ProgrammeState) -> bool:
    return state.pilot is not None and state.pilot.locations == pilots(state)


def next_wave(state: ProgrammeState) -> PlannedWave | None:
    """The first that is not closed."""
    return next((wave for wave in waves(state) if state.wave(wave.number).closed_at is None), None)


def previous_wave(state: ProgrammeState, number: int) -> PlannedWave | None:
    return next((wave for wave in reversed(waves(state)) if wave.number < number), None)


def missing_for_wave(order: RolloutOrder, state: ProgrammeState, number: int, now: datetime) -> tuple[str, ...]:
    """What stands in the way of a wave's start now, as stable codes (W-02, A-01, S-11, X-10)."""
    missing = [f"hold:{hold.reason}" for hold in state.holds]
    wanting = order.policy.programme.wave_clearances - clearances(order, state)
    missing += [f"clearance:{clearance}" for clearance in sorted(wanting)]
    previous = previous_wave(state, number)
    if previous is None and not pilot_approved(state):
        missing.append("pilot_approval")
    if previous is not None:
        closed_at = state.wave(previous.number).closed_at
        if closed_at is None:
            missing.append(f"wave_open:{previous.number}")
        elif now < closed_at + order.policy.planning.buffer:
            missing.append(f"buffer:{previous.number}")
    return tuple(missing)


def may_hold(order: RolloutOrder, state: ProgrammeState, asked: acts.HoldProgramme) -> None:
    may_act(state)
    require(order.policy.programme, Power.HOLD, asked.actor)


def may_release(order: RolloutOrder, state: ProgrammeState, asked: acts.ReleaseProgramme) -> None:
    """Raises `Refused` (`hold.none`). What the system placed is lifted by resuming: its reasons are no codes here."""
    may_act(state)
    require(order.policy.programme, Power.HOLD, asked.actor)
    if not has(state.holds, asked.reason):
        raise Refused("hold.none", "nothing is held for this reason")


def systemic_holds(state: ProgrammeState) -> tuple[Hold, ...]:
    return tuple(hold for hold in state.holds if hold.reason.startswith(SYSTEMIC))


def may_cancel(order: RolloutOrder, state: ProgrammeState, asked: acts.CancelProgramme) -> None:
    may_act(state)
    require(order.policy.programme, Power.CANCEL, asked.actor)


def may_grant_waiver(order: RolloutOrder, state: ProgrammeState, asked: acts.GrantWaiver) -> None:
    may_act(state)
    require(order.policy.programme, Power.GRANT_WAIVER, asked.actor)
    if asked.location_id is not None:
        known_location(state, asked.location_id)
