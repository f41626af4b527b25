"""A plan: which locations in which wave, and when (W-01, W-02, decisions 21 and 28)."""

from __future__ import annotations

from datetime import date

from domain.model import Value


class PlannedWave(Value):
    number: int
    locations: tuple[str, ...]
    starts_on: date
    """The Monday of its first week."""
    first_business_day: date | None = None
    """Of its first week: later than the Monday when that is a holiday."""
    ends_on: date
    """The last business day of its last week."""
    first_week: int
    """Weeks of the programme; the first is 1."""
    last_week: int


class Deferred(Value):
    location_id: str
    reasons: tuple[str, ...]
    """Stable codes."""


class Plan(Value):
    version: int = 1
    """Counts up with each plan that a programme follows."""
    waves: tuple[PlannedWave, ...]
    deferred: tuple[Deferred, ...] = ()
    optimization_starts_on: date
    ends_on: date
    """The last day of the programme."""
    last_week: int
    warnings: tuple[str, ...] = ()
    """Stable codes with what they are about, such as `wave_large:4`."""

    def wave_of(self, location_id: str) -> PlannedWave | None:
        return next((wave for wave in self.waves if location_id in wave.locations), None)
