"""The at-risk board over 100,000 open cases and as many closed ones: its times, and what PostgreSQL does for them.

Alone: `python -m benchmarks.at_risk [--cases 100000] [--calls 200]`. The table is analysed but not vacuumed, as it is
just after many steps. The time of the SQL is that of both statements, the page and the count, in one transaction; the
time of the request includes token, validation and JSON, without a network.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast

import httpx
from pydantic import SecretStr
from sqlalchemy import event, text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from api.app import create_app
from api.auth import token_verifier
from api.dependencies import Services
from cases import Cases
from config import Settings
from crypto import Keyring, generate_key
from db import at_risk
from db.at_risk import COUNTED, Filters, Listing
from db.migrate import migrate
from db.session import Database
from db.types import vault
from domain import policy
from domain.access import Role
from domain.econsult.states import Stage
from domain.econsult.view import snapshot
from domain.names import Process
from embedded import seed
from embedded.issuer import DevelopmentIssuer
from embedded.postgres import EmbeddedPostgres
from leaving import leave
from links import PaymentLinks
from observability import configure_logging
from tests.domain.builders import START, a_state, a_turnaround, an_assignment, an_order, paid

CASES = 100_000
CALLS = 200
WARM_UP = 20
BUDGET_MS = 50
BASE = "http://api.bench"
PAGE = 50

FILL = """
insert into case_state (case_id, process, business_state, sequence, sla_state, escalation_level, owner, clinician_id,
    breach_due, next_clock, breached_at, breached_clock, unacknowledged, snapshot, updated_at)
select
    kind.prefix || ':' || uuidv7(), kind.process, case when closed then 'CLOSED' else 'OPEN' end, 5,
    case when not closed and n % 25 = 0 then 'breached' else 'on_time' end,
    case when not closed and n % 25 = 0 then 1 else 0 end,
    case when closed then null when n % 200 = 3 then 'provider_success' else kind.owner end,
    case when n % 400 = 7 then :clinician else 'clinician-' || n % 400 end,
    case when not closed and n % 10 <> 1
        then cast(:now as timestamptz) + random() * interval '10 days' - :unnoticed end,
    case when not closed and n % 10 <> 1 then kind.clock end,
    case when not closed and n % 25 = 0 then cast(:now as timestamptz) - random() * interval '5 days' end,
    case when not closed and n % 25 = 0 then kind.clock end,
    not closed and n % 50 = 0,
    cast(:snapshot as jsonb),
    cast(:now as timestamptz)
