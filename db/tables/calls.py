"""Calls to patients."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from db.types import Utc


class CallAttempt(SQLModel, table=True):
    """One use of "Call Patient" (V-07). The numbers stay with the people; this row holds none."""

    __tablename__ = "call_attempt"

    id: str = Field(primary_key=True)
    visit_id: str = Field(foreign_key="visit.id", index=True)
    requested_by: str
    """The clinician."""
    call_sid: str | None = Field(default=None, unique=True)
    """None until Twilio has taken the call."""
    status: str = "requested"
    """Twilio's newest word of the patient's leg."""
    outcome: str | None = None
    requested_at: datetime = Field(sa_type=Utc)
    """Business time."""
    ended_at: datetime | None = Field(default=None, sa_type=Utc)
    duration_seconds: int | None = None
