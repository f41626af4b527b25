"""Programmes, locations, members, settings of a rollout."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _programmes()
    _members()
    _writings()


def downgrade() -> None:
    for table in (
        "rollout_setting",
        "rollout_evidence",
        "rollout_member",
        "rollout_location",
        "rollout_program",
    ):
        op.drop_table(table)


def _programmes() -> None:
    op.create_table(
        "rollout_program",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.Column("order", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("opening_key", sa.String(), nullable=False),
        sa.Column("started", sa.Boolean(), nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("opening_key"),
    )
    op.create_index(
        "rollout_program_unstarted", "rollout_program", ["created_at"], postgresql_where=sa.text("not started")
    )
    op.create_table(
        "rollout_location",
        sa.Column("location_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        _now("created_at"),
        sa.ForeignKeyConstraint(["program_id"], ["rollout_program.id"]),
        sa.PrimaryKeyConstraint("location_id"),
    )
    op.create_index(op.f("ix_rollout_location_program_id"), "rollout_location", ["program_id"])


def _members() -> None:
    op.create_table(
        "rollout_member",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("function", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("location_id", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        _now("changed_at"),
        _now("created_at"),
        sa.ForeignKeyConstraint(["program_id"], ["rollout_program.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_member.id"]),
        sa.ForeignKeyConstraint(["location_id"], ["rollout_location.location_id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "program_id",
            "staff_id",
            "function",
            "region",
            "location_id",
            name="rollout_member_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("rollout_member_reached", "rollout_member", ["program_id", "function"])
    op.create_index(op.f("ix_rollout_member_staff_id"), "rollout_member", ["staff_id"])


def _writings() -> None:
    op.create_table(
        "rollout_evidence",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=True),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("submitted_by", sa.String(), nullable=False),
        _now("created_at"),
        sa.ForeignKeyConstraint(["program_id"], ["rollout_program.id"]),
        sa.ForeignKeyConstraint(["location_id"], ["rollout_location.location_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_rollout_evidence_program_id"), "rollout_evidence", ["program_id"])
    op.create_index(op.f("ix_rollout_evidence_location_id"), "rollout_evidence", ["location_id"])
    op.create_table(
        "rollout_setting",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('wanted', 'observed')", name="rollout_setting_state"),
        sa.ForeignKeyConstraint(["program_id"], ["rollout_program.id"]),
        sa.ForeignKeyConstraint(["location_id"], ["rollout_location.location_id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "program_id", "location_id", "state", "key", name="rollout_setting_once", postgresql_nulls_not_distinct=True
        ),
    )


def _now(name: str) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
