"""A programme that is placed, for tests of what its members do."""

from __future__ import annotations

from typing import Any

import httpx
from sqlmodel import col, select

from db.tables import RolloutMember, Staff
from domain.access import Role
from domain.rollout.people import Function
from domain.rollout.program import Programme
from tests.api.front import Front
from tests.rollout_files import file, place, subject

FILE = file()
ADMIN = subject(Function.IT_LEAD)


async def placed(front: Front, data: dict[str, Any] = FILE) -> None:
    await place(front.database, Programme.model_validate(data))


def admin(front: Front) -> httpx.AsyncClient:
    return front.as_(ADMIN, Role.SYSTEM_ADMIN)


def regional(front: Front, region: str = "north") -> httpx.AsyncClient:
    return front.as_(subject(Function.REGIONAL_MANAGER, region), Role.REGIONAL_ADMIN)


def local(front: Front, location_id: str = "l00") -> httpx.AsyncClient:
    return front.as_(subject(Function.OFFICE_MANAGER, location_id), Role.LOCATION_ADMIN)


def vendor(front: Front) -> httpx.AsyncClient:
    return front.as_(subject(Function.VENDOR_SUPPORT), Role.VENDOR)


async def member_of(front: Front, function: Function, place: str = "") -> RolloutMember:
    """The one that the file placed there."""
    async with front.database.transaction() as session:
        found = await session.exec(
            select(RolloutMember)
            .join(Staff, col(Staff.id) == col(RolloutMember.staff_id))
            .where(col(Staff.subject) == subject(function, place))
        )
        return found.one()
