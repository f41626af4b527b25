"""The state of a Rollback workflow."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.case import CaseProgress
from domain.model import Value
from domain.rollout.news import IssueClass, RollbackNews


class RollbackEvent(StrEnum):
    BEGUN = "rollback_begun"
    STEP_ACKNOWLEDGED = "rollback_step_acknowledged"
    FIX_PROVIDED = "fix_provided"
    FIX_VALIDATED = "fix_validated"
    FIX_REJECTED = "fix_rejected"
    ROOT_CAUSE_CONFIRMED = "root_cause_confirmed"
    STAGE_BEGUN = "re_enabling_stage_begun"
    STAGE_WATCHED = "re_enabling_stage_watched"
    RELAPSED = "rollback_relapsed"
    ISSUE_ADDED = "rollback_issue_added"
    RESOLVED = "rollback_resolved"
    CANCELLED = "rollback_cancelled"


class FixKind(StrEnum):
    FIX = "fix"
    WORKAROUND = "workaround"


class Done(Value):
    """By whom and when. The evidence is the id of the record that holds it."""

    at: datetime
    by: Actor
    evidence_id: str | None = None


class Fix(Value):
    number: int
    """Of this rollback; the first is 1."""
    kind: FixKind
    provided: Done
    tested: Done | None = None
    """In the test environment."""
    passed: bool = False


class Reached(Value):
    """A stage of the re-enabling."""

    percent: int
    begun: Done
    watched_at: datetime | None = None
    """When it had been watched long enough."""


class RollbackState(CaseProgress):
    round: int = 1
    """Counts up when the trouble comes back during the re-enabling: the ladders begin anew."""
    issues: tuple[IssueClass, ...]
    """Each once, the first cause first."""
    triggered_at: datetime
    triggered_by: Actor
    disabled_at: datetime
    steps: dict[str, Done] = Field(default_factory=dict)
    """Of the ladders of this round, by id."""
    fix: Fix | None = None
    root_cause: Done | None = None
    stages: tuple[Reached, ...] = ()
    """Of this round."""
    heard: int = 0
    """Sequence of the latest relapse heard of."""
    told: RollbackNews | None = None
    """What the location heard last."""
    resolved_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def fix_validated(self) -> bool:
        return self.fix is not None and self.fix.passed

    @property
    def fix_untested(self) -> bool:
        return self.fix is not None and self.fix.tested is None

    @property
    def over(self) -> bool:
        return self.resolved_at is not None or self.cancelled_at is not None

    @property
    def enabled_percent(self) -> int:
        return self.stages[-1].percent if self.stages and self.cancelled_at is None else 0
