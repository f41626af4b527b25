"""Threads of messages to clinicians, and the texts in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel

from db.tables.base import created_at, new_id
from db.types import EncryptedText, Utc


class MessageThreadRow(SQLModel, table=True):
    """A thread as it was opened. Where it stands is in `case_state`, what happened in `timeline`."""

    __tablename__ = "message_thread"
    __table_args__ = (
        CheckConstraint("kind in ('patient', 'support')", name="message_thread_kind"),
        CheckConstraint("source in ('patient', 'provider_success', 'customer_support')", name="message_thread_source"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    opening_key: str = Field(unique=True)
    """The same for a request that is repeated with its Idempotency-Key."""
    kind: str
    source: str
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    patient_id: str | None = Field(default=None, foreign_key="patient.id", index=True)
    """Whose thread it is, or whom one of support is about."""
    visit_id: str | None = Field(default=None, foreign_key="visit.id")
    opened_by: str
    order: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """The workflow's input, pinned, so that a start that was lost can be repeated as it was."""
    started: bool = False
    created_at: datetime = created_at()


class ThreadMessage(SQLModel, table=True):
    """A text of a thread: stored first, part of it once the workflow has accepted it."""

    __tablename__ = "thread_message"
    __table_args__ = (
        CheckConstraint("direction in ('inbound', 'outbound')", name="thread_message_direction"),
        Index("thread_message_order", "thread_id", "sequence"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    thread_id: str = Field(foreign_key="message_thread.id")
    direction: str
    author_role: str
    author_id: str
    body: str = Field(sa_column=Column(EncryptedText("thread_message.body"), nullable=False))
    accepted_at: datetime | None = Field(default=None, sa_type=Utc)
    """Business time."""
    sequence: int | None = None
    """Of the step with which it became part of the thread: its place in it."""
    created_at: datetime = created_at()
