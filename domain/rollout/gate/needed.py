"""What would make a criterion pass, in numbers."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import ceil

from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.gate.policy import Criterion
from domain.rollout.gate.results import Doubt

_MORE: dict[Metric, str] = {
    Metric.SYNC_SUCCESS: "{more} more of {of} appointments must sync",
    Metric.ADOPTION: "{more} more of {of} trained staff must use the system",
    Metric.DELIVERY: "{more} more of {of} messages must be delivered",
    Metric.TRAINING_VALIDATED: "{more} more of {of} staff must be trained with success",
}
_FEWER: dict[Metric, str] = {
    Metric.CRITICAL_ISSUES: "{excess} of {value} open critical issues must be resolved",
    Metric.SYSTEMIC_ISSUES: "{excess} of {value} recurring issues must stop recurring",
    Metric.ROLLBACKS: "an extension without a rollback is needed: there were {value}",
}
_WORDS: dict[Metric, str] = {
    Metric.UPTIME: "uptime",
    Metric.SYNC_SUCCESS: "sync success",
    Metric.ADOPTION: "adoption",
    Metric.DELIVERY: "delivery",
    Metric.CRITICAL_ISSUES: "open critical issues",
    Metric.CHAMPION_CONFIDENCE: "the confidence of champions",
    Metric.SYSTEMIC_ISSUES: "recurring issues",
    Metric.TRAINING_VALIDATED: "validated training",
    Metric.ROLLBACKS: "rollbacks",
}


def what_is_needed(
    criterion: Criterion,
    place: str | None,
    evidence: Evidence | None,
    value: Decimal | None,
    doubt: Doubt | None,
) -> str:
    where = f" of {place}" if place else ""
    if evidence is None or value is None or evidence.as_of is None:
        return f"evidence of {_WORDS[criterion.metric]}{where} must be given"
    if doubt is Doubt.STALE:
        limit = _span(int(criterion.fresh_for.total_seconds()))
        return (
            f"newer evidence of {_WORDS[criterion.metric]}{where} is needed: it ends at "
            f"{evidence.as_of:%Y-%m-%d %H:%M} UTC and may be {limit} old"
        )
    return _better(criterion, place, evidence, value) + (f" ({place})" if place and _lacks_place(criterion) else "")


def _lacks_place(criterion: Criterion) -> bool:
    return criterion.metric is not Metric.CHAMPION_CONFIDENCE


def _better(criterion: Criterion, place: str | None, evidence: Evidence, value: Decimal) -> str:
    metric, limit, of = criterion.metric, criterion.threshold, evidence.denominator
    if metric is Metric.CHAMPION_CONFIDENCE:
        return _champion(place, limit, evidence, value)
    if metric in _FEWER:
        return _FEWER[metric].format(excess=_number(value - limit), value=_number(value))
    if metric in _MORE and evidence.numerator is not None and of:
        return _MORE[metric].format(more=ceil(limit * of / 100) - evidence.numerator, of=of)
    if metric is Metric.UPTIME and evidence.numerator is not None and of and limit < 100:
        more = ceil((limit * of - 100 * evidence.numerator) / (100 - limit))
        return f"{_span(more)} more without an outage are needed: uptime is {_number(value)} %"
    return f"{_WORDS[metric]} must be {criterion.comparison.replace('_', ' ')} {_number(limit)}, is {_number(value)}"


def _champion(place: str | None, limit: Decimal, evidence: Evidence, value: Decimal) -> str:
    whom = f"champion of {place}" if place else "champion"
    if value >= limit:
        missing = (evidence.denominator or 0) - (evidence.numerator or 0)
        return f"{missing} of {evidence.denominator} champions have not rated yet ({place or 'overall'})"
    return f"every {whom} must rate at least {_number(limit)}, the lowest rated {_number(value)}"


def _number(value: Decimal) -> str:
    """At most two places; towards zero, so that what fails never looks as if it passed."""
    cut = value.quantize(Decimal("0.01"), rounding="ROUND_DOWN")
    return f"{cut.normalize():f}" if cut else "0"


def _span(seconds: int) -> str:
    """Rounded up to minutes."""
    minutes = ceil(timedelta(seconds=seconds) / timedelta(minutes=1))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(parts) or "0 min"
