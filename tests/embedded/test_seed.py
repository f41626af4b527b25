"""The demo's records: complete, added once, and read back as they were written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from activities.contracts import ChooseSpecialistInput
from db import roster
from db.panel import SqlSpecialistPanel
from db.session import Database
from db.tables import Attachment, Specialist, Visit
from domain import specialties
from domain.actors import Audience
from domain.attachment_files import checked_media_type
from embedded import seed


async def test_adds_everything_once(database: Database) -> None:
    first = await seed.seed(database)
    expected = {
        "clinician": 2,
        "clinicianlicence": 4,
        "patient": 2,
        "specialist": 6,
        "visit": 3,
        "note": 3,
        "attachment": 2,
        "staff": 3,
        "rostershift": 3,
    }
    assert first.added == expected
    again = await seed.seed(database)
    assert again.added == dict.fromkeys(expected, 0)


async def test_leaves_changed_records_as_they_are(database: Database) -> None:
    await seed.seed(database)
    async with database.transaction() as session:
        visit = await session.get_one(Visit, seed.VISIT_IN_PROGRESS)
        visit.status = "completed"
    await seed.seed(database)
    async with database.transaction() as session:
        assert (await session.get_one(Visit, seed.VISIT_IN_PROGRESS)).status == "completed"


async def test_its_specialists_can_take_cases_and_be_replaced(database: Database) -> None:
    await seed.seed(database)
    async with database.transaction() as session:
        panel = (await session.exec(select(Specialist).order_by(col(Specialist.id)))).all()
    assert all(specialties.find(code) for one in panel for code in one.specialty_codes)
    assert all(one.licence_expires_on > date.today() for one in panel)  # noqa: DTZ011
    choose = SqlSpecialistPanel(database).choose
    case = ChooseSpecialistInput(
        econsult_id=seed.PHOTO,
        patient_id=seed.PATIENT,
        specialty_code=seed.CARDIOLOGY,
        on=date(2026, 3, 1),
        state_licence_required=True,
        excluded=(),
    )
    assert await choose(case) == seed.CARDIOLOGIST
    assert await choose(case.model_copy(update={"excluded": (seed.CARDIOLOGIST,)})) == seed.SECOND_CARDIOLOGIST


async def test_its_files_are_what_they_claim_to_be(database: Database) -> None:
    await seed.seed(database)
    async with database.transaction() as session:
        files = (await session.exec(select(Attachment))).all()
    assert [checked_media_type(file.media_type, file.content) for file in files] == [f.media_type for f in files]


def test_its_ids_are_uuid7_and_apart() -> None:
    ids = [value for value in vars(seed).values() if isinstance(value, str) and value.startswith("01940000-")]
    assert len(set(ids)) == len(ids) == 28
    assert {UUID(one).version for one in ids} == {7}


async def test_its_operations_are_on_call_around_the_clock_all_year(database: Database) -> None:
    await seed.seed(database)
    hours = [datetime(2026, 3, 7, tzinfo=UTC) + timedelta(hours=hour) for hour in (*range(72), *range(5688, 5760))]
    async with database.transaction() as session:
        told = [(await roster.resolution(session, Audience.OPERATIONS, hour)).tell for hour in hours]
        weekend = await roster.resolution(session, Audience.PROVIDER_SUCCESS, hours[12])
    assert {len(people) for people in told} == {1}
    assert {one for people in told for one in people} == {seed.OPERATIONS_BY_DAY, seed.OPERATIONS_BY_NIGHT}
    assert weekend.gap
