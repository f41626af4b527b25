"""The eConsult: orders, texts, assignments, documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Column, Field, SQLModel, String

from db.tables.base import created_at, new_id
from db.types import EncryptedText, Utc


class EConsult(SQLModel, table=True):
    """An order as it was placed. Where it stands is in `case_state`, what happened in `timeline`."""

    __tablename__ = "econsult"
    __table_args__ = (UniqueConstraint("clinician_id", "idempotency_key", name="econsult_idempotency"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    visit_id: str = Field(foreign_key="visit.id", index=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    idempotency_key: str
    request_hash: str
    specialty_code: str
    purpose: str
    note_ids: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    attachment_ids: list[str] = Field(sa_column=Column(ARRAY(String), nullable=False))
    question: str = Field(sa_column=Column(EncryptedText("econsult.question"), nullable=False))
    history: str = Field(sa_column=Column(EncryptedText("econsult.history"), nullable=False))
    expectations_acknowledged_by: str
    expectations_acknowledged_at: datetime = Field(sa_type=Utc)
    network_fee_cents: int
    clinician_portion_cents: int
    currency: str
    order: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """The workflow's input, pinned, so that a start that was lost can be repeated as it was."""
    started: bool = False
    created_at: datetime = created_at()


class Message(SQLModel, table=True):
    """A text inside a consult: stored first, part of it once the workflow has accepted it."""

    __tablename__ = "message"

    id: str = Field(default_factory=new_id, primary_key=True)
    econsult_id: str = Field(foreign_key="econsult.id", index=True)
    kind: str
    """information_request, information, reply, question or answer"""
    author_role: str
    author_id: str
    impression: str | None = Field(default=None, sa_column=Column(EncryptedText("message.impression")))
    body: str = Field(sa_column=Column(EncryptedText("message.body"), nullable=False))
    recommendations: str | None = Field(default=None, sa_column=Column(EncryptedText("message.recommendations")))
    """JSON list of strings, of a reply."""
    in_person_recommended: bool = False
    question_id: str | None = None
    accepted_at: datetime | None = Field(default=None, sa_type=Utc)
    created_at: datetime = created_at()


class AssignmentRow(SQLModel, table=True):
    __tablename__ = "assignment"

    id: str = Field(primary_key=True)
    econsult_id: str = Field(foreign_key="econsult.id", index=True)
    specialist_id: str = Field(foreign_key="specialist.id", index=True)
    number: int
    status: str
    reason: str | None = None
    at: datetime = Field(sa_type=Utc)


class Document(SQLModel, table=True):
    """A version of the consult's document in the patient's record (E-16, decision 14)."""

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("econsult_id", "version", name="document_version"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    econsult_id: str = Field(foreign_key="econsult.id", index=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    version: int
    title: str
    content: str = Field(sa_column=Column(EncryptedText("document.content"), nullable=False))
    visible_to_patient: bool
    published_at: datetime = Field(sa_type=Utc)


class CoordinationTask(SQLModel, table=True):
    """Help with arranging in-person care that the specialist recommended (E-17, decision 10)."""

    __tablename__ = "coordination_task"

    key: str = Field(primary_key=True)
    econsult_id: str = Field(foreign_key="econsult.id", index=True)
    reason: str = "specialist_recommended_in_person"
    fee_credited: bool = False
    opened_at: datetime = Field(sa_type=Utc)
    done_at: datetime | None = Field(default=None, sa_type=Utc)
    done_by: str | None = None
