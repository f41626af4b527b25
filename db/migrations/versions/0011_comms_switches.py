"""Whether a location may send."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SWITCHES = ("reminders", "recall", "scheduling", "reviews", "two_way", "sms", "email", "voice")


def upgrade() -> None:
    op.create_table(
        "location_comms",
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("enabled_percent", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Boolean(), server_default=sa.text("true"), nullable=False) for name in SWITCHES),
        sa.CheckConstraint("enabled_percent between 0 and 100", name="location_comms_percent"),
        sa.PrimaryKeyConstraint("location_id"),
    )
    op.create_index(op.f("ix_location_comms_program_id"), "location_comms", ["program_id"])


def downgrade() -> None:
    op.drop_table("location_comms")
