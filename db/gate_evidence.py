"""What is known for the gate of a wave, from telemetry, issues, answers and the steps of locations (GG-02 to GG-09)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.rollout_contracts import CollectEvidenceInput, CollectEvidenceResult
from db.session import Database
from db.tables import CaseState
from domain import names
from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.people import Function
from domain.rollout.telemetry import CRITICAL, KIND_OF_ROLLBACK, Source
from domain.rollout.training.state import TrainingState

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
    windows = await _windows(session, asked)
    return [
        *await _uptime(session, asked, windows),
        *await _shares(session, asked, windows),
        *await _adoption(session, asked),
        *await _critical_issues(session, asked),
        *await _confidence(session, asked),
        *await _rollbacks_and_systemic(session, asked),
        *await _training(session, asked),
    ]


@dataclass(frozen=True)
class Window:
    """A location, and from when on its figures count: its go-live (decision 31)."""

    location_id: str
    since: datetime


async def _windows(session: AsyncSession, asked: CollectEvidenceInput) -> list[Window]:
    """Of the locations that have gone live."""
    live = [(place, datetime.fromisoformat(at)) for place, at in await _known(session, asked, "live_at")]
    return [Window(location_id, max(at, asked.since)) for location_id, at in live if at < asked.until]


# Stretches that were watched are joined; what lies behind the first gap is not known. Outages are joined too, so that
# two reports about the same minutes count once.
_UPTIME = """
with asked as (
    select * from unnest(cast(:locations as text[]), cast(:since as timestamptz[])) as asked(location_id, since)
), watched as (
    select location_id, least(upper(stretch), :until) as until
    from asked, lateral (
        select unnest(range_agg(tstzrange(begins, ends))) as stretch
        from telemetry_share
        where telemetry_share.location_id = asked.location_id and kind = 'watch' and ends > since and begins < :until
    ) as joined
    where lower(stretch) <= since and upper(stretch) > since
)
select asked.location_id, since, until, (
    select coalesce(sum(extract(epoch from upper(down) - lower(down))), 0)
    from (
        select unnest(range_agg(tstzrange(greatest(begins, since), least(coalesce(ends, until), until)))) as down
        from telemetry_outage
        where telemetry_outage.location_id = asked.location_id and begins < until
            and coalesce(ends, until) > greatest(begins, since)
    ) as outages
) as seconds_down, said.sources, said.submitters
from asked join watched using (location_id) cross join lateral (
    select array_agg(distinct source) as sources,
        array_agg(distinct submitted_by) filter (where submitted_by is not null) as submitters
    from (
        select source, submitted_by from telemetry_share
        where telemetry_share.location_id = asked.location_id and kind = 'watch' and ends > since and begins < until
        union all
        select source, submitted_by from telemetry_outage
        where telemetry_outage.location_id = asked.location_id and begins < until
    ) as entries
) as said
order by asked.location_id
"""


async def _uptime(session: AsyncSession, asked: CollectEvidenceInput, windows: Sequence[Window]) -> list[Evidence]:
    """Percent of the time, around the clock, for each location and over all (GG-02, decision 31)."""
    if not windows:
        return []
    params = {
        "locations": [window.location_id for window in windows],
        "since": [window.since for window in windows],
        "until": asked.until,
    }
    rows = await _rows(session, _UPTIME, params)
    parts = [
        Part(
            location_id=row.location_id,
            numerator=_seconds(row.until - row.since) - int(row.seconds_down),
            denominator=_seconds(row.until - row.since),
            source=_weakest(row.sources),
            as_of=row.until,
            submitters=tuple(row.submitters or ()),
        )
        for row in rows
    ]
    return _shown(Metric.UPTIME, parts, asked)


class Part(NamedTuple):
    """A share at one location, and what stands behind it."""

    location_id: str
    numerator: int
    denominator: int
    source: str
    as_of: datetime
    submitters: tuple[str, ...] = ()


# Of two samples about the same stretch the later one counts.
_SHARES = """
with said as (
    select distinct on (location_id, kind, begins, ends) *
    from telemetry_share
    where location_id = any(:locations) and kind in ('sync', 'delivery') and ends > :since and ends <= :until
    order by location_id, kind, begins, ends, id desc
)
select said.location_id, kind, sum(total) as total, sum(part) as part, max(ends) as as_of,
    array_agg(distinct source) as sources,
    array_agg(distinct submitted_by) filter (where submitted_by is not null) as submitters
