"""What people ask of the training at a location: the typed input of each update. What they write travels as an id."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from domain.actors import Actor
from domain.model import Value
from domain.rollout.training.policy import CertificationStep, Criterion, RoleGroup
from domain.rollout.training.state import Slot


class NominateChampion(Value):
    """For a slot; who held it before has to be replaced first."""

    actor: Actor
    slot: Slot
    member_id: str
    scores: dict[Criterion, int]
    tenure_months: int = Field(ge=0)
    """At the location."""


class ReplaceChampion(Value):
    """Without another nomination the backup takes over as primary champion; the backup's slot is empty then."""

    actor: Actor
    slot: Slot
    reason: str
    """A stable code."""


class RecordCertificationStep(Value):
    """Any step but the quiz. The resource kit comes after it was passed."""

    actor: Actor
    slot: Slot
    step: CertificationStep


class RecordQuiz(Value):
    actor: Actor
    slot: Slot
    percent: Annotated[Decimal, Field(ge=0, le=100)]


class RecordTraining(Value):
    """How many of a role group are trained by now, and how many there are."""

    actor: Actor
    group: RoleGroup
    trained: int = Field(ge=0)
    total: int = Field(ge=0)
    evidence_id: str | None = None


class RegisterNewHire(Value):
    actor: Actor
    hire_id: str
    group: RoleGroup
    starts_at: datetime
    """Begin of their first day, aware UTC."""


class TrainNewHire(Value):
    actor: Actor
    hire_id: str


class ReportAdoption(Value):
    """Weekly. `evidence_id`: what the champion writes (feedback)."""

    actor: Actor
    using: int = Field(ge=0)
    evidence_id: str | None = None


class AttestAdoption(Value):
    """The champion stands for the number; the gate asks for all of those trained (GG-04)."""

    actor: Actor
    using: int = Field(ge=0)
    evidence_id: str | None = None
