"""Writing steps: the timeline, its projection, and everything that belongs to a step, in one transaction."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import RecordStepInput
from db.effects import apply
from db.session import Database
from db.tables import CaseState, Timeline


class SqlCaseRecords:
    """The port `CaseRecords` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, step: RecordStepInput) -> None:
        """Write the step; a step that is there already was written whole, so nothing is left to do."""
        async with self._database.transaction() as session:
            if await _add_to_timeline(session, step):
                await _project(session, step)
                for effect in step.effects:
                    await apply(session, step, effect)


async def _add_to_timeline(session: AsyncSession, step: RecordStepInput) -> bool:
    row = {
        "case_id": step.case_id,
        "sequence": step.sequence,
        "event": step.event,
        "at": step.at,
        "actor_role": step.actor.role,
        "actor_id": step.actor.id,
        "detail": step.detail.model_dump(mode="json", exclude_defaults=True),
        "snapshot": step.snapshot.model_dump(mode="json"),
    }
    written = await session.exec(
        insert(Timeline).values(row).on_conflict_do_nothing().returning(col(Timeline.sequence))
    )
    return written.first() is not None


async def _project(session: AsyncSession, step: RecordStepInput) -> None:
    """The newest step is what the case shows; a slower writer of an older one changes nothing."""
    view = step.snapshot
    row = {
        "case_id": step.case_id,
        "process": step.process,
        "business_state": view.business_state,
        "sequence": step.sequence,
        "sla_state": view.sla_state,
        "escalation_level": view.escalation_level,
        "next_deadline": view.next_deadline,
        "snapshot": view.model_dump(mode="json"),
        "updated_at": step.at,
    }
    statement = insert(CaseState).values(row)
    newer = col(CaseState.sequence) < step.sequence
    await session.exec(statement.on_conflict_do_update(index_elements=["case_id"], set_={**row}, where=newer))
