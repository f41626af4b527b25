"""The processes of a rollout on simulated time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from crypto import Keyring
from db.session import Database
from domain.names import TaskQueue
from embedded.rehearsal import Rehearsal, rehearse


@pytest.fixture
async def rollouts(database: Database, keyring: Keyring) -> AsyncIterator[Rehearsal]:
    async with rehearse(database, keyring=keyring, queues=(TaskQueue.ROLLOUTS,)) as rehearsal:
        yield rehearsal
