"""What a location may do when. Rules raise `Refused` with a stable code and what is missing, or return nothing."""

from __future__ import annotations

from datetime import datetime

from domain.errors import Refused
from domain.rollout.holds import Hold, Holds
from domain.rollout.integration import rules as integration
from domain.rollout.integration.versions import at_least, parts_of
from domain.rollout.location.acts import MeasureNetwork, RecordPracticeSystem, ValidateBaseline
from domain.rollout.location.policy import LocationPolicy, Minimums
from domain.rollout.location.state import LocationState
from domain.rollout.news import Clearance, WavePlanned
from domain.rollout.orders import LocationOrder
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase, RollbackPhase
from domain.rollout.program import PracticeSystem
from domain.rollout.tasks import (
    CompleteTask,
    CompleteTasks,
    TaskSpec,
    TaskState,
    TaskStatus,
    WaiveTask,
    may_complete,
    may_waive,
    one_by_one,
    open_tasks,
)
from domain.rollout.training import rules as training
from domain.rollout.training.state import Slot
from domain.rollout.triggers import TelemetryNews, TriggerPolicy

FULL = 100

SAFE_PHASES = frozenset({RollbackPhase.RE_ENABLING, RollbackPhase.RESOLVED})
"""Of a rollback, in which communication is on again, as a whole or in part."""


def checklist(order: LocationOrder) -> tuple[TaskSpec, ...]:
    """What this location has to do or prove; where the hardware is outdated, its upgrade too (T-04)."""
    upgrade = (order.policy.hardware_upgrade,) if order.location.outdated_hardware else ()
    return (*order.policy.tasks, *upgrade, *order.integration.test_environment)


def missing_for_go_live(order: LocationOrder, state: LocationState) -> tuple[str, ...]:
    """Stable codes of everything that stands between this location and its launch; none when it may go live."""
    granted = state.news.clearances
    return (
        *(f"clearance.{each}" for each in order.policy.go_live_clearances if each not in granted),
        *(() if state.baseline_validated else ("baseline.validated",)),
        *integration.missing(state.integration, order.integration, practice_system(order, state)),
        *training.missing(state.training, order.training),
        *(() if Slot.BACKUP in state.training.champions else ("training.backup",)),
        *(f"task.{spec.task_id}" for spec in open_tasks(checklist(order), state.tasks) if spec.critical),
        *(f"hold.{hold.reason}" for hold in holds(state)),
    )


def practice_system(order: LocationOrder, state: LocationState) -> PracticeSystem:
    """As it is installed now."""
    return state.practice_system or order.location.practice_system


def open_test_tasks(order: LocationOrder, state: LocationState) -> tuple[str, ...]:
    """Of the test environment (C-01 to C-04)."""
    return tuple(spec.task_id for spec in open_tasks(order.integration.test_environment, state.tasks))


def holds(state: LocationState) -> Holds:
    """What keeps it from going forward: the programme's holds, and before its launch a rollback of its own."""
    rollback = state.rollback
    if rollback is None or state.live_at is not None:
        return state.news.holds
    own = Hold(reason=f"rollback:{rollback.number}", since=rollback.disabled_at, by=rollback.cause.by)
    return (*state.news.holds, own)


def phase(order: LocationOrder, state: LocationState) -> LocationPhase:
    if state.closed_at is not None:
        return LocationPhase.CLOSED
    if state.live_at is not None:
        return _phase_after_launch(state)
    if holds(state):
        return LocationPhase.ON_HOLD
    if not missing_for_go_live(order, state):
        return LocationPhase.READY
    return LocationPhase.PREPARING if state.preparing_since else LocationPhase.WAITING


def _phase_after_launch(state: LocationState) -> LocationPhase:
    if state.rollback is None:
        return LocationPhase.LIVE if state.base_percent else LocationPhase.ROLLED_BACK
    partly_on = state.rollback.phase in SAFE_PHASES and not state.rollback.relapsed
    return LocationPhase.RE_ENABLING if partly_on else LocationPhase.ROLLED_BACK


def may_begin_preparation(state: LocationState, now: datetime) -> bool:
    """A week before its wave (decision 38)."""
    opens = state.planned.integration_from
    return state.preparing_since is None and opens is not None and now >= opens


def may_go_live(order: LocationOrder, state: LocationState, now: datetime) -> bool:
    return launch_is_due(state, now) and not missing_for_go_live(order, state)


def launch_is_due(state: LocationState, now: datetime) -> bool:
    """Its wave is at it, and it has not gone live."""
    if state.due is None or state.live_at is not None or state.closed_at is not None:
        return False
    return now >= state.due.at


def launch_is_blocked(order: LocationOrder, state: LocationState, now: datetime) -> bool:
    """It is due, and what is missing has not been reported so."""
    missing = missing_for_go_live(order, state)
    return launch_is_due(state, now) and bool(missing) and missing != state.blocked_by


def is_over(state: LocationState) -> bool:
    """The programme's end ends it too, but no rollback is left half way."""
    return state.news.ended and (state.rollback is None or state.live_at is None)


