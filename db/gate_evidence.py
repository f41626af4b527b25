"""What is known for the gate of a wave, from telemetry, issues, answers and the steps of locations (GG-02 to GG-09)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.rollout_contracts import CollectEvidenceInput, CollectEvidenceResult
from db import gate_shares
from db.session import Database
from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.people import Function
from domain.rollout.telemetry import CRITICAL, KIND_OF_ROLLBACK, Source

RECORDS = "records"
"""Source of what our own steps say."""


class SqlGateEvidence:
    """The port `GateEvidence` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def collect(self, asked: CollectEvidenceInput) -> CollectEvidenceResult:
        async with self._database.transaction() as session:
            return CollectEvidenceResult(evidence=tuple(await collect(session, asked)))


async def collect(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """Raises nothing: what is not known is left out."""
    windows = await gate_shares.windows(session, asked)
    return [
        *await gate_shares.uptime(session, asked, windows),
        *await gate_shares.shares(session, asked, windows),
        *await gate_shares.adoption(session, asked),
        *await gate_shares.training(session, asked),
        *await _critical_issues(session, asked),
        *await _confidence(session, asked),
        *await _rollbacks_and_systemic(session, asked),
    ]


# An outage that goes on is a critical issue, whether or not somebody has opened one (decision 32).
_CRITICAL = """
select asked.location_id, (
    select count(*) from rollout_issue
    where rollout_issue.location_id = asked.location_id and severity = :critical
        and opened_at <= :known_at and (resolved_at is null or resolved_at > :known_at)
) + (
    select count(*) from telemetry_outage
    where telemetry_outage.location_id = asked.location_id
        and begins <= :known_at and (ends is null or ends > :known_at)
) as open
from unnest(cast(:locations as text[])) as asked(location_id)
order by asked.location_id
"""


async def _critical_issues(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-06."""
    rows = await gate_shares.rows(session, _CRITICAL, {**gate_shares.parameters(asked), "critical": CRITICAL})
    return _counted(Metric.CRITICAL_ISSUES, {row.location_id: row.open for row in rows}, Source.ISSUE_TRACKER, asked)


_CONFIDENCE = """
select champion.location_id, count(*) as champions, count(score) as answers, min(score) as lowest,
    min(answered_at) as as_of, array_agg(champion.id) filter (where score is not null) as submitters
from rollout_member as champion
left join lateral (
    select score, answered_at from confidence_answer
    where member_id = champion.id and confidence_answer.location_id = champion.location_id
        and answered_at >= :since and answered_at <= :known_at
    order by answered_at desc, confidence_answer.id desc limit 1
) as answer on true
where program_id = :program_id and function = :function and active and champion.location_id = any(:locations)
group by champion.location_id
order by champion.location_id
"""


async def _confidence(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-07: the lowest rating, never a mean, and how many have rated."""
    params = {**gate_shares.parameters(asked), "program_id": asked.program_id, "function": Function.CHAMPION.value}
    rows = await gate_shares.rows(session, _CONFIDENCE, params)
    each = [
        Evidence(
            metric=Metric.CHAMPION_CONFIDENCE,
            location_id=row.location_id,
            value=row.lowest,
            numerator=row.answers,
            denominator=row.champions,
            source=Source.SURVEY,
            as_of=row.as_of,
            submitted_by=gate_shares.a_submitter(row.submitters or ()),
            submitters=tuple(sorted(row.submitters or ())),
        )
        for row in rows
    ]
    rated = [row for row in rows if row.answers]
    if not rated:
        return each
    overall = Evidence(
        metric=Metric.CHAMPION_CONFIDENCE,
        value=min(row.lowest for row in rated),
        numerator=sum(row.answers for row in rows),
        denominator=sum(row.champions for row in rows) + len(set(asked.locations) - {row.location_id for row in rows}),
        source=Source.SURVEY,
        as_of=min(row.as_of for row in rated),
    )
    return [*each, overall]


_ISSUES = """
select kind, location_id from rollout_issue
where location_id = any(:locations) and opened_at >= :incidents_since and opened_at <= :known_at
"""


async def _rollbacks_and_systemic(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-09 b and d: rollbacks that began, and kinds of issue that came up at more than one location."""
    began = await _rollbacks(session, asked)
    params = {**gate_shares.parameters(asked), "incidents_since": asked.incidents_since}
    places: dict[str, set[str]] = {}
    for kind, location_id in await gate_shares.rows(session, _ISSUES, params):
        places.setdefault(kind, set()).add(location_id)
    for location_id, issues in began:
        for issue in issues:
            places.setdefault(KIND_OF_ROLLBACK.get(issue, issue), set()).add(location_id)
    recurring = sum(len(found) > 1 for found in places.values())
    counts = {each: sum(location_id == each for location_id, _ in began) for each in asked.locations}
    systemic = Evidence(
        metric=Metric.SYSTEMIC_ISSUES, value=Decimal(recurring), source=Source.ISSUE_TRACKER, as_of=asked.until
    )
    return [systemic, *_counted(Metric.ROLLBACKS, counts, RECORDS, asked)]


async def _rollbacks(session: AsyncSession, asked: CollectEvidenceInput) -> list[tuple[str, set[str]]]:
    """Location and issues of each that began in the period, as the locations know them."""
    return [
        (location_id, {cause["issue"] for cause in (one["cause"], *one.get("further", ()))})
        for location_id, rollbacks in await gate_shares.known(session, asked, "rollbacks")
        for one in rollbacks
        if asked.incidents_since <= datetime.fromisoformat(one["disabled_at"]) <= gate_shares.known_at(asked)
    ]


def _counted(metric: Metric, counts: dict[str, int], source: str, asked: CollectEvidenceInput) -> list[Evidence]:
    """Numbers that our own records answer for: they are as fresh as the question."""
    each = [
        Evidence(metric=metric, location_id=location_id, value=Decimal(count), source=source, as_of=asked.until)
        for location_id, count in counts.items()
    ]
    whole = Evidence(metric=metric, value=Decimal(sum(counts.values())), source=source, as_of=asked.until)
    return [*each, whole]
