"""Clinicians from before licences were recorded keep what is known of them: their states, without an expiry."""

from __future__ import annotations

import psycopg
from alembic import command
from alembic.config import Config

from embedded.postgres import EmbeddedPostgres


def test_a_licence_for_each_state_that_blocks_nothing_and_is_not_watched(postgres: EmbeddedPostgres) -> None:
    url = postgres.create_database("before_licences")
    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg://", 1)
    command.upgrade(config, "0006")
    with psycopg.connect(url, autocommit=True) as connection:
        for clinician_id, states in (("c-1", ["CO", "UT", "CO"]), ("c-2", [])):
            connection.execute(
                "insert into clinician (id, subject, name, email, time_zone, licence_states)"
                " values (%s, %s, 'C', 'c@example.com', 'UTC', %s)",
                (clinician_id, clinician_id, states),
            )
        command.upgrade(config, "0007")
        known = 'select clinician_id, state, status, expires_on, "order", started from clinician_licence order by state'
        assert connection.execute(known).fetchall() == [
            ("c-1", "CO", "ACTIVE", None, None, False),
            ("c-1", "UT", "ACTIVE", None, None, False),
        ]
        command.downgrade(config, "0006")
        assert connection.execute("select to_regclass('clinician_licence')").fetchone() == (None,)
