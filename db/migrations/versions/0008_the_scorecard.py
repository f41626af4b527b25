"""the scorecard"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("case_state_of_clinician", "case_state", ["clinician_id", "updated_at"])


def downgrade() -> None:
    op.drop_index("case_state_of_clinician", table_name="case_state")
