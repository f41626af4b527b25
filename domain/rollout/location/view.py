"""What a Location workflow shows after each step."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from domain.case import WaitsFor, progress
from domain.rollout.integration.state import IntegrationState
from domain.rollout.location import rules
from domain.rollout.location.state import Baseline, LocationRollback, LocationState, Speed
from domain.rollout.news import IssueClass, LocationNews
from domain.rollout.orders import LocationOrder
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase
from domain.rollout.program import PracticeSystem
from domain.rollout.snapshot import RolloutCaseSnapshot
from domain.rollout.tasks import TaskState, open_tasks
from domain.rollout.training.state import TrainingState
from domain.rollout.triggers import OUTAGE, SYNC_FAILING


class LocationSnapshot(RolloutCaseSnapshot):
    process: Literal["Location"] = "Location"
    phase: LocationPhase
    planned_go_live_at: datetime | None
    integration_from: datetime | None
    baseline_due: datetime | None
    preparing_since: datetime | None
    launch_due_at: datetime | None
    """When its wave called for its launch."""
    live_at: datetime | None
    closed_at: datetime | None
    missing: tuple[str, ...]
    """For its launch, as stable codes."""
    comms_percent: int
    """How much of its communication is switched on."""
    tasks: dict[str, TaskState]
    practice_system: PracticeSystem
    integration: IntegrationState
    training: TrainingState
    speed: Speed | None
    baseline: Baseline | None
    sync_failing_since: datetime | None
    down_since: datetime | None
    issue: IssueClass | None
    rollbacks: tuple[LocationRollback, ...]


_FROM_STATE = (
    "preparing_since",
    "live_at",
    "closed_at",
    "comms_percent",
    "tasks",
    "speed",
    "baseline",
    "integration",
    "training",
    "rollbacks",
)


def snapshot(order: LocationOrder, state: LocationState) -> LocationSnapshot:
    at = rules.phase(order, state)
    return LocationSnapshot.model_validate(
        {
            **progress(state),
            **{name: getattr(state, name) for name in _FROM_STATE},
            "business_state": at,
            "policy_version": order.policy_version,
            "waits_for": waits_for(order, state, at),
            "program_id": order.program_id,
            "region": order.location.region,
            "location_id": order.location.location_id,
            "wave": state.planned.wave,
            "holds": rules.holds(state),
            "phase": at,
            "planned_go_live_at": state.planned.go_live_at,
            "integration_from": state.planned.integration_from,
            "baseline_due": rules.baseline_due(order.policy, state),
            "launch_due_at": state.due.at if state.due else None,
            "missing": rules.missing_for_go_live(order, state) if state.live_at is None else (),
            "practice_system": rules.practice_system(order, state),
            "sync_failing_since": _running_since(state, SYNC_FAILING),
            "down_since": _running_since(state, OUTAGE),
            "issue": state.rollback.cause.issue if state.rollback else None,
        }
    )


def _running_since(state: LocationState, clock: str) -> datetime | None:
    known = state.clocks.get(clock)
    return known.armed_at if known and known.outcome is None else None


_WAITS = {
    LocationPhase.WAITING: WaitsFor(who="programme", what="its wave's turn"),
    LocationPhase.READY: WaitsFor(who="wave", what="its launch"),
    LocationPhase.ROLLED_BACK: WaitsFor(who="rollback", what="a confirmed and validated fix"),
    LocationPhase.RE_ENABLING: WaitsFor(who="rollback", what="switching on by stages"),
}


def waits_for(order: LocationOrder, state: LocationState, at: LocationPhase) -> tuple[WaitsFor, ...]:
    """Who has to do what for it to go forward, open tasks included."""
    if at is LocationPhase.CLOSED:
        return ()
    waits = [_WAITS[at]] if at in _WAITS else []
    waits += [WaitsFor(who="programme", what=f"lifting the hold {hold.reason}") for hold in state.news.holds]
    if state.live_at is None:
        if not state.baseline_validated:
            waits.append(WaitsFor(who=Function.REGIONAL_MANAGER, what="validating the baseline"))
        specs = open_tasks(rules.checklist(order), state.tasks)
        waits += [WaitsFor(who=spec.owner, what=spec.title) for spec in specs]
    return tuple(waits)


def remarks(snapshot: LocationSnapshot) -> tuple[str, ...]:
    """More lines for the card in the Temporal UI."""
    lines = [f"held since {hold.since:%Y-%m-%d %H:%M} UTC: `{hold.reason}`" for hold in snapshot.holds]
    if snapshot.launch_due_at and snapshot.missing:
        lines.append("launch due, missing " + ", ".join(f"`{each}`" for each in snapshot.missing))
    if snapshot.live_at:
        lines.append(f"{snapshot.comms_percent} % of its communication is on")
    return tuple(lines)


def news(order: LocationOrder, state: LocationState) -> LocationNews:
    """What the programme and the wave hear."""
    rollback = state.rollback
    return LocationNews(
        sequence=state.sequence,
        location_id=order.location.location_id,
        phase=rules.phase(order, state),
        deployed=state.live_at is not None,
        baseline_validated=state.baseline_validated,
        issue=rollback.cause.issue if rollback else None,
        further_issues=rollback.issues[1:] if rollback else (),
        rollbacks=len(state.rollbacks),
        missing=rules.missing_for_go_live(order, state) if state.live_at is None else (),
    )


def is_worth_telling(state: LocationState, now: LocationNews) -> bool:
    """Only a change is. What a launch is missing matters to others from the day that it is due."""
    if state.told is None or state.told_wave != state.planned.wave:
        return True
    unheard = {"sequence"} if state.due else {"sequence", "missing"}
    return now.model_dump(exclude=unheard) != state.told.model_dump(exclude=unheard)
