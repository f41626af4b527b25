"""calls"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OUTBOX_COLUMNS = ("provider_id", "delivery_status", "delivery_error")


def upgrade() -> None:
    op.create_table('call_attempt',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('visit_id', sa.String(), nullable=False),
    sa.Column('requested_by', sa.String(), nullable=False),
    sa.Column('call_sid', sa.String(), nullable=True),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('outcome', sa.String(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('duration_seconds', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('call_sid')
    )
    op.create_index(op.f('ix_call_attempt_visit_id'), 'call_attempt', ['visit_id'], unique=False)
    op.add_column('clinician', sa.Column('phone', sa.LargeBinary(), nullable=True))
    for name in OUTBOX_COLUMNS:
        op.add_column('outbox', sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    for name in OUTBOX_COLUMNS:
        op.drop_column('outbox', name)
    op.drop_column('clinician', 'phone')
    op.drop_table('call_attempt')
