"""The rollbacks of a programme's locations, by what their processes show."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import CaseState
from domain.names import Process
from domain.rollout.phases import RollbackPhase

OVER = (RollbackPhase.RESOLVED, RollbackPhase.CANCELLED)


async def of_program(
    session: AsyncSession,
    program_id: str,
    location_ids: Collection[str],
    *,
    only_open: bool,
    after: str | None,
    limit: int,
) -> list[CaseState]:
    """Up to `limit` of these locations with case ids after `after`, in the order of case ids."""
    statement = (
        select(CaseState)
        .where(
            CaseState.snapshot["program_id"].astext == program_id,
            CaseState.snapshot["location_id"].astext.in_(location_ids),
            col(CaseState.process) == Process.ROLLBACK,
        )
        .order_by(col(CaseState.case_id))
        .limit(limit)
    )
    if only_open:
        statement = statement.where(col(CaseState.business_state).not_in(OVER))
    if after is not None:
        statement = statement.where(col(CaseState.case_id) > after)
    return list((await session.exec(statement)).all())
