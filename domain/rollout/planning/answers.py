"""What is asked of the planner, and what it answers beside a plan."""

from __future__ import annotations

from domain.model import Value
from domain.rollout.planning.rules import Violation
from domain.rollout.program import Slug, WaiverRule


class Move(Value):
    """What if this location were in that wave? None: in none."""

    location_id: Slug
    wave: int | None


class SuggestedWaiver(Value):
    rule: WaiverRule
    location_id: str | None = None
    """None: for a rule about the whole set of pilots."""


class Conflict(Value):
    """A rule that, with the others named, leaves no plan. Without any one of them there would be one."""

    rule: str
    violations: tuple[Violation, ...] = ()
    """Where the rule stands in the way, for rules about single locations or about the pilots together."""


class Explanation(Value):
    """Why there is no plan, and what would make one possible."""

    possible: bool
    conflicts: tuple[Conflict, ...] = ()
    waivers: tuple[tuple[SuggestedWaiver, ...], ...] = ()
    """Sets of waivers, each of which makes a plan possible: the smallest first."""
    deferred: tuple[Violation, ...] = ()
    """Locations that are in no wave whatever is waived."""


class Ahead(Value):
    """A location that is in the wave asked about, and what speaks for it."""

    location_id: str
    composite: str
    preferred: tuple[str, ...]


class WhyNot(Value):
    """Why a location is not in that wave."""

    location_id: str
    wave: int
    planned_wave: int | None
    """Where the plan has it. None: in no wave, or there is no plan."""
    allowed: bool
    """It could be there: others only come first."""
    violations: tuple[Violation, ...] = ()
    """Rules about the location that forbid it."""
    conflicts: tuple[Conflict, ...] = ()
    """When no rule about it alone forbids it: what would be broken if it were there."""
    waivers: tuple[tuple[SuggestedWaiver, ...], ...] = ()
    """What would allow it."""
    ahead: tuple[Ahead, ...] = ()
    """Who is there instead, the readiest first."""
