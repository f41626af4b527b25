"""Whether a plan keeps every rule: told apart from how it was found, so that one holds the other to account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from domain.rollout.plan import Plan, PlannedWave
from domain.rollout.planning.policy import PlanningPolicy
from domain.rollout.planning.rules import (
    PILOT,
    Rule,
    Survey,
    Violation,
    location_violations,
    set_violations,
    standing,
    survey,
)
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import Programme


def check(plan: Plan, programme: Programme, policy: RolloutPolicy) -> tuple[Violation, ...]:
    """Every rule that the plan breaks and that nobody has waived."""
    seen = survey(programme, policy)
    found = (
        *_about_places(plan, seen),
        *_about_locations(plan, seen, policy.planning),
        *_about_sizes(plan, programme, policy.planning),
        *_about_buffers(plan.waves, policy.planning),
    )
    return standing(found, programme.waivers)


def _about_places(plan: Plan, seen: Survey) -> Iterator[Violation]:
    """Each location is in one wave, or deferred with its reasons."""
    places = Counter(location_id for wave in plan.waves for location_id in wave.locations)
    places.update(one.location_id for one in plan.deferred if one.reasons)
    known = {one.location_id for one in seen.candidates}
    for location_id in sorted(known | places.keys()):
        if places[location_id] != 1 or location_id not in known:
            yield Violation(
                rule=Rule.NOT_PLACED_ONCE, location_id=location_id, detail={"places": str(places[location_id])}
            )


def _about_locations(plan: Plan, seen: Survey, policy: PlanningPolicy) -> Iterator[Violation]:
    pilots = []
    for one in seen.candidates:
        if wave := plan.wave_of(one.location_id):
            yield from location_violations(one, wave.number, seen, policy)
            if wave.number == PILOT:
                pilots.append(one)
    yield from set_violations(pilots, policy)


def _about_sizes(plan: Plan, programme: Programme, policy: PlanningPolicy) -> Iterator[Violation]:
    for wave in plan.waves:
        least, most = policy.capacity(wave.number, extra_waves=programme.extra_waves)
        size = len(wave.locations)
        detail = {"locations": str(size), "at_least": str(least), "at_most": str(most)}
        if size == 0:
            yield Violation(rule=Rule.WAVE_EMPTY, wave=wave.number, detail=detail)
        elif wave.number == PILOT and size < least:
            yield Violation(rule=Rule.PILOT_SIZE, wave=wave.number, detail=detail)
        if most is not None and size > most:
            rule = Rule.PILOT_SIZE if wave.number == PILOT else Rule.WAVE_CAPACITY
            yield Violation(rule=rule, wave=wave.number, detail=detail)


def _about_buffers(waves: tuple[PlannedWave, ...], policy: PlanningPolicy) -> Iterator[Violation]:
    for before, after in pairwise(waves):
        if after.starts_on < before.ends_on + policy.buffer:
            detail = {"ended": str(before.ends_on), "starts": str(after.starts_on)}
            yield Violation(rule=Rule.BUFFER, wave=after.number, detail=detail)
