"""The roster in the database, and whom of the staff a notice goes to."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias, TypeVar

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import QueueNotice, RecordStepInput
from db import members
from db.tables import OutboxNotice, RosterAbsence, RosterGap, RosterShift, Staff, new_id
from domain.actors import Audience, Channel, channel_of
from domain.errors import Conflict, NotFound
from domain.rollout.snapshot import RolloutCaseSnapshot
from domain.roster import (
    OF_A_PROGRAMME,
    STAFF,
    Absence,
    QuietHours,
    Resolution,
    Shift,
    StaffMember,
    check_quiet_hours,
    resolve,
)

Entry: TypeAlias = RosterShift | RosterAbsence
E = TypeVar("E", bound=Entry)


async def resolution(session: AsyncSession, audience: Audience, at: datetime) -> Resolution:
    """Whom the audience's roster names at this moment (aware)."""
    shifts = (await session.exec(select(RosterShift).where(col(RosterShift.audience) == audience))).all()
    team = {shift.staff_id for shift in shifts}
    absences = select(RosterAbsence).where(
        col(RosterAbsence.staff_id).in_(team),
        col(RosterAbsence.absent_from) <= at,
        col(RosterAbsence.absent_until) > at,
    )
    return resolve(
        audience,
        at,
        await _members(session, team),
        [Shift.model_validate(shift, from_attributes=True) for shift in shifts],
        [
            Absence(staff_id=one.staff_id, begin=one.absent_from, until=one.absent_until)
            for one in await session.exec(absences)
        ],
    )


async def readers(session: AsyncSession, step: RecordStepInput, notice: QueueNotice) -> tuple[str | None, ...]:
    """Ids of the staff to whom the notice goes; None stands for the person of the case or the audience's own address.

    Empty when the notice is in the outbox already, whoever would be there now: a step may come again at a later time.
    Notes down a gap in the roster, or in the programme of a rollout.
    """
    if notice.audience not in (*STAFF, *OF_A_PROGRAMME):
        return (None,)
    if await _queued(session, step.case_id, notice.key):
        return ()
    if notice.audience in OF_A_PROGRAMME:
        tell = await _of_the_programme(session, step, notice)
        found = Resolution(tell=tell, gap=not tell)
    else:
        found = await resolution(session, notice.audience, step.at)
    if channel_of(notice.template) is Channel.TEXT:
        return found.tell  # an audience's own address takes no texts; the letter beside it tells of a gap
    if found.gap:
        await _note_gap(session, step, notice)
    return found.tell or (None,)


async def _of_the_programme(session: AsyncSession, step: RecordStepInput, notice: QueueNotice) -> tuple[str, ...]:
    about = step.snapshot
    if not isinstance(about, RolloutCaseSnapshot):
        return ()
    place = members.Place(about.program_id, notice.region or about.region, notice.location_id or about.location_id)
    return await members.reached(session, notice.audience, place)


def notice_key(key: str, staff_id: str | None) -> str:
    """The key of the row of the outbox that is for this person."""
    return f"{key}:{staff_id}" if staff_id else key


async def add_staff(session: AsyncSession, person: Staff) -> Staff:
    """Raises `Conflict` (`person.subject_taken`), after which the transaction is of no more use, and `Invalid`."""
    check_quiet_hours(person.quiet_from, person.quiet_until)
    session.add(person)
    await _flush(session)
    return person


async def change_staff(session: AsyncSession, staff_id: str, changes: dict[str, object]) -> Staff:
    """Raises as `add_staff` and `get_staff` do."""
    person = await get_staff(session, staff_id, lock=True)
    person.sqlmodel_update(changes)
    check_quiet_hours(person.quiet_from, person.quiet_until)
    await _flush(session)
    return person


async def get_staff(session: AsyncSession, staff_id: str, *, lock: bool = False) -> Staff:
    """Raises `NotFound` (`staff.unknown`)."""
    found = await session.get(Staff, staff_id, with_for_update=lock)
    if found is None:
        raise NotFound("staff.unknown", "there is no such member of the staff")
    return found


async def staff(session: AsyncSession, *, active: bool | None, after: str | None, limit: int) -> list[Staff]:
    """Up to `limit` people with ids after `after`, in the order of creation."""
    statement = select(Staff).order_by(col(Staff.id)).limit(limit)
    if active is not None:
        statement = statement.where(col(Staff.active) == active)
    if after is not None:
        statement = statement.where(col(Staff.id) > after)
    return list((await session.exec(statement)).all())