from said
join unnest(cast(:locations as text[]), cast(:starts as timestamptz[])) as live(location_id, since)
    on live.location_id = said.location_id and said.begins >= live.since
group by said.location_id, kind
order by said.location_id, kind
"""


async def _shares(session: AsyncSession, asked: CollectEvidenceInput, windows: Sequence[Window]) -> list[Evidence]:
    """GG-03, GG-05: sums of counts, so that a busy day weighs more than a quiet one."""
    if not windows:
        return []
    params = {
        "locations": [window.location_id for window in windows],
        "starts": [window.since for window in windows],
        "since": asked.since,
        "until": asked.until,
    }
    rows = await _rows(session, _SHARES, params)
    sync = [_part(row, row.total - row.part) for row in rows if row.kind == "sync" and row.total]
    delivery = [_part(row, row.part) for row in rows if row.kind == "delivery" and row.total]
    return [
        *_shown(Metric.SYNC_SUCCESS, sync, asked),
        *_shown(Metric.DELIVERY, delivery, asked),
    ]


_ADOPTION = """
select distinct on (location_id) location_id, total, part, ends as as_of, array[source] as sources,
    array_remove(array[submitted_by], null) as submitters
from telemetry_share
where location_id = any(:locations) and kind = 'adoption' and ends <= :until
order by location_id, ends desc, id desc
"""


async def _adoption(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-04: the latest attestation of each location, whether it was reported or given to the location's process."""
    parts = {
        row.location_id: _part(row, row.part) for row in await _rows(session, _ADOPTION, _asked(asked)) if row.total
    }
    for location_id, known in await _known(session, asked, "training"):
        said = TrainingState.model_validate(known).attestation
        earlier = parts.get(location_id)
        if said and said.trained and said.at <= asked.until and (earlier is None or earlier.as_of < said.at):
            source = Source.CHAMPION_ATTESTATION
            parts[location_id] = Part(location_id, said.using, said.trained, source, said.at, (said.by.id,))
    return _shown(Metric.ADOPTION, sorted(parts.values()), asked)


# An outage that goes on is a critical issue, whether or not somebody has opened one (decision 32).
_CRITICAL = """
select asked.location_id, (
    select count(*) from rollout_issue
    where rollout_issue.location_id = asked.location_id and severity = :critical
        and opened_at <= :until and (resolved_at is null or resolved_at > :until)
) + (
    select count(*) from telemetry_outage
    where telemetry_outage.location_id = asked.location_id and begins <= :until and (ends is null or ends > :until)
) as open
from unnest(cast(:locations as text[])) as asked(location_id)
order by asked.location_id
"""


