"""Every table. Free text and contact data are encrypted; ids are UUIDv7 in text form and never tell anything."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import uuid_utils
from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import BigInteger, Column, Field, SQLModel, String

from db.types import EncryptedBytes, EncryptedText, Utc


def new_id() -> str:
    """A UUIDv7: opaque, and in the order of creation."""
    return str(uuid_utils.uuid7())


def _created_at() -> Any:
    return Field(default=None, sa_column=Column(Utc, nullable=False, server_default=text("now()")))


class Clinician(SQLModel, table=True):
    __tablename__ = "clinician"

    id: str = Field(default_factory=new_id, primary_key=True)
    subject: str = Field(unique=True)
    """`sub` of the person's tokens."""
    name: str
    email: str
    time_zone: str
    licence_states: list[str] = Field(sa_column=Column(ARRAY(String(2)), nullable=False))
    created_at: datetime = _created_at()


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
    created_at: datetime = _created_at()


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
    created_at: datetime = _created_at()


class Visit(SQLModel, table=True):
    __tablename__ = "visit"
    __table_args__ = (
        CheckConstraint("status in ('scheduled', 'in_progress', 'completed', 'cancelled')", name="visit_status"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    kind: str = "standard"
    """standard or econsult_follow_up"""
    econsult_id: str | None = Field(default=None, index=True)
    status: str = "scheduled"
    scheduled_start: datetime = Field(sa_type=Utc)
    duration_minutes: int
    price_cents: int = 0
    started_at: datetime | None = Field(default=None, sa_type=Utc)
    completed_at: datetime | None = Field(default=None, sa_type=Utc)
    created_at: datetime = _created_at()


class Note(SQLModel, table=True):
    """A clinical note of a visit."""

    __tablename__ = "note"

    id: str = Field(default_factory=new_id, primary_key=True)
    visit_id: str = Field(foreign_key="visit.id", index=True)
    author_id: str
    status: str
    """draft or complete"""
    body: str = Field(sa_column=Column(EncryptedText("note.body"), nullable=False))
    created_at: datetime = _created_at()


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
    created_at: datetime = _created_at()


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
    created_at: datetime = _created_at()


class CaseState(SQLModel, table=True):
    """The projection of a case's timeline: where it stands after its latest step."""

    __tablename__ = "case_state"
    __table_args__ = (
        Index("case_state_due", "next_deadline", postgresql_where=text("next_deadline is not null")),
        Index("case_state_process", "process", "business_state", "case_id"),
    )

    case_id: str = Field(primary_key=True)
    process: str
    business_state: str
    sequence: int
    sla_state: str
    escalation_level: int
    next_deadline: datetime | None = Field(default=None, sa_type=Utc)
    snapshot: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    updated_at: datetime = Field(sa_type=Utc)


class Timeline(SQLModel, table=True):
    """Each business event: who, when, what, and the snapshot after it."""

    __tablename__ = "timeline"

    case_id: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    event: str = Field(index=True)
    at: datetime = Field(sa_type=Utc)
    actor_role: str
    actor_id: str
    detail: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    snapshot: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    recorded_at: datetime = _created_at()


class LostStep(SQLModel, table=True):
    """A step that was written and then lost to the workflow, because its worker died before Temporal knew of it."""

    __tablename__ = "lost_step"

    id: str = Field(
        sa_column=Column(String, primary_key=True, server_default=text("gen_random_uuid()::text")), default=None
    )
    case_id: str = Field(index=True)
    sequence: int
    event: str
    at: datetime = Field(sa_type=Utc)
    actor_role: str
    actor_id: str
    detail: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    snapshot: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    recorded_at: datetime = _created_at()


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
    created_at: datetime = _created_at()


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


class OutboxNotice(SQLModel, table=True):
    """A message to send. It is written with the step that calls for it and sent from here, once."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_due", "not_before", postgresql_where=text("status = 'pending'")),
        CheckConstraint("status in ('pending', 'sent', 'failed')", name="outbox_status"),
    )

    key: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    audience: str
    template: str
    specialist_id: str | None = None
    link_number: int | None = None
    queued_at: datetime = Field(sa_type=Utc)
    """Business time of the step."""
    status: str = "pending"
    attempts: int = 0
    not_before: datetime = _created_at()
    sent_at: datetime | None = Field(default=None, sa_type=Utc)
    error_code: str | None = None


class WebhookEvent(SQLModel, table=True):
    """A verified webhook, kept before anything is done with it."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        Index("webhook_event_undelivered", "received_at", postgresql_where=text("status = 'received'")),
        CheckConstraint("status in ('received', 'delivered', 'ignored', 'undeliverable')", name="webhook_status"),
    )

    provider: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    type: str
    event: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    """The event in our words; what the provider sent besides is not kept."""
    econsult_id: str | None = Field(default=None, index=True)
    status: str = "received"
    code: str | None = None
    attempts: int = 0
    received_at: datetime = _created_at()
    delivered_at: datetime | None = Field(default=None, sa_type=Utc)


class LedgerEntryRow(SQLModel, table=True):
    __tablename__ = "ledger_entry"

    key: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    clinician_id: str = Field(index=True)
    kind: str
    currency: str
    at: datetime = Field(sa_type=Utc)


class LedgerPosting(SQLModel, table=True):
    """Debits positive, credits negative, integer cents; a trigger refuses an entry that does not sum to zero."""

    __tablename__ = "ledger_posting"
    __table_args__ = (CheckConstraint("amount_cents <> 0", name="ledger_posting_amount"),)

    entry_key: str = Field(foreign_key="ledger_entry.key", primary_key=True)
    account: str = Field(primary_key=True)
    amount_cents: int = Field(sa_column=Column(BigInteger, nullable=False))


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


class RefundRequestRow(SQLModel, table=True):
    """Why somebody wants money back; how it was decided is in the case's snapshot."""

    __tablename__ = "refund_request"

    id: str = Field(default_factory=new_id, primary_key=True)
    econsult_id: str = Field(foreign_key="econsult.id", index=True)
    requested_by: str
    reason: str = Field(sa_column=Column(EncryptedText("refund_request.reason"), nullable=False))
    created_at: datetime = _created_at()


class RateRequestRow(SQLModel, table=True):
    __tablename__ = "rate_request"

    id: str = Field(default_factory=new_id, primary_key=True)
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    portion_cents: int
    order: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    started: bool = False
    created_at: datetime = _created_at()


class Rate(SQLModel, table=True):
    """A clinician's approved portion, in force from then on."""

    __tablename__ = "rate"

    request_id: str = Field(primary_key=True)
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    portion_cents: int
    effective_from: datetime = Field(sa_type=Utc)


class Disclosure(SQLModel, table=True):
    """Who was shown what of a patient (G-03)."""

    __tablename__ = "disclosure"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(index=True)
    econsult_id: str | None = Field(default=None, index=True)
    role: str
    person_id: str
    what: str
    at: datetime = _created_at()
