"""Who is in a programme: joining, changing, leaving, and the audit of credentials (H-06, H-07, H-09)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.csv_answers import CSV_TOO, Format, csv_answer
from api.problems import responses
from api.rollout_acting import CENTRAL_ROLES, Member, RolloutActs, RolloutActsOfRequest, member
from api.schemas.members import (
    Credential,
    MemberChange,
    MemberView,
    NewMember,
    PersonChange,
    credential,
    member_view,
)
from api.schemas.rollouts import SLUG, ProgramId
from api.values import EXAMPLE_ID, Page, RecordId
from db import provisioning
from db.provisioning import Listed, Place
from db.tables import RolloutMember, Staff
from domain.access import Role
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.rollout.members import MANAGES, check_place, may_manage
from domain.rollout.people import Function

router = APIRouter(prefix="/rollouts/{program_id}/members", tags=["rollouts"])

Administrator = Annotated[Member, member(*MANAGES)]
Reader = Annotated[Member, member(*MANAGES, Role.EXECUTIVE)]
Auditor = Annotated[Member, member(*CENTRAL_ROLES)]
MemberId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", examples=[EXAMPLE_ID])]


class Wanted(BaseModel):
    """Which members, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    function: Function | None = None
    location_id: str | None = Field(default=None, pattern=SLUG)
    active: bool | None = None
    cursor: RecordId | None = Field(default=None, description="`next_cursor` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="Most items on a page.")


@router.get("", summary="Its members", responses=responses(401, 403, 404, 422))
async def list_members(
    program_id: ProgramId, act: RolloutActsOfRequest, who: Reader, wanted: Annotated[Wanted, Query()]
) -> Page[MemberView]:
    """Those of the caller's region or location, or all. In the order of creation. 404 `programme.unknown`."""
    page = provisioning.Wanted(
        wanted.function, wanted.location_id, wanted.active, after=wanted.cursor, limit=wanted.limit + 1
    )
    found = await _listed(act, program_id, who, page)
    items = [member_view(one) for one in found[: wanted.limit]]
    return Page(items=items, next_cursor=items[-1].member_id if len(found) > wanted.limit else None)


@router.get(
    "/audit",
    summary="Credentials by function, with their last change",
    response_model=list[Credential],
    responses={**responses(401, 403, 404, 422), **CSV_TOO},
)
async def audit(
    program_id: ProgramId,
    act: RolloutActsOfRequest,
    who: Auditor,
    format: Format = "json",  # noqa: A002
) -> list[Credential] | Response:
    """For the quarterly audit (H-09): everybody, also who has left. 404 `programme.unknown`."""
    found = await _listed(act, program_id, who, provisioning.Wanted(limit=100_000))
    rows = sorted(map(credential, found), key=lambda one: (one.function, one.region or "", one.location_id or ""))
    return csv_answer(Credential, rows, f"credentials-{program_id}.csv") if format == "csv" else rows


@router.post("", status_code=201, summary="Add a member", responses=responses(401, 403, 404, 409, 422))
async def add_member(
    program_id: ProgramId, new: NewMember, act: RolloutActsOfRequest, who: Administrator
) -> MemberView:
    """A new hire, or another function for somebody who is in the programme; in force at once.

    System administrators give any function, regional and location administrators those below their own, where they
    are. 403 `member.beyond_reach`; 404 `programme.unknown`, `staff.unknown`; 409 `member.function_taken`,
    `person.subject_taken`; 422 `member.place_missing`, `member.place_unexpected`, `member.place_unknown`,
    `member.person_missing`.
    """
    await act.reach(program_id, who)
    if (new.staff_id is None) is (new.person is None):
        raise Invalid("member.person_missing", "name either somebody of the programme or a new person")
    async with act.services.database.transaction() as session:
        await provisioning.lock(session, program_id)
        place = await _place(session, program_id, who, Place(new.function, new.region, new.location_id))
        await _may_fill(session, act, program_id, new.function)
        staff_id = new.staff_id
        if new.person is not None:
            staff_id = (await provisioning.hire(session, Staff(**new.person.model_dump()))).id
        assert staff_id is not None
        await _known_staff(session, program_id, staff_id, fresh=new.person is not None)
        at = act.services.clock()
        taken = await provisioning.take_seat(session, program_id, staff_id, place, by=who.subject, at=at)
    return member_view(taken)


@router.patch("/{member_id}", summary="Change a member", responses=responses(401, 403, 404, 409, 422))
async def change_member(
    program_id: ProgramId, member_id: MemberId, change: MemberChange, act: RolloutActsOfRequest, who: Administrator
) -> MemberView:
    """In force at once. A new function or place is a new membership, whose id is answered.

    Contact data and subject are changed by system administrators, of people of this programme only. As for adding,
    besides: 404 `member.unknown`; 409 `member.last_of_function`, `member.person_shared`.
    """
    await act.reach(program_id, who)
    at = act.services.clock()
    async with act.services.database.transaction() as session:
        await provisioning.lock(session, program_id)
        found = await _own(session, program_id, member_id, who)
        if change.person is not None:
            await _change_person(session, program_id, found.person, change.person, who)
        if change.moves or change.active is True:
            found = await _move(session, act, found, change, who)
        if change.active is False:
            await _may_leave(session, act, found.member)
            await provisioning.leave_seat(session, found.member, by=who.subject, at=at)
    return member_view(found)


@router.delete(
    "/{member_id}", status_code=204, summary="End a membership", responses=responses(401, 403, 404, 409, 422)
)
async def end_membership(
    program_id: ProgramId, member_id: MemberId, act: RolloutActsOfRequest, who: Administrator
) -> None:
    """At once: it gives no access any more, and no notice goes there. It stays on record.

    403 `member.beyond_reach`; 404 `programme.unknown`, `member.unknown`; 409 `member.last_of_function`: give the
    function to somebody else first.
    """
    await act.reach(program_id, who)
    async with act.services.database.transaction() as session:
        await provisioning.lock(session, program_id)
        found = await _own(session, program_id, member_id, who)
        await _may_leave(session, act, found.member)
        await provisioning.leave_seat(session, found.member, by=who.subject, at=act.services.clock())


async def _listed(act: RolloutActs, program_id: str, who: Member, wanted: provisioning.Wanted) -> list[Listed]:
    reach = await act.reach(program_id, who)
    async with act.services.database.transaction() as session:
        return await provisioning.members(
            session,
            program_id,
            wanted,
            regions=None if reach.whole else reach.regions,
            location_ids=reach.locations,
        )


async def _place(session: AsyncSession, program_id: str, who: Member, asked: Place) -> Place:
    """The place as it is kept, when it is the caller's to fill."""
    locations = await provisioning.regions(session, program_id)
    region = locations.get(asked.location_id or "", asked.region)
    reach = who.reach(program_id)
    covered = reach is not None and reach.covers(region, asked.location_id)
    may_manage(who.role, asked.function, covered=covered)
    kept = check_place(asked.function, asked.region, asked.location_id, locations)
    return asked._replace(region=kept)


async def _own(session: AsyncSession, program_id: str, member_id: str, who: Member) -> Listed:
    """A membership that the caller manages; one that they do not even see is unknown."""
    found = await provisioning.get(session, program_id, member_id)
    row = found.member
    locations = await provisioning.regions(session, program_id)
    reach = who.reach(program_id)
    covered = reach is not None and reach.covers(
        locations.get(row.location_id or "", row.region or ""), row.location_id
    )
    if not covered:
        raise provisioning.unknown_member()
    may_manage(who.role, Function(row.function), covered=covered)
    return found


async def _move(session: AsyncSession, act: RolloutActs, found: Listed, change: MemberChange, who: Member) -> Listed:
    row, at = found.member, act.services.clock()
    asked = Place(
        change.function or Function(row.function),
        change.region if "region" in change.model_fields_set else row.region,
        change.location_id if "location_id" in change.model_fields_set else row.location_id,
    )
    place = await _place(session, row.program_id, who, asked)
    await _may_fill(session, act, row.program_id, place.function, besides=row.id)
    if (row.function, row.region, row.location_id) != tuple(place):
        await _may_leave(session, act, row)
        await provisioning.leave_seat(session, row, by=who.subject, at=at)
    return await provisioning.take_seat(session, row.program_id, row.staff_id, place, by=who.subject, at=at)


async def _change_person(
    session: AsyncSession, program_id: str, person: Staff, change: PersonChange, who: Member
) -> None:
    if who.role is not Role.SYSTEM_ADMIN:
        raise Forbidden("member.beyond_reach", "contact data is changed by a system administrator")
    changes = change.model_dump(exclude_unset=True)
    if any(changes.get(name, "") is None for name in ("name", "email", "time_zone")):
        raise Invalid("member.person_missing", "a person has a name, an address and a time zone")
    await provisioning.change_person(session, program_id, person, changes)


async def _known_staff(session: AsyncSession, program_id: str, staff_id: str, *, fresh: bool) -> None:
    """Somebody who is on record elsewhere only is unknown here."""
    if not fresh and not await provisioning.is_in(session, program_id, staff_id):
        raise NotFound("staff.unknown", "there is no such person in this programme")


async def _may_fill(
    session: AsyncSession, act: RolloutActs, program_id: str, function: Function, besides: str | None = None
) -> None:
    if function in act.services.policy.rollout.file.single:
        wanted = provisioning.Wanted(function=function, active=True)
        holders = await provisioning.members(session, program_id, wanted)
        if any(one.member.id != besides and one.person.active for one in holders):
            raise Conflict("member.function_taken", f"only one person is {function}")


async def _may_leave(session: AsyncSession, act: RolloutActs, row: RolloutMember) -> None:
    needed = row.function in act.services.policy.rollout.file.mandatory
    if needed and row.active and not await provisioning.others_with(session, row):
        raise Conflict("member.last_of_function", f"nobody else is {row.function}: name a successor first")
