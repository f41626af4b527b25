"""Which clinician's records a caller may see."""

from __future__ import annotations

from sqlmodel.ext.asyncio.session import AsyncSession

from api.people import own_record
from db import people
from db.tables import Clinician
from domain.access import Principal, Role

BACK_OFFICE = (Role.OPERATIONS, Role.ADMINISTRATOR)


async def visible_clinician(
    session: AsyncSession, principal: Principal, clinician_id: str, staff: tuple[Role, ...] = BACK_OFFICE
) -> Clinician:
    """The clinician, for that clinician and for these roles of staff.

    Raises `NotFound` (`clinician.unknown`), also for what is not the caller's, and `Forbidden` (`person.unknown`).
    """
    if not principal.has(*staff):
        own = await own_record(session, Clinician, principal)
        if own.id != clinician_id:
            raise people.unknown(Clinician)
    return await people.get(session, Clinician, clinician_id)
