"""What is measured at the locations of a rollout, the issues there, and the baselines it is compared with."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel

from db.tables.base import created_at, new_id
from db.types import EncryptedText, Utc

LOCATION = "rollout_location.location_id"
BATCH = ["telemetry_batch.location_id", "telemetry_batch.batch_id"]


class TelemetryBatch(SQLModel, table=True):
    """A batch as it was sent; its entries are kept apart, and what they say goes to the location as news."""

    __tablename__ = "telemetry_batch"

    location_id: str = Field(primary_key=True, foreign_key=LOCATION)
    batch_id: str = Field(primary_key=True)
    """The sender's."""
    digest: str
    """SHA-256 of the content: the same batch again has the same."""
    submitted_role: str
    submitted_by: str
    """Id of the member."""
    received_at: datetime = Field(sa_type=Utc)
    """Business time."""
    created_at: datetime = created_at()


class TelemetryShare(SQLModel, table=True):
    """A part of a whole. Of two about the same stretch of time the later one counts: it corrects the other."""

    __tablename__ = "telemetry_share"
    __table_args__ = (
        ForeignKeyConstraint(["location_id", "batch_id"], BATCH),
        CheckConstraint("kind in ('sync', 'delivery', 'adoption', 'watch')", name="telemetry_share_kind"),
        CheckConstraint("part between 0 and total", name="telemetry_share_part"),
        Index("telemetry_share_of_location", "location_id", "kind", "ends"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    location_id: str
    batch_id: str
    kind: str
    """`sync`: appointments, failed. `delivery`: messages sent, delivered. `adoption`: trained, using. `watch`: none."""
    source: str
    submitted_by: str | None = None
    """None where a machine measured."""
    begins: datetime = Field(sa_type=Utc)
    ends: datetime = Field(sa_type=Utc)
    total: int
    part: int


class TelemetryOutage(SQLModel, table=True):
    __tablename__ = "telemetry_outage"
    __table_args__ = (
        ForeignKeyConstraint(["location_id", "batch_id"], BATCH),
        CheckConstraint("ends is null or ends > begins", name="telemetry_outage_times"),
        Index("telemetry_outage_of_location", "location_id", "begins"),
    )

    location_id: str = Field(primary_key=True)
    outage_id: str = Field(primary_key=True)
    batch_id: str
    """The latest that spoke of it."""
    source: str
    submitted_by: str | None = None
    begins: datetime = Field(sa_type=Utc)
    ends: datetime | None = Field(default=None, sa_type=Utc)


class TelemetryMetric(SQLModel, table=True):
    """Counts of a metric of the baseline in a later period."""

    __tablename__ = "telemetry_metric"
    __table_args__ = (
        ForeignKeyConstraint(["location_id", "batch_id"], BATCH),
        Index("telemetry_metric_of_location", "location_id", "last_day"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    location_id: str
    batch_id: str
    source: str
    submitted_by: str | None = None
    metric: str
    first_day: date
    last_day: date
    counts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """Decimals as text, by name."""


class TelemetryReport(SQLModel, table=True):
    """News for a Location workflow, kept until it has been told: a `domain.rollout.triggers.TelemetryNews`."""

    __tablename__ = "telemetry_report"
    __table_args__ = (
        Index("telemetry_report_undelivered", "attempts", "id", postgresql_where=text("not delivered and not expired")),
    )

    id: str = Field(primary_key=True)
    """Made from what it is about, so that a repeat reports once."""
    program_id: str = Field(foreign_key="rollout_program.id")
    location_id: str = Field(foreign_key=LOCATION)
    news: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    delivered: bool = False
    expired: bool = False
    """Given up: its location did not run for a week."""
    attempts: int = 0
    created_at: datetime = created_at()


class MessageIncident(SQLModel, table=True):
    """A message to a patient that may have been wrong (X-02). It counts once somebody has confirmed it."""

    __tablename__ = "message_incident"
    __table_args__ = (
        CheckConstraint("kind in ('wrong_patient', 'wrong_time', 'wrong_content')", name="message_incident_kind"),
        Index("message_incident_of_location", "location_id", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    location_id: str = Field(foreign_key=LOCATION)
    kind: str
    description: str = Field(sa_column=Column(EncryptedText("message_incident.description"), nullable=False))
    occurred_at: datetime = Field(sa_type=Utc)
    reported_role: str
    reported_by: str
    reported_at: datetime = Field(sa_type=Utc)
    confirmed_role: str | None = None
    confirmed_by: str | None = None
    confirmed_at: datetime | None = Field(default=None, sa_type=Utc)
    created_at: datetime = created_at()


class RolloutIssue(SQLModel, table=True):
    """An entry of the issue tracker (GG-06, decision 32)."""

    __tablename__ = "rollout_issue"
    __table_args__ = (
        CheckConstraint("severity between 1 and 4", name="rollout_issue_severity"),
        Index("rollout_issue_of_location", "location_id", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    location_id: str = Field(foreign_key=LOCATION)
    severity: int
    """1 is the worst."""
    kind: str
    description: str = Field(sa_column=Column(EncryptedText("rollout_issue.description"), nullable=False))
    opened_role: str
    opened_by: str
    opened_at: datetime = Field(sa_type=Utc)
    resolved_role: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = Field(default=None, sa_type=Utc)
    created_at: datetime = created_at()


class ConfidenceAnswer(SQLModel, table=True):
    """How ready a champion thinks their location is (GG-07); the latest answer of each counts."""

    __tablename__ = "confidence_answer"
    __table_args__ = (
        CheckConstraint("score between 1 and 5", name="confidence_answer_score"),
        Index("confidence_answer_of_location", "location_id", "member_id", "answered_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    location_id: str = Field(foreign_key=LOCATION)
    member_id: str = Field(foreign_key="rollout_member.id")
    score: int
    answered_at: datetime = Field(sa_type=Utc)
    created_at: datetime = created_at()


class RolloutBaseline(SQLModel, table=True):
    """A metric before the go-live (B-01). The latest collection of each metric counts; earlier ones are kept."""

    __tablename__ = "rollout_baseline"
    __table_args__ = (Index("rollout_baseline_of_location", "location_id", "metric", text("id desc")),)

    id: str = Field(default_factory=new_id, primary_key=True)
    location_id: str = Field(foreign_key=LOCATION)
    metric: str
    first_day: date
    last_day: date
    counts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """Decimals as text, by name."""
    numerator: Decimal = Field(sa_type=Numeric)
    """Of the bucketed value (decision 23)."""
    denominator: Decimal | None = Field(default=None, sa_type=Numeric)
    bucketed: Decimal | None = Field(default=None, sa_type=Numeric)
    playbook_literal: Decimal | None = Field(default=None, sa_type=Numeric)
    reliable: bool = True
    """B-15."""
    method: str
    """domain/rollout/telemetry.py Source."""
    collected_role: str
    collected_by: str
    collected_at: datetime = Field(sa_type=Utc)
    created_at: datetime = created_at()
