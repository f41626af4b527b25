"""Policy data: champions, their certification, the courses of each role group, adoption (L, Z-03)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.clock import ClockPolicy
from domain.errors import NotFound
from domain.model import Value
from domain.rollout.people import Function
from domain.rollout.tasks import Party

Percent = Annotated[Decimal, Field(ge=0, le=100)]


class Criterion(StrEnum):
    """Of the choice of a champion (L-02)."""

    TECHNICAL_COMFORT = "technical_comfort"
    PEER_INFLUENCE = "peer_influence"
    AVAILABILITY = "availability"
    COMMUNICATION = "communication"
    TENURE = "tenure"


class ChampionPolicy(Value):
    weights: dict[Criterion, Percent]
    methods: dict[Criterion, str]
    """Where the score comes from."""
    lowest: int
    highest: int
    """The scale (decision 40)."""
    advised_minimum: Decimal
    """A score below it is advised against, not refused."""
    preferred_tenure_months: int
    """More than so many are preferred."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if set(self.weights) != set(Criterion) or sum(self.weights.values()) != 100:
            raise ValueError("each criterion has a weight, and together they are 100")
        return self


class CertificationStep(StrEnum):
    """L-05, in order."""

    E_LEARNING = "e_learning"
    LIVE_TRAINING = "live_training"
    PRACTICE = "practice"
    QUIZ = "quiz"
    RESOURCE_KIT = "resource_kit"


class CertificationStepSpec(Value):
    step: CertificationStep
    title: str
    party: Party
    owners: tuple[Function, ...]
    """Any of them records it."""
    minutes: int | None = None
    vendor_led: bool = False


class CertificationPolicy(Value):
    steps: tuple[CertificationStepSpec, ...]
    quiz_pass_above_percent: Percent
    """Exactly so much is not enough. A quiz may be taken again."""

    @model_validator(mode="after")
    def _each_step_in_order(self) -> Self:
        if tuple(spec.step for spec in self.steps) != tuple(CertificationStep):
            raise ValueError("the steps of the certification are listed once each, in their order")
        return self

    def spec(self, step: CertificationStep) -> CertificationStepSpec:
        return next(spec for spec in self.steps if spec.step is step)


class RoleGroup(StrEnum):
    FRONT_DESK = "front_desk"
    PROVIDERS = "providers"
    CLINICAL_STAFF = "clinical_staff"
    """Hygienists and assistants (Z-03)."""
    OFFICE_MANAGERS = "office_managers"


class Module(Value):
    module_id: str = Field(pattern="^[a-z0-9_]+$")
    title: str
    minutes: int = Field(ge=1)
    content: str


class Course(Value):
    """What a role group learns (L-06, L-08, Z-03)."""

    group: RoleGroup
    requirement: str
    led_by: tuple[Function, ...]
    modules: tuple[Module, ...] = Field(min_length=1)

    @property
    def minutes(self) -> int:
        return sum(module.minutes for module in self.modules)


class ResistancePoint(Value):
    """L-07."""

    says: str
    answer: str


class TrainingPolicy(Value):
    champion: ChampionPolicy
    certification: CertificationPolicy
    courses: tuple[Course, ...]
    champion_block: timedelta
    """Booked for the champions of a wave: certification and practice in delivering (decision 29)."""
    staff_block: timedelta
    """Booked for each role group; its course lies within (decision 29)."""
    resistance: tuple[ResistancePoint, ...]
    provider_messages: tuple[str, ...]
    """L-09."""
    new_hire: ClockPolicy
    """Counts from the first day of a new hire (L-04)."""
    adoption_report: ClockPolicy
    """Counts from the go-live, and from each report (L-04)."""
    takeover: str
    """The milestone of `adoption_report` at which the backup takes over from a silent champion (L-03)."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len({course.group for course in self.courses}) < len(self.courses):
            raise ValueError("each role group has one course")
        if any(timedelta(minutes=course.minutes) > self.staff_block for course in self.courses):
            raise ValueError("a course fits into the block that is booked for it")
        if self.takeover not in {milestone.name for milestone in self.adoption_report.ladder}:
            raise ValueError("the takeover is a milestone of the clock of reports")
        return self

    def course(self, group: RoleGroup) -> Course:
        """Raises `NotFound` (`training.group_unknown`)."""
        found = next((course for course in self.courses if course.group is group), None)
        if found is None:
            raise NotFound("training.group_unknown", "this role group has no course")
        return found
