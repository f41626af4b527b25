"""Arithmetic of training: the score of a champion, shares in percent. Decimals, no floats."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from domain.errors import Invalid
from domain.rollout.training.policy import ChampionPolicy, Criterion

_CENT = Decimal("0.01")


def champion_score(policy: ChampionPolicy, scores: Mapping[Criterion, int]) -> Decimal:
    """Weighted, exact (L-02). Raises `Invalid` (`champion.scores_incomplete`, `champion.score_out_of_scale`)."""
    if set(scores) != set(Criterion):
        raise Invalid("champion.scores_incomplete", "each criterion gets a score")
    if not all(policy.lowest <= score <= policy.highest for score in scores.values()):
        raise Invalid("champion.score_out_of_scale", f"scores go from {policy.lowest} to {policy.highest}")
    return sum((policy.weights[criterion] * score for criterion, score in scores.items()), Decimal()) / 100


def advice(policy: ChampionPolicy, score: Decimal, tenure_months: int) -> tuple[str, ...]:
    """What speaks against a champion; it refuses nobody."""
    return tuple(
        code
        for code, applies in (
            ("champion.score_low", score < policy.advised_minimum),
            ("champion.tenure_short", tenure_months <= policy.preferred_tenure_months),
        )
        if applies
    )


def share(part: int, whole: int) -> Decimal:
    """In percent, rounded down: 100 is all of it."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(_CENT, rounding=ROUND_DOWN)