from generate_series(1, 2 * :cases) as n
cross join lateral (select n <= :cases as closed) as half
join (values
    (0, 'visit', 'Visit', 'clinician', 'note'),
    (1, 'econsult', 'EConsult', 'specialist', 'turnaround'),
    (2, 'message', 'Message', 'support', 'reply'),
    (3, 'econsult', 'EConsult', 'clinician', 'information')
) as kind (number, prefix, process, owner, clock) on kind.number = n % 4
"""


@dataclass(frozen=True)
class Question:
    """One reading of the board, over HTTP and in SQL."""

    name: str
    path: str
    role: Role
    ask: Callable[..., Awaitable[Listing]]
    """Takes the session and the limit."""


@dataclass(frozen=True)
class Times:
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Figures:
    name: str
    found: int
    """Cases on the first page."""
    total: int
    sql: Times
    request: Times
    plans: tuple[str, ...]
    """For the page, and for the count where one is needed."""


Get: TypeAlias = Callable[[Question], Awaitable[Any]]
"""The answer over HTTP."""


def _ahead(name: str, path: str, now: datetime, within: timedelta, **filters: Any) -> Question:
    role = Role.CLINICIAN if "me" in path.split("/") else Role.OPERATIONS
    return Question(name, path, role, partial(at_risk.at_risk, now=now, within=within, filters=Filters(**filters)))


def _open(name: str, path: str, *, unacknowledged: bool) -> Question:
    ask = partial(at_risk.breaches, filters=Filters(), unacknowledged=unacknowledged)
    return Question(name, path, Role.OPERATIONS, ask)


def questions(now: datetime) -> list[Question]:
    hours, days = timedelta(hours=2), timedelta(days=10)
    own, rare = {"clinician_id": seed.CLINICIAN}, {"owner": "provider_success"}
    return [
        _ahead("at risk within 2 h", "/ops/at-risk?within=2h", now, hours),
        _ahead("at risk within 10 d", "/ops/at-risk?within=10d", now, days),
        _ahead("... of one process", "/ops/at-risk?within=10d&process=EConsult", now, days, process=Process.ECONSULT),
        _ahead("... of a rare owner", "/ops/at-risk?within=10d&owner=provider_success", now, days, **rare),
        _ahead("... of one clinician", "/clinicians/me/at-risk?within=10d", now, days, **own),
        _open("breaches", "/ops/breaches", unacknowledged=False),
        _open("breaches not taken on", "/ops/breaches?unacknowledged=true", unacknowledged=True),
    ]


async def fill(database: Database, cases: int, now: datetime) -> None:
    """So many open cases, most of them with a deadline in the next ten days, and as many closed ones; 4 % are late."""
    state = a_state(
        Stage.WITH_SPECIALIST,
        sequence=5,
        payments=paid(),
        assignments=[an_assignment()],
        clocks={"turnaround": a_turnaround()},
    )
    facts = {
        "cases": cases,
        "now": now,
        "unnoticed": timedelta(minutes=10),
        "clinician": seed.CLINICIAN,
        "snapshot": json.dumps(snapshot(an_order(), state, START).model_dump(mode="json")),
    }
    await seed.seed(database, now)
    async with database.engine.begin() as connection:
        await connection.execute(text("select setseed(0.5)"))
        await connection.execute(text(FILL), facts)
        await connection.execute(text("analyze case_state"))


async def measure(database: Database, cases: int, calls: int) -> list[Figures]:
    """Fill the migrated database, and ask each question so many times, in SQL and over HTTP."""
    now = datetime.now(UTC)
    await fill(database, cases, now)
    async with _client(database, now) as get:
        idle = Question("nothing: select 1, /healthz", "/healthz", Role.OPERATIONS, _nothing)
        return [await _measure(database, question, get, calls) for question in (idle, *questions(now))]


async def _nothing(session: AsyncSession, limit: int) -> Listing:
    """What there is to pay for any transaction, to compare with."""
    await session.exec(select(limit))
    return Listing([], more=False, total=0)


async def _measure(database: Database, question: Question, get: Get, calls: int) -> Figures:
    async def in_sql() -> None:
        async with database.transaction() as session:
            await question.ask(session, limit=PAGE)

    async def over_http() -> None:
        await get(question)

    async with database.transaction() as session:
        listing = await question.ask(session, limit=PAGE)
    return Figures(
        name=question.name,
        found=len(listing.items),
        total=min(listing.total, COUNTED),
        sql=await _times(in_sql, calls),
        request=await _times(over_http, calls),
        plans=await plans(database, question),
    )


async def _times(act: Callable[[], Awaitable[None]], calls: int) -> Times:
    taken = []
    warm_up = min(calls, WARM_UP)
    for _ in range(warm_up + calls):
        started = time.perf_counter()
        await act()
        taken.append((time.perf_counter() - started) * 1000)
    hundredths = statistics.quantiles(taken[warm_up:], n=100, method="inclusive")
    return Times(p50_ms=hundredths[49], p99_ms=hundredths[98])


async def plans(database: Database, question: Question) -> tuple[str, ...]:
    """What PostgreSQL does for it."""
    asked: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        async with database.transaction() as session:
            await question.ask(session, limit=PAGE)
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    async with database.engine.connect() as connection:
        explained = []
        for statement, parameters in asked:
            lines = await connection.exec_driver_sql(f"explain (analyze, buffers) {statement}", parameters)
            explained.append("\n".join(lines.scalars()))
    return tuple(explained)


@asynccontextmanager
async def _client(database: Database, now: datetime) -> AsyncIterator[Get]:
    """The whole API, and somebody with a token for each role."""
    ring = Keyring.parse(generate_key("bench"))
    settings = Settings(
        public_url=BASE,
        oidc_issuer=f"{BASE}/dev",
        oidc_jwks_url=f"{BASE}/jwks.json",
        stripe_webhook_secret=SecretStr("whsec_bench"),
        codec_keys=SecretStr(generate_key("codec")),
    )
    with tempfile.TemporaryDirectory() as state_dir:
        issuer = DevelopmentIssuer(
            embedded=True, state_dir=Path(state_dir), issuer=settings.oidc_issuer, audience=settings.oidc_audience
        )
    keys = httpx.MockTransport(lambda _: httpx.Response(200, json=issuer.jwks()))
    no_cases = cast("Cases", None)  # the board asks no workflow
    services = Services(settings, database, no_cases, PaymentLinks(ring, BASE), policy.load(), clock=lambda: now)
    async with httpx.AsyncClient(transport=keys) as keys_http:
        app = create_app(services, token_verifier(settings, keys_http))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:

            async def get(question: Question) -> Any:
                token = tokens[question.role]
                answer = await http.get(question.path, headers={"Authorization": f"Bearer {token}"})
                return answer.raise_for_status().json()

            tokens = {role: issuer.token("clinician-demo", [role]) for role in (Role.CLINICIAN, Role.OPERATIONS)}
            yield get


def show(figures: list[Figures], cases: int) -> None:
    print(f"\n{cases:,} open cases; milliseconds, budget {BUDGET_MS}; load {os.getloadavg()[0]:.1f}")
    print(f"{'':28}{'page':>6}{'total':>7}{'SQL p50':>10}{'p99':>8}{'request p50':>13}{'p99':>8}")
    for each in figures:
        times = f"{each.sql.p50_ms:10.1f}{each.sql.p99_ms:8.1f}{each.request.p50_ms:13.1f}{each.request.p99_ms:8.1f}"
        verdict = "within" if each.request.p99_ms <= BUDGET_MS else "OVER"
        print(f"{each.name:28}{each.found:6}{each.total:7}{times}  {verdict}")
    for each in figures[1:]:
        for kind, plan in zip(("page", "count"), each.plans, strict=False):
            print(f"\n{each.name}: {kind}\n{plan}")


def run(postgres: EmbeddedPostgres, cases: int = CASES, calls: int = CALLS) -> None:
    """Measure in a database of its own, and print."""
    configure_logging("WARNING")
    vault.open(Keyring.parse(generate_key("bench")))
    url = postgres.create_database("at_risk")
    migrate(url)

    async def measured() -> list[Figures]:
        database = Database(url)
        try:
            async with database.engine.begin() as connection:
                await connection.execute(text("alter table case_state set (autovacuum_enabled = off)"))
            return await measure(database, cases, calls)
        finally:
            await database.close()

    show(asyncio.run(measured()), cases)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--calls", type=int, default=CALLS)
    chosen = parser.parse_args()
    with EmbeddedPostgres(ephemeral=True) as postgres:
        run(postgres, chosen.cases, chosen.calls)
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    leave(status)
