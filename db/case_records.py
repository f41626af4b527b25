"""Writing steps: the timeline, its projection, and everything that belongs to a step, in one transaction."""

from __future__ import annotations

from sqlalchemy import delete, func, inspect
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import RecordStepInput
from db.effects import apply
from db.session import Database
from db.tables import CaseState, LostStep, Timeline
from domain import at_risk


class SqlCaseRecords:
    """The port `CaseRecords` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, step: RecordStepInput) -> None:
        """Write the step; one that is there already was written whole, so nothing is left to do.

        A step is written before Temporal knows of it. If the worker dies in between, the workflow goes on from its
        history and may come to another step of that number, with a later time: then that one is true. The lost steps
        are kept aside, and what they brought along is harmless when it is brought again.
        """
        async with self._database.transaction() as session:
            await _lock_case(session, step.case_id)
            known = await session.get(Timeline, (step.case_id, step.sequence))
            if known is not None and known.at >= step.at:
                return
            if known is not None:
                await _set_lost_steps_aside(session, step)
            session.add(_timeline_row(step))
            await _project(session, step)
            for effect in step.effects:
                await apply(session, step, effect)


async def _lock_case(session: AsyncSession, case_id: str) -> None:
    """One writer of a case at a time, also before it has any row to lock."""
    await session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(case_id, 0))))


async def _set_lost_steps_aside(session: AsyncSession, step: RecordStepInput) -> None:
    lost = (col(Timeline.case_id) == step.case_id, col(Timeline.sequence) >= step.sequence)
    columns = [column.name for column in inspect(LostStep).columns if column.name != "id"]
    kept = select(*(getattr(Timeline, name) for name in columns)).where(*lost)
    await session.exec(insert(LostStep).from_select(columns, kept))
    await session.exec(delete(Timeline).where(*lost))
    await session.flush()
    session.expunge_all()


def _timeline_row(step: RecordStepInput) -> Timeline:
    return Timeline(
        case_id=step.case_id,
        sequence=step.sequence,
        event=step.event,
        at=step.at,
        actor_role=step.actor.role,
        actor_id=step.actor.id,
        detail=step.detail.model_dump(mode="json", exclude_defaults=True),
        snapshot=step.snapshot.model_dump(mode="json"),
    )


async def _project(session: AsyncSession, step: RecordStepInput) -> None:
    view = step.snapshot
    row = {
        "case_id": step.case_id,
        "process": step.process,
        "business_state": view.business_state,
        "sequence": step.sequence,
        "sla_state": view.sla_state,
        "escalation_level": view.escalation_level,
        "next_deadline": view.next_deadline,
        **at_risk.standing(view).model_dump(),
        "snapshot": view.model_dump(mode="json"),
        "updated_at": step.at,
    }
    await session.exec(insert(CaseState).values(row).on_conflict_do_update(index_elements=["case_id"], set_=row))
