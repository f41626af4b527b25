"""What was found out anew about the readiness of locations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "readiness_entry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("found", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("composite", sa.Numeric(), nullable=False),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["rollout_program.id"]),
        sa.ForeignKeyConstraint(["location_id"], ["rollout_location.location_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("readiness_entry_of_location", "readiness_entry", ["location_id", "entered_at"])


def downgrade() -> None:
    op.drop_table("readiness_entry")
