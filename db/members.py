"""Members of a rollout's programme: who they are, where they work, and whom of them a notice reaches."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import defer
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import RolloutLocation, RolloutMember, RolloutProgram, Staff
from domain.actors import Audience
from domain.errors import NotFound, Refused
from domain.rollout.people import LOCAL, REGIONAL, Function

STANDS_IN: dict[Function, tuple[Function, ...]] = {
    Function.CHAMPION: (Function.BACKUP_CHAMPION, Function.OFFICE_MANAGER),
    Function.BACKUP_CHAMPION: (Function.CHAMPION, Function.OFFICE_MANAGER),
    Function.OFFICE_MANAGER: (Function.CHAMPION, Function.BACKUP_CHAMPION),
    Function.FRONT_DESK: (Function.CHAMPION, Function.OFFICE_MANAGER),
    Function.PROVIDER: (Function.OFFICE_MANAGER, Function.CHAMPION),
    Function.VENDOR_SUPPORT: (Function.VENDOR_TECHNICAL_SPECIALIST, Function.VENDOR_ACCOUNT_MANAGER),
    Function.VENDOR_TECHNICAL_SPECIALIST: (Function.VENDOR_ACCOUNT_MANAGER,),
    Function.VENDOR_CUSTOMER_SUCCESS: (Function.VENDOR_ACCOUNT_MANAGER,),
}
"""Who is told instead while a function is not filled, in this order; after them the project manager (N-06)."""


class Place(NamedTuple):
    """What a step is about: as narrow as its snapshot says."""

    program_id: str
    region: str | None = None
    location_id: str | None = None


async def reached(session: AsyncSession, audience: Audience, place: Place) -> tuple[str, ...]:
    """Whom of the programme a notice to this audience reaches: who has the function there, or else who stands in.

    Ids of people, sorted. Empty when there is nobody: a gap.
    """
    function = Function(audience)
    functions = [function, *STANDS_IN.get(function, ()), Function.PROJECT_MANAGER]
    staff = await _holding(session, functions, place)
    return next((tuple(sorted(staff[one])) for one in functions if staff[one]), ())


async def _holding(session: AsyncSession, functions: list[Function], place: Place) -> dict[Function, set[str]]:
    statement = (
        select(RolloutMember.function, RolloutMember.staff_id, RolloutMember.region, RolloutMember.location_id)
        .join(Staff, col(Staff.id) == col(RolloutMember.staff_id))
        .where(
            col(RolloutMember.program_id) == place.program_id,
            col(RolloutMember.function).in_(functions),
            col(RolloutMember.active),
            col(Staff.active),
        )
    )
    found: dict[Function, set[str]] = {function: set() for function in functions}
    for name, staff_id, region, location_id in await session.exec(statement):
        function = Function(name)
        # A step about the whole programme is for everybody of the function, wherever they are.
        elsewhere = (function in LOCAL and place.location_id not in {None, location_id}) or (
            function in REGIONAL and place.region not in {None, region}
        )
        if not elsewhere:
            found[function].add(staff_id)
    return found


class Seat(NamedTuple):
    """What somebody is in a programme."""

    member_id: str
    program_id: str
    function: Function
    region: str | None
    location_id: str | None


async def of_subject(session: AsyncSession, subject: str) -> list[Seat]:
    """What the person behind a token is, in every programme; terminations take effect at once (H-07)."""
    member = RolloutMember
    columns = (member.id, member.program_id, member.function, member.region, member.location_id)
    statement = (
        select(*columns)  # type: ignore[call-overload]  # typed up to four
        .join(Staff, col(Staff.id) == col(member.staff_id))
        .where(col(Staff.subject) == subject, col(Staff.active), col(member.active))
        .order_by(col(member.id))
    )
    return [
        Seat(id_, program_id, Function(function), region, location_id)
        for id_, program_id, function, region, location_id in await session.exec(statement)
    ]


async def person_of(session: AsyncSession, member_id: str) -> str:
    """Id of the person, the same for everything that they are. Raises `NotFound` (`member.unknown`)."""
    found = await session.get(RolloutMember, member_id)
    if found is None:
        raise NotFound("member.unknown", "there is no such member")
    return found.staff_id


async def require_champion(session: AsyncSession, member_id: str, place: RolloutLocation) -> None:
    """Raises `Refused` (`champion.not_a_member`) for whoever is no active champion or backup of the location."""
    found = await session.get(RolloutMember, member_id)
    here = found is not None and found.active and found.location_id == place.location_id
    if found is None or not here or found.function not in (Function.CHAMPION, Function.BACKUP_CHAMPION):
        raise Refused(
            "champion.not_a_member", "nominate a champion or backup champion of the location", missing=("member",)
        )


async def programme(session: AsyncSession, program_id: str) -> RolloutProgram:
    """Without its file and its order, which are large. Raises `NotFound` (`programme.unknown`)."""
    return await _programme(session, program_id, defer(RolloutProgram.file), defer(RolloutProgram.order))  # type: ignore[arg-type]


async def placed(session: AsyncSession, program_id: str) -> RolloutProgram:
    """With its file and its order. Raises `NotFound` (`programme.unknown`)."""
    return await _programme(session, program_id)


async def _programme(session: AsyncSession, program_id: str, *options: ORMOption) -> RolloutProgram:
    found = await session.get(RolloutProgram, program_id, options=options)
    if found is None:
        raise unknown_programme()
    return found


async def location(session: AsyncSession, location_id: str) -> RolloutLocation:
    """Raises `NotFound` (`location.unknown`)."""
    found = await session.get(RolloutLocation, location_id)
    if found is None:
        raise unknown_location()
    return found


def unknown_programme() -> NotFound:
    return NotFound("programme.unknown", "there is no such programme among those of the caller")


def unknown_location() -> NotFound:
    return NotFound("location.unknown", "there is no such location among those of the caller")
