"""Readiness of locations: the facts as they are known now, and who found them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.members import unknown_location
from db.tables import ReadinessEntry, RolloutLocation, RolloutProgram
from domain.errors import Invalid
from domain.rollout.program import LocationFacts, Programme


async def programme_now(session: AsyncSession, program: RolloutProgram) -> Programme:
    """The programme as it was placed, with its locations as they are known now."""
    placed = Programme.model_validate(program.file)
    rows = await _locations(session, program.id)
    return placed.model_copy(update={"locations": tuple(LocationFacts.model_validate(row.facts) for row in rows)})


async def lock(session: AsyncSession, program_id: str, location_id: str) -> list[RolloutLocation]:
    """All locations of the programme; entries about that one come one after the other from here on.

    Raises `NotFound` (`location.unknown`).
    """
    if await session.get(RolloutLocation, location_id, with_for_update=True) is None:
        raise unknown_location()
    return list(await _locations(session, program_id))


async def earlier(session: AsyncSession, entry: ReadinessEntry) -> bool:
    """Whether this entry was made before, by the same request.

    Raises `Invalid` (`request.idempotency_key_reused`) when that said something else.
    """
    known = await session.get(ReadinessEntry, entry.id)
    if known is None:
        return False
    if (known.location_id, known.found) != (entry.location_id, entry.found):
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")
    return True


async def history(session: AsyncSession, location_id: str, limit: int) -> Sequence[ReadinessEntry]:
    """The latest first."""
    statement = (
        select(ReadinessEntry)
        .where(col(ReadinessEntry.location_id) == location_id)
        .order_by(col(ReadinessEntry.entered_at).desc(), col(ReadinessEntry.id).desc())
        .limit(limit)
    )
    return (await session.exec(statement)).all()


async def _locations(session: AsyncSession, program_id: str) -> Sequence[RolloutLocation]:
    statement = (
        select(RolloutLocation)
        .where(col(RolloutLocation.program_id) == program_id)
        .order_by(col(RolloutLocation.location_id))
    )
    return (await session.exec(statement)).all()
