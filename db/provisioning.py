"""Who joins, leaves and changes within a programme (H-07).

A change of function or place ends one seat and begins another: what somebody was stays on record (H-09).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db import roster
from db.tables import RolloutLocation, RolloutMember, RolloutProgram, RosterShift, Staff
from domain.errors import Conflict, NotFound
from domain.rollout.people import Function


class Listed(NamedTuple):
    member: RolloutMember
    person: Staff


class Wanted(NamedTuple):
    """Which members, and which page of them."""

    function: Function | None = None
    location_id: str | None = None
    active: bool | None = None
    after: str | None = None
    limit: int = 200


class Place(NamedTuple):
    function: Function
    region: str | None
    location_id: str | None


async def regions(session: AsyncSession, program_id: str) -> dict[str, str]:
    """Region of each location of a programme."""
    row = RolloutLocation
    found = await session.exec(select(row.location_id, row.region).where(col(row.program_id) == program_id))
    return dict(found.all())


async def members(
    session: AsyncSession,
    program_id: str,
    wanted: Wanted,
    *,
    regions: frozenset[str] | None = None,
    location_ids: frozenset[str] = frozenset(),
) -> list[Listed]:
    """Those of a programme, or of these regions and locations of it, in the order of creation."""
    member = RolloutMember
    statement = (
        select(member, Staff)
        .join(Staff, col(Staff.id) == col(member.staff_id))
        .where(col(member.program_id) == program_id)
        .order_by(col(member.id))
        .limit(wanted.limit)
    )
    if regions is not None:
        inside = select(RolloutLocation.location_id).where(
            col(RolloutLocation.program_id) == program_id, col(RolloutLocation.region).in_(regions)
        )
        statement = statement.where(
            or_(
                col(member.region).in_(regions),
                col(member.location_id).in_(inside),
                col(member.location_id).in_(location_ids),
            )
        )
    if wanted.function is not None:
        statement = statement.where(col(member.function) == wanted.function)
    if wanted.location_id is not None:
        statement = statement.where(col(member.location_id) == wanted.location_id)
    if wanted.active is not None:
        statement = statement.where(col(member.active) == wanted.active)
    if wanted.after is not None:
        statement = statement.where(col(member.id) > wanted.after)
    return [Listed(one, person) for one, person in (await session.exec(statement)).all()]


async def lock(session: AsyncSession, program_id: str) -> None:
    """One change of a programme's members at a time."""
    await session.get(RolloutProgram, program_id, with_for_update=True)


async def get(session: AsyncSession, program_id: str, member_id: str) -> Listed:
    """Locked. Raises `NotFound` (`member.unknown`)."""
    found = await session.get(RolloutMember, member_id, with_for_update=True)
    if found is None or found.program_id != program_id:
        raise unknown_member()
    return Listed(found, await session.get_one(Staff, found.staff_id))


async def take_seat(
    session: AsyncSession, program_id: str, staff_id: str, place: Place, *, by: str, at: datetime
) -> Listed:
    """Give somebody a function there; one that they had before and lost is theirs again."""
    changed: dict[str, Any] = {"active": True, "changed_by": by, "changed_at": at}
    fresh = RolloutMember(
        program_id=program_id,
        staff_id=staff_id,
        function=place.function,
        region=place.region,
        location_id=place.location_id,
        **changed,
    )
    written = await session.exec(
        insert(RolloutMember)
        .values(fresh.model_dump(exclude={"created_at"}))
        .on_conflict_do_update(constraint="rollout_member_once", set_=changed)
        .returning(col(RolloutMember.id))
    )
    member = await session.get_one(RolloutMember, written.one(), populate_existing=True)
    return Listed(member, await session.get_one(Staff, staff_id))


async def leave_seat(session: AsyncSession, member: RolloutMember, *, by: str, at: datetime) -> None:
    """At once: from now on it gives no access, and no notice goes there."""
    if member.active:
        member.active, member.changed_by, member.changed_at = False, by, at
        await session.flush()


async def hire(session: AsyncSession, person: Staff) -> Staff:
    """A new person. Raises `Conflict` (`person.subject_taken`)."""
    return await roster.add_staff(session, person)


async def change_person(session: AsyncSession, program_id: str, person: Staff, changes: dict[str, object]) -> None:
    """Contact data and subject. Raises `Conflict` (`member.person_shared`, `person.subject_taken`)."""
    elsewhere = select(RolloutMember.id).where(
        col(RolloutMember.staff_id) == person.id, col(RolloutMember.program_id) != program_id
    )
    on_roster = select(RosterShift.id).where(col(RosterShift.staff_id) == person.id)
    for others in (elsewhere, on_roster):
        if (await session.exec(others.limit(1))).first() is not None:
            raise Conflict("member.person_shared", "this person is in another programme, or on the roster of the staff")
    await roster.change_staff(session, person.id, changes)


async def others_with(session: AsyncSession, member: RolloutMember) -> int:
    """How many other active people have the same function there."""
    same = RolloutMember
    statement = (
        select(func.count())
        .select_from(same)
        .join(Staff, col(Staff.id) == col(same.staff_id))
        .where(
            col(same.program_id) == member.program_id,
            col(same.function) == member.function,
            col(same.region).is_not_distinct_from(member.region),
            col(same.location_id).is_not_distinct_from(member.location_id),
            col(same.id) != member.id,
            col(same.active),
            col(Staff.active),
        )
    )
    return (await session.exec(statement)).one()


def unknown_member() -> NotFound:
    return NotFound("member.unknown", "there is no such member among those of the caller")


async def is_in(session: AsyncSession, program_id: str, staff_id: str) -> bool:
    """Whether somebody is, or was, in a programme."""
    member = RolloutMember
    found = select(member.id).where(col(member.program_id) == program_id, col(member.staff_id) == staff_id).limit(1)
    return (await session.exec(found)).first() is not None
