"""Notices of a rollout reach the members of its programme: those of the place, or who stands in for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlmodel import col, select

from activities.contracts import QueueNotice, RecordStepInput, StepDetail
from activities.ports import Delivery, DeliveryStatus, OutgoingNotice
from db import members, roster
from db.case_records import SqlCaseRecords
from db.members import Place
from db.outbox import SqlOutbox
from db.session import Database
from db.sweep import OVER, SqlSweep
from db.tables import RolloutMember, RolloutProgram, RosterGap, Staff
from domain import names
from domain.actors import SYSTEM, Audience
from domain.case import CaseProgress, progress
from domain.rollout import phases
from domain.rollout.orders import RolloutOrder
from domain.rollout.people import Function
from domain.rollout.program import Programme
from domain.rollout.snapshot import RolloutCaseSnapshot
from domain.roster import OF_A_PROGRAMME
from tests.rollout_files import file, place, subject

AT = datetime(2026, 1, 5, 15, tzinfo=UTC)
OPERATIONS = {Audience.OPERATIONS: "operations@example.com"}
FILE = file()
PROGRAMME = Programme.model_validate(FILE)


@pytest.fixture
async def house(database: Database) -> Database:
    await place(database, PROGRAMME)
    return database


async def told(database: Database, audience: Audience, about: Place) -> set[str]:
    """Subjects of those whom a notice reaches."""
    async with database.transaction() as session:
        ids = await members.reached(session, audience, about)
        return {str(one) for one in (await session.exec(select(Staff.subject).where(col(Staff.id).in_(ids)))).all()}


async def leave(database: Database, *subjects: str) -> None:
    async with database.transaction() as session:
        for one in subjects:
            person = (await session.exec(select(Staff.id).where(col(Staff.subject) == one))).one()
            for seat in await session.exec(select(RolloutMember).where(col(RolloutMember.staff_id) == person)):
                seat.active = False


def step(
    audience: Audience, template: str = "rollout_told", place: Place = Place("bright", "north", "l00")
) -> tuple[RecordStepInput, QueueNotice]:
    case_id = names.location_case(place.program_id, str(place.location_id))
    notice = QueueNotice(key=f"{case_id}:notice:{audience}:{template}", audience=audience, template=template)
    snapshot = RolloutCaseSnapshot(
        business_state="LOCATION_LIVE",
        policy_version="v",
        waits_for=(),
        program_id=place.program_id,
        region=place.region,
        location_id=place.location_id,
        **progress(CaseProgress(sequence=1)),
    )
    recorded = RecordStepInput.model_construct(
        case_id=case_id,
        process="Location",
        sequence=1,
        event="told",
        at=AT,
        actor=SYSTEM,
        detail=StepDetail(),
        snapshot=cast("Any", snapshot),
        effects=(notice,),
    )
    return recorded, notice


L00 = Place("bright", "north", "l00")


@pytest.mark.parametrize(
    ("function", "about", "people"),
    [
        (Function.CHAMPION, L00, {subject(Function.CHAMPION, "l00")}),
        (Function.OFFICE_MANAGER, L00, {subject(Function.OFFICE_MANAGER, "l00")}),
        (Function.REGIONAL_MANAGER, L00, {subject(Function.REGIONAL_MANAGER, "north")}),
        (Function.VP_OPERATIONS, L00, {subject(Function.VP_OPERATIONS)}),
        (Function.VENDOR_SUPPORT, L00, {subject(Function.VENDOR_SUPPORT)}),
        (
            Function.REGIONAL_MANAGER,
            Place("bright"),
            {subject(Function.REGIONAL_MANAGER, region) for region in ("north", "south", "west")},
        ),
        (
            Function.CHAMPION,
            Place("bright"),
            {subject(Function.CHAMPION, one["location_id"]) for one in FILE["locations"]},
        ),
    ],
)
async def test_reaches_who_has_the_function_there(
    house: Database, function: Function, about: Place, people: set[str]
) -> None:
    assert await told(house, Audience(function), about) == people


async def test_every_audience_reaches_somebody_of_the_location(house: Database) -> None:
    for audience in OF_A_PROGRAMME:
        assert len(await told(house, audience, L00)) == 1, audience


async def test_others_stand_in_in_their_order(house: Database) -> None:
    for left, instead in (
        ((Function.CHAMPION, "l00"), subject(Function.BACKUP_CHAMPION, "l00")),
        ((Function.BACKUP_CHAMPION, "l00"), subject(Function.OFFICE_MANAGER, "l00")),
        ((Function.OFFICE_MANAGER, "l00"), subject(Function.PROJECT_MANAGER)),
    ):
        await leave(house, subject(*left))
        assert await told(house, Audience.CHAMPION, L00) == {instead}
    await leave(house, subject(Function.REGIONAL_MANAGER, "north"))
    assert await told(house, Audience.REGIONAL_MANAGER, L00) == {subject(Function.PROJECT_MANAGER)}


async def test_nobody_of_another_programme_is_told(house: Database) -> None:
    people = [one | {"subject": f"other-{one['subject']}"} for one in file(prefix="o-")["people"]]
    await place(house, Programme.model_validate(file(program_id="other", prefix="o-", people=people)))
    assert await told(house, Audience.VP_OPERATIONS, L00) == {subject(Function.VP_OPERATIONS)}
    assert await told(house, Audience.VP_OPERATIONS, Place("other")) == {f"other-{subject(Function.VP_OPERATIONS)}"}


async def test_the_readers_of_a_notice_are_members(house: Database) -> None:
    async with house.transaction() as session:
        found = await roster.readers(session, *step(Audience.CHAMPION))
        (staff_id,) = found
        person = await session.get_one(Staff, staff_id)
    assert person.subject == subject(Function.CHAMPION, "l00")


async def test_without_anybody_operations_is_told_and_the_gap_noted(house: Database) -> None:
    await leave(house, subject(Function.BOARD), subject(Function.PROJECT_MANAGER))
    recorded, notice = step(Audience.BOARD)
    async with house.transaction() as session:
        assert await roster.readers(session, recorded, notice) == (None,)
        (gap,) = (await session.exec(select(RosterGap))).all()
        assert (gap.notice_key, gap.audience) == (notice.key, "board")
        texts = step(Audience.BOARD, "rollout_told_text")
        assert await roster.readers(session, *texts) == ()


async def test_letters_go_out_to_members_and_name_the_place_but_nobody(house: Database) -> None:
    await leave(house, subject(Function.BOARD), subject(Function.PROJECT_MANAGER))
    for audience in (Audience.CHAMPION, Audience.BOARD):
        recorded, _ = step(audience)
        await SqlCaseRecords(house).record(recorded.model_copy(update={"sequence": 1 + (audience is Audience.BOARD)}))
    sent: list[OutgoingNotice] = []

    async def keep(notice: OutgoingNotice) -> Delivery:
        sent.append(notice)
        return Delivery(status=DeliveryStatus.SENT)

    while await SqlOutbox(house, OPERATIONS).deliver_next(keep):
        pass
    assert {one.email for one in sent} == {"champion-l00@group.example", "operations@example.com"}
    assert {(one.program_name, one.location_name, one.wave) for one in sent} == {("Bright Dental", "L00", None)}
    assert "Marked" not in repr(sent)


async def test_a_programme_that_was_not_started_is_found_and_marked(house: Database) -> None:
    async with house.transaction() as session:
        program = await session.get_one(RolloutProgram, "bright")
        program.created_at = AT
    sweep = SqlSweep(house)
    (case,) = await sweep.unstarted(10)
    assert (case.case_id, type(case.order)) == ("rollout:bright", RolloutOrder)
    await sweep.mark_started(case)
    assert await sweep.unstarted(10) == []


def test_the_sweep_knows_when_a_process_of_a_rollout_is_over() -> None:
    assert set(phases.OVER) <= set(OVER)