def next_moment(state: LocationState, now: datetime) -> datetime | None:
    """When time alone lets it go forward."""
    upcoming = (
        state.planned.integration_from if state.preparing_since is None else None,
        state.due.at if state.due and state.live_at is None else None,
    )
    return min((at for at in upcoming if at is not None and at > now), default=None)


def meets(minimums: Minimums, asked: MeasureNetwork) -> bool:
    """T-03."""
    return asked.down_mbps >= minimums.down_mbps and asked.up_mbps >= minimums.up_mbps


def wanted_percent(state: LocationState) -> int:
    """How much of the location's communication is to be on: none before its launch, none without consent (N-11), none
    while it is rolled back, and of what a rollback switches on again only its stage."""
    if state.live_at is None or Clearance.CONSENT not in state.news.clearances:
        return 0
    if state.rollback is None:
        return state.base_percent
    return 0 if state.rollback.relapsed else state.rollback.enabled_percent


def comms_reason(state: LocationState) -> str:
    """Why it is so, as a stable code."""
    if state.live_at is None:
        return "not_live"
    if Clearance.CONSENT not in state.news.clearances:
        return "no_consent"
    if state.rollback is None:
        return "live" if state.base_percent else "rollback_cancelled"
    return f"rollback:{state.rollback.number}"


def may_act(state: LocationState) -> None:
    if state.closed_at is not None:
        raise Refused("location.closed", "the programme of this location is over")


def may_complete_task(order: LocationOrder, state: LocationState, asked: CompleteTask) -> None:
    """Raises as `tasks.may_complete` does, and `Refused` (`task.measurement_needed`, `practice_system.outdated`)."""
    may_act(state)
    if asked.task_id == order.policy.measured_task:
        raise Refused("task.measurement_needed", "this is done by a measurement", missing=("measurement",))
    may_complete(checklist(order), state.tasks, asked)
    if asked.task_id == order.policy.version_task:
        _require_version(order, state)


def may_complete_tasks(order: LocationOrder, state: LocationState, asked: CompleteTasks) -> None:
    """All of them, each after those of them that it needs. Raises as `may_complete_task` does."""
    tried = state.model_copy(update={"tasks": dict(state.tasks)})
    for one in one_by_one(checklist(order), asked):
        may_complete_task(order, tried, one)
        tried.tasks[one.task_id] = TaskState(status=TaskStatus.DONE)


def _require_version(order: LocationOrder, state: LocationState) -> None:
    """T-06."""
    installed = practice_system(order, state)
    minimum = order.integration.machine(installed.name).minimum_version
    if not at_least(installed.version, minimum):
        raise Refused("practice_system.outdated", f"it needs {minimum} at least", missing=("practice_system.version",))


def may_record_practice_system(order: LocationOrder, state: LocationState, asked: RecordPracticeSystem) -> None:
    """Raises `Refused` (`location.closed`, `integration.started`), `Invalid` (`integration.version_unreadable`)."""
    may_act(state)
    parts_of(asked.practice_system.version)
    if state.integration.started_at is not None and asked.practice_system.name != practice_system(order, state).name:
        raise Refused("integration.started", "another system is being integrated")


def may_waive_task(order: LocationOrder, state: LocationState, asked: WaiveTask) -> None:
    may_act(state)
    may_waive(checklist(order), state.tasks, asked)


def may_measure(order: LocationOrder, state: LocationState, asked: MeasureNetwork) -> None:
    may_act(state)
    done = CompleteTask(actor=asked.actor, task_id=order.policy.measured_task, evidence_id=asked.evidence_id)
    may_complete(checklist(order), state.tasks, done)


def may_validate_baseline(state: LocationState, asked: ValidateBaseline) -> None:
    """B-12: by a regional manager, and once it is found accurate it stays so."""
    may_act(state)
    if asked.actor.role != Function.REGIONAL_MANAGER:
        raise Refused("baseline.regional_manager_needed", "the regional manager validates a baseline")
    if state.baseline_validated:
        raise Refused("baseline.validated", "this baseline is validated already")


def baseline_due(policy: LocationPolicy, state: LocationState) -> datetime | None:
    """B-13."""
    planned = state.planned
    if planned.baselines_due is not None or planned.go_live_at is None:
        return planned.baselines_due
    return planned.go_live_at - policy.baseline_before_go_live


def task_due(
    policy: LocationPolicy, spec: TaskSpec, ends: dict[int, datetime], planned: WavePlanned
) -> datetime | None:
    """By the end of its business day; without one, so long before the launch. `ends`: of business days, by number."""
    if spec.due_business_day is not None:
        return ends[spec.due_business_day]
    return planned.go_live_at - policy.undated_before_go_live if planned.go_live_at else None


def is_put_off(state: LocationState, planned: WavePlanned, now: datetime) -> bool:
    """Whether a launch that was due is so no more: another wave, or a later day."""
    if state.due is None:
        return False
    return planned.wave != state.due.wave or planned.go_live_at is None or planned.go_live_at > now


def shows_sync_failure(news: TelemetryNews, policy: TriggerPolicy, since: datetime) -> bool:
    """Whether the sync failed, by the same measure as at a live location, while an integration was watched (I-03)."""
    return any(
        sample.failed * 100 > policy.sync_failed_percent * sample.total
        for sample in news.samples
        if sample.until_at > since
    )
