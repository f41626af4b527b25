"""The production workflows on simulated time, with people to act in them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from crypto import Keyring
from db.session import Database
from domain.names import CARE_QUEUES
from embedded.rehearsal import Rehearsal, rehearse
from tests.workflows.consult import Consult, deliver_to, invite_people
from tests.workflows.visit import Appointment


@pytest.fixture
async def world(database: Database, keyring: Keyring) -> AsyncIterator[Rehearsal]:
    places: list[Rehearsal] = []
    async with rehearse(database, keyring=keyring, deliver=deliver_to(places), queues=CARE_QUEUES) as rehearsal:
        places.append(rehearsal)
        yield rehearsal


@pytest.fixture
async def consult(world: Rehearsal) -> Consult:
    """An eConsult that is placed and waits for its payment."""
    placed = Consult(world, await invite_people(world.database))
    await placed.place()
    return placed


@pytest.fixture
async def visit(world: Rehearsal) -> Appointment:
    """Fifteen minutes, in three hours."""
    placed = Appointment(world, await invite_people(world.database))
    await placed.place()
    return placed
