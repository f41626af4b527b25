"""Outages of locations, as reported."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import TelemetryOutage
from domain.rollout.triggers import Outage


async def of_locations(session: AsyncSession, location_ids: Collection[str]) -> dict[str, list[Outage]]:
    """By location, the oldest first; locations that had none are left out."""
    row = TelemetryOutage
    statement = (
        select(row).where(col(row.location_id).in_(location_ids)).order_by(col(row.location_id), col(row.begins))
    )
    found: dict[str, list[Outage]] = {}
    for each in await session.exec(statement):
        told = Outage(outage_id=each.outage_id, began_at=each.begins, ended_at=each.ends)
        found.setdefault(each.location_id, []).append(told)
    return found
