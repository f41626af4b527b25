"""Clinician standards: licences, credential events, conduct reports. Where each stands is in `case_state`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel, String

from db.tables.base import created_at, new_id
from db.types import EncryptedText, Utc


class ClinicianLicence(SQLModel, table=True):
    """A licence in one state. Status and dates follow the steps of its case."""

    __tablename__ = "clinician_licence"
    __table_args__ = (
        Index(
            "clinician_licence_in_state",
            "clinician_id",
            "state",
            unique=True,
            postgresql_where=text("status <> 'REVOKED'"),
        ),
        CheckConstraint(
            "status in ('ACTIVE', 'WAIVED', 'EXPIRED', 'SUSPENDED', 'REVOKED')", name="clinician_licence_status"
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    clinician_id: str = Field(foreign_key="clinician.id")
    state: str = Field(sa_column=Column(String(2), nullable=False))
    number: str | None = Field(default=None, sa_column=Column(EncryptedText("clinician_licence.number")))
    status: str = "ACTIVE"
    expires_on: date | None = Field(default=None, index=True)
    """The last day; none while nobody knows."""
    expires_at: datetime | None = Field(default=None, sa_type=Utc)
    """The end of that day where the state is."""
    waived_until: date | None = None
    waived_until_at: datetime | None = Field(default=None, sa_type=Utc)
    reason: str | None = None
    """Of a suspension or revocation."""
    order: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    """The workflow's input, pinned. None for a licence of which nothing but the state is known: no case watches it."""
    started: bool = False
    created_at: datetime = created_at()


class CredentialEventRow(SQLModel, table=True):
    __tablename__ = "credential_event"

    id: str = Field(default_factory=new_id, primary_key=True)
    request_key: str = Field(unique=True)
    """The same for a request that is repeated with its Idempotency-Key."""
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    licence_id: str | None = Field(default=None, foreign_key="clinician_licence.id")
    kind: str
    occurred_on: date
    aware_at: datetime = Field(sa_type=Utc)
    description: str = Field(sa_column=Column(EncryptedText("credential_event.description"), nullable=False))
    reported_by_role: str
    reported_by: str
    reported_at: datetime = Field(sa_type=Utc)
    """Business time."""
    order: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    started: bool = False
    created_at: datetime = created_at()


class ConductReportRow(SQLModel, table=True):
    """Who reported is never shown to the clinician, nor are their words."""

    __tablename__ = "conduct_report"

    id: str = Field(default_factory=new_id, primary_key=True)
    request_key: str = Field(unique=True)
    """The same for a request that is repeated with its Idempotency-Key."""
    clinician_id: str = Field(foreign_key="clinician.id", index=True)
    kind: str
    description: str = Field(sa_column=Column(EncryptedText("conduct_report.description"), nullable=False))
    reported_by_role: str
    reported_by: str = Field(index=True)
    reported_at: datetime = Field(sa_type=Utc)
    """Business time."""
    order: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    started: bool = False
    created_at: datetime = created_at()
