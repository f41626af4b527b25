"""what is at risk"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BOARD = ["case_id", "owner", "clinician_id", "process"]

# Clocks of snapshots before this revision do not say whether they may breach; these three never did.
FILL = """
update case_state as c
set owner = c.snapshot #>> '{waits_for,0,who}',
    clinician_id = c.snapshot ->> 'clinician_id',
    breach_due = ahead.due,
    next_clock = ahead.name,
    breached_at = breached.at,
    breached_clock = breached.name,
    unacknowledged = breached.at is not null and not breached.acknowledged
from case_state as s
left join lateral (
    select clock ->> 'name' as name, (clock ->> 'deadline')::timestamptz as due
    from jsonb_array_elements(s.snapshot -> 'clocks') as clock
    where (clock ->> 'running')::boolean
      and clock ->> 'deadline' is not null
      and clock ->> 'breached_at' is null
      and coalesce(
          (clock ->> 'may_breach')::boolean, clock ->> 'name' not in ('payment', 'follow_up_window', 'booking')
      )
    order by 2, 1
    limit 1
) as ahead on true
left join lateral (
    select clock ->> 'name' as name,
        (clock ->> 'breached_at')::timestamptz as at,
        (clock ->> 'acknowledged')::boolean as acknowledged
    from jsonb_array_elements(s.snapshot -> 'clocks') as clock
    where clock ->> 'outcome' is null and clock ->> 'breached_at' is not null
    order by 3, 2, 1
    limit 1
) as breached on true
where s.case_id = c.case_id
"""


def upgrade() -> None:
    op.add_column("case_state", sa.Column("owner", sa.String(), nullable=True))
    op.add_column("case_state", sa.Column("clinician_id", sa.String(), nullable=True))
    op.add_column("case_state", sa.Column("breach_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column("case_state", sa.Column("next_clock", sa.String(), nullable=True))
    op.add_column("case_state", sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("case_state", sa.Column("breached_clock", sa.String(), nullable=True))
    op.add_column(
        "case_state", sa.Column("unacknowledged", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute(FILL)
    # Nothing looked for it.
    op.drop_index("case_state_due", table_name="case_state")
    op.create_index(
        "case_state_at_risk", "case_state", ["breach_due", *BOARD], postgresql_where=sa.text("breach_due is not null")
    )
    op.create_index(
        "case_state_at_risk_own",
        "case_state",
        ["clinician_id", "breach_due", "case_id"],
        postgresql_where=sa.text("breach_due is not null"),
    )
    op.create_index(
        "case_state_breached",
        "case_state",
        ["breached_at", *BOARD, "unacknowledged"],
        postgresql_where=sa.text("breached_at is not null"),
    )


def downgrade() -> None:
    op.drop_index("case_state_breached", table_name="case_state")
    op.drop_index("case_state_at_risk_own", table_name="case_state")
    op.drop_index("case_state_at_risk", table_name="case_state")
    op.create_index(
        "case_state_due", "case_state", ["next_deadline"], postgresql_where=sa.text("next_deadline is not null")
    )
    for column in (
        "unacknowledged",
        "breached_clock",
        "breached_at",
        "next_clock",
        "breach_due",
        "clinician_id",
        "owner",
    ):
        op.drop_column("case_state", column)
