"""Notices to staff reach the people of the roster, or the team's address with the gap noted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from activities.contracts import QueueNotice
from activities.ports import Delivery, DeliveryStatus, OutgoingNotice
from db import roster
from db.case_records import SqlCaseRecords
from db.outbox import SqlOutbox
from db.session import Database
from db.tables import RosterAbsence, RosterGap, RosterShift, Staff
from domain.actors import Audience
from domain.roster import Reason
from tests.db.notices import STAFF, add_people, queue, rows
from tests.db.test_case_records import CASE, step

ANN, BEN = "0194-ann", "0194-ben"
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
MONDAY = date(2026, 3, 2)
"""Ann is on shift from 14:00 to 22:00 UTC, Ben from 20:00 to 04:00 UTC; each sleeps somewhere else."""


@pytest.fixture
async def house(database: Database) -> Database:
    """Two people of operations, in Denver and in Berlin."""
    await add_people(database)
    async with database.transaction() as session:
        session.add_all(
            [
                Staff(id=ANN, name="Ann", email="ann@example.com", phone="+13125550111", time_zone="America/Denver"),
                Staff(
                    id=BEN,
                    name="Ben",
                    email="ben@example.com",
                    time_zone="Europe/Berlin",
                    quiet_from=time(22),
                    quiet_until=time(6),
                ),
            ]
        )
    await add_shift(database, ANN, time(7), time(15))
    await add_shift(database, BEN, time(21), time(5))
    return database


async def add_shift(
    database: Database, staff_id: str, starts: time, ends: time, audience: Audience = Audience.OPERATIONS
) -> None:
    async with database.transaction() as session:
        session.add(
            RosterShift(
                staff_id=staff_id,
                audience=audience,
                weekdays=EVERY_DAY,
                starts=starts,
                ends=ends,
                valid_from=MONDAY,
            )
        )


async def record(
    database: Database,
    at: datetime,
    audience: Audience = Audience.OPERATIONS,
    *,
    key: str = f"{CASE}:notice:late",
    sequence: int = 1,
) -> None:
    notice = QueueNotice(key=key, audience=audience, template="reply_late")
    await SqlCaseRecords(database).record(step(sequence, "clock_milestone", notice, at=at))


def at(hour: int, minute: int = 0, day: int = 3) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


async def told(database: Database) -> list[str | None]:
    return [row.staff_id for row in await rows(database)]


async def noted_gaps(database: Database) -> list[tuple[str, str, datetime]]:
    async with database.transaction() as session:
        found = select(RosterGap).order_by(col(RosterGap.at), col(RosterGap.notice_key))
        return [(gap.notice_key, gap.audience, gap.at) for gap in (await session.exec(found)).all()]


@pytest.mark.parametrize(
    ("moment", "people"),
    [
        (at(14), [ANN]),
        (at(19, 59), [ANN]),
        (at(20), [ANN, BEN]),  # handing over, 21:00 in Berlin
        (at(21), [ANN]),  # Ben's quiet hours have begun
        (at(22), [BEN]),  # he is alone, so he is told all the same
        (at(3, 59), [BEN]),
    ],
)
async def test_tells_everybody_on_shift_at_the_time_of_the_step(
    house: Database, moment: datetime, people: list[str]
) -> None:
    await record(house, moment)
    assert await told(house) == people
    assert [row.key for row in await rows(house)] == [f"{CASE}:notice:late:{one}" for one in people]
    assert await noted_gaps(house) == []


async def test_a_gap_goes_to_the_team_and_is_noted_once(house: Database) -> None:
    await record(house, at(5))
    await record(house, at(5))
    await record(house, at(5, 1))  # the same step once more, after its worker had died
    assert await told(house) == [None]
    assert await noted_gaps(house) == [(f"{CASE}:notice:late", "operations", at(5))]


async def test_a_step_that_comes_again_when_others_are_on_shift_tells_nobody_twice(house: Database) -> None:
    await record(house, at(20))
    await record(house, at(23))
    await record(house, at(5, day=4))
    assert await told(house) == [ANN, BEN]
    assert await noted_gaps(house) == []


async def test_who_is_away_is_not_told(house: Database) -> None:
    async with house.transaction() as session:
        session.add(RosterAbsence(staff_id=ANN, absent_from=at(15), absent_until=at(16)))
    for number, (moment, expected) in enumerate([(at(14, 59), ANN), (at(15), None), (at(16), ANN)], start=1):
        await record(house, moment, key=f"n-{number}", sequence=number)
        assert (await told(house))[-1] == expected
    assert [key for key, _, _ in await noted_gaps(house)] == ["n-2"]


async def test_an_audience_without_any_shift_has_no_roster_and_no_gap(house: Database) -> None:
    await record(house, at(14), Audience.NETWORK_DESK)
    assert await told(house) == [None]
    assert await noted_gaps(house) == []


async def test_a_roster_that_nobody_renewed_is_a_gap(house: Database) -> None:
    async with house.transaction() as session:
        for shift in (await session.exec(select(RosterShift))).all():
            shift.valid_until = MONDAY
    await record(house, at(14))
    assert await told(house) == [None]
    assert len(await noted_gaps(house)) == 1


async def test_people_of_the_case_are_told_as_ever(house: Database) -> None:
    await queue(house, (Audience.PATIENT, "payment_link"), (Audience.CLINICIAN, "order_paid"))
    assert await told(house) == [None, None]
    assert await noted_gaps(house) == []


async def delivered(database: Database) -> list[OutgoingNotice]:
    found = []

    async def keep(notice: OutgoingNotice) -> Delivery:
        found.append(notice)
        return Delivery(status=DeliveryStatus.SENT)

    while await SqlOutbox(database, STAFF).deliver_next(keep):
        pass
    return found


async def test_each_person_gets_a_letter_in_their_time_zone(house: Database) -> None:
    await record(house, at(20))
    assert sorted((notice.email, notice.time_zone, notice.phone) for notice in await delivered(house)) == [
        ("ann@example.com", "America/Denver", "+13125550111"),
        ("ben@example.com", "Europe/Berlin", None),
    ]


async def test_a_gap_is_a_letter_to_the_team(house: Database) -> None:
    await record(house, at(5))
    assert [notice.email for notice in await delivered(house)] == ["operations@example.com"]


async def test_who_has_left_before_the_letter_goes_out_does_not_get_it(house: Database) -> None:
    await record(house, at(14))
    async with house.transaction() as session:
        await roster.change_staff(session, ANN, {"active": False})
    assert [notice.email for notice in await delivered(house)] == ["operations@example.com"]


async def test_says_why_others_are_not_told(house: Database) -> None:
    async with house.transaction() as session:
        session.add(RosterAbsence(staff_id=ANN, absent_from=at(0), absent_until=at(0) + timedelta(days=1)))
    async with house.transaction() as session:
        alone = await roster.resolution(session, Audience.OPERATIONS, at(23))
        nobody = await roster.resolution(session, Audience.OPERATIONS, at(14))
        unused = await roster.resolution(session, Audience.SUPPORT, at(14))
    assert (alone.tell, [(one.staff_id, one.reason) for one in alone.skipped]) == ((BEN,), [(ANN, Reason.ABSENT)])
    assert [(one.staff_id, one.reason) for one in nobody.skipped] == [(ANN, Reason.ABSENT), (BEN, Reason.OFF)]
    assert (nobody.gap, nobody.in_use) == (True, True)
    assert (unused.gap, unused.in_use) == (False, False)


async def test_contact_data_is_encrypted(house: Database) -> None:
    async with house.engine.connect() as connection:
        found = await connection.execute(text("select name, email, phone from staff_member order by id"))
        ann, _ = found.all()
    assert not any(plain in bytes(value) for plain, value in zip((b"Ann", b"ann@", b"+1312"), ann, strict=True))
    async with house.transaction() as session:
        assert (await session.get_one(Staff, ANN)).phone == "+13125550111"


async def test_gaps_are_listed_latest_first(house: Database) -> None:
    for number in (1, 2, 3):
        await record(house, at(5, number), key=f"n-{number}", sequence=number)
    async with house.transaction() as session:
        first = await roster.gaps(session, audience=None, before=None, limit=2)
        rest = await roster.gaps(session, audience=Audience.OPERATIONS, before=first[-1].id, limit=2)
        other = await roster.gaps(session, audience=Audience.SUPPORT, before=None, limit=2)
    assert [gap.notice_key for gap in (*first, *rest)] == ["n-3", "n-2", "n-1"]
    assert other == []
