"""Record the histories and fingerprints anew: `python -m tests.replay.record`.

Only when no execution of the old code runs anywhere. Until then gate the change with `workflow.patched`.
"""

from __future__ import annotations

import asyncio
import sys

from db.migrate import migrate
from db.session import Database
from db.types import vault
from embedded.postgres import EmbeddedPostgres
from leaving import leave
from tests.replay.recording import KEYRING, keep, play_all


async def record(database_url: str) -> None:
    vault.open(KEYRING)
    database = Database(database_url, pool_size=5)
    try:
        histories = await play_all(database)
    finally:
        await database.close()
    keep(histories)
    for name, history in histories.items():
        sys.stdout.write(f"{name}: {len(history.events)} events\n")


def main() -> None:
    with EmbeddedPostgres(ephemeral=True) as server:
        url = server.create_database("replay")
        migrate(url)
        asyncio.run(record(url))
    leave()


if __name__ == "__main__":
    main()
