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


def downgrade() -> None:
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
