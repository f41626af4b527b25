"""Money: the ledger, what the processor reported, refunds and rates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import BigInteger, Column, Field, SQLModel

from db.tables.base import created_at, new_id
from db.types import EncryptedText, Utc


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
    received_at: datetime = created_at()
    delivered_at: datetime | None = Field(default=None, sa_type=Utc)


class RefundRequestRow(SQLModel, table=True):
    """Why somebody wants money back; how it was decided is in the case's snapshot."""

    __tablename__ = "refund_request"

    id: str = Field(default_factory=new_id, primary_key=True)
    econsult_id: str = Field(foreign_key="econsult.id", index=True)
    requested_by: str
    reason: str = Field(sa_column=Column(EncryptedText("refund_request.reason"), nullable=False))
    created_at: datetime = created_at()


class RateRequestRow(SQLModel, table=True):
    __tablename__ = "rate_request"

    id: str = Field(default_factory=new_id, primary_key=True)
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    portion_cents: int
    order: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    started: bool = False
    created_at: datetime = created_at()


class Rate(SQLModel, table=True):
    """A clinician's approved portion, in force from then on."""

    __tablename__ = "rate"

    request_id: str = Field(primary_key=True)
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    portion_cents: int
    effective_from: datetime = Field(sa_type=Utc)
