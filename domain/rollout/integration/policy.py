"""Policy data: how each practice system is connected, tested and filled (I, C, D)."""

from __future__ import annotations

from datetime import time, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.clock import ClockPolicy
from domain.errors import Refused
from domain.model import Value
from domain.rollout.integration.validation import ValidationPolicy
from domain.rollout.people import Function
from domain.rollout.program import PracticeSystemName
from domain.rollout.tasks import Party, TaskSpec

StepId = Annotated[str, Field(pattern="^[a-z0-9_]+$")]


class StepKind(StrEnum):
    TASK = "task"
    SAMPLE = "sample"
    """Records or operations are tried, and every one must be right."""
    MONITOR = "monitor"
    """Completing it begins a time under watch; it is done when that ends without a sync failure."""
    SIGN_OFF = "sign_off"
    """Every owner signs, each another person."""


class Operation(StrEnum):
    CREATE = "create"
    MODIFY = "modify"
    CANCEL = "cancel"


class SampleSpec(Value):
    size: int = Field(ge=1)
    """Fewest records of a sample; all that were checked must match."""
    operations: frozenset[Operation] = frozenset()
    """Each must be seen to work."""


class StepSpec(Value):
    step_id: StepId
    title: str
    requirement: str
    """Number in the requirements, such as `I-03`."""
    party: Party
    """The playbook's mark: `vendor` where the vendor acts."""
    owners: tuple[Function, ...] = Field(min_length=1)
    """Any of them completes the step; a sign-off needs all of them."""
    minutes: int | None = Field(default=None, ge=1)
    """Estimate."""
    critical: bool = False
    """Error-prone: it is done when there is evidence of it."""
    kind: StepKind = StepKind.TASK
    sample: SampleSpec | None = None

    @model_validator(mode="after")
    def _a_sample_has_a_size(self) -> Self:
        if (self.kind is StepKind.SAMPLE) != (self.sample is not None):
            raise ValueError("a sample, and nothing else, says what is sampled")
        return self


class Machine(Value):
    """How one practice system is connected: its steps, in their order (I-01 to I-07)."""

    minimum_version: str
    prerequisites: frozenset[StepId]
    """Confirmed by whoever starts the integration (I-02, I-04); not what a step brings about (I-06)."""
    optional_prerequisites: frozenset[StepId] = frozenset()
    """Where they apply."""
    steps: tuple[StepSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_step_once(self) -> Self:
        if len({step.step_id for step in self.steps}) < len(self.steps):
            raise ValueError("the ids of steps must differ")
        return self


class LowActivity(Value):
    """When a location's data may be imported (D-02): local times, outside of its opening hours."""

    weekend: frozenset[int]
    """1 is Monday, 7 is Sunday."""
    evening_from: time
    evening_until: time
    """Of the next morning."""


class MigrationPolicy(Value):
    patients_years: int = Field(ge=0)
    """Recommended scope (D-01)."""
    appointments_years: int = Field(ge=0)
    hours_from: int = Field(ge=0)
    """Estimate for one location (D-03)."""
    hours_to: int = Field(ge=0)
    allowed_faults: int = Field(ge=0)
    """Duplicates, wrong formats and missing fields, together, with which an export may be imported."""
    low_activity: LowActivity


class IntegrationPolicy(Value):
    machines: dict[PracticeSystemName, Machine]
    monitor: ClockPolicy
    """`integration_monitor`: ends when the watch is over (I-03, step 7)."""
    test_environment: tuple[TaskSpec, ...]
    """C-01 to C-04."""
    naming_task: str
    """The one that is done with a name for the test location (C-04)."""
    validation: ValidationPolicy
    validation_patience: timedelta
    """How long a run of the nine cases may take before it counts as failed."""
    migration: MigrationPolicy

    def machine(self, system: PracticeSystemName) -> Machine:
        """Raises `Refused` (`integration.unsupported`): such a location works by hand, or is deferred (I-08)."""
        found = self.machines.get(system)
        if found is None:
            raise Refused(
                "integration.unsupported",
                "this practice system cannot be connected: keep the manual workflow, or defer the location",
                missing=("practice_system.supported",),
            )
        return found
