"""Evidence for tests of gates, and a wave to hold it against."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from domain import policy
from domain.actors import Actor
from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.gate.judging import judge
from domain.rollout.gate.results import Result, Verdict
from domain.rollout.gate.snapshot import EvidenceSnapshot, Period, take
from domain.rollout.gate.state import DecideGate, Decision, Gate
from domain.rollout.news import ProgrammeNews
from domain.rollout.orders import WaveOrder
from domain.rollout.plan import PlannedWave
from domain.work_calendar import OpeningHours, WorkCalendar

NOON = datetime(2027, 2, 5, 12, tzinfo=UTC)
SINCE = NOON - timedelta(days=15)
PERIOD = Period(program_id="dental", wave=1, since=SINCE, until=NOON, incidents_since=SINCE)
LOCATIONS = ("loc-1", "loc-2")
CRITERIA = policy.load().rollout.gate
VP = Actor(role="vp_operations", id="vp")

CENTRAL = WorkCalendar(
    time_zone="America/New_York",
    hours=tuple(OpeningHours(weekday=day, opens=time(9), closes=time(17)) for day in range(1, 6)),
)


def wave_order(
    *, pilot: bool = True, number: int = 1, starts_on: date = date(2027, 1, 18), zones: dict[str, str] | None = None
) -> WaveOrder:
    """Two locations, one in New York and one in Chicago, unless said otherwise."""
    zones = zones or {"loc-1": "America/New_York", "loc-2": "America/Chicago"}
    rules = policy.load().rollout
    return WaveOrder(
        program_id="dental",
        planned=PlannedWave(
            number=number,
            locations=tuple(zones),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=18),
            first_week=3,
            last_week=5,
        ),
        calendar=CENTRAL,
        time_zones=zones,
        regions=dict.fromkeys(zones, "north"),
        policy_version=rules.version,
        policy=rules.wave,
        gate=rules.gate,
        pilot=pilot,
        news=ProgrammeNews(sequence=1),
    )


def share(metric: Metric, numerator: int, denominator: int, place: str | None = None) -> Evidence:
    return Evidence(
        metric=metric,
        location_id=place,
        value=(Decimal(100 * numerator) / denominator).quantize(Decimal("0.01")) if denominator else None,
        numerator=numerator,
        denominator=denominator,
        source="integration_logs",
        as_of=NOON,
    )


def count(metric: Metric, value: str, place: str | None = None, submitted_by: str | None = None) -> Evidence:
    return Evidence(
        metric=metric,
        location_id=place,
        value=Decimal(value),
        source="issue_tracker",
        as_of=NOON,
        submitted_by=submitted_by,
    )


def good(locations: tuple[str, ...] = LOCATIONS) -> tuple[Evidence, ...]:
    """Everything passes, of any wave."""
    places = (None, *locations)
    return (
        *(share(Metric.UPTIME, 999, 1000, place) for place in places),
        *(share(Metric.SYNC_SUCCESS, 595, 600, place) for place in places),
        *(share(Metric.ADOPTION, 12, 12, place) for place in places),
        *(share(Metric.DELIVERY, 980, 1000, place) for place in places),
        *(count(Metric.CRITICAL_ISSUES, "0", place) for place in places),
        *(count(Metric.CHAMPION_CONFIDENCE, "5", place, f"champion-of-{place}") for place in locations),
        count(Metric.SYSTEMIC_ISSUES, "0"),
        *(share(Metric.TRAINING_VALIDATED, 12, 12, place) for place in places),
        *(count(Metric.ROLLBACKS, "0", place) for place in places),
    )


def but(*others: Evidence, evidence: tuple[Evidence, ...] | None = None) -> tuple[Evidence, ...]:
    """Good evidence, with these in the place of theirs."""
    replaced = {(one.metric, one.location_id): one for one in others}
    base = good() if evidence is None else evidence
    return tuple(replaced.pop((one.metric, one.location_id), one) for one in base) + tuple(replaced.values())


def snapshot(*evidence: Evidence) -> EvidenceSnapshot:
    return take(PERIOD, evidence or good(), NOON)


def judged(*evidence: Evidence, pilot: bool = True) -> dict[str, Verdict]:
    """By code."""
    found = judge(CRITERIA.criteria_of(pilot=pilot), snapshot(*evidence), LOCATIONS)
    return {verdict.code: verdict for verdict in found}


def not_passing(verdicts: dict[str, Verdict]) -> dict[str, Result]:
    return {code: verdict.result for code, verdict in verdicts.items() if verdict.result is not Result.PASS}


def opened(*evidence: Evidence) -> Gate:
    taken = snapshot(*evidence)
    return Gate(
        attempt=1,
        opened_at=NOON,
        inputs_due=NOON + timedelta(days=4),
        snapshot=taken,
        verdicts=judge(CRITERIA.criteria_of(pilot=True), taken, LOCATIONS),
    )


def decision(gate: Gate, chosen: Decision = Decision.GO, **changes: object) -> DecideGate:
    asked = DecideGate(actor=VP, wave=1, evidence_hash=gate.snapshot.hash, decision=chosen)
    return asked.model_copy(update=changes)
