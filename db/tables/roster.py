"""The staff, when they work, when they are away, and when nobody was there."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Column, Field, Integer, SQLModel

from db.tables.base import created_at, new_id
from db.types import EncryptedText, Utc


class Staff(SQLModel, table=True):
    __tablename__ = "staff_member"

    id: str = Field(default_factory=new_id, primary_key=True)
    subject: str | None = Field(default=None, unique=True)
    """`sub` of the person's tokens."""
    name: str = Field(sa_column=Column(EncryptedText("staff_member.name"), nullable=False))
    email: str = Field(sa_column=Column(EncryptedText("staff_member.email"), nullable=False))
    phone: str | None = Field(default=None, sa_column=Column(EncryptedText("staff_member.phone")))
    time_zone: str
    quiet_from: time | None = None
    """Local times; an end that is not later is on the next day."""
    quiet_until: time | None = None
    active: bool = True
    created_at: datetime = created_at()


class RosterShift(SQLModel, table=True):
    """A shift that comes every week, in the time zone of the person."""

    __tablename__ = "roster_shift"

    id: str = Field(default_factory=new_id, primary_key=True)
    staff_id: str = Field(foreign_key="staff_member.id", index=True)
    audience: str = Field(index=True)
    weekdays: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    """On which the shift begins; 1 is Monday."""
    starts: time
    ends: time
    valid_from: date
    valid_until: date | None = None
    """The last day on which the shift begins."""
    created_at: datetime = created_at()


class RosterAbsence(SQLModel, table=True):
    __tablename__ = "roster_absence"

    id: str = Field(default_factory=new_id, primary_key=True)
    staff_id: str = Field(foreign_key="staff_member.id", index=True)
    absent_from: datetime = Field(sa_type=Utc)
    absent_until: datetime = Field(sa_type=Utc)
    created_at: datetime = created_at()


class RosterGap(SQLModel, table=True):
    """A notice that went to an audience's own address, because nobody of the roster was there."""

    __tablename__ = "roster_gap"

    id: str = Field(default_factory=new_id, primary_key=True)
    notice_key: str = Field(unique=True)
    case_id: str = Field(index=True)
    audience: str
    at: datetime = Field(sa_type=Utc)
    """Business time of the step."""
