"""The scorecard over 100,000 cases, visits and threads of twelve weeks.

Alone: `python -m benchmarks.scorecard [--cases 100000] [--calls 5]`. The tables are analysed but not vacuumed. Times
are those of all three statements, in one transaction.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto import Keyring, generate_key
from db import scorecard
from db.migrate import migrate
from db.session import Database
from db.types import vault
from domain.clock import Outcome
from domain.scorecard import Period
from domain.visit.states import Obligation, VisitStage
from embedded import seed
from embedded.postgres import EmbeddedPostgres
from leaving import leave
from observability import configure_logging
from tests.db.scorecard_rows import DAY, HOUR, MINUTE, POLICY, run, thread_view, visit_view

CASES = 100_000
CALLS = 5
DAYS = 84
CLINICIANS = 400
UNTIL = datetime(2026, 3, 30, tzinfo=UTC)
PERIOD = Period.of(UNTIL - DAYS * DAY, UNTIL)
USUAL = Period.of(UNTIL - 28 * DAY, UNTIL)

FILL = """
insert into case_state (case_id, process, business_state, sequence, sla_state, escalation_level, clinician_id, snapshot,
    updated_at)
select case when n % 4 = 0 then 'message-thread:' else 'visit:' end || n,
    case when n % 4 = 0 then 'MessageThread' else 'Visit' end, 'X', 5, 'on_time', 0, 'c-' || n / 4 % :clinicians,
    case when n % 4 = 0 then thread else visit end, day + interval '2 days'
from generate_series(1, :cases) as n join template on number = n % :days;

insert into clinician (id, subject, name, email, time_zone, licence_states)
select 'c-' || n, 'c-' || n, 'C', 'c@example.com', 'UTC', '{}' from generate_series(0, :clinicians - 1) as n;

insert into visit (id, patient_id, clinician_id, kind, visit_type, status, scheduled_start, duration_minutes,
    price_cents, started)
select n, :patient, 'c-' || n / 4 % :clinicians, 'standard', 'general', 'completed', day, 15, 0, true
from generate_series(1, :cases) as n join template on number = n % :days where n % 4 <> 0;

insert into timeline (case_id, sequence, event, at, actor_role, actor_id, detail, snapshot)
select case when n % 4 = 0 then 'message-thread:' else 'visit:' end || n, step,
    case when n % 4 = 0 and step % 2 = 0 then 'reply_sent' when n % 20 = 1 and step = 2 then 'visit_rescheduled'
        else 'clock_milestone' end,
    day, 'system', 's', '{}', case when n % 4 = 0 then thread else visit end
from generate_series(1, :cases) as n join template on number = n % :days cross join generate_series(1, 5) as step;
"""

Reading = Callable[[AsyncSession], Awaitable[Any]]


async def fill(database: Database, cases: int) -> None:
    """Three visits for each thread, all held; some late, some moved; each case with five steps."""
    await seed.seed(database)
    days = [(number, UNTIL - (number + 1) * DAY, *_views(UNTIL - (number + 1) * DAY, number)) for number in range(DAYS)]
    facts = {"cases": cases, "clinicians": CLINICIANS, "days": DAYS, "patient": seed.PATIENT}
    async with database.engine.begin() as connection:
        await connection.execute(
            text("create temporary table template (number int, day timestamptz, visit jsonb, thread jsonb)")
        )
        for number, day, visit, thread in days:
            values = {"number": number, "day": day, "visit": visit, "thread": thread}
            await connection.execute(text("insert into template values (:number, :day, :visit, :thread)"), values)
        for statement in filter(str.strip, FILL.split(";")):
            wanted = {name: value for name, value in facts.items() if f":{name}" in statement}
            await connection.execute(text(statement), wanted)
        for table in ("case_state", "timeline", "visit"):
            await connection.execute(text(f"analyze {table}"))


def _views(day: datetime, number: int) -> tuple[str, str]:
    """The snapshots of a visit and a thread of that day, as JSON."""
    joined = timedelta(minutes=number % 7)
    owed = {
        each: run(POLICY.visit.obligations[each], day + 20 * MINUTE, (number % 30 + 1) * HOUR, Outcome.MET)
        for each in Obligation
    }
    reply = run(POLICY.message_thread.reply, day, (number % 30 + 1) * HOUR)
    views = (visit_view(day, VisitStage.CLOSED_COMPLIANT, joined=joined, owed=owed), thread_view(reply))
    visit, thread = (json.dumps(view.model_dump(mode="json")) for view in views)
    return visit, thread


async def measure(database: Database, cases: int, calls: int) -> dict[str, float]:
    """Median milliseconds by what was read."""
    await fill(database, cases)
    readings: dict[str, Reading] = {
        "everybody, 12 weeks": lambda session: scorecard.overall(session, PERIOD),
        "everybody, 4 weeks": lambda session: scorecard.overall(session, USUAL),
        "50 clinicians, 4 weeks": lambda session: scorecard.of_clinicians(session, USUAL, after="c", limit=50),
        "one clinician, 12 weeks": lambda session: scorecard.of_clinician(session, PERIOD, "c-7"),
        "one clinician, 4 weeks": lambda session: scorecard.of_clinician(session, USUAL, "c-7"),
    }
    return {name: await _median(database, reading, calls) for name, reading in readings.items()}


async def _median(database: Database, reading: Reading, calls: int) -> float:
    taken = []
    for _ in range(calls):
        started = time.perf_counter()
        async with database.transaction() as session:
            await reading(session)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def run_in(postgres: EmbeddedPostgres, cases: int = CASES, calls: int = CALLS) -> None:
    """Measure in a database of its own, and print."""
    configure_logging("WARNING")
    vault.open(Keyring.parse(generate_key("bench")))
    url = postgres.create_database("scorecard")
    migrate(url)

    async def measured() -> dict[str, float]:
        database = Database(url)
        try:
            return await measure(database, cases, calls)
        finally:
            await database.close()

    found = asyncio.run(measured())
    print(f"\nscorecard over {cases:,} cases of {CLINICIANS} clinicians; milliseconds; load {os.getloadavg()[0]:.1f}")
    for name, milliseconds in found.items():
        print(f"{name:28}{milliseconds:10.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--calls", type=int, default=CALLS)
    chosen = parser.parse_args()
    with EmbeddedPostgres(ephemeral=True) as postgres:
        run_in(postgres, chosen.cases, chosen.calls)
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    leave(status)
