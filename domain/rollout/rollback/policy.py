"""Policy data: ladder and resolution (X-05 to X-07)."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from domain.actors import Notice
from domain.clock import ClockPolicy
from domain.model import Value
from domain.rollout.people import Function


class LadderStep(Value):
    step_id: str = Field(pattern="^[a-z_]+$")
    title: str
    requirement: str
    owners: tuple[Function, ...] = ()
    """Any of them acknowledges it. None: the system did it when it started the rollback."""


class Ladder(Value):
    steps: tuple[LadderStep, ...]
    in_order: bool
    """A step is acknowledged only after those before it."""
    clock: ClockPolicy
    """Counts from the trigger; met by the last step."""


class Stage(Value):
    """Of re-enabling."""

    percent: int = Field(ge=1, le=100)
    """How much of the location's communication is on."""
    watched: ClockPolicy
    """At its end the next stage may begin; after the last one the rollback is resolved."""


class Awaiting(Value):
    """Who is reminded while the resolution waits for them."""

    fix: ClockPolicy
    validation: ClockPolicy
    root_cause: ClockPolicy
    stage: ClockPolicy


class RollbackNotices(Value):
    begun: tuple[Notice, ...]
    relapsed: tuple[Notice, ...]
    fix_provided: tuple[Notice, ...]
    fix_rejected: tuple[Notice, ...]
    stage_begun: tuple[Notice, ...]
    resolved: tuple[Notice, ...]
    cancelled: tuple[Notice, ...]


class RollbackPolicy(Value):
    immediate: Ladder
    """X-05."""
    short_term: Ladder
    """X-06."""
    fix_providers: tuple[Function, ...]
    """X-07.1."""
    fix_validators: tuple[Function, ...]
    """X-07.2."""
    root_cause_confirmers: tuple[Function, ...]
    """X-07.4."""
    enablers: tuple[Function, ...]
    """X-07.3."""
    acknowledgers: tuple[Function, ...]
    """Who may take on what is late."""
    awaiting: Awaiting
    stages: tuple[Stage, ...] = Field(min_length=1)
    notices: RollbackNotices

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [step.step_id for step in self.steps]
        if len(set(ids)) < len(ids):
            raise ValueError("step ids must differ")
        percents = [stage.percent for stage in self.stages]
        if percents[-1] != 100 or any(later <= earlier for earlier, later in pairwise(percents)):
            raise ValueError("stages grow, up to 100 %")
        return self

    @property
    def steps(self) -> tuple[LadderStep, ...]:
        return (*self.immediate.steps, *self.short_term.steps)

    @property
    def ladders(self) -> tuple[Ladder, Ladder]:
        return (self.immediate, self.short_term)

    def watch(self, percent: int) -> timedelta:
        """How long the stage is watched."""
        return next(stage.watched.deadline for stage in self.stages if stage.percent == percent)
