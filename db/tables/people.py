"""Who takes part: clinicians, patients, and the panel of specialists."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Column, Field, SQLModel, String

from db.tables.base import created_at, new_id
from db.types import EncryptedText


class Clinician(SQLModel, table=True):
    __tablename__ = "clinician"

    id: str = Field(default_factory=new_id, primary_key=True)
    subject: str = Field(unique=True)
    """`sub` of the person's tokens."""
    name: str
    email: str
    phone: str | None = Field(default=None, sa_column=Column(EncryptedText("clinician.phone")))
    """E.164; rung before the patient is."""
    time_zone: str
    licence_states: list[str] = Field(sa_column=Column(ARRAY(String(2)), nullable=False))
    created_at: datetime = created_at()


class Patient(SQLModel, table=True):
    __tablename__ = "patient"

    id: str = Field(default_factory=new_id, primary_key=True)
    subject: str | None = Field(default=None, unique=True)
    name: str = Field(sa_column=Column(EncryptedText("patient.name"), nullable=False))
    email: str = Field(sa_column=Column(EncryptedText("patient.email"), nullable=False))
    phone: str | None = Field(default=None, sa_column=Column(EncryptedText("patient.phone")))
    birth_date: str = Field(sa_column=Column(EncryptedText("patient.birth_date"), nullable=False))
    state: str = Field(sa_column=Column(String(2), nullable=False))
    time_zone: str
    created_at: datetime = created_at()


class Specialist(SQLModel, table=True):
    """A member of the panel (E-05)."""

    __tablename__ = "specialist"

    id: str = Field(default_factory=new_id, primary_key=True)
    subject: str = Field(unique=True)
    name: str
    email: str
    specialty_codes: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    licence_states: list[str] = Field(sa_column=Column(ARRAY(String(2)), nullable=False))
    licence_expires_on: date
    board_certified: bool
    us_based: bool
    active: bool = True
    open_cases_limit: int = 10
    created_at: datetime = created_at()
