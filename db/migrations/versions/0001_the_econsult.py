"""the eConsult

Revision 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("ledger_entry", "ledger_posting")

LEDGER_RULES = (
    """
    create function refuse_unbalanced_entry() returns trigger language plpgsql as $$
    begin
        if (select sum(amount_cents) from ledger_posting where entry_key = new.entry_key) <> 0 then
            raise exception 'ledger.unbalanced: %', new.entry_key using errcode = 'check_violation';
        end if;
        return null;
    end $$
    """,
    """
    create constraint trigger ledger_posting_balanced after insert on ledger_posting
    deferrable initially deferred for each row execute function refuse_unbalanced_entry()
    """,
    """
    create function refuse_change() returns trigger language plpgsql as $$
    begin
        raise exception '% is append-only', tg_table_name using errcode = 'check_violation';
    end $$
    """,
    *(
        f"create trigger {table}_append_only before update or delete on {table} "
        "for each statement execute function refuse_change()"
        for table in APPEND_ONLY
    ),
)


def upgrade() -> None:
    op.create_table('case_state',
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('process', sa.String(), nullable=False),
    sa.Column('business_state', sa.String(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('sla_state', sa.String(), nullable=False),
    sa.Column('escalation_level', sa.Integer(), nullable=False),
    sa.Column('next_deadline', sa.DateTime(timezone=True), nullable=True),
    sa.Column('snapshot', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('case_id')
    )
    op.create_index('case_state_due', 'case_state', ['next_deadline'], unique=False, postgresql_where=sa.text('next_deadline is not null'))
    op.create_index('case_state_process', 'case_state', ['process', 'business_state', 'case_id'], unique=False)
    op.create_table('clinician',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('time_zone', sa.String(), nullable=False),
    sa.Column('licence_states', postgresql.ARRAY(sa.String(length=2)), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('subject')
    )
    op.create_table('disclosure',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('patient_id', sa.String(), nullable=False),
    sa.Column('econsult_id', sa.String(), nullable=True),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('person_id', sa.String(), nullable=False),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_disclosure_econsult_id'), 'disclosure', ['econsult_id'], unique=False)
    op.create_index(op.f('ix_disclosure_patient_id'), 'disclosure', ['patient_id'], unique=False)
    op.create_table('ledger_entry',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('clinician_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_index(op.f('ix_ledger_entry_case_id'), 'ledger_entry', ['case_id'], unique=False)
    op.create_index(op.f('ix_ledger_entry_clinician_id'), 'ledger_entry', ['clinician_id'], unique=False)
    op.create_table('lost_step',
    sa.Column('id', sa.String(), server_default=sa.text('gen_random_uuid()::text'), nullable=False),
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_role', sa.String(), nullable=False),
    sa.Column('actor_id', sa.String(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('snapshot', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_lost_step_case_id'), 'lost_step', ['case_id'], unique=False)
    op.create_table('outbox',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('audience', sa.String(), nullable=False),
    sa.Column('template', sa.String(), nullable=False),
    sa.Column('specialist_id', sa.String(), nullable=True),
    sa.Column('link_number', sa.Integer(), nullable=True),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('not_before', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error_code', sa.String(), nullable=True),
    sa.CheckConstraint("status in ('pending', 'sent', 'failed')", name='outbox_status'),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_index(op.f('ix_outbox_case_id'), 'outbox', ['case_id'], unique=False)
    op.create_index('outbox_due', 'outbox', ['not_before'], unique=False, postgresql_where=sa.text("status = 'pending'"))
    op.create_table('patient',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=True),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('email', sa.LargeBinary(), nullable=False),
    sa.Column('phone', sa.LargeBinary(), nullable=True),
    sa.Column('birth_date', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.String(length=2), nullable=False),
    sa.Column('time_zone', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('subject')
    )
    op.create_table('specialist',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('specialty_codes', postgresql.ARRAY(sa.String()), nullable=False),
    sa.Column('licence_states', postgresql.ARRAY(sa.String(length=2)), nullable=False),
    sa.Column('licence_expires_on', sa.Date(), nullable=False),
    sa.Column('board_certified', sa.Boolean(), nullable=False),
    sa.Column('us_based', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('open_cases_limit', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('subject')
    )
    op.create_table('timeline',
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_role', sa.String(), nullable=False),
    sa.Column('actor_id', sa.String(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('snapshot', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('case_id', 'sequence')
    )
    op.create_index(op.f('ix_timeline_event'), 'timeline', ['event'], unique=False)
    op.create_table('webhook_event',
    sa.Column('provider', sa.String(), nullable=False),
    sa.Column('event_id', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('event', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('econsult_id', sa.String(), nullable=True),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('code', sa.String(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status in ('received', 'delivered', 'ignored', 'undeliverable')", name='webhook_status'),
    sa.PrimaryKeyConstraint('provider', 'event_id')
    )
    op.create_index(op.f('ix_webhook_event_econsult_id'), 'webhook_event', ['econsult_id'], unique=False)
    op.create_index('webhook_event_undelivered', 'webhook_event', ['received_at'], unique=False, postgresql_where=sa.text("status = 'received'"))
    op.create_table('attachment',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('patient_id', sa.String(), nullable=False),
    sa.Column('uploaded_by', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('media_type', sa.String(), nullable=False),
    sa.Column('title', sa.LargeBinary(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('size_bytes', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_attachment_patient_id'), 'attachment', ['patient_id'], unique=False)
    op.create_table('ledger_posting',
    sa.Column('entry_key', sa.String(), nullable=False),
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_cents <> 0', name='ledger_posting_amount'),
    sa.ForeignKeyConstraint(['entry_key'], ['ledger_entry.key'], ),
    sa.PrimaryKeyConstraint('entry_key', 'account')
    )
    op.create_table('rate',
    sa.Column('request_id', sa.String(), nullable=False),
    sa.Column('clinician_id', sa.String(), nullable=False),
    sa.Column('portion_cents', sa.Integer(), nullable=False),
    sa.Column('effective_from', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['clinician_id'], ['clinician.id'], ),
    sa.PrimaryKeyConstraint('request_id')
    )
    op.create_index(op.f('ix_rate_clinician_id'), 'rate', ['clinician_id'], unique=False)
    op.create_table('rate_request',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('clinician_id', sa.String(), nullable=False),
    sa.Column('portion_cents', sa.Integer(), nullable=False),
    sa.Column('order', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('started', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['clinician_id'], ['clinician.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_rate_request_clinician_id'), 'rate_request', ['clinician_id'], unique=False)
    op.create_table('visit',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('patient_id', sa.String(), nullable=False),
    sa.Column('clinician_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('econsult_id', sa.String(), nullable=True),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('scheduled_start', sa.DateTime(timezone=True), nullable=False),
    sa.Column('duration_minutes', sa.Integer(), nullable=False),
    sa.Column('price_cents', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("status in ('scheduled', 'in_progress', 'completed', 'cancelled')", name='visit_status'),
    sa.ForeignKeyConstraint(['clinician_id'], ['clinician.id'], ),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_visit_clinician_id'), 'visit', ['clinician_id'], unique=False)
    op.create_index(op.f('ix_visit_econsult_id'), 'visit', ['econsult_id'], unique=False)
    op.create_index(op.f('ix_visit_patient_id'), 'visit', ['patient_id'], unique=False)
    op.create_table('econsult',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('visit_id', sa.String(), nullable=False),
    sa.Column('patient_id', sa.String(), nullable=False),
    sa.Column('clinician_id', sa.String(), nullable=False),
    sa.Column('idempotency_key', sa.String(), nullable=False),
    sa.Column('request_hash', sa.String(), nullable=False),
    sa.Column('specialty_code', sa.String(), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('note_ids', postgresql.ARRAY(sa.String()), nullable=False),
    sa.Column('attachment_ids', postgresql.ARRAY(sa.String()), nullable=False),
    sa.Column('question', sa.LargeBinary(), nullable=False),
    sa.Column('history', sa.LargeBinary(), nullable=False),
    sa.Column('expectations_acknowledged_by', sa.String(), nullable=False),
    sa.Column('expectations_acknowledged_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('network_fee_cents', sa.Integer(), nullable=False),
    sa.Column('clinician_portion_cents', sa.Integer(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('order', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('started', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['clinician_id'], ['clinician.id'], ),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('clinician_id', 'idempotency_key', name='econsult_idempotency')
    )
    op.create_index(op.f('ix_econsult_clinician_id'), 'econsult', ['clinician_id'], unique=False)
    op.create_index(op.f('ix_econsult_patient_id'), 'econsult', ['patient_id'], unique=False)
    op.create_index(op.f('ix_econsult_visit_id'), 'econsult', ['visit_id'], unique=False)
    op.create_table('note',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('visit_id', sa.String(), nullable=False),
    sa.Column('author_id', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_note_visit_id'), 'note', ['visit_id'], unique=False)
    op.create_table('assignment',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('econsult_id', sa.String(), nullable=False),
    sa.Column('specialist_id', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['econsult_id'], ['econsult.id'], ),
    sa.ForeignKeyConstraint(['specialist_id'], ['specialist.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_assignment_econsult_id'), 'assignment', ['econsult_id'], unique=False)
    op.create_index(op.f('ix_assignment_specialist_id'), 'assignment', ['specialist_id'], unique=False)
    op.create_table('coordination_task',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('econsult_id', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('fee_credited', sa.Boolean(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_by', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['econsult_id'], ['econsult.id'], ),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_index(op.f('ix_coordination_task_econsult_id'), 'coordination_task', ['econsult_id'], unique=False)
    op.create_table('document',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('econsult_id', sa.String(), nullable=False),
    sa.Column('patient_id', sa.String(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('visible_to_patient', sa.Boolean(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['econsult_id'], ['econsult.id'], ),
    sa.ForeignKeyConstraint(['patient_id'], ['patient.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('econsult_id', 'version', name='document_version')
    )
    op.create_index(op.f('ix_document_econsult_id'), 'document', ['econsult_id'], unique=False)
    op.create_index(op.f('ix_document_patient_id'), 'document', ['patient_id'], unique=False)
    op.create_table('message',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('econsult_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('author_role', sa.String(), nullable=False),
    sa.Column('author_id', sa.String(), nullable=False),
    sa.Column('impression', sa.LargeBinary(), nullable=True),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('recommendations', sa.LargeBinary(), nullable=True),
    sa.Column('in_person_recommended', sa.Boolean(), nullable=False),
    sa.Column('question_id', sa.String(), nullable=True),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['econsult_id'], ['econsult.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_message_econsult_id'), 'message', ['econsult_id'], unique=False)
    op.create_table('refund_request',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('econsult_id', sa.String(), nullable=False),
    sa.Column('requested_by', sa.String(), nullable=False),
    sa.Column('reason', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['econsult_id'], ['econsult.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_refund_request_econsult_id'), 'refund_request', ['econsult_id'], unique=False)

    for statement in LEDGER_RULES:
        op.execute(statement)


def downgrade() -> None:
    for table in APPEND_ONLY:
        op.execute(f"drop trigger {table}_append_only on {table}")
    op.execute("drop trigger ledger_posting_balanced on ledger_posting")
    op.execute("drop function refuse_change")
    op.execute("drop function refuse_unbalanced_entry")
    op.drop_index(op.f('ix_refund_request_econsult_id'), table_name='refund_request')
    op.drop_table('refund_request')
    op.drop_index(op.f('ix_message_econsult_id'), table_name='message')
    op.drop_table('message')
    op.drop_index(op.f('ix_document_patient_id'), table_name='document')
    op.drop_index(op.f('ix_document_econsult_id'), table_name='document')
    op.drop_table('document')
    op.drop_index(op.f('ix_coordination_task_econsult_id'), table_name='coordination_task')
    op.drop_table('coordination_task')
    op.drop_index(op.f('ix_assignment_specialist_id'), table_name='assignment')
    op.drop_index(op.f('ix_assignment_econsult_id'), table_name='assignment')
    op.drop_table('assignment')
    op.drop_index(op.f('ix_note_visit_id'), table_name='note')
    op.drop_table('note')
    op.drop_index(op.f('ix_econsult_visit_id'), table_name='econsult')
    op.drop_index(op.f('ix_econsult_patient_id'), table_name='econsult')
    op.drop_index(op.f('ix_econsult_clinician_id'), table_name='econsult')
    op.drop_table('econsult')
    op.drop_index(op.f('ix_visit_patient_id'), table_name='visit')
    op.drop_index(op.f('ix_visit_econsult_id'), table_name='visit')
    op.drop_index(op.f('ix_visit_clinician_id'), table_name='visit')
    op.drop_table('visit')
    op.drop_index(op.f('ix_rate_request_clinician_id'), table_name='rate_request')
    op.drop_table('rate_request')
    op.drop_index(op.f('ix_rate_clinician_id'), table_name='rate')
    op.drop_table('rate')
    op.drop_table('ledger_posting')
    op.drop_index(op.f('ix_attachment_patient_id'), table_name='attachment')
    op.drop_table('attachment')
    op.drop_index('webhook_event_undelivered', table_name='webhook_event', postgresql_where=sa.text("status = 'received'"))
    op.drop_index(op.f('ix_webhook_event_econsult_id'), table_name='webhook_event')
    op.drop_table('webhook_event')
    op.drop_index(op.f('ix_timeline_event'), table_name='timeline')
    op.drop_table('timeline')
    op.drop_table('specialist')
    op.drop_table('patient')
    op.drop_index('outbox_due', table_name='outbox', postgresql_where=sa.text("status = 'pending'"))
    op.drop_index(op.f('ix_outbox_case_id'), table_name='outbox')
    op.drop_table('outbox')
    op.drop_index(op.f('ix_lost_step_case_id'), table_name='lost_step')
    op.drop_table('lost_step')
    op.drop_index(op.f('ix_ledger_entry_clinician_id'), table_name='ledger_entry')
    op.drop_index(op.f('ix_ledger_entry_case_id'), table_name='ledger_entry')
    op.drop_table('ledger_entry')
    op.drop_index(op.f('ix_disclosure_patient_id'), table_name='disclosure')
    op.drop_index(op.f('ix_disclosure_econsult_id'), table_name='disclosure')
    op.drop_table('disclosure')
    op.drop_table('clinician')
    op.drop_index('case_state_process', table_name='case_state')
    op.drop_index('case_state_due', table_name='case_state', postgresql_where=sa.text('next_deadline is not null'))
    op.drop_table('case_state')
