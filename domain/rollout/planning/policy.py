"""Policy data: W-01 to W-05, S-11, R-05, R-06, decisions 21, 25, 27, 28, 38."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from domain.model import Value


class WaveRange(Value):
    """W-01: how many locations, in which weeks as published."""

    at_least: int = Field(ge=1)
    at_most: int | None
    """None: whatever remains."""
    first_week: int
    last_week: int


class PilotPolicy(Value):
    """W-03 to W-05, S-11, decision 27."""

    composite: Decimal
    preferred: int
    """How many of the four preferred criteria are met at least (W-04)."""
    preferred_percentile: tuple[Decimal, Decimal]
    high_volume_percentile: Decimal
    """From here on a location is of high volume; below, of low to moderate (decision 25)."""
    high_volume: int
    low_volume: int
    common_configuration: int
    regions: int


class PlanningPolicy(Value):
    waves: tuple[WaveRange, ...] = Field(min_length=1)
    """The last is repeated for extra waves (decision 28)."""
    wave_weeks: int
    buffer: timedelta
    """Between the end of a wave and the start of the next (W-02)."""
    large_wave: int
    """More in one wave are warned of, and extra waves hold no more (decision 28)."""
    integration_lead: timedelta
    """How long before its wave the integration of a location begins (decision 38)."""
    pilot: PilotPolicy
    preparation_weeks: int
    optimization_weeks: int
    optimization_weeks_least: int
    """It is shortened so far, and no further, to end the programme in time (decision 21)."""
    programme_weeks: tuple[int, int]
    """R-06: between these; more is an overrun."""
    suggestions: int
    """How many sets of waivers are suggested at most when no plan is possible."""
    waivers_together: int
    """Larger sets are suggested only when no smaller one helps."""

    def capacity(self, wave: int, *, extra_waves: bool) -> tuple[int, int | None]:
        """How many locations that wave holds, at least and at most (W-01, decision 28)."""
        found = self.waves[min(wave, len(self.waves)) - 1]
        if found.at_most is None and extra_waves:
            return found.at_least, self.large_wave
        return found.at_least, found.at_most

    def possible_waves(self, locations: int, *, extra_waves: bool) -> int:
        published = len(self.waves)
        return max(published, published - 1 + -(-locations // self.large_wave)) if extra_waves else published
