"""Bring a database to the newest schema, or say how far it is behind."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine


def migrate(url: str) -> None:
    """Run every migration that is missing; one process at a time, the others wait."""
    command.upgrade(_config(url), "head")


def missing_migrations(url: str) -> list[str]:
    """Ids of the migrations that the database lacks, newest first."""
    script = ScriptDirectory.from_config(_config(url))
    engine = create_engine(_driver(url), connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_heads()
    finally:
        engine.dispose()
    return [revision.revision for revision in script.iterate_revisions("heads", current or "base")]


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("db").joinpath("migrations")))
    config.attributes["url"] = _driver(url)
    return config


def _driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
