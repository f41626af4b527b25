"""What every process leaves behind: where it stands, its timeline, and whom it tells."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel, String

from db.tables.base import created_at
from db.types import Utc

BOARD = ("case_id", "owner", "clinician_id", "process")


class CaseState(SQLModel, table=True):
    """The projection of a case's timeline: where it stands after its latest step, and what of it is at risk.

    `domain/at_risk.py` says what the columns from `owner` to `unacknowledged` mean.
    """

    __tablename__ = "case_state"
    __table_args__ = (
        # What one may filter by stands behind the order, so that the index alone decides which rows are read.
        Index("case_state_at_risk", "breach_due", *BOARD, postgresql_where=text("breach_due is not null")),
        Index(
            "case_state_at_risk_own",
            "clinician_id",
            "breach_due",
            "case_id",
            postgresql_where=text("breach_due is not null"),
        ),
        Index(
            "case_state_breached",
            "breached_at",
            *BOARD,
            "unacknowledged",
            postgresql_where=text("breached_at is not null"),
        ),
        Index("case_state_of_clinician", "clinician_id", "updated_at"),
        Index("case_state_process", "process", "business_state", "case_id"),
        # The processes of one rollout: its boards read all of them, and nothing else.
        Index(
            "case_state_of_program",
            text("(snapshot ->> 'program_id')"),
            "process",
            "case_id",
            postgresql_where=text("snapshot ->> 'program_id' is not null"),
        ),
        Index("case_state_payments", text("(snapshot -> 'payments') jsonb_path_ops"), postgresql_using="gin"),
    )

    case_id: str = Field(primary_key=True)
    process: str
    business_state: str
    sequence: int
    sla_state: str
    escalation_level: int
    next_deadline: datetime | None = Field(default=None, sa_type=Utc)
    owner: str | None = None
    clinician_id: str | None = None
    breach_due: datetime | None = Field(default=None, sa_type=Utc)
    next_clock: str | None = None
    breached_at: datetime | None = Field(default=None, sa_type=Utc)
    breached_clock: str | None = None
    unacknowledged: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
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
    recorded_at: datetime = created_at()


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
    recorded_at: datetime = created_at()


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
    staff_id: str | None = None
    """Of the person of the roster; without, the audience's own address is told."""
    link_number: int | None = None
    report_id: str | None = None
    """Of a regular report of a rollout, whose figures the letter shows."""
    queued_at: datetime = Field(sa_type=Utc)
    """Business time of the step."""
    status: str = "pending"
    attempts: int = 0
    not_before: datetime = created_at()
    sent_at: datetime | None = Field(default=None, sa_type=Utc)
    error_code: str | None = None
    provider_id: str | None = None
    """Of a text: Twilio's SID."""
    delivery_status: str | None = None
    """Of a text: what became of it after Twilio took it."""
    delivery_error: str | None = None
    """Of a text: Twilio's error code, such as 30003."""
