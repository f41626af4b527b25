"""Telemetry of locations: batches kept once, and the news for their workflows until it has been told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.ports import PendingTelemetry
from db.session import Database
from db.tables import (
    RolloutLocation,
    TelemetryBatch,
    TelemetryMetric,
    TelemetryOutage,
    TelemetryReport,
    TelemetryShare,
    new_id,
)
from db.unstarted import GRACE
from domain import names
from domain.actors import Actor
from domain.errors import Conflict
from domain.rollout.telemetry import (
    MACHINES,
    AdoptionSample,
    Batch,
    DeliverySample,
    Entry,
    MetricSample,
    OutageSample,
    SyncSample,
    WatchSample,
)
from domain.rollout.triggers import Outage, TelemetryNews
from domain.rollout.triggers import SyncSample as SyncNews

WAIT_FOR_LOCATION = timedelta(days=7)
"""How long news waits for its location to run."""


class Stored(NamedTuple):
    new: bool
    """False for a batch that was there already."""
    report_id: str | None
    """Of what its location is to be told; None when it is nothing."""


async def store(session: AsyncSession, location: RolloutLocation, batch: Batch, actor: Actor, now: datetime) -> Stored:
    """Keep a batch with its news, once.

    Raises `Conflict` (`telemetry.batch_reused`) when the batch that is there says something else.
    """
    row = TelemetryBatch(
        location_id=location.location_id,
        batch_id=batch.batch_id,
        digest=batch.digest,
        submitted_role=actor.role,
        submitted_by=actor.id,
        received_at=now,
    )
    new = insert(TelemetryBatch).values(row.model_dump(exclude={"created_at"})).on_conflict_do_nothing()
    if (await session.exec(new.returning(col(TelemetryBatch.batch_id)))).first() is None:
        await _check_same(session, row)
        return Stored(new=False, report_id=await _undelivered(session, location.location_id, batch.batch_id))
    for entry in batch.entries:
        await _keep(session, entry, row)
    news = await _news(session, location.location_id, batch)
    told = news.samples or news.outages
    return Stored(new=True, report_id=await report(session, location, news) if told else None)


async def report(session: AsyncSession, location: RolloutLocation, news: TelemetryNews) -> str:
    """Keep news for the location's workflow, once; the id of the report."""
    report_id = _report_id(location.location_id, news.batch_id)
    row = {
        "id": report_id,
        "program_id": location.program_id,
        "location_id": location.location_id,
        "news": news.model_dump(mode="json"),
        "delivered": False,
        "expired": False,
        "attempts": 0,
    }
    await session.exec(insert(TelemetryReport).values(row).on_conflict_do_nothing())
    return report_id


async def pending(session: AsyncSession, report_id: str) -> PendingTelemetry | None:
    """None once it has been told."""
    row = await session.get_one(TelemetryReport, report_id)
    return None if row.delivered else _pending(row, expired=False)


async def tried(session: AsyncSession, report_id: str, *, delivered: bool, expired: bool = False) -> None:
    await session.exec(
        update(TelemetryReport)
        .where(col(TelemetryReport.id) == report_id, col(TelemetryReport.delivered).is_(False))
        .values(delivered=delivered, expired=expired, attempts=col(TelemetryReport.attempts) + 1)
    )


