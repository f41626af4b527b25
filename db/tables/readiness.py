"""What was found out anew about the readiness of locations, and by whom."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, Numeric
from sqlmodel import Column, Field, SQLModel

from db.tables.base import created_at, new_id
from db.types import EncryptedJson, Utc


class ReadinessEntry(SQLModel, table=True):
    """One entry (S-01). `rollout_location.facts` holds what it made of the location."""

    __tablename__ = "readiness_entry"
    __table_args__ = (Index("readiness_entry_of_location", "location_id", "entered_at"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    program_id: str = Field(foreign_key="rollout_program.id")
    location_id: str = Field(foreign_key="rollout_location.location_id")
    found: dict[str, Any] = Field(sa_column=Column(EncryptedJson("readiness_entry.found"), nullable=False))
    """A `domain.rollout.resurvey.Resurvey`, with what people wrote as reasons."""
    author: str
    """Id of the member."""
    composite: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    """Unrounded, as it was then."""
    band: str
    entered_at: datetime = Field(sa_type=Utc)
    """Business time."""
    created_at: datetime = created_at()
