"""A worker for the rollouts' queue in a process of its own, beside a rehearsal: a second processor shares the work.

What it needs comes as one line on its standard input, so that no key shows in a list of processes. It ends when that
input does, also when whoever started it is gone.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import BaseModel
from temporalio.client import Client

from activities.cadences import CadenceActivities
from activities.validation import ValidationActivities
from crypto import Keyring
from db.cadences import SqlCadences
from db.case_records import SqlCaseRecords
from db.gate_evidence import SqlGateEvidence
from db.panel import SqlSpecialistPanel
from db.session import Database
from db.types import vault
from domain import policy
from domain.names import TaskQueue
from embedded.practice_system import SimulatedTwins
from integrations.stripe_gateway import StripeGateway
from leaving import leave
from links import PaymentLinks
from observability import configure_logging
from temporal_client import data_converter
from worker import Adapters, build_workers

READY = "ready"
START_SECONDS = 60


class Given(BaseModel):
    address: str
    """Of the Temporal server."""
    database_url: str
    keys: str


@asynccontextmanager
async def second_worker(given: Given) -> AsyncIterator[None]:
    """Raises TimeoutError when it does not come up, RuntimeError when it ends at once."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given.model_dump_json().encode() + b"\n")
    try:
        async with asyncio.timeout(START_SECONDS):
            if (await process.stdout.readline()).decode().strip() != READY:
                raise RuntimeError("the second worker did not start")
        yield
    finally:
        process.stdin.close()
        await process.wait()


async def _work(given: Given) -> None:
    ring = Keyring.parse(given.keys)
    vault.open(ring)
    database = Database(given.database_url)
    client = await Client.connect(given.address, data_converter=data_converter(ring))
    workers = build_workers(
        client, _adapters(database, ring), queues=(TaskQueue.ROLLOUTS,), graceful_shutdown=timedelta(0)
    )
    async with workers:
        print(READY, flush=True)
        await asyncio.to_thread(sys.stdin.read)
    await database.close()


def _adapters(database: Database, ring: Keyring) -> Adapters:
    validation = policy.load().rollout.integration.validation
    return Adapters(
        records=SqlCaseRecords(database),
        network=SqlSpecialistPanel(database),
        gateway=StripeGateway("sk_test_none", api_base="http://nowhere.invalid"),
        pages=PaymentLinks(ring, "http://nowhere.invalid"),
        practice=ValidationActivities(SimulatedTwins(validation)),
        evidence=SqlGateEvidence(database),
        cadences=CadenceActivities(SqlCadences(database)),
        real_time=False,
    )


def main() -> None:
    configure_logging("ERROR")
    asyncio.run(_work(Given.model_validate_json(sys.stdin.readline())))
    leave()


if __name__ == "__main__":
    main()
