"""messages and standards"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _upgrade_messages()
    _upgrade_standards()


def downgrade() -> None:
    _downgrade_standards()
    _downgrade_messages()


def _upgrade_messages() -> None:
    op.create_table(
        "message_thread",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("opening_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("clinician_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("visit_id", sa.String(), nullable=True),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("order", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("started", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('patient', 'support')", name="message_thread_kind"),
        sa.CheckConstraint(
            "source in ('patient', 'provider_success', 'customer_support')", name="message_thread_source"
        ),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"]),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"]),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("opening_key"),
    )
    op.create_index(op.f("ix_message_thread_clinician_id"), "message_thread", ["clinician_id"])
    op.create_index(op.f("ix_message_thread_patient_id"), "message_thread", ["patient_id"])
    op.create_table(
        "thread_message",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("author_role", sa.String(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("direction in ('inbound', 'outbound')", name="thread_message_direction"),
        sa.ForeignKeyConstraint(["thread_id"], ["message_thread.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("thread_message_order", "thread_message", ["thread_id", "sequence"])


def _downgrade_messages() -> None:
    op.drop_table("thread_message")
    op.drop_table("message_thread")


BACKFILL = """
insert into clinician_licence (id, clinician_id, state, status, started)
select gen_random_uuid()::text, clinician.id, licensed.state, 'ACTIVE', false
from clinician cross join lateral (select distinct unnest(licence_states) as state) as licensed
"""
"""What was known of licences: their states. When they expire was not."""


def _upgrade_standards() -> None:
    op.create_table(
        "clinician_licence",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("clinician_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waived_until", sa.Date(), nullable=True),
        sa.Column("waived_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("order", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("started", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status in ('ACTIVE', 'WAIVED', 'EXPIRED', 'SUSPENDED', 'REVOKED')", name="clinician_licence_status"
        ),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "clinician_licence_in_state",
        "clinician_licence",
        ["clinician_id", "state"],
        unique=True,
        postgresql_where=sa.text("status <> 'REVOKED'"),
    )
    op.create_index(op.f("ix_clinician_licence_expires_on"), "clinician_licence", ["expires_on"])
    op.execute(BACKFILL)
    op.create_table(
        "credential_event",
        sa.Column("licence_id", sa.String(), nullable=True),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("aware_at", sa.DateTime(timezone=True), nullable=False),
        *_report_columns(),
        sa.ForeignKeyConstraint(["licence_id"], ["clinician_licence.id"]),
    )
    op.create_table("conduct_report", *_report_columns())
    for table in ("credential_event", "conduct_report"):
        op.create_index(op.f(f"ix_{table}_clinician_id"), table, ["clinician_id"])
    op.create_index(op.f("ix_conduct_report_reported_by"), "conduct_report", ["reported_by"])


def _report_columns():
    return (
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("clinician_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("description", sa.LargeBinary(), nullable=False),
        sa.Column("reported_by_role", sa.String(), nullable=False),
        sa.Column("reported_by", sa.String(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("started", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["clinician_id"], ["clinician.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_key"),
    )


def _downgrade_standards() -> None:
    for table in ("conduct_report", "credential_event", "clinician_licence"):
        op.drop_table(table)
