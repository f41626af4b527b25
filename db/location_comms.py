"""What of a location's communication is switched on, as whoever sends must ask it right before sending (P-01)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import LocationComms
from domain.errors import NotFound
from domain.rollout.location.comms import Capability, Comms, MessageChannel


async def read(session: AsyncSession, location_id: str) -> Comms:
    """Of a location that was never switched on nothing is."""
    return comms_of(await session.get(LocationComms, location_id))


async def change(session: AsyncSession, location_id: str, switches: Mapping[str, bool]) -> LocationComms:
    """Set single capabilities and channels, by name. Raises `NotFound` (`comms.never_on`)."""
    row = await session.get(LocationComms, location_id, with_for_update=True)
    if row is None:
        raise NotFound("comms.never_on", "communication was never switched on at this location")
    row.sqlmodel_update(dict(switches))
    await session.flush()
    return row


def comms_of(row: LocationComms | None) -> Comms:
    if row is None:
        return Comms(capabilities=frozenset(), channels=frozenset())
    return Comms(
        enabled_percent=row.enabled_percent,
        capabilities=frozenset(each for each in Capability if getattr(row, each)),
        channels=frozenset(each for each in MessageChannel if getattr(row, each)),
    )
