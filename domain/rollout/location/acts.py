"""What people ask of a location: the typed input of each update. Texts stay in the database; ids travel."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.model import Value
from domain.rollout.phases import LocationPhase
from domain.rollout.program import PracticeSystem


class LocationAct(Value):
    actor: Actor


class MeasureNetwork(LocationAct):
    """Megabits a second, as measured at the location (T-03)."""

    down_mbps: Decimal = Field(ge=0)
    up_mbps: Decimal = Field(ge=0)
    evidence_id: str


class ValidateBaseline(LocationAct):
    """The regional manager vouches for the data of the location, or does not (B-12, B-15)."""

    accurate: bool
    evidence_id: str | None = None


class RecordPracticeSystem(LocationAct):
    """What is installed now, after an upgrade (T-05, T-06)."""

    practice_system: PracticeSystem
    evidence_id: str | None = None


class RequestReason(StrEnum):
    CLINICAL_IMPACT = "clinical_impact"
    OPERATIONAL_IMPACT = "operational_impact"


class RequestRollback(LocationAct):
    """X-04: by a provider or the office manager."""

    reason: RequestReason
    evidence_id: str


class AcknowledgeEscalation(LocationAct):
    clock: str


class LocationReceipt(Value):
    """What an act answers, once its step is recorded."""

    sequence: int
    phase: LocationPhase
    missing: tuple[str, ...] = ()
    """What its go-live lacks."""
    rollback: int | None = None
    """Number of the rollback that is open."""
