"""What all tables share."""

from __future__ import annotations

from typing import Any

import uuid_utils
from sqlalchemy import text
from sqlmodel import Column, Field

from db.types import Utc


def new_id() -> str:
    """A UUIDv7: opaque, and in the order of creation."""
    return str(uuid_utils.uuid7())


def created_at() -> Any:
    return Field(default=None, sa_column=Column(Utc, nullable=False, server_default=text("now()")))
