"""Servers and databases that tests share: one PostgreSQL a test process, emptied after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from psycopg import sql
from sqlmodel import SQLModel

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
    """A server with one migrated database to copy."""
    with EmbeddedPostgres(ephemeral=True) as server:
        migrate(server.create_database(TEMPLATE))
        yield server


@pytest.fixture(scope="session")
def migrated_url(postgres: EmbeddedPostgres) -> str:
    """The database of this test process, with every table."""
    return postgres.create_database("carewave", template=TEMPLATE)


@pytest.fixture
def database_url(migrated_url: str, keyring: Keyring) -> Iterator[str]:
    """The same database, empty: a fifth of the time that a copy for each test would take."""
    yield migrated_url
    emptied = sql.SQL("; ").join(
        sql.SQL("delete from {}").format(sql.Identifier(table)) for table in SQLModel.metadata.tables
    )
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        # Whoever is left over from the test, such as a worker that was cut off, would keep a table locked.
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        # In any order, and what is only ever appended to as well. Truncating makes new files and takes thrice as long.
        connection.execute("set session_replication_role = replica")
        connection.execute(emptied)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url, pool_size=5)
    yield found
    await found.close()
