"""What grows with every batch and every programme is read through an index."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event, text

from activities.rollout_contracts import CollectEvidenceInput
from db import baselines, cadences, issues
from db.gate_evidence import SqlGateEvidence
from db.rollout_reports import standings
from db.session import Database
from db.telemetry import SqlTelemetryInbox
from db.types import vault
from tests.rollout_rows import LIVE_AT, PROGRAM, Group

ROWS = 4000
LOCATIONS = 40

# Places 1 to 40; everything is spread over them evenly, and a tenth of the processes is of this programme.
FILL = (
    f"""insert into rollout_location select 'place-' || n, '{PROGRAM}', 'north', 'UTC', '', '', now()
    from generate_series(1, {LOCATIONS}) as n""",
    f"""insert into telemetry_batch
    select 'place-' || (n % {LOCATIONS} + 1), 'b-' || n, 'd', 'vendor', 'm', now(), now()
    from generate_series(1, {ROWS}) as n""",
    f"""insert into telemetry_share (id, location_id, batch_id, source, kind, begins, ends, total, part)
    select 's-' || n, 'place-' || (n % {LOCATIONS} + 1), 'b-' || n, 'integration_logs',
        (array['sync', 'delivery', 'watch', 'adoption'])[n / {LOCATIONS} % 4 + 1],
        now() - make_interval(hours => n), now() - make_interval(hours => n - 1), 10, 1
    from generate_series(1, {ROWS}) as n""",
    f"""insert into telemetry_outage (location_id, outage_id, batch_id, source, begins, ends)
    select 'place-' || (n % {LOCATIONS} + 1), 'o-' || n, 'b-' || n, 'vendor_dashboard',
        now() - make_interval(hours => n), now() - make_interval(hours => n - 1)
    from generate_series(1, {ROWS}) as n""",
    f"""insert into telemetry_metric (id, location_id, batch_id, source, metric, first_day, last_day, counts)
    select 'm-' || n, 'place-' || (n % {LOCATIONS} + 1), 'b-' || n, 'time_study', 'front_desk_hours',
        date '2020-01-01' + n, date '2020-01-01' + n, '{{"weeks": 1}}'
    from generate_series(1, {ROWS}) as n""",
    f"""insert into telemetry_report (id, program_id, location_id, news, delivered, expired, attempts, created_at)
    select 'r-' || n, '{PROGRAM}', 'place-1', '{{"batch_id": "b"}}', n > 20, false, 0, now() - interval '1 hour'
    from generate_series(1, {ROWS}) as n""",
    f"""insert into rollout_issue
        (id, location_id, severity, kind, description, opened_role, opened_by, opened_at, created_at)
    select 'i-' || lpad(n::text, 6, '0'), 'place-' || (n % {LOCATIONS} + 1), 3, 'other', :description, 'r', 'm',
        now(), now()
    from generate_series(1, {ROWS}) as n""",
    f"""insert into rollout_baseline
        (id, location_id, metric, first_day, last_day, counts, numerator, reliable, method,
        collected_role, collected_by, collected_at, created_at)
    select 'l-' || n, 'place-' || (n % {LOCATIONS} + 1), 'm-' || n / {LOCATIONS} % 8, now(), now(), '{{}}', 0, true,
        'survey', 'r', 'm', now(), now()
    from generate_series(1, {ROWS}) as n""",
    f"""insert into cadence_report (id, program_id, cadence, period, content, at, created_at)
    select 'c-' || n, '{PROGRAM}', 'board_report', n::text, '{{}}', now() - make_interval(days => n), now()
    from generate_series(1, {ROWS}) as n""",
    f"""insert into case_state
        (case_id, process, business_state, sequence, sla_state, escalation_level, snapshot, updated_at)
    select 'econsult:' || n, 'EConsult', 'CLOSED', 1, 'on_time', 0, '{{}}', now()
    from generate_series(1, {ROWS}) as n""",
    "analyze",
)


@pytest.fixture
async def full(database: Database) -> Database:
    await Group.found(database)
    description = vault.keyring.encrypt(b"d", b"rollout_issue.description")
    async with database.engine.begin() as connection:
        for statement in FILL:
            bound = {"description": description} if ":description" in statement else {}
            await connection.execute(text(statement), bound)
    return database


@asynccontextmanager
async def planned(database: Database) -> AsyncIterator[list[str]]:
    """The plan of each SELECT in the block."""
    seen: list[tuple[str, object]] = []
    plans: list[str] = []

    def note(*call: object) -> None:
        if re.match(r"\s*(select|with)\b", str(call[2]), re.IGNORECASE):
            seen.append((str(call[2]), call[3]))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", note)
    async with database.engine.connect() as connection:
        for statement, parameters in seen:
            found = await connection.exec_driver_sql(f"explain {statement}", parameters)  # type: ignore[arg-type]
            plans.append("\n".join(row[0] for row in found))


GROWING = ("telemetry_", "rollout_issue", "rollout_baseline", "cadence_report", "case_state")


def check(plans: list[str], *indexes: str) -> None:
    assert plans
    for plan in plans:
        assert not re.search(rf"Seq Scan on ({'|'.join(GROWING)})", plan), plan
    for index in indexes:
        assert any(index in plan for plan in plans), plans


async def test_evidence_reads_what_is_of_its_locations(full: Database) -> None:
    asked = CollectEvidenceInput(
        program_id=PROGRAM,
        wave=1,
        locations=("place-1", "place-2"),
        since=LIVE_AT,
        until=datetime.now(UTC),
        incidents_since=LIVE_AT,
    )
    async with planned(full) as plans:
        await SqlGateEvidence(full).collect(asked)
    check(plans, "telemetry_share_of_location", "rollout_issue_of_location")


async def test_reports_read_what_is_of_their_programme(full: Database) -> None:
    async with planned(full) as plans, full.transaction() as session:
        await standings(session, PROGRAM)
        await baselines.latest(session, ["place-1", "place-2"])
        await baselines.later(session, ["place-1", "place-2"], date(2020, 1, 1), date(2020, 3, 1))
        await issues.issues(session, "place-1", open_only=True, before=None, limit=20)
        await cadences.reports(session, PROGRAM, visible=None, after=None, limit=20)
    check(
        plans,
        "case_state_of_program",
        "rollout_baseline_of_location",
        "telemetry_metric_of_location",
        "cadence_report_of_program",
    )


async def test_the_sweep_reads_what_is_undelivered(full: Database) -> None:
    async with planned(full) as plans:
        found = await SqlTelemetryInbox(full).pending(5)
    assert len(found) == 5
    check(plans, "telemetry_report_undelivered")
