"""How late clocks are when those of many open visits fall due in the same minute, beside bare Temporal timers.

`python -m benchmarks.visit_clocks [--visits 10000]`. One worker serves both; both are started and awaited in the same
run, first the visits, then as many workflows that sleep and then run one local activity. Lateness is the real time
between a deadline and the moment at which its step is in the database, or at which the bare activity runs.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import func
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.bare import NOTED, BareTimer, note
from crypto import Keyring, generate_key
from db.migrate import migrate
from db.session import Database
from db.tables import Timeline, Visit, new_id
from db.types import vault
from domain import policy
from domain.actors import Actor
from domain.clock import ClockPolicy, Milestone, MilestoneKind
from domain.visit.policy import VisitPolicy
from domain.visit.state import VisitOrder
from embedded.postgres import EmbeddedPostgres
from embedded.rehearsal import real_time
from embedded.temporal_servers import DevServer
from leaving import leave
from temporal_client import data_converter, register_search_attributes
from tests.workflows.consult import People, deliver_to, invite_people
from worker import BUILD, build_workers

QUEUE = "bare-timers"
IN_FLIGHT = 32
STARTS_A_SECOND = 12
"""What one machine with two cores manages; the deadlines lie behind the last start."""
SPREAD = timedelta(minutes=1)
LATE = "clinician_late"
PATIENCE_SECONDS = 3600.0


@dataclass(frozen=True)
class Lateness:
    count: int
    p50_seconds: float
    p99_seconds: float
    worst_seconds: float


def quick_policy() -> VisitPolicy:
    """Nothing but the deadline of the clinician."""
    built_in = policy.load().visit
    silent = built_in.reminders.model_copy(update={"milestones": built_in.reminders.milestones[:1]})
    late = Milestone(name=LATE, kind=MilestoneKind.BREACH, after=built_in.join_lead)
    far = Milestone(name="clinician_no_show", kind=MilestoneKind.END, after=timedelta(days=1))
    join = ClockPolicy(name="join", milestones=(late, far))
    return built_in.model_copy(update={"join": join, "reminders": silent})


def deadlines(count: int) -> list[datetime]:
    """In one minute, which begins when everything is started."""
    first = datetime.now(UTC) + timedelta(seconds=30 + count / STARTS_A_SECOND)
    return [first + SPREAD * number / count for number in range(count)]


async def visits(client: Client, database: Database, people: People, count: int) -> Lateness:
    due = deadlines(count)
    chosen = quick_policy()
    orders = [
        VisitOrder(
            visit_id=new_id(),
            patient_id=people.patient.id,
            clinician_id=people.clinician.id,
            starts_at=at,
            duration_minutes=15,
            policy=chosen,
            scheduled_by=Actor(role="support", id="bench"),
        )
        for at in due
    ]
    async with database.transaction() as session:
        session.add_all(
            Visit(
                id=order.visit_id,
                patient_id=order.patient_id,
                clinician_id=order.clinician_id,
                scheduled_start=order.starts_at,
                duration_minutes=15,
                order=order.model_dump(mode="json"),
                started=True,
            )
            for order in orders
        )
    from cases import Cases  # noqa: PLC0415 - with its workflows it takes a second to import

    cases = Cases(client)
    await _each([lambda order=order: cases.start_visit(order) for order in orders])  # type: ignore[misc]
    _warn_if_late(due)
    return _lateness(await _fired(database, count))


async def _fired(database: Database, count: int) -> list[float]:
    """Wait for the step of every deadline; how late each was."""
    late = col(Timeline.detail)["subject"].astext == f"join:{LATE}"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with database.transaction() as session:
                found = (await session.exec(select(func.count()).select_from(Timeline).where(late))).one()
                if found >= count:
                    rows = (await session.exec(select(Timeline.detail, Timeline.recorded_at).where(late))).all()
                    return [(at - datetime.fromisoformat(detail["due"])).total_seconds() for detail, at in rows]
            await asyncio.sleep(1)


async def bare_timers(client: Client, count: int) -> Lateness:
    NOTED.clear()
    due = deadlines(count)
    await _each([lambda at=at: _start_bare(client, at) for at in due])  # type: ignore[misc]
    _warn_if_late(due)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(NOTED) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.5)  # the activities know nothing of this loop
    return _lateness(NOTED)


async def _start_bare(client: Client, due: datetime) -> None:
    await client.start_workflow(BareTimer.run, due, id=f"bare-timer:{uuid4()}", task_queue=QUEUE)


async def _each(starts: list[Callable[[], Awaitable[None]]]) -> None:
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(start: Callable[[], Awaitable[None]]) -> None:
        async with gate:
            await start()

    began = time.monotonic()
    await asyncio.gather(*map(one, starts))
    print(f"  {len(starts)} started in {time.monotonic() - began:.0f} s", flush=True)


def _warn_if_late(due: list[datetime]) -> None:
    if datetime.now(UTC) > due[0]:
        print("  starting took longer than planned: the first deadlines were over before the last start")


def _lateness(seconds: list[float]) -> Lateness:
    cut = statistics.quantiles(seconds, n=100)
    return Lateness(len(seconds), round(cut[49], 3), round(cut[98], 3), round(max(seconds), 3))


async def compare(postgres_url: str, address: str, count: int) -> dict[str, Lateness]:
    ring = Keyring.parse(generate_key("bench"))
    vault.open(ring)
    client = await Client.connect(address, data_converter=data_converter(ring))
    await register_search_attributes(client)
    database = Database(postgres_url)
    bare = Worker(client, task_queue=QUEUE, workflows=[BareTimer], activities=[note], build_id=BUILD)
    async with real_time(client, database, ring, deliver_to([])) as world:
        people = await invite_people(database)
        caches = max(1000, 3 * count)
        workers = build_workers(client, world.adapters, max_cached_workflows=caches, graceful_shutdown=timedelta(0))
        async with workers, bare:
            found = {"visits": await visits(client, database, people, count)}
            found["bare timers"] = await bare_timers(client, count)
    await database.close()
    return found


def run(postgres: EmbeddedPostgres, address: str, count: int) -> dict[str, Lateness]:
    """Measure and print."""
    print(f"\n{count} open visits whose clinicians are late in the same minute:", flush=True)
    url = postgres.create_database("visit_clocks")
    migrate(url)
    found = asyncio.run(compare(url, address, count))
    print(f"{'lateness in seconds':22}{'p50':>10}{'p99':>10}{'worst':>10}")
    for name, lateness in found.items():
        print(f"{name:22}{lateness.p50_seconds:10.2f}{lateness.p99_seconds:10.2f}{lateness.worst_seconds:10.2f}")
    ours, floor = found["visits"], found["bare timers"]
    print(f"{'ratio':22}{ours.p50_seconds / floor.p50_seconds:10.2f}{ours.p99_seconds / floor.p99_seconds:10.2f}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=10_000)
    chosen = parser.parse_args()
    with EmbeddedPostgres(ephemeral=True) as postgres, DevServer() as server:
        run(postgres, server.address, chosen.visits)
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    leave(status)
