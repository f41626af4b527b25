"""Alembic migrations; `migrate` brings a database to the newest."""
