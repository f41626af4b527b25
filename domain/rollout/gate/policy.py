"""Policy data: criteria and clocks of a gate (GG-01 to GG-09, decisions 31 to 34)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from domain.clock import ClockPolicy
from domain.model import Value
from domain.rollout.gate.evidence import Metric
from domain.rollout.people import Function


class Comparison(StrEnum):
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class Criterion(Value):
    """What a metric has to reach, and where it is looked at."""

    metric: Metric
    requirement: str
    """Number in the requirements, such as `GG-02`."""
    comparison: Comparison
    threshold: Decimal
    each_location: bool
    overall: bool
    fresh_for: timedelta
    """Facts that end longer than this before the end of the period are stale."""

    @model_validator(mode="after")
    def _looked_at(self) -> Self:
        if not (self.each_location or self.overall):
            raise ValueError("a criterion is looked at somewhere")
        return self


class GatePolicy(Value):
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    """Of every wave (GG-02 to GG-07)."""
    later_criteria: tuple[Criterion, ...]
    """Of the waves after the pilot on top (GG-09, decision 34)."""
    decider: Function
    """GG-08."""
    advisers: tuple[Function, ...]
    input_business_days: int = Field(ge=0)
    """After so many business days the decision is taken without the input that is missing (decision 33)."""
    inputs: ClockPolicy
    """Ends with those days: its times are counted back from there."""
    decision: ClockPolicy
    """From when the gate opens; at its end the evaluation has expired."""

    def criteria_of(self, *, pilot: bool) -> tuple[Criterion, ...]:
        return self.criteria if pilot else (*self.criteria, *self.later_criteria)