class SqlTelemetryInbox:
    """The port `TelemetryInbox` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, limit: int) -> list[PendingTelemetry]:
        """Those tried least often first, so that locations that do not run do not keep others waiting."""
        age = func.now() - col(TelemetryReport.created_at)
        statement = (
            select(TelemetryReport, age > WAIT_FOR_LOCATION)
            .where(~col(TelemetryReport.delivered), ~col(TelemetryReport.expired), age > GRACE)
            .order_by(col(TelemetryReport.attempts), col(TelemetryReport.id))
            .limit(limit)
        )
        async with self._database.transaction() as session:
            return [_pending(row, expired=expired) for row, expired in await session.exec(statement)]

    async def mark(self, report: PendingTelemetry, *, delivered: bool) -> None:
        async with self._database.transaction() as session:
            await tried(session, report.report_id, delivered=delivered, expired=report.expired and not delivered)


def _report_id(location_id: str, batch_id: str) -> str:
    return names.operation_key("telemetry", location_id, batch_id)


async def _undelivered(session: AsyncSession, location_id: str, batch_id: str) -> str | None:
    row = await session.get(TelemetryReport, _report_id(location_id, batch_id))
    return row.id if row and not row.delivered else None


def _pending(row: TelemetryReport, *, expired: bool) -> PendingTelemetry:
    return PendingTelemetry(
        report_id=row.id,
        program_id=row.program_id,
        location_id=row.location_id,
        news=TelemetryNews.model_validate(row.news),
        expired=expired,
    )


async def _check_same(session: AsyncSession, row: TelemetryBatch) -> None:
    kept = await session.get_one(TelemetryBatch, (row.location_id, row.batch_id))
    if kept.digest != row.digest:
        raise Conflict("telemetry.batch_reused", "a batch with this id and other content was taken before")


async def _keep(session: AsyncSession, entry: Entry, batch: TelemetryBatch) -> None:
    known: dict[str, Any] = {
        "location_id": batch.location_id,
        "batch_id": batch.batch_id,
        "source": entry.source,
        "submitted_by": None if entry.source in MACHINES else batch.submitted_by,
    }
    match entry:
        case OutageSample():
            await _keep_outage(session, {**known, **entry.model_dump(exclude={"kind", "source"})})
        case MetricSample():
            values = entry.model_dump(mode="json", include={"counts"})
            values |= entry.model_dump(include={"metric", "first_day", "last_day"})
            await _add(session, TelemetryMetric, {**known, **values})
        case SyncSample() | DeliverySample():
            await _add(session, TelemetryShare, {**known, **entry.model_dump(exclude={"source"})})
        case AdoptionSample():
            share = {"kind": entry.kind, "begins": entry.at, "ends": entry.at, "total": entry.total, "part": entry.part}
            await _add(session, TelemetryShare, {**known, **share})
        case WatchSample():
            share = entry.model_dump(include={"kind", "begins", "ends"})
            await _add(session, TelemetryShare, {**known, **share, "total": 0, "part": 0})


async def _add(session: AsyncSession, table: type[SQLModel], row: dict[str, Any]) -> None:
    await session.exec(insert(table).values({"id": new_id(), **row}))


async def _keep_outage(session: AsyncSession, row: dict[str, Any]) -> None:
    """What was heard of it before is widened: an end that is known is not forgotten."""
    new = insert(TelemetryOutage).values(row)
    widened = {
        **{name: new.excluded[name] for name in ("batch_id", "source", "submitted_by")},
        "begins": func.least(col(TelemetryOutage.begins), new.excluded.begins),
        "ends": func.greatest(col(TelemetryOutage.ends), new.excluded.ends),
    }
    await session.exec(new.on_conflict_do_update(index_elements=["location_id", "outage_id"], set_=widened))


async def _news(session: AsyncSession, location_id: str, batch: Batch) -> TelemetryNews:
    told = [entry.outage_id for entry in batch.entries if isinstance(entry, OutageSample)]
    known = select(TelemetryOutage).where(
        col(TelemetryOutage.location_id) == location_id, col(TelemetryOutage.outage_id).in_(told)
    )
    outages = (await session.exec(known.order_by(col(TelemetryOutage.outage_id)))).all() if told else ()
    return TelemetryNews(
        batch_id=batch.batch_id,
        samples=tuple(
            SyncNews(from_at=entry.begins, until_at=entry.ends, total=entry.total, failed=entry.part)
            for entry in batch.entries
            if isinstance(entry, SyncSample)
        ),
        outages=tuple(Outage(outage_id=row.outage_id, began_at=row.begins, ended_at=row.ends) for row in outages),
    )
