"""A batch is kept once and whole, corrections count, and its news waits until the location has been told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, update
from sqlmodel import col, select

from activities.contracts import SweepInput
from activities.sweep import SweepActivities
from db import telemetry
from db.session import Database
from db.sweep import SqlSweep, SqlWebhookInbox
from db.tables import TelemetryOutage, TelemetryReport, TelemetryShare
from db.telemetry import WAIT_FOR_LOCATION, SqlTelemetryInbox, Stored
from domain.errors import Conflict
from domain.rollout.telemetry import Batch
from domain.rollout.triggers import TelemetryNews
from tests.rollout_rows import IT, PROGRAM, Group

NOW = datetime(2026, 4, 1, 18, tzinfo=UTC)


def sync(begins: int, ends: int, total: int = 100, failed: int = 0) -> dict[str, Any]:
    """Hours before NOW."""
    return {
        "kind": "sync",
        "source": "integration_logs",
        "begins": NOW - timedelta(hours=begins),
        "ends": NOW - timedelta(hours=ends),
        "total": total,
        "part": failed,
    }


def outage(begins: int, ends: int | None = None, outage_id: str = "o-1") -> dict[str, Any]:
    return {
        "kind": "outage",
        "source": "vendor_dashboard",
        "outage_id": outage_id,
        "begins": NOW - timedelta(hours=begins),
        "ends": None if ends is None else NOW - timedelta(hours=ends),
    }


@pytest.fixture
async def group(database: Database) -> Group:
    return await Group.found(database)


async def store(group: Group, batch_id: str, *entries: dict[str, Any]) -> Stored:
    batch = Batch.model_validate({"batch_id": batch_id, "entries": entries})
    location = await group.location("downtown")
    async with group.database.transaction() as session:
        return await telemetry.store(session, location, batch, IT, NOW)


async def told(group: Group, report_id: str) -> TelemetryNews:
    async with group.database.transaction() as session:
        report = await telemetry.pending(session, report_id)
    assert report is not None
    return report.news


async def count(group: Group, table: type) -> int:
    async with group.database.transaction() as session:
        return (await session.exec(select(func.count()).select_from(table))).one()


async def test_a_batch_that_is_sent_again_is_kept_once(group: Group) -> None:
    first = await store(group, "b-1", sync(2, 1))
    again = await store(group, "b-1", sync(2, 1))
    assert (first.new, again.new) == (True, False)
    assert await count(group, TelemetryShare) == 1


async def test_a_batch_with_other_content_under_the_same_id_is_refused(group: Group) -> None:
    await store(group, "b-1", sync(2, 1))
    with pytest.raises(Conflict) as refusal:
        await store(group, "b-1", sync(2, 1, failed=3))
    assert refusal.value.code == "telemetry.batch_reused"
    assert await count(group, TelemetryShare) == 1


async def test_the_location_is_told_of_samples_and_outages_only(group: Group) -> None:
    attested = {
        "kind": "adoption", "source": "champion_attestation", "at": NOW, "total": 9, "part": 9
    }  # fmt: skip
    quiet = await store(group, "b-1", attested)
    assert quiet == Stored(new=True, report_id=None)
    loud = await store(group, "b-2", attested, sync(2, 1, failed=7), outage(3))
    assert loud.report_id is not None
    news = await told(group, loud.report_id)
    assert [(one.total, one.failed) for one in news.samples] == [(100, 7)]
    assert [(one.outage_id, one.ended_at) for one in news.outages] == [("o-1", None)]


async def test_an_outage_that_is_told_again_is_widened_and_its_end_is_not_forgotten(group: Group) -> None:
    await store(group, "b-1", outage(3, 2))
    report_id = (await store(group, "b-2", outage(4))).report_id
    assert report_id is not None
    (heard,) = (await told(group, report_id)).outages
    assert (heard.began_at, heard.ended_at) == (NOW - timedelta(hours=4), NOW - timedelta(hours=2))
    assert await count(group, TelemetryOutage) == 1


class Locations:
    """The running cases, of which the sweep needs one call here."""

    def __init__(self, *, running: bool) -> None:
        self.running = running
        self.heard: list[str] = []

    async def report_telemetry(self, program_id: str, location_id: str, news: TelemetryNews) -> bool:
        assert (program_id, location_id) == (PROGRAM, "downtown")
        self.heard += [news.batch_id] if self.running else []
        return self.running


async def swept(group: Group, cases: Locations) -> tuple[int, int, int]:
    database = group.database
    sweep = SweepActivities(
        SqlSweep(database),
        SqlWebhookInbox(database),
        cases,  # type: ignore[arg-type]  # the one method that is asked for
        None,  # type: ignore[arg-type]  # no notice is sent here
        SqlTelemetryInbox(database),
    )
    found = await sweep.deliver_pending_webhooks(SweepInput(limit=10))
    return found.delivered, found.waiting, found.undeliverable


async def aged(group: Group, age: timedelta) -> None:
    async with group.database.transaction() as session:
        await session.exec(update(TelemetryReport).values(created_at=datetime.now(UTC) - age))


async def test_news_that_was_lost_is_told_by_the_sweep_once(group: Group) -> None:
    await store(group, "b-1", sync(2, 1))
    cases = Locations(running=True)
    assert await swept(group, cases) == (0, 0, 0)  # the request that brought it may still be at it
    await aged(group, timedelta(minutes=5))
    assert await swept(group, cases) == (1, 0, 0)
    assert await swept(group, cases) == (0, 0, 0)
    assert cases.heard == ["b-1"]


async def test_news_waits_for_a_location_that_does_not_run_and_is_given_up_after_a_week(group: Group) -> None:
    await store(group, "b-1", sync(2, 1))
    await aged(group, WAIT_FOR_LOCATION - timedelta(hours=1))
    assert await swept(group, Locations(running=False)) == (0, 1, 0)
    await aged(group, WAIT_FOR_LOCATION + timedelta(hours=1))
    assert await swept(group, Locations(running=False)) == (0, 0, 1)
    assert await swept(group, Locations(running=True)) == (0, 0, 0)


async def test_a_location_that_never_runs_does_not_keep_others_waiting(group: Group) -> None:
    await store(group, "b-1", sync(2, 1))
    await aged(group, timedelta(minutes=5))
    await swept(group, Locations(running=False))
    await store(group, "b-2", sync(3, 2))
    await aged(group, timedelta(minutes=5))
    (first, second) = await SqlTelemetryInbox(group.database).pending(10)
    assert (first.news.batch_id, second.news.batch_id) == ("b-2", "b-1")


async def test_delivered_news_stays_delivered(group: Group) -> None:
    report_id = (await store(group, "b-1", sync(2, 1))).report_id
    assert report_id is not None
    async with group.database.transaction() as session:
        await telemetry.tried(session, report_id, delivered=True)
        await telemetry.tried(session, report_id, delivered=False)
    async with group.database.transaction() as session:
        row = (await session.exec(select(TelemetryReport).where(col(TelemetryReport.id) == report_id))).one()
    assert row.delivered