async def names(session: AsyncSession, staff_ids: set[str]) -> dict[str, str]:
    found = await session.exec(select(Staff.id, Staff.name).where(col(Staff.id).in_(staff_ids)))
    return dict(found.all())


async def add_entry(session: AsyncSession, entry: E) -> E:
    """Keep a shift or an absence. Raises `NotFound` (`staff.unknown`)."""
    await get_staff(session, entry.staff_id)
    session.add(entry)
    await session.flush()
    return entry


async def shifts(
    session: AsyncSession, *, audience: Audience | None, staff_id: str | None, after: str | None, limit: int
) -> list[RosterShift]:
    statement = select(RosterShift).order_by(col(RosterShift.id)).limit(limit)
    if audience is not None:
        statement = statement.where(col(RosterShift.audience) == audience)
    if staff_id is not None:
        statement = statement.where(col(RosterShift.staff_id) == staff_id)
    if after is not None:
        statement = statement.where(col(RosterShift.id) > after)
    return list((await session.exec(statement)).all())


async def absences(
    session: AsyncSession, *, staff_id: str | None, after: str | None, limit: int
) -> list[RosterAbsence]:
    statement = select(RosterAbsence).order_by(col(RosterAbsence.id)).limit(limit)
    if staff_id is not None:
        statement = statement.where(col(RosterAbsence.staff_id) == staff_id)
    if after is not None:
        statement = statement.where(col(RosterAbsence.id) > after)
    return list((await session.exec(statement)).all())


async def remove_shift(session: AsyncSession, shift_id: str) -> None:
    """Raises `NotFound` (`shift.unknown`)."""
    found = await session.get(RosterShift, shift_id, with_for_update=True)
    if found is None:
        raise NotFound("shift.unknown", "there is no such shift")
    await session.delete(found)


async def remove_absence(session: AsyncSession, absence_id: str) -> None:
    """Raises `NotFound` (`absence.unknown`)."""
    found = await session.get(RosterAbsence, absence_id, with_for_update=True)
    if found is None:
        raise NotFound("absence.unknown", "there is no such absence")
    await session.delete(found)


async def gaps(session: AsyncSession, *, audience: Audience | None, before: str | None, limit: int) -> list[RosterGap]:
    """Up to `limit` gaps, the latest found first."""
    statement = select(RosterGap).order_by(col(RosterGap.id).desc()).limit(limit)
    if audience is not None:
        statement = statement.where(col(RosterGap.audience) == audience)
    if before is not None:
        statement = statement.where(col(RosterGap.id) < before)
    return list((await session.exec(statement)).all())


async def _members(session: AsyncSession, staff_ids: set[str]) -> list[StaffMember]:
    """Without contact data: nothing is decrypted for a step."""
    columns = (Staff.id, Staff.time_zone, Staff.quiet_from, Staff.quiet_until, Staff.active)
    asked = select(*columns).where(col(Staff.id).in_(staff_ids))  # type: ignore[call-overload]  # typed up to four
    return [
        StaffMember(
            id=staff_id,
            time_zone=time_zone,
            quiet_hours=None if begin is None else QuietHours(begin=begin, until=until),
            active=active,
        )
        for staff_id, time_zone, begin, until, active in await session.exec(asked)
    ]


async def _queued(session: AsyncSession, case_id: str, key: str) -> bool:
    row = OutboxNotice
    theirs = col(row.key) == key + ":" + col(row.staff_id)
    known = select(row.key).where(col(row.case_id) == case_id, or_(col(row.key) == key, theirs)).limit(1)
    return (await session.exec(known)).first() is not None


async def _note_gap(session: AsyncSession, step: RecordStepInput, notice: QueueNotice) -> None:
    gap = {
        "id": new_id(),
        "notice_key": notice.key,
        "case_id": step.case_id,
        "audience": notice.audience,
        "at": step.at,
    }
    await session.exec(insert(RosterGap).values(gap).on_conflict_do_nothing())


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError:
        # Not chained: the driver's message quotes the row.
        raise Conflict("person.subject_taken", "another record of this kind has this subject") from None
