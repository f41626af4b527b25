"""what was looked for slowly

The case of a payment that the processor names without our reference.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "case_state_payments",
        "case_state",
        [sa.text("(snapshot -> 'payments') jsonb_path_ops")],
        postgresql_using="gin",
    )


def downgrade() -> None:
    op.drop_index("case_state_payments", table_name="case_state")
