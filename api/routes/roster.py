"""The roster: who of the staff is told, when, and when nobody was there."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.auth import require
from api.dependencies import AppServices
from api.problems import responses
from api.schemas.roster import (
    AbsenceView,
    GapView,
    NewAbsence,
    NewShift,
    NewStaff,
    NotTold,
    OnDuty,
    ShiftView,
    StaffAudience,
    StaffChange,
    StaffView,
    Told,
)
from api.scopes import BACK_OFFICE
from api.values import Cursor, Limit, Page, RecordId, Time
from db import roster
from db.tables import RosterAbsence, RosterShift, Staff
from domain.local_time import zone_of
from domain.roster import check_absence, check_shift, staff_audience

router = APIRouter(
    prefix="/ops", tags=["roster"], dependencies=[require(*BACK_OFFICE)], responses=responses(401, 403, 422)
)

NOT_FOUND: dict[int | str, dict[str, Any]] = responses(404)
ForAudience = Annotated[StaffAudience | None, Query(description="Only for this audience.")]


@router.post("/staff", status_code=201, summary="Add a person of the staff", responses=responses(409))
async def add_staff(new: NewStaff, services: AppServices) -> StaffView:
    """409 `person.subject_taken`; 422 `time_zone.unknown`, `roster.quiet_hours_incomplete`.

    For which audience somebody works is said by their shifts.
    """
    zone_of(new.time_zone)
    async with services.database.transaction() as session:
        return StaffView.model_validate(await roster.add_staff(session, Staff(**new.model_dump())))


@router.get("/staff", summary="The staff")
async def list_staff(
    services: AppServices, active: bool | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[StaffView]:
    """In the order of creation."""
    async with services.database.transaction() as session:
        found = await roster.staff(session, active=active, after=cursor, limit=limit + 1)
    items = [StaffView.model_validate(one) for one in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.patch("/staff/{staff_id}", summary="Change a person of the staff", responses=responses(404, 409))
async def change_staff(staff_id: RecordId, change: StaffChange, services: AppServices) -> StaffView:
    """What is left out stays. A person who is not `active` is told nothing any more; their shifts count as gaps.

    404 `staff.unknown`; 409 `person.subject_taken`; 422 `time_zone.unknown`, `roster.quiet_hours_incomplete`.
    """
    changes = change.changes()
    if change.time_zone is not None:
        zone_of(change.time_zone)
    async with services.database.transaction() as session:
        return StaffView.model_validate(await roster.change_staff(session, staff_id, changes))


@router.post("/shifts", status_code=201, summary="Add a shift", responses=NOT_FOUND)
async def add_shift(new: NewShift, services: AppServices) -> ShiftView:
    """It comes every week, in the time zone of the person; one that ends before it starts ends on the next day.

    404 `staff.unknown`; 422 `roster.audience_unknown`, `roster.shift_empty`, `roster.until_before_from`.
    """
    staff_audience(new.audience)
    check_shift(new.starts, new.ends, new.valid_from, new.valid_until)
    row = RosterShift(**new.model_dump(exclude={"weekdays"}), weekdays=sorted(set(new.weekdays)))
    async with services.database.transaction() as session:
        return ShiftView.model_validate(await roster.add_entry(session, row))


@router.get("/shifts", summary="The shifts")
async def list_shifts(
    services: AppServices,
    audience: ForAudience = None,
    staff_id: RecordId | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ShiftView]:
    """In the order of creation. 422 `roster.audience_unknown`."""
    served = staff_audience(audience) if audience is not None else None
    async with services.database.transaction() as session:
        found = await roster.shifts(session, audience=served, staff_id=staff_id, after=cursor, limit=limit + 1)
    items = [ShiftView.model_validate(one) for one in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.delete("/shifts/{shift_id}", status_code=204, summary="Remove a shift", responses=NOT_FOUND)
async def remove_shift(shift_id: RecordId, services: AppServices) -> None:
    """404 `shift.unknown`. An audience whose last shift is removed has no roster; its own address is told."""
    async with services.database.transaction() as session:
        await roster.remove_shift(session, shift_id)


@router.post("/absences", status_code=201, summary="Add an absence", responses=NOT_FOUND)
async def add_absence(new: NewAbsence, services: AppServices) -> AbsenceView:
    """404 `staff.unknown`; 422 `roster.until_before_from`."""
    check_absence(new.absent_from, new.absent_until)
    async with services.database.transaction() as session:
        return AbsenceView.model_validate(await roster.add_entry(session, RosterAbsence(**new.model_dump())))


@router.get("/absences", summary="The absences")
async def list_absences(
    services: AppServices, staff_id: RecordId | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[AbsenceView]:
    """In the order of creation."""
    async with services.database.transaction() as session:
        found = await roster.absences(session, staff_id=staff_id, after=cursor, limit=limit + 1)
    items = [AbsenceView.model_validate(one) for one in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.delete("/absences/{absence_id}", status_code=204, summary="Remove an absence", responses=NOT_FOUND)
async def remove_absence(absence_id: RecordId, services: AppServices) -> None:
    """404 `absence.unknown`."""
    async with services.database.transaction() as session:
        await roster.remove_absence(session, absence_id)


@router.get("/on-duty", summary="Who would be told, and why others would not")
async def on_duty(
    services: AppServices,
    audience: Annotated[StaffAudience, Query()],
    at: Annotated[Time | None, Query(description="The present when left out.")] = None,
) -> OnDuty:
    """422 `roster.audience_unknown`."""
    served, moment = staff_audience(audience), at or services.clock()
    async with services.database.transaction() as session:
        found = await roster.resolution(session, served, moment)
        people = {*found.tell, *(one.staff_id for one in found.skipped)}
        names = await roster.names(session, people)
    return OnDuty(
        audience=served,
        at=moment,
        in_use=found.in_use,
        gap=found.gap,
        fallback=not found.tell,
        tell=[Told(staff_id=one, name=names[one]) for one in found.tell],
        skipped=[NotTold(staff_id=one.staff_id, name=names[one.staff_id], reason=one.reason) for one in found.skipped],
    )


@router.get("/roster-gaps", summary="Notices that found nobody of the roster")
async def roster_gaps(
    services: AppServices, audience: ForAudience = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[GapView]:
    """They went to the audience's own address. The latest first. 422 `roster.audience_unknown`."""
    served = staff_audience(audience) if audience is not None else None
    async with services.database.transaction() as session:
        found = await roster.gaps(session, audience=served, before=cursor, limit=limit + 1)
    items = [GapView.model_validate(one) for one in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)
