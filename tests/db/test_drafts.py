"""A row that was written before its act goes when the act is refused, unless something has made it count meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from db import drafts
from db.drafts import Row
from db.session import Database
from db.tables import Message, RefundRequestRow, Visit, new_id
from domain.visit.states import VisitKind, VisitStatus
from embedded import seed
from tests.api.back_office import NOON, add_answered_case


@pytest.fixture
async def house(database: Database) -> Database:
    await seed.seed(database, now=NOON)
    return database


def booking() -> Visit:
    return Visit(
        id=new_id(),
        patient_id=seed.PATIENT,
        clinician_id=seed.CLINICIAN,
        kind=VisitKind.ECONSULT_FOLLOW_UP,
        status=VisitStatus.CANCELLED,
        scheduled_start=NOON + timedelta(days=1),
        duration_minutes=15,
    )


async def question(house: Database) -> Message:
    econsult_id = await add_answered_case(house, seed.CLINICIAN)
    return Message(
        id=new_id(),
        econsult_id=econsult_id,
        kind="question",
        author_role="clinician",
        author_id=seed.CLINICIAN,
        body="And now?",
    )


async def keep(house: Database, draft: Row) -> None:
    async with house.transaction() as session:
        assert await drafts.keep(session, draft)


async def is_left_after_discarding(house: Database, draft: Row) -> bool:
    async with house.transaction() as session:
        await drafts.discard(session, draft)
    async with house.transaction() as session:
        return await session.get(type(draft), draft.id) is not None


async def test_what_nothing_has_touched_goes(house: Database) -> None:
    text = await question(house)
    reason = RefundRequestRow(id=new_id(), econsult_id=text.econsult_id, requested_by="patient:p", reason="Why not.")
    await keep(house, text)
    await keep(house, reason)
    visit = booking()
    await keep(house, visit)
    assert not await is_left_after_discarding(house, text)
    assert not await is_left_after_discarding(house, reason)
    assert not await is_left_after_discarding(house, visit)


async def test_an_accepted_text_stays(house: Database) -> None:
    text = await question(house)
    await keep(house, text)
    async with house.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) == text.id).values(accepted_at=NOON))
    assert await is_left_after_discarding(house, text)


@pytest.mark.parametrize(
    ("status", "started_at"), [(VisitStatus.SCHEDULED, None), (VisitStatus.CANCELLED, NOON)], ids=["booked", "started"]
)
async def test_a_visit_that_was_booked_or_has_begun_stays(
    house: Database, status: VisitStatus, started_at: datetime | None
) -> None:
    visit = booking()
    await keep(house, visit)
    async with house.transaction() as session:
        changes = {"status": status, "started_at": started_at}
        await session.exec(update(Visit).where(col(Visit.id) == visit.id).values(changes))
    assert await is_left_after_discarding(house, visit)
