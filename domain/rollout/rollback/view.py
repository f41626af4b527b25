"""What a Rollback workflow shows after each step."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from domain.actors import Actor
from domain.case import WaitsFor, progress
from domain.model import Value
from domain.rollout.news import IssueClass
from domain.rollout.orders import RollbackOrder
from domain.rollout.people import Function
from domain.rollout.phases import RollbackPhase
from domain.rollout.rollback.policy import RollbackPolicy
from domain.rollout.rollback.rules import missing, next_stage, open_steps
from domain.rollout.rollback.state import Done, Fix, Reached, RollbackState
from domain.rollout.snapshot import RolloutCaseSnapshot


class StepView(Value):
    """A step of the ladders of this round."""

    step_id: str
    title: str
    requirement: str
    owners: tuple[Function, ...]
    """None: the system."""
    due: datetime
    done: Done | None
    late: bool
    """It was done after it was due, or is overdue as of the step of this snapshot."""


class Owners(Value):
    """Whose acts they are."""

    fix: tuple[Function, ...]
    validation: tuple[Function, ...]
    root_cause: tuple[Function, ...]
    stage: tuple[Function, ...]
    escalation: tuple[Function, ...]


class RollbackSnapshot(RolloutCaseSnapshot):
    process: Literal["Rollback"] = "Rollback"
    number: int
    phase: RollbackPhase
    round: int
    issues: tuple[IssueClass, ...]
    triggered_at: datetime
    triggered_by: Actor
    disabled_at: datetime
    steps: tuple[StepView, ...]
    fix: Fix | None
    root_cause: Done | None
    stages: tuple[Reached, ...]
    enabled_percent: int
    watched_until: datetime | None
    """When the present stage will have been watched long enough."""
    missing: tuple[str, ...]
    """What the next stage of the re-enabling lacks, as stable codes."""
    owners: Owners
    resolved_at: datetime | None
    cancelled_at: datetime | None


def phase(state: RollbackState, policy: RollbackPolicy) -> RollbackPhase:
    """The first that is not done with. Work on the resolution may be further than the ladders are."""
    reached = (
        (state.cancelled_at is not None, RollbackPhase.CANCELLED),
        (state.resolved_at is not None, RollbackPhase.RESOLVED),
        (bool(state.stages), RollbackPhase.RE_ENABLING),
        (bool(open_steps(state, policy.immediate)), RollbackPhase.IMMEDIATE),
        (bool(open_steps(state, policy.short_term)), RollbackPhase.SHORT_TERM),
        (state.root_cause is not None, RollbackPhase.ROOT_CAUSE_CONFIRMED),
        (state.fix_validated, RollbackPhase.FIX_VALIDATED),
    )
    return next((found for is_so, found in reached if is_so), RollbackPhase.AWAITING_FIX)


def waits_for(state: RollbackState, policy: RollbackPolicy) -> tuple[WaitsFor, ...]:
    if state.over:
        return ()
    if state.stages and state.stages[-1].watched_at is None:
        return (WaitsFor(who="system", what=f"watching the location at {state.enabled_percent} %"),)
    waits = []
    for ladder in policy.ladders:
        steps = open_steps(state, ladder)
        waits += [WaitsFor(who=step.owners[0], what=step.title) for step in (steps[:1] if ladder.in_order else steps)]
    if not state.fix_validated and not state.fix_untested:
        waits.append(WaitsFor(who=policy.fix_providers[0], what="a fix or a workaround"))
    elif state.fix_untested:
        waits.append(WaitsFor(who=policy.fix_validators[0], what="testing the fix in the test environment"))
    elif state.root_cause is None:
        waits.append(WaitsFor(who=policy.root_cause_confirmers[0], what="confirming the root cause"))
    elif not missing(state, policy):
        stage = next_stage(state, policy)
        waits.append(WaitsFor(who=policy.enablers[0], what=f"re-enabling to {stage.percent if stage else 100} %"))
    return tuple(waits)


def steps(state: RollbackState, policy: RollbackPolicy) -> tuple[StepView, ...]:
    return tuple(
        StepView(
            **step.model_dump(),
            due=(due := state.triggered_at + ladder.clock.deadline),
            done=(done := state.steps.get(step.step_id)),
            late=done.at > due if done else _is_breached(state, ladder.clock.name),
        )
        for ladder in policy.ladders
        for step in ladder.steps
    )


def _is_breached(state: RollbackState, clock: str) -> bool:
    return clock in state.clocks and state.clocks[clock].breached_at is not None


def watched_until(state: RollbackState, policy: RollbackPolicy) -> datetime | None:
    if not state.stages or state.stages[-1].watched_at is not None or state.over:
        return None
    return state.stages[-1].begun.at + policy.watch(state.stages[-1].percent)


def remarks(state: RollbackState, policy: RollbackPolicy) -> tuple[str, ...]:
    """For the card in the Temporal UI."""
    lines = [f"caused by {', '.join(state.issues)}, triggered {state.triggered_at:%Y-%m-%d %H:%M} UTC"]
    if state.round > 1:
        lines.append(f"round {state.round}: the trouble came back during the re-enabling")
    lines.append(f"communication is {state.enabled_percent} % on")
    if not state.over and (lacks := missing(state, policy)):
        lines.append(f"the next stage lacks: {', '.join(lacks)}")
    return tuple(lines)


def snapshot(order: RollbackOrder, state: RollbackState) -> RollbackSnapshot:
    policy = order.policy
    found = phase(state, policy)
    return RollbackSnapshot(
        **progress(state),
        business_state=found,
        policy_version=order.policy_version,
        waits_for=waits_for(state, policy),
        program_id=order.program_id,
        region=order.region,
        location_id=order.location_id,
        wave=order.wave,
        number=order.number,
        phase=found,
        round=state.round,
        issues=state.issues,
        triggered_at=state.triggered_at,
        triggered_by=state.triggered_by,
        disabled_at=state.disabled_at,
        steps=steps(state, policy),
        fix=state.fix,
        root_cause=state.root_cause,
        stages=state.stages,
        enabled_percent=state.enabled_percent,
        watched_until=watched_until(state, policy),
        missing=() if state.over else missing(state, policy),
        owners=_owners(policy),
        resolved_at=state.resolved_at,
        cancelled_at=state.cancelled_at,
    )


def _owners(policy: RollbackPolicy) -> Owners:
    return Owners(
        fix=policy.fix_providers,
        validation=policy.fix_validators,
        root_cause=policy.root_cause_confirmers,
        stage=policy.enablers,
        escalation=policy.acknowledgers,
    )
