"""What somebody found out anew about a location: facts, scores by hand, or that a score by hand no longer stands."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from domain.model import Value
from domain.rollout.program import (
    ChampionFacts,
    Factor,
    HandScore,
    IntegrationEffort,
    LocationFacts,
    MajorChange,
    Network,
    PracticeSystem,
    Staffing,
    Text,
    Workstations,
)
from domain.rollout.workstations import Workstation, WorkstationMinimum, counted

MOST_WORKSTATIONS = 500


class MeasuredFacts(Value):
    """What is left out stays as it was."""

    model_config = ConfigDict(extra="forbid")

    monthly_visits: int | None = Field(default=None, ge=0)
    practice_system: PracticeSystem | None = None
    imaging: Text | None = None
    integration: IntegrationEffort | None = None
    network: Network | None = None
    workstations: Workstations | None = None
    inventory: Annotated[tuple[Workstation, ...], Field(min_length=1, max_length=MOST_WORKSTATIONS)] | None = None
    """One by one, instead of `workstations`: each is held against the minimum (T-02)."""
    staffing: Staffing | None = None
    champion: ChampionFacts | None = None
    major_changes: tuple[MajorChange, ...] | None = None
    regional_manager_engaged: bool | None = None
    near_central_team: bool | None = None
    rollback_tolerable: bool | None = None
    baseline_reliable: bool | None = None

    @model_validator(mode="after")
    def _counted_once(self) -> Self:
        if self.inventory is not None and self.workstations is not None:
            raise ValueError("Give workstations or inventory, not both.")
        return self


class NewScore(Value):
    model_config = ConfigDict(extra="forbid")

    factor: Factor
    score: int = Field(ge=1, le=5)
    reason: Text


class Resurvey(Value):
    model_config = ConfigDict(extra="forbid")

    facts: MeasuredFacts | None = None
    scores: tuple[NewScore, ...] = Field(default=(), max_length=len(Factor))
    withdrawn: tuple[Factor, ...] = Field(default=(), max_length=len(Factor))
    """Factors that are worked out again instead of scored by hand."""

    @model_validator(mode="after")
    def _says_something_once(self) -> Self:
        factors = [*(one.factor for one in self.scores), *self.withdrawn]
        if len(set(factors)) < len(factors):
            raise ValueError("Name each factor once.")
        if not factors and (self.facts is None or not self.facts.model_fields_set):
            raise ValueError("Say at least one thing.")
        return self


def resurveyed(facts: LocationFacts, found: Resurvey, author: str, minimum: WorkstationMinimum) -> LocationFacts:
    """The location as it is known now. `author` is the opaque id of who found it."""
    new = found.facts or MeasuredFacts()
    changed = {
        name: value
        for name in MeasuredFacts.model_fields
        if name != "inventory" and (value := getattr(new, name)) is not None
    }
    if new.inventory:
        changed["workstations"] = counted(new.inventory, minimum)
    named = {*(one.factor for one in found.scores), *found.withdrawn}
    scores = (
        *(one for one in facts.scores if one.factor not in named),
        *(HandScore(factor=one.factor, score=one.score, author=author, reason=one.reason) for one in found.scores),
    )
    return facts.model_copy(update={**changed, "scores": scores})
