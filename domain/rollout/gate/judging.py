"""Whether the evidence meets the criteria of a gate: pass, fail, or inconclusive, which is for a human to decide."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.gate.needed import what_is_needed
from domain.rollout.gate.policy import Comparison, Criterion
from domain.rollout.gate.results import Doubt, Result, Verdict
from domain.rollout.gate.snapshot import EvidenceSnapshot

SHARES = frozenset({Metric.UPTIME, Metric.SYNC_SUCCESS, Metric.ADOPTION, Metric.DELIVERY, Metric.TRAINING_VALIDATED})
"""In percent: numerator of denominator."""


def judge(criteria: Iterable[Criterion], snapshot: EvidenceSnapshot, locations: Iterable[str]) -> tuple[Verdict, ...]:
    """Every criterion at every place where it is looked at."""
    known = {(one.metric, one.location_id): one for one in snapshot.evidence}
    locations = tuple(sorted(locations))
    return tuple(
        _verdict(criterion, place, known.get((criterion.metric, place)), snapshot.period.until)
        for criterion in criteria
        for place in _places(criterion, locations)
    )


def overall(verdicts: Iterable[Verdict]) -> Result:
    """The worst: one that fails fails all, one in doubt leaves all in doubt."""
    results = {verdict.result for verdict in verdicts}
    return next((bad for bad in (Result.FAIL, Result.INCONCLUSIVE) if bad in results), Result.PASS)


def _places(criterion: Criterion, locations: tuple[str, ...]) -> tuple[str | None, ...]:
    return (*((None,) if criterion.overall else ()), *(locations if criterion.each_location else ()))


def _verdict(criterion: Criterion, place: str | None, evidence: Evidence | None, until: datetime) -> Verdict:
    value = _value(evidence)
    result, doubt = _result(criterion, evidence, value, until)
    return Verdict(
        metric=criterion.metric,
        requirement=criterion.requirement,
        location_id=place,
        result=result,
        doubt=doubt,
        comparison=criterion.comparison,
        threshold=criterion.threshold,
        value=value,
        numerator=evidence.numerator if evidence else None,
        denominator=evidence.denominator if evidence else None,
        source=evidence.source if evidence else None,
        as_of=evidence.as_of if evidence else None,
        needed=None if result is Result.PASS else what_is_needed(criterion, place, evidence, value, doubt),
    )


def _value(evidence: Evidence | None) -> Decimal | None:
    """A share is worked out from its counts: a rounded one might pass where the exact one fails."""
    if evidence is None:
        return None
    if evidence.metric in SHARES and evidence.numerator is not None and evidence.denominator is not None:
        return Decimal(100 * evidence.numerator) / evidence.denominator if evidence.denominator else None
    return evidence.value


def _result(
    criterion: Criterion, evidence: Evidence | None, value: Decimal | None, until: datetime
) -> tuple[Result, Doubt | None]:
    if evidence is None or value is None or evidence.as_of is None:
        return Result.INCONCLUSIVE, Doubt.MISSING
    if evidence.as_of < until - criterion.fresh_for:
        return Result.INCONCLUSIVE, Doubt.STALE
    if not _meets(criterion, value):
        return Result.FAIL, None
    if _is_incomplete(evidence):
        return Result.INCONCLUSIVE, Doubt.INCOMPLETE
    return Result.PASS, None


def _meets(criterion: Criterion, value: Decimal) -> bool:
    if criterion.comparison is Comparison.AT_LEAST:
        return value >= criterion.threshold
    return value <= criterion.threshold


def _is_incomplete(evidence: Evidence) -> bool:
    if evidence.metric is not Metric.CHAMPION_CONFIDENCE:
        return False
    return (evidence.numerator or 0) < (evidence.denominator or 0)
