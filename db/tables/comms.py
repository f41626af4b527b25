"""What of each location's communication with patients is switched on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, text
from sqlmodel import Field, SQLModel

from db.types import Utc

_ON: Any = {"server_default": text("true")}
"""Until somebody switches it off."""


class LocationComms(SQLModel, table=True):
    """One row a location, from its first switch on; without one nothing is sent (P-01).

    No foreign key: switching off must not fail on a record that is missing.
    """

    __tablename__ = "location_comms"
    __table_args__ = (CheckConstraint("enabled_percent between 0 and 100", name="location_comms_percent"),)

    location_id: str = Field(primary_key=True)
    program_id: str = Field(index=True)
    enabled_percent: int
    """Set by the location's process only, in the transaction of its step."""
    reason: str
    """A stable code: why it is so."""
    since: datetime = Field(sa_type=Utc)
    reminders: bool = Field(default=True, sa_column_kwargs=_ON)
    recall: bool = Field(default=True, sa_column_kwargs=_ON)
    scheduling: bool = Field(default=True, sa_column_kwargs=_ON)
    reviews: bool = Field(default=True, sa_column_kwargs=_ON)
    two_way: bool = Field(default=True, sa_column_kwargs=_ON)
    sms: bool = Field(default=True, sa_column_kwargs=_ON)
    email: bool = Field(default=True, sa_column_kwargs=_ON)
    voice: bool = Field(default=True, sa_column_kwargs=_ON)
