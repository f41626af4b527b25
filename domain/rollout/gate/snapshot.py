"""Evidence as it was collected at one time, with a hash that a decision is bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from domain.model import Value
from domain.rollout.gate.evidence import Evidence


class Period(Value):
    """Whose facts, and of when."""

    program_id: str
    wave: int
    since: datetime
    until: datetime
    incidents_since: datetime


class EvidenceSnapshot(Value):
    period: Period
    collected_at: datetime
    evidence: tuple[Evidence, ...]
    """Sorted."""
    hash: str
    """SHA-256 in hexadecimal over the period and what was measured; when that was looked up is no part of it."""


def take(period: Period, evidence: Iterable[Evidence], collected_at: datetime) -> EvidenceSnapshot:
    """The order in which the evidence comes, and zeros at the end of its values, make no difference."""
    ordered = tuple(sorted(evidence, key=_canonical))
    return EvidenceSnapshot(
        period=period, collected_at=collected_at, evidence=ordered, hash=_digest(period, map(_canonical, ordered))
    )


def _digest(period: Period, lines: Iterable[str]) -> str:
    about = (
        period.program_id,
        period.wave,
        *(at.astimezone(UTC).isoformat() for at in (period.since, period.until, period.incidents_since)),
    )
    return hashlib.sha256("\n".join((json.dumps(about), *lines)).encode()).hexdigest()


def _canonical(one: Evidence) -> str:
    value = None if one.value is None else _plain(one.value)
    fields = (one.metric.value, one.location_id, value, one.numerator, one.denominator, one.source, sorted(one.people))
    return json.dumps(fields)


def _plain(value: Decimal) -> str:
    """Without an exponent, without zeros at the end, and without a negative zero."""
    return f"{value.normalize():f}" if value else "0"
