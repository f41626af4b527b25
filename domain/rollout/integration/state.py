"""Where a location's integration stands; held inside the state of its Location workflow."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.model import Value
from domain.rollout.integration.policy import Operation
from domain.rollout.integration.validation import ValidationReport
from domain.rollout.people import Function


class Sample(Value):
    """One try of a sample step."""

    at: datetime
    by: Actor
    checked: int
    matched: int
    operations: frozenset[Operation] = frozenset()
    passed: bool
    evidence_id: str | None = None


class Signature(Value):
    at: datetime
    by: Actor
    person_id: str
    """Opaque id of the person, the same for every function that they have."""


class StepState(Value):
    done_at: datetime | None = None
    by: Actor | None = None
    evidence_id: str | None = None
    tries: int = 0
    """How many samples were taken."""
    sample: Sample | None = None
    """The latest."""
    monitored_since: datetime | None = None
    restarts: int = 0
    """How often a sync failure began the watch anew."""
    signatures: dict[Function, Signature] = Field(default_factory=dict)


class MigrationStage(StrEnum):
    """D-02, in order."""

    NOT_BEGUN = "not_begun"
    TEMPLATE_REQUESTED = "template_requested"
    EXPORTED = "exported"
    QUALITY_VALIDATED = "quality_validated"
    IMPORTED_IN_TEST = "imported_in_test"
    TEST_VALIDATED = "test_validated"
    PRODUCTION_SCHEDULED = "production_scheduled"
    DONE = "done"


class Quality(Value):
    """What checking an export found, as counts."""

    at: datetime
    by: Actor
    records: int
    duplicates: int
    wrong_formats: int
    missing_fields: int
    passed: bool
    evidence_id: str | None = None

    @property
    def faults(self) -> int:
        return self.duplicates + self.wrong_formats + self.missing_fields


class MigrationState(Value):
    applicable: bool = False
    """D-01: whether there is history to bring over."""
    stage: MigrationStage = MigrationStage.NOT_BEGUN
    since: datetime | None = None
    quality: Quality | None = None
    """The latest check."""
    checks: int = 0
    import_at: datetime | None = None
    """When the production import is to run."""
    evidence: dict[MigrationStage, str] = Field(default_factory=dict)
    """Ids, by the stage that they prove."""


class IntegrationState(Value):
    started_at: datetime | None = None
    started_by: Actor | None = None
    confirmed: frozenset[str] = frozenset()
    """Prerequisites."""
    steps: dict[str, StepState] = Field(default_factory=dict)
    """Those that were touched."""
    validation_runs: int = 0
    validating: bool = False
    validation: ValidationReport | None = None
    """The latest."""
    validation_error: str | None = None
    """Stable code, when the latest run came to no report."""
    migration: MigrationState = MigrationState()

    def step(self, step_id: str) -> StepState:
        return self.steps.get(step_id) or StepState()
