"""What the stack does to its servers once they run: schema, demo people, and waiting for the worker."""

from __future__ import annotations

import asyncio
import time

from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType

from config import Settings
from crypto import Keyring
from db.migrate import migrate
from db.session import Database
from db.types import vault
from domain.names import SERVED_QUEUES
from embedded.process import Child, StartFailed
from embedded.seed import seed
from temporal_client import connect, pollers
from workflows.search_attributes import SEARCH_ATTRIBUTES

POLL_SECONDS = 0.1


def search_attribute_types() -> dict[str, str]:
    """Names and types as Temporal's command line wants them: Keyword, Int, Datetime."""
    return {key.name: SearchAttributeIndexedValueType(key.indexed_value_type).name.title() for key in SEARCH_ATTRIBUTES}


def prepare_records() -> None:
    """Bring the database that the environment names to the newest schema, and add the demo people."""
    settings = Settings()
    url = settings.database_url.unicode_string()
    migrate(url)
    vault.open(Keyring.parse(settings.data_keys.get_secret_value()))
    asyncio.run(_seed(url))


async def _seed(url: str) -> None:
    database = Database(url, pool_size=1)
    try:
        await seed(database)
    finally:
        await database.close()


def wait_until_working(worker: Child, seconds: float) -> None:
    """Return once Temporal has heard of this very worker. Raises `StartFailed` with the end of its log."""
    asyncio.run(_wait_until_working(worker, time.monotonic() + seconds))


async def _wait_until_working(worker: Child, deadline: float) -> None:
    client = await connect(Settings())
    while not all([await _polls(client, worker, queue) for queue in SERVED_QUEUES]):
        if not worker.running or time.monotonic() > deadline:
            raise StartFailed(f"{worker.name} does not work; {worker.log} ends with:\n{worker.last_words()}")
        await asyncio.sleep(POLL_SECONDS)


async def _polls(client: Client, worker: Child, queue: str) -> bool:
    return any(identity.startswith(f"{worker.pid}@") for identity in await pollers(client, queue))
