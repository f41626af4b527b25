"""the visit as a process"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATUSES = "status in ('scheduled', 'in_progress', 'completed', 'cancelled'{})"
UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.drop_constraint("visit_status", "visit", type_="check")
    op.create_check_constraint("visit_status", "visit", STATUSES.format(", 'no_show'"))
    op.add_column("visit", sa.Column("visit_type", sa.String(), nullable=False, server_default="general"))
    op.alter_column("visit", "visit_type", server_default=None)
    op.add_column("visit", sa.Column("order", postgresql.JSONB()))
    # Visits of before have no process, and get none.
    op.add_column("visit", sa.Column("started", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.alter_column("visit", "started", server_default=None)
    op.create_index("visit_of_clinician", "visit", ["clinician_id", "scheduled_start"])
    op.create_index(
        "visit_unstarted", "visit", ["created_at"], postgresql_where=sa.text('not started and "order" is not null')
    )
    op.create_table(
        "no_show",
        sa.Column("visit_id", sa.String(), sa.ForeignKey("visit.id"), primary_key=True),
        sa.Column("patient_id", sa.String(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("flagged_at", UTC, nullable=False),
        sa.Column("voided_at", UTC),
    )
    op.create_index("ix_no_show_patient_id", "no_show", ["patient_id"])
    op.add_column("note", sa.Column("saved_at", UTC))
    op.add_column("note", sa.Column("shared_at", UTC))
    op.execute("update note set saved_at = created_at")
    op.execute("update note set shared_at = created_at where status = 'complete'")


def downgrade() -> None:
    op.drop_column("note", "shared_at")
    op.drop_column("note", "saved_at")
    op.drop_table("no_show")
    op.drop_index("visit_unstarted", table_name="visit")
    op.drop_index("visit_of_clinician", table_name="visit")
    op.drop_column("visit", "started")
    op.drop_column("visit", "order")
    op.drop_column("visit", "visit_type")
    op.drop_constraint("visit_status", "visit", type_="check")
    op.execute("update visit set status = 'cancelled' where status = 'no_show'")
    op.create_check_constraint("visit_status", "visit", STATUSES.format(""))
