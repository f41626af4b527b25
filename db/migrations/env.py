"""Alembic's entry: runs migrations in one transaction, under a lock, so that replicas may start together."""

from alembic import context
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

import db.tables  # noqa: F401  (fills the metadata)

LOCK = 0x63617265


def run() -> None:
    engine = create_engine(context.config.attributes["url"])
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.configure(connection=connection, target_metadata=SQLModel.metadata, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
