"""Programmes of a rollout in the database, and where their processes stand."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, defer
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import CaseState, RolloutLocation, RolloutMember, RolloutProgram, Staff
from domain.errors import Conflict, Invalid, NotFound
from domain.rollout.orders import RolloutOrder
from domain.rollout.program import Person, Programme


class Placing(NamedTuple):
    """Who places a programme, with which key."""

    subject: str
    key: str


async def find(session: AsyncSession, program_id: str) -> RolloutProgram | None:
    return await session.get(RolloutProgram, program_id)


def check_same(placed: RolloutProgram, programme: Programme, placing: Placing) -> None:
    """Raises `Conflict` (`programme.exists`), `Invalid` (`request.idempotency_key_reused`)."""
    if placed.opening_key != placing.key:
        raise Conflict("programme.exists", "there is a programme with this id")
    if Programme.model_validate(placed.file) != programme:
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")


async def taken_locations(session: AsyncSession, programme: Programme) -> set[str]:
    """Ids of its locations that are in another programme."""
    ids = [one.location_id for one in programme.locations]
    row = RolloutLocation
    found = select(row.location_id).where(col(row.location_id).in_(ids), col(row.program_id) != programme.program_id)
    return set((await session.exec(found)).all())


async def place(session: AsyncSession, programme: Programme, order: RolloutOrder, placing: Placing) -> RolloutProgram:
    """Keep it with its locations and people, and its order; the one kept before with this key stays as it is.

    Raises as `check_same`, and `Conflict` (`program.location_taken`).
    """
    row = {
        "id": programme.program_id,
        "name": programme.name,
        "file": programme.model_dump(mode="json"),
        "order": order.model_dump(mode="json"),
        "ordered_by": placing.subject,
        "opening_key": placing.key,
        "started": False,
    }
    written = await session.exec(
        insert(RolloutProgram).values(row).on_conflict_do_nothing().returning(col(RolloutProgram.id))
    )
    fresh = written.first() is not None
    placed = await session.get(RolloutProgram, programme.program_id)
    if placed is None:  # the key is that of a programme with another id
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")
    check_same(placed, programme, placing)
    if fresh:
        await _add_locations(session, programme)
        await _add_people(session, programme, placing.subject)
    return placed


async def _add_locations(session: AsyncSession, programme: Programme) -> None:
    rows = [
        {
            "location_id": one.location_id,
            "program_id": programme.program_id,
            "region": one.region,
            "time_zone": one.time_zone,
            "name": one.name,
            "facts": one.model_dump(mode="json"),
        }
        for one in programme.locations
    ]
    table = RolloutLocation
    added = await session.exec(insert(table).values(rows).on_conflict_do_nothing().returning(col(table.location_id)))
    if len(added.all()) < len(rows):
        raise Conflict("program.location_taken", "a location of this programme is in another one already")


async def _add_people(session: AsyncSession, programme: Programme, by: str) -> None:
    """One of the staff for each subject, who may have several functions; who is on record already stays as they are."""
    zones = {one.location_id: one.time_zone for one in programme.locations}
    known = await _staff_of(session, {person.subject for person in programme.people if person.subject})
    members = []
    for person in programme.people:
        staff_id = known.get(person.subject or "")
        if staff_id is None:
            staff = _staff(person, zones.get(person.location_id or "", programme.calendar.time_zone))
            session.add(staff)
            staff_id = staff.id
            if person.subject:
                known[person.subject] = staff_id
        members.append(_member(person, staff_id, programme.program_id, by))
    await session.flush()  # the staff first: members refer to them
    session.add_all(members)
    await session.flush()


def _member(person: Person, staff_id: str, program_id: str, by: str) -> RolloutMember:
    return RolloutMember(
        program_id=program_id,
        staff_id=staff_id,
        function=person.function,
        region=person.region if person.location_id is None else None,
        location_id=person.location_id,
        changed_by=by,
    )


def _staff(person: Person, time_zone: str) -> Staff:
    return Staff(subject=person.subject, name=person.name, email=person.email, phone=person.phone, time_zone=time_zone)


async def _staff_of(session: AsyncSession, subjects: set[str]) -> dict[str, str]:
    found = await session.exec(select(Staff.subject, Staff.id).where(col(Staff.subject).in_(subjects)))
    return {subject: staff_id for subject, staff_id in found.all() if subject}


async def mark_started(session: AsyncSession, program_id: str) -> None:
    row = await session.get(RolloutProgram, program_id, with_for_update=True)
    if row is not None:
        row.started = True


class Standing(NamedTuple):
    """A row, and the projection of its case; None before its first step."""

    program: RolloutProgram
    case: CaseState | None


async def programmes(session: AsyncSession, ids: tuple[str, ...], *, after: str | None, limit: int) -> list[Standing]:
    """Up to `limit` of these with ids after `after`, in the order of ids."""
    statement = (
        select(RolloutProgram, CaseState)
        .options(defer(RolloutProgram.file))  # type: ignore[arg-type]
        .join(CaseState, col(CaseState.case_id) == "rollout:" + col(RolloutProgram.id), isouter=True)
        .where(col(RolloutProgram.id).in_(ids), _after(col(RolloutProgram.id), after))
        .order_by(col(RolloutProgram.id))
        .limit(limit)
    )
    return [Standing(program, case) for program, case in (await session.exec(statement)).all()]


async def locations(
    session: AsyncSession,
    program_id: str,
    *,
    regions: frozenset[str] | None,
    location_ids: frozenset[str],
    after: str | None,
    limit: int,
) -> list[tuple[RolloutLocation, CaseState | None]]:
    """Up to `limit` of a programme's locations with ids after `after`; without `regions` all of them."""
    row = RolloutLocation
    theirs: ColumnElement[bool] = true()
    if regions is not None:
        theirs = or_(col(row.region).in_(regions), col(row.location_id).in_(location_ids))
    case_id = "rollout:" + col(row.program_id) + ":location:" + col(row.location_id)
    statement = (
        select(row, CaseState)
        .join(CaseState, col(CaseState.case_id) == case_id, isouter=True)
        .where(col(row.program_id) == program_id, theirs, _after(col(row.location_id), after))
        .order_by(col(row.location_id))
        .limit(limit)
    )
    return [(location, case) for location, case in (await session.exec(statement)).all()]


async def case(session: AsyncSession, case_id: str) -> CaseState | None:
    """Where a process stands after its latest step."""
    return await session.get(CaseState, case_id)


async def known_case(session: AsyncSession, case_id: str, code: str) -> CaseState:
    """Raises `NotFound` with this code."""
    found = await case(session, case_id)
    if found is None:
        raise NotFound(code, "there is no such process yet, or there never was")
    return found


def _after(column: Mapped[str], after: str | None) -> ColumnElement[bool]:
    return true() if after is None else column > after
