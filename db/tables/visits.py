"""Visits, and what was written down and shown in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel

from db.tables.base import created_at, new_id
from db.types import EncryptedBytes, EncryptedText, Utc


class Visit(SQLModel, table=True):
    __tablename__ = "visit"
    __table_args__ = (
        CheckConstraint(
            "status in ('scheduled', 'in_progress', 'completed', 'cancelled', 'no_show')", name="visit_status"
        ),
        Index("visit_of_clinician", "clinician_id", "scheduled_start"),
        Index("visit_unstarted", "created_at", postgresql_where=text('not started and "order" is not null')),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    kind: str = "standard"
    """standard or econsult_follow_up"""
    visit_type: str = "general"
    econsult_id: str | None = Field(default=None, index=True)
    status: str = "scheduled"
    scheduled_start: datetime = Field(sa_type=Utc)
    duration_minutes: int
    price_cents: int = 0
    started_at: datetime | None = Field(default=None, sa_type=Utc)
    completed_at: datetime | None = Field(default=None, sa_type=Utc)
    order: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    """The workflow's input, pinned, so that a start that was lost can be repeated as it was."""
    started: bool = False
    created_at: datetime = created_at()


class NoShow(SQLModel, table=True):
    """A patient's no-show; one that was overturned stays, voided."""

    __tablename__ = "no_show"

    visit_id: str = Field(foreign_key="visit.id", primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    flagged_at: datetime = Field(sa_type=Utc)
    voided_at: datetime | None = Field(default=None, sa_type=Utc)


class Note(SQLModel, table=True):
    """A clinical note of a visit."""

    __tablename__ = "note"

    id: str = Field(default_factory=new_id, primary_key=True)
    visit_id: str = Field(foreign_key="visit.id", index=True)
    author_id: str
    status: str
    """draft or complete"""
    body: str = Field(sa_column=Column(EncryptedText("note.body"), nullable=False))
    saved_at: datetime | None = Field(default=None, sa_type=Utc)
    """When it became part of the visit; null until the visit's process has taken it."""
    shared_at: datetime | None = Field(default=None, sa_type=Utc)
    """When the patient got to see it: complete notes only, once (V-15, V-16)."""
    created_at: datetime = created_at()


class Attachment(SQLModel, table=True):
    """A photo or diagnostic of a patient."""

    __tablename__ = "attachment"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    uploaded_by: str
    kind: str
    media_type: str
    title: str = Field(sa_column=Column(EncryptedText("attachment.title"), nullable=False))
    content: bytes = Field(sa_column=Column(EncryptedBytes("attachment.content"), nullable=False))
    size_bytes: int
    created_at: datetime = created_at()


class Disclosure(SQLModel, table=True):
    """Who was shown what of a patient (G-03)."""

    __tablename__ = "disclosure"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(index=True)
    econsult_id: str | None = Field(default=None, index=True)
    role: str
    person_id: str
    what: str
    at: datetime = created_at()
