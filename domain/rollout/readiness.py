"""Readiness of a location: five factors, a composite, a band (S). How a factor is scored is in readiness_factors.py."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.model import Value
from domain.rollout.program import Adoption, Factor, IntegrationEffort, OfficeManager, Provider, TrainingProgramme
from domain.rollout.workstations import WorkstationMinimum

Score = Annotated[int, Field(ge=1, le=5)]
PLACES = Decimal("0.01")


class Step(Value):
    """From this value on (or, where it is not inclusive, above it) the score is this one."""

    edge: Decimal
    score: Score
    inclusive: bool = True

    def holds(self, value: Decimal) -> bool:
        return value >= self.edge if self.inclusive else value > self.edge


Ladder = Annotated[tuple[Step, ...], Field(min_length=1)]
"""Highest edge first; the first step that holds decides. The last one holds for every value."""


def climb(ladder: tuple[Step, ...], value: Decimal) -> int:
    return next((step.score for step in ladder if step.holds(value)), ladder[-1].score)


class InfrastructureEdges(Value):
    """S-02, decision 24."""

    bandwidth_mbps: Ladder
    not_fibre: Score
    """At most, without fibre."""
    inconsistent: Score
    """At most, when the connection is inconsistent or below the minimum of T-03."""
    unreliable: Score
    under_three_years_percent: Ladder
    outdated_percent: Ladder
    """Of workstations below the minimum of T-02."""
    versions_behind: Ladder
    practice_system_unsupported: Score
    network_unmanaged: Score


class StaffEdges(Value):
    """S-03, decision 24."""

    turnover_percent: Ladder
    adoption: dict[Adoption, Score]
    training: dict[TrainingProgramme, Score]


class TechStackEdges(Value):
    """S-05."""

    integration: dict[IntegrationEffort, Score]
    other_imaging: Score
    """At most, with the most common practice system and other imaging."""
    other_practice_system: Score
    unknown_practice_system: Score
    """I-08: nothing integrates it."""


class ChampionEdges(Value):
    """S-06."""

    office_manager: dict[OfficeManager, Score]
    """Of those who would be the champion; the others are no candidates."""
    provider: dict[Provider, Score]
    """At most, beside an office manager who is a candidate."""
    provider_candidates: frozenset[Provider]
    provider_alone: Score
    unconfirmed: Score
    """At most, while nobody has agreed."""
    no_candidate: Score
    resisted: Score
    """When there is no candidate, but active resistance."""


class NetworkMinimum(Value):
    """T-03."""

    down_mbps: Decimal
    up_mbps: Decimal


class BandEdge(Value):
    at_least: Decimal
    wave: int


class ReadinessPolicy(Value):
    weights: dict[Factor, Decimal]
    bands: tuple[BandEdge, ...]
    """Highest first; below the last a location is deferred (S-10, decision 26)."""
    infrastructure: InfrastructureEdges
    staff: StaffEdges
    volume_percentile: Ladder
    """S-04, decision 25."""
    tech_stack: TechStackEdges
    champion: ChampionEdges
    network: NetworkMinimum
    workstation: WorkstationMinimum

    @model_validator(mode="after")
    def _weights_are_whole(self) -> Self:
        if self.weights.keys() != set(Factor) or sum(self.weights.values()) != 1:
            raise ValueError("each factor has a weight, and together they are 1")
        return self


class Band(StrEnum):
    """S-10."""

    WAVE_1 = "wave_1"
    WAVE_2 = "wave_2"
    WAVE_3 = "wave_3"
    DEFER = "defer"


class Reason(Value):
    """One criterion of a factor."""

    code: str
    measured: str
    """What was found, as text; no names of people."""
    allows: Score
    """The highest score that this leaves open."""
    met: bool
    """Whether it meets what the highest score asks for."""
    decisive: bool = False
    """The factor is no higher because of it."""


class FactorScore(Value):
    factor: Factor
    score: Score
    reasons: tuple[Reason, ...] = ()
    author: str | None = None
    """Opaque id of who entered it by hand; None when it was worked out."""
    note: str | None = None
    """Why, in the author's words."""


class Assessment(Value):
    """S-08: one row of the readiness matrix."""

    location_id: str
    scores: tuple[FactorScore, ...]
    """One for each factor, in the order of S-01."""
    percentile: Decimal
    """Of the monthly visits among the programme's locations."""
    composite: Decimal
    """Unrounded; bands are decided on it."""
    band: Band
    recommended_wave: int | None
    """None: deferred, to be remedied first."""

    @property
    def shown(self) -> Decimal:
        return shown(self.composite)

    def score(self, factor: Factor) -> int:
        return next(one.score for one in self.scores if one.factor is factor)


def composite(scores: dict[Factor, int], policy: ReadinessPolicy) -> Decimal:
    """S-07, unrounded."""
    return sum((policy.weights[factor] * scores[factor] for factor in Factor), Decimal(0))


def shown(value: Decimal) -> Decimal:
    """To two places."""
    return value.quantize(PLACES, ROUND_HALF_UP)


def recommended_wave(value: Decimal, policy: ReadinessPolicy) -> int | None:
    """The first wave that a composite, unrounded, is good enough for (S-10, decision 26)."""
    return next((band.wave for band in policy.bands if value >= band.at_least), None)


def band(value: Decimal, policy: ReadinessPolicy) -> Band:
    wave = recommended_wave(value, policy)
    return Band.DEFER if wave is None else Band(f"wave_{wave}")
