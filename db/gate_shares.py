"""Shares of the gate's evidence: parts of a whole at each location, and of all together (GG-02 to GG-05)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.rollout_contracts import CollectEvidenceInput
from db.tables import CaseState
from domain import names
from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.telemetry import Source
from domain.rollout.training.state import TrainingState


@dataclass(frozen=True)
class Window:
    """A location, and from when on its figures count: its go-live (decision 31)."""

    location_id: str
    since: datetime


async def windows(session: AsyncSession, asked: CollectEvidenceInput) -> list[Window]:
    """Of the locations that have gone live."""
    live = [(place, datetime.fromisoformat(at)) for place, at in await known(session, asked, "live_at")]
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


async def uptime(session: AsyncSession, asked: CollectEvidenceInput, windows: Sequence[Window]) -> list[Evidence]:
    """Percent of the time, around the clock, for each location and over all (GG-02, decision 31)."""
    if not windows:
        return []
    params = {
        "locations": [window.location_id for window in windows],
        "since": [window.since for window in windows],
        "until": asked.until,
    }
    found = await rows(session, _UPTIME, params)
    parts = [
        Part(
            location_id=row.location_id,
            numerator=_seconds(row.until - row.since) - int(row.seconds_down),
            denominator=_seconds(row.until - row.since),
            source=_weakest(row.sources),
            as_of=row.until,
            submitters=tuple(row.submitters or ()),
        )
        for row in found
        if row.until - row.since >= timedelta(seconds=1)
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


async def shares(session: AsyncSession, asked: CollectEvidenceInput, windows: Sequence[Window]) -> list[Evidence]:
    """GG-03, GG-05: sums of counts, so that a busy day weighs more than a quiet one."""
    if not windows:
        return []
    params = {
        "locations": [window.location_id for window in windows],
        "starts": [window.since for window in windows],
        "since": asked.since,
        "until": asked.until,
    }
    found = await rows(session, _SHARES, params)
    sync = [_part(row, row.total - row.part) for row in found if row.kind == "sync" and row.total]
    delivery = [_part(row, row.part) for row in found if row.kind == "delivery" and row.total]
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


async def adoption(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-04: the latest attestation of each location, whether it was reported or given to the location's process."""
    parts = {
        row.location_id: _part(row, row.part) for row in await rows(session, _ADOPTION, parameters(asked)) if row.total
    }
    for location_id, training_there in await known(session, asked, "training"):
        said = TrainingState.model_validate(training_there).attestation
        earlier = parts.get(location_id)
        if said and said.trained and said.at <= asked.until and (earlier is None or earlier.as_of < said.at):
            source = Source.CHAMPION_ATTESTATION
            parts[location_id] = Part(location_id, said.using, said.trained, source, said.at, (said.by.id,))
    return _shown(Metric.ADOPTION, sorted(parts.values()), asked)


async def training(session: AsyncSession, asked: CollectEvidenceInput) -> list[Evidence]:
    """GG-09 c: how many of the staff the champions have trained. Own records, as fresh as the question."""
    trained = [(place, TrainingState.model_validate(said)) for place, said in await known(session, asked, "training")]
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


async def known(session: AsyncSession, asked: CollectEvidenceInput, field: str) -> list[tuple[str, Any]]:
    """What the snapshots of the locations say of it, by location, where they say something."""
    case_ids = [names.location_case(asked.program_id, location_id) for location_id in asked.locations]
    snapshot = col(CaseState.snapshot)
    statement = (
        select(snapshot["location_id"].astext, snapshot[field])
        .where(col(CaseState.case_id).in_(case_ids))
        .order_by(col(CaseState.case_id))
    )
    return [(location_id, found) for location_id, found in await session.exec(statement) if found is not None]


async def rows(session: AsyncSession, statement: str, params: dict[str, Any]) -> Sequence[Any]:
    connection = await session.connection()
    return (await connection.execute(text(statement), params)).all()


def parameters(asked: CollectEvidenceInput) -> dict[str, Any]:
    return {
        "locations": list(asked.locations),
        "since": asked.since,
        "until": asked.until,
        "known_at": known_at(asked),
    }


def known_at(asked: CollectEvidenceInput) -> datetime:
    """Up to when ratings, issues and rollbacks count."""
    return asked.known_at or asked.until


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
        submitted_by=a_submitter(part.submitters),
        submitters=tuple(sorted(part.submitters)),
    )


def _weakest(sources: Iterable[str]) -> str:
    """What a person typed in is named, whatever else stands beside it."""
    found = set(sources)
    return Source.HAND_ENTERED if Source.HAND_ENTERED in found else min(found)


def a_submitter(submitters: Collection[str]) -> str | None:
    return min(submitters) if submitters else None


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
