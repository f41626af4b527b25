"""Servers and databases that tests share: one PostgreSQL a test process, one database a test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from crypto import Keyring, generate_key
from db.migrate import migrate
from db.session import Database
from db.types import vault
from embedded.postgres import EmbeddedPostgres

TEMPLATE = "template_carewave"


@pytest.fixture(scope="session")
def data_keys() -> str:
    """The data key of this test process, as the setting holds it."""
    return generate_key("test")


@pytest.fixture(scope="session")
def keyring(data_keys: str) -> Keyring:
    """Encrypted columns use it from now on."""
    ring = Keyring.parse(data_keys)
    vault.open(ring)
    return ring


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server with one migrated database, from which the others are copied."""
    with EmbeddedPostgres(ephemeral=True) as server:
        migrate(server.create_database(TEMPLATE))
        yield server


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, keyring: Keyring) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgres.create_database(name, template=TEMPLATE)
    postgres.drop_database(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url, pool_size=5)
    yield found
    await found.close()
