"""Where the training at a location stands; held inside the state of its Location workflow. People are opaque ids."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.model import Value
from domain.rollout.training.policy import CertificationStep, Criterion, RoleGroup


class Slot(StrEnum):
    PRIMARY = "primary"
    BACKUP = "backup"


class Quiz(Value):
    at: datetime
    by: Actor
    percent: Decimal
    passed: bool


class Certification(Value):
    """Of one champion (L-05)."""

    done: dict[CertificationStep, datetime] = Field(default_factory=dict)
    quizzes: int = 0
    """How often it was taken."""
    quiz: Quiz | None = None
    """The latest."""

    @property
    def passed(self) -> bool:
        return CertificationStep.QUIZ in self.done


class Champion(Value):
    member_id: str
    """Of the member of the programme, in the function of champion or backup champion."""
    scores: dict[Criterion, int]
    score: Decimal
    """Weighted (L-02)."""
    advice: tuple[str, ...] = ()
    """Stable codes of what speaks against them, such as `champion.score_low`; none of it refuses them."""
    nominated_at: datetime
    nominated_by: Actor
    certification: Certification = Certification()


class Takeover(Value):
    at: datetime
    by: Actor
    reason: str
    """A stable code, such as `champion.silent`."""


class GroupTraining(Value):
    """Of one role group, as last recorded."""

    trained: int = 0
    total: int = 0
    at: datetime
    by: Actor
    evidence_id: str | None = None

    @property
    def complete(self) -> bool:
        return self.trained == self.total


class NewHire(Value):
    hire_id: str
    """Opaque."""
    group: RoleGroup
    starts_at: datetime
    """Their first day, as a moment: the week to train them counts from here."""
    registered_at: datetime
    trained_at: datetime | None = None
    trained_by: Actor | None = None


class Adoption(Value):
    """How many of those trained use the system, by a weekly report or by an attestation."""

    at: datetime
    by: Actor
    trained: int
    using: int
    percent: Decimal
    """Two places, rounded down: 100 means all of them."""
    evidence_id: str | None = None


class TrainingState(Value):
    champions: dict[Slot, Champion] = Field(default_factory=dict)
    takeovers: tuple[Takeover, ...] = ()
    groups: dict[RoleGroup, GroupTraining] = Field(default_factory=dict)
    new_hires: dict[str, NewHire] = Field(default_factory=dict)
    """Those not trained yet, and those trained late or in time, by id."""
    reports: int = 0
    report: Adoption | None = None
    """The latest weekly report (L-04)."""
    attestation: Adoption | None = None
    """The latest (GG-04)."""

    @property
    def champion(self) -> Champion | None:
        """Who acts as champion now."""
        return self.champions.get(Slot.PRIMARY)

    @property
    def trained(self) -> int:
        hired = sum(hire.trained_at is not None for hire in self.new_hires.values())
        return hired + sum(group.trained for group in self.groups.values())

    @property
    def total(self) -> int:
        return len(self.new_hires) + sum(group.total for group in self.groups.values())