async def _critical_issues(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-06."""
    rows = await _rows(session, _CRITICAL, {**_asked(asked), "critical": CRITICAL})
    return _counted(Metric.CRITICAL_ISSUES, {row.location_id: row.open for row in rows}, Source.ISSUE_TRACKER, asked)


_CONFIDENCE = """
select champion.location_id, count(*) as champions, count(score) as answers, min(score) as lowest,
    min(answered_at) as as_of, array_agg(champion.id) filter (where score is not null) as submitters
from rollout_member as champion
left join lateral (
    select score, answered_at from confidence_answer
    where member_id = champion.id and confidence_answer.location_id = champion.location_id
        and answered_at >= :since and answered_at <= :until
    order by answered_at desc, confidence_answer.id desc limit 1
) as answer on true
where program_id = :program_id and function = :function and active and champion.location_id = any(:locations)
group by champion.location_id
order by champion.location_id
"""


async def _confidence(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-07: the lowest rating, never a mean, and how many have rated."""
    params = {**_asked(asked), "program_id": asked.program_id, "function": Function.CHAMPION.value}
    rows = await _rows(session, _CONFIDENCE, params)
    each = [
        Evidence(
            metric=Metric.CHAMPION_CONFIDENCE,
            location_id=row.location_id,
            value=row.lowest,
            numerator=row.answers,
            denominator=row.champions,
            source=Source.SURVEY,
            as_of=row.as_of,
            submitted_by=_one(row.submitters or ()),
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
where location_id = any(:locations) and opened_at >= :incidents_since and opened_at <= :until
"""


async def _rollbacks_and_systemic(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-09 b and d: rollbacks that began, and kinds of issue that came up at more than one location."""
    began = await _rollbacks(session, asked)
    params = {**_asked(asked), "incidents_since": asked.incidents_since}
    places: dict[str, set[str]] = {}
    for kind, location_id in await _rows(session, _ISSUES, params):
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
        for location_id, rollbacks in await _known(session, asked, "rollbacks")
        for one in rollbacks
        if asked.incidents_since <= datetime.fromisoformat(one["disabled_at"]) <= asked.until
    ]


async def _training(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-09 c: how many of the staff the champions have trained. Own records, as fresh as the question."""
    trained = [
        (place, TrainingState.model_validate(known)) for place, known in await _known(session, asked, "training")
    ]
    parts = [
        Part(
            location_id=location_id,
            numerator=training.trained,
            denominator=training.total,
            source=Source.CHAMPION_ATTESTATION,
            as_of=asked.until,
            submitters=tuple(group.by.id for group in training.groups.values()),
        )
        for location_id, training in trained
        if training.total
    ]
    return _shown(Metric.TRAINING_VALIDATED, parts, asked)


async def _known(session: AsyncSession, asked: CollectEvidenceInput, field: str) -> list[tuple[str, Any]]:
    """What the snapshots of the locations say of it, by location, where they say something."""
    case_ids = [names.location_case(asked.program_id, location_id) for location_id in asked.locations]
    snapshot = col(CaseState.snapshot)
    statement = (
        select(snapshot["location_id"].astext, snapshot[field])
        .where(col(CaseState.case_id).in_(case_ids))
        .order_by(col(CaseState.case_id))
    )
    return [(location_id, found) for location_id, found in await session.exec(statement) if found is not None]


async def _rows(session: AsyncSession, statement: str, params: dict[str, Any]) -> Sequence[Any]:
    connection = await session.connection()
    return (await connection.execute(text(statement), params)).all()


def _asked(asked: CollectEvidenceInput) -> dict[str, Any]:
    return {"locations": list(asked.locations), "since": asked.since, "until": asked.until}


def _part(row: Any, numerator: int) -> Part:
    submitters = tuple(row.submitters or ())
    return Part(row.location_id, int(numerator), int(row.total), _weakest(row.sources), row.as_of, submitters)


def _shown(metric: Metric, parts: Sequence[Part], asked: CollectEvidenceInput) -> list[Evidence]:
    """Each location, and all together once there is something of every one."""
    found = [_share(metric, part, part.location_id) for part in parts]
    if parts and len(parts) == len(asked.locations):
        whole = Part(
            location_id="",
            numerator=sum(part.numerator for part in parts),
            denominator=sum(part.denominator for part in parts),
            source=_weakest(part.source for part in parts),
            as_of=min(part.as_of for part in parts),
            submitters=tuple({each for part in parts for each in part.submitters}),
        )
        found.append(_share(metric, whole, None))
    return found


def _share(metric: Metric, part: Part, location_id: str | None) -> Evidence:
    return Evidence(
        metric=metric,
        location_id=location_id,
        value=Decimal(part.numerator) * 100 / part.denominator,
        numerator=part.numerator,
        denominator=part.denominator,
        source=part.source,
        as_of=part.as_of,
        submitted_by=_one(part.submitters),
    )


def _counted(metric: Metric, counts: dict[str, int], source: str, asked: CollectEvidenceInput) -> list[Evidence]:
    """Numbers that our own records answer for: they are as fresh as the question."""
    each = [
        Evidence(metric=metric, location_id=location_id, value=Decimal(count), source=source, as_of=asked.until)
        for location_id, count in counts.items()
    ]
    whole = Evidence(metric=metric, value=Decimal(sum(counts.values())), source=source, as_of=asked.until)
    return [*each, whole]


def _weakest(sources: Iterable[str]) -> str:
    """What a person typed in is named, whatever else stands beside it."""
    found = set(sources)
    return Source.HAND_ENTERED if Source.HAND_ENTERED in found else min(found)


def _one(submitters: Collection[str]) -> str | None:
    return min(submitters) if submitters else None


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
