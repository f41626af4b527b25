"""The state of a Location workflow."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.case import CaseProgress
from domain.model import Value
from domain.rollout.integration.state import IntegrationState
from domain.rollout.news import GoLiveDue, IssueClass, LocationNews, ProgrammeNews, WavePlanned
from domain.rollout.phases import RollbackPhase
from domain.rollout.program import PracticeSystem
from domain.rollout.tasks import TaskState
from domain.rollout.training.state import TrainingState
from domain.rollout.triggers import Monitor


class LocationEvent(StrEnum):
    OPENED = "location_opened"
    PREPARATION_BEGUN = "preparation_begun"
    TASK_DONE = "task_done"
    TASKS_DONE = "tasks_done"
    TASK_WAIVED = "task_waived"
    NETWORK_MEASURED = "network_measured"
    PRACTICE_SYSTEM_RECORDED = "practice_system_recorded"
    BASELINE_VALIDATED = "baseline_validated"
    BASELINE_REJECTED = "baseline_rejected"
    INTEGRATION_CHANGED = "integration_changed"
    TRAINING_CHANGED = "training_changed"
    VALIDATION_ENDED = "validation_ended"
    WAVE_PLANNED = "wave_planned"
    PROGRAMME_CHANGED = "programme_changed"
    GO_LIVE_DUE = "go_live_due"
    GO_LIVE_BLOCKED = "go_live_blocked"
    WENT_LIVE = "went_live"
    SYNC_CHANGED = "sync_changed"
    OUTAGE_CHANGED = "outage_changed"
    ROLLED_BACK = "rolled_back"
    FURTHER_CAUSE = "rollback_cause_added"
    ROLLBACK_MOVED = "rollback_moved"
    ROLLBACK_OVER = "rollback_over"
    CLOSED = "location_closed"


class Cause(Value):
    """A trigger that was met."""

    issue: IssueClass
    at: datetime
    by: Actor
    evidence: str
    """Opaque: what shows it."""
    code: str | None = None
    """A stable code of why, where a person asked for it."""


class LocationRollback(Value):
    """One rollback of this location, as the location knows it."""

    number: int
    cause: Cause
    further: tuple[Cause, ...] = ()
    """Triggers met while it was open."""
    disabled_at: datetime
    phase: RollbackPhase = RollbackPhase.IMMEDIATE
    enabled_percent: int = 0
    heard: int = 0
    """Sequence of its latest news."""
    relapsed: bool = False
    """The trouble is back and the rollback has not taken it in yet: nothing is switched on meanwhile."""
    over_at: datetime | None = None

    @property
    def issues(self) -> tuple[IssueClass, ...]:
        """Each once, the first cause first."""
        return tuple(dict.fromkeys((self.cause.issue, *(cause.issue for cause in self.further))))


class Speed(Value):
    """The latest measurement of a location's network."""

    at: datetime
    by: Actor
    down_mbps: Decimal
    up_mbps: Decimal
    passed: bool
    evidence_id: str


class Baseline(Value):
    """What the regional manager said last of the location's baseline."""

    at: datetime
    by: Actor
    accurate: bool
    evidence_id: str | None = None


class LocationState(CaseProgress):
    planned: WavePlanned
    news: ProgrammeNews
    """The latest of the programme, whose holds and clearances are this location's."""
    tasks: dict[str, TaskState] = Field(default_factory=dict)
    speed: Speed | None = None
    baseline: Baseline | None = None
    practice_system: PracticeSystem | None = None
    """Where it is no longer the one of the order."""
    integration: IntegrationState = IntegrationState()
    vendor_step: str | None = None
    """The step of the integration that waits for the vendor."""
    training: TrainingState = TrainingState()
    monitor: Monitor | None = None
    """From the launch on."""
    preparing_since: datetime | None = None
    due: GoLiveDue | None = None
    """The wave is at this location's launch."""
    blocked_by: tuple[str, ...] | None = None
    """What was reported as missing for a launch that is due."""
    live_at: datetime | None = None
    """First launch; it stays, whatever is rolled back later."""
    base_percent: int = 0
    """How much of its communication is to be on while no rollback is open."""
    comms_percent: int = 0
    """How much of it is."""
    rollbacks: tuple[LocationRollback, ...] = ()
    told: LocationNews | None = None
    """What the others heard last."""
    told_wave: int | None = None
    seen: tuple[str, ...] = ()
    """Ids of the latest acts: Temporal forgets them when a fresh run begins."""
    closed_at: datetime | None = None

    @property
    def rollback(self) -> LocationRollback | None:
        """The one that is open; there is one at a time."""
        return next((one for one in self.rollbacks if one.over_at is None), None)

    @property
    def baseline_validated(self) -> bool:
        return self.baseline is not None and self.baseline.accurate
