"""Which locations of a programme somebody reads about."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from api.rollout_acting import Member
from db.tables import RolloutLocation


async def visible_locations(session: AsyncSession, program_id: str, who: Member) -> list[RolloutLocation]:
    """Sorted by id; none for somebody who has nothing to do with the programme."""
    reach = who.reach(program_id)
    if reach is None:
        return []
    statement = (
        select(RolloutLocation)
        .where(col(RolloutLocation.program_id) == program_id)
        .order_by(col(RolloutLocation.location_id))
    )
    found = (await session.exec(statement)).all()
    return [location for location in found if reach.covers(location.region, location.location_id)]
