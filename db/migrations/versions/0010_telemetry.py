"""Telemetry, baselines, evidence, incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = (
    "telemetry_batch",
    "telemetry_share",
    "telemetry_outage",
    "telemetry_metric",
    "telemetry_report",
    "message_incident",
    "rollout_issue",
    "confidence_answer",
    "rollout_baseline",
    "cadence_report",
)


def upgrade() -> None:
    _telemetry()
    _reports()
    _incidents()
    _baselines()
    _cadences()
    op.create_index(
        "case_state_of_program",
        "case_state",
        [sa.text("(snapshot ->> 'program_id')"), "process", "case_id"],
        postgresql_where=sa.text("snapshot ->> 'program_id' is not null"),
    )


def downgrade() -> None:
    op.drop_index("case_state_of_program", "case_state")
    op.drop_column("outbox", "report_id")
    for table in reversed(TABLES):
        op.drop_table(table)


def _telemetry() -> None:
    op.create_table(
        "telemetry_batch",
        _text("location_id"),
        _text("batch_id"),
        _text("digest"),
        _text("submitted_role"),
        _text("submitted_by"),
        _time("received_at"),
        _now("created_at"),
        _of_location(),
        sa.PrimaryKeyConstraint("location_id", "batch_id"),
    )
    op.create_table(
        "telemetry_share",
        _text("id"),
        *_entry(),
        _text("kind"),
        _time("begins"),
        _time("ends"),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('sync', 'delivery', 'adoption', 'watch')", name="telemetry_share_kind"),
        sa.CheckConstraint("part between 0 and total", name="telemetry_share_part"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("telemetry_share_of_location", "telemetry_share", ["location_id", "kind", "ends"])
    op.create_table(
        "telemetry_outage",
        *_entry(),
        _text("outage_id"),
        _time("begins"),
        _time("ends", nullable=True),
        sa.CheckConstraint("ends is null or ends > begins", name="telemetry_outage_times"),
        sa.PrimaryKeyConstraint("location_id", "outage_id"),
    )
    op.create_index("telemetry_outage_of_location", "telemetry_outage", ["location_id", "begins"])
    op.create_table(
        "telemetry_metric",
        _text("id"),
        *_entry(),
        _text("metric"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("telemetry_metric_of_location", "telemetry_metric", ["location_id", "last_day"])


def _reports() -> None:
    op.create_table(
        "telemetry_report",
        _text("id"),
        _text("program_id"),
        _text("location_id"),
        sa.Column("news", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("expired", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _now("created_at"),
        sa.ForeignKeyConstraint(["program_id"], ["rollout_program.id"]),
        _of_location(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "telemetry_report_undelivered",
        "telemetry_report",
        ["attempts", "id"],
        postgresql_where=sa.text("not delivered and not expired"),
    )


def _incidents() -> None:
    op.create_table(
        "message_incident",
        _text("id"),
        _text("location_id"),
        _text("kind"),
        sa.Column("description", sa.LargeBinary(), nullable=False),
        _time("occurred_at"),
        *_act("reported"),
        *_act("confirmed", nullable=True),
        _now("created_at"),
        sa.CheckConstraint("kind in ('wrong_patient', 'wrong_time', 'wrong_content')", name="message_incident_kind"),
        _of_location(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("message_incident_of_location", "message_incident", ["location_id", "id"])
    op.create_table(
        "rollout_issue",
        _text("id"),
        _text("location_id"),
        sa.Column("severity", sa.Integer(), nullable=False),
        _text("kind"),
        sa.Column("description", sa.LargeBinary(), nullable=False),
        *_act("opened"),
        *_act("resolved", nullable=True),
        _now("created_at"),
        sa.CheckConstraint("severity between 1 and 4", name="rollout_issue_severity"),
        _of_location(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rollout_issue_of_location", "rollout_issue", ["location_id", "id"])
    op.create_table(
        "confidence_answer",
        _text("id"),
        _text("location_id"),
        _text("member_id"),
        sa.Column("score", sa.Integer(), nullable=False),
        _time("answered_at"),
        _now("created_at"),
        sa.CheckConstraint("score between 1 and 5", name="confidence_answer_score"),
        _of_location(),
        sa.ForeignKeyConstraint(["member_id"], ["rollout_member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("confidence_answer_of_location", "confidence_answer", ["location_id", "member_id", "answered_at"])


def _baselines() -> None:
    op.create_table(
        "rollout_baseline",
        _text("id"),
        _text("location_id"),
        _text("metric"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("numerator", sa.Numeric(), nullable=False),
        sa.Column("denominator", sa.Numeric(), nullable=True),
        sa.Column("bucketed", sa.Numeric(), nullable=True),
        sa.Column("playbook_literal", sa.Numeric(), nullable=True),
        sa.Column("reliable", sa.Boolean(), nullable=False),
        _text("method"),
        *_act("collected"),
        _now("created_at"),
        _of_location(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rollout_baseline_of_location", "rollout_baseline", ["location_id", "metric", sa.text("id desc")])


def _cadences() -> None:
    op.add_column("outbox", _text("report_id", nullable=True))
    op.create_table(
        "cadence_report",
        _text("id"),
        _text("program_id"),
        _text("cadence"),
        _text("period"),
        _text("region", nullable=True),
        _text("location_id", nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _time("at"),
        _now("created_at"),
        sa.ForeignKeyConstraint(["program_id"], ["rollout_program.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cadence_report_of_program", "cadence_report", ["program_id", "at", "id"])


def _entry() -> tuple[sa.Column[str] | sa.ForeignKeyConstraint, ...]:
    """What the entries of a batch share. Columns belong to one table only, so each call makes new ones."""
    return (
        _text("location_id"),
        _text("batch_id"),
        _text("source"),
        _text("submitted_by", nullable=True),
        sa.ForeignKeyConstraint(
            ["location_id", "batch_id"], ["telemetry_batch.location_id", "telemetry_batch.batch_id"]
        ),
    )


def _act(name: str, *, nullable: bool = False) -> tuple[sa.Column[str] | sa.Column[sa.DateTime], ...]:
    """Who did it, and when."""
    return (
        _text(f"{name}_role", nullable=nullable),
        _text(f"{name}_by", nullable=nullable),
        _time(f"{name}_at", nullable=nullable),
    )


def _of_location() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["location_id"], ["rollout_location.location_id"])


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _now(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
