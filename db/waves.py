"""Waves of a programme, as their processes show them."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import CaseState
from domain.names import Process
from domain.rollout.wave.view import WaveSnapshot


async def of_program(session: AsyncSession, program_id: str) -> list[WaveSnapshot]:
    """Those that have begun, by number."""
    found = await session.exec(
        select(CaseState).where(
            col(CaseState.process) == Process.WAVE, col(CaseState.snapshot)["program_id"].astext == program_id
        )
    )
    shown = [WaveSnapshot.model_validate(row.snapshot) for row in found]
    return sorted(shown, key=lambda wave: wave.wave or 0)
