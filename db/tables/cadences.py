"""Reports that were sent on a regular day (A-03)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel

from db.tables.base import created_at
from db.types import Utc


class CadenceReport(SQLModel, table=True):
    """How things stood when it was due: a `domain.rollout.cadences.Report`. One for each period and place."""

    __tablename__ = "cadence_report"
    __table_args__ = (Index("cadence_report_of_program", "program_id", "at", "id"),)

    id: str = Field(primary_key=True)
    program_id: str = Field(foreign_key="rollout_program.id")
    cadence: str
    period: str
    region: str | None = None
    location_id: str | None = None
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    at: datetime = Field(sa_type=Utc)
    """Business time."""
    created_at: datetime = created_at()
