"""What people ask of a location's integration: the typed input of each update. What they write travels as an id."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from domain.actors import Actor
from domain.model import Value
from domain.rollout.integration.policy import Operation
from domain.rollout.integration.state import MigrationStage


class StartIntegration(Value):
    actor: Actor
    confirmed: frozenset[str]
    """Ids of the prerequisites that were checked (I-02, I-04, I-06)."""
    evidence_id: str | None = None


class CompleteIntegrationStep(Value):
    """Of a monitor step it switches the sync on: the step is done when its watch has ended."""

    actor: Actor
    step_id: str
    evidence_id: str | None = None


class RecordSample(Value):
    """A sample that was taken. One that does not match is kept with its counts, and is repeated."""

    actor: Actor
    step_id: str
    checked: int = Field(ge=0)
    matched: int = Field(ge=0)
    operations: frozenset[Operation] = frozenset()
    """That were seen to work."""
    evidence_id: str | None = None


class SignOff(Value):
    """One of the two signatures. The actor's role says for which function."""

    actor: Actor
    step_id: str
    person_id: str
    """Opaque id of the person (`staff_id`): nobody signs for two functions."""
    evidence_id: str | None = None


class RunValidation(Value):
    actor: Actor


class DecideMigration(Value):
    """Whether history is brought over (D-01)."""

    actor: Actor
    applicable: bool


class AdvanceMigration(Value):
    """The next stage is reached; the quality check and the schedule have acts of their own."""

    actor: Actor
    to: MigrationStage
    evidence_id: str | None = None


class RecordQuality(Value):
    """Counts of what is wrong with an export (D-02)."""

    actor: Actor
    records: int = Field(ge=1)
    duplicates: int = Field(ge=0)
    wrong_formats: int = Field(ge=0)
    missing_fields: int = Field(ge=0)
    evidence_id: str | None = None


class ScheduleImport(Value):
    """The API has checked that the location is little busy then (`migration.low_activity`)."""

    actor: Actor
    at: datetime
    """Aware UTC."""
