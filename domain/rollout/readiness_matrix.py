"""The readiness of all locations of a programme, compared with each other (S-01, S-07, S-08)."""

from __future__ import annotations

from domain.rollout.program import LocationFacts
from domain.rollout.readiness import Assessment, ReadinessPolicy, band, composite, recommended_wave
from domain.rollout.readiness_factors import Group, group_of, score_factors


def assess(facts: LocationFacts, group: Group, policy: ReadinessPolicy) -> Assessment:
    scores = score_factors(facts, group, policy)
    value = composite({one.factor: one.score for one in scores}, policy)
    return Assessment(
        location_id=facts.location_id,
        scores=scores,
        percentile=group.percentile(facts.monthly_visits),
        composite=value,
        band=band(value, policy),
        recommended_wave=recommended_wave(value, policy),
    )


def matrix(locations: tuple[LocationFacts, ...], policy: ReadinessPolicy) -> tuple[Assessment, ...]:
    """The readiest first, then by id."""
    group = group_of(locations)
    found = (assess(facts, group, policy) for facts in locations)
    return tuple(sorted(found, key=lambda one: (-one.composite, one.location_id)))
