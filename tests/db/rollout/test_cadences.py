"""Each regular report goes to the people whom it is for, once for each period and place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from activities.ports import Delivery, DeliveryStatus, OutgoingNotice
from db.cadences import SqlCadences
from db.outbox import SqlOutbox
from db.session import Database
from db.tables import CadenceReport, OutboxNotice, RolloutProgram, Staff
from domain import names, policy
from domain.actors import Audience
from domain.names import Process
from domain.rollout.cadences import Cadence
from domain.rollout.people import Function
from tests.rollout_rows import FORECAST, PROGRAM, Group

NOW = datetime(2026, 4, 1, 18, tzinfo=UTC)  # a Wednesday
PEOPLE: tuple[tuple[Function, dict[str, str]], ...] = (
    (Function.BOARD, {}),
    (Function.CFO, {}),
    (Function.VP_OPERATIONS, {}),
    (Function.IT_LEAD, {}),
    (Function.REGIONAL_MANAGER, {"region": "north"}),
    (Function.REGIONAL_MANAGER, {"region": "south"}),
    (Function.CHAMPION, {"location_id": "downtown"}),
    (Function.CHAMPION, {"location_id": "harbour"}),
    (Function.OFFICE_MANAGER, {"location_id": "downtown"}),
)


@pytest.fixture
async def group(database: Database) -> Group:
    """Wave 1, of downtown, goes live; harbour has done so, and uptown waits."""
    group = await Group.found(database)
    async with database.transaction() as session:
        row = await session.get_one(RolloutProgram, PROGRAM)
        cadences = policy.load().rollout.cadences.model_dump(mode="json")
        row.order = {**row.order, "policy": {**row.order["policy"], "cadences": cadences}}
    for function, where in PEOPLE:
        await group.hire(function, f"{function}-{'-'.join(where.values())}", **where)
    await stands(group, "PILOT")
    await group.stands(Process.WAVE, names.wave_case(PROGRAM, 1), wave=1, phase="WAVE_GO_LIVE")
    await group.is_live("downtown", region="north", wave=1, phase="LOCATION_LIVE")
    await group.is_live("harbour", region="south", phase="LOCATION_LIVE")
    await group.stands(
        Process.LOCATION,
        names.location_case(PROGRAM, "uptown"),
        location_id="uptown",
        region="north",
        phase="LOCATION_WAITING",
    )
    return group


async def stands(group: Group, phase: str) -> None:
    await group.stands(
        Process.ROLLOUT,
        names.rollout_case(PROGRAM),
        phase=phase,
        starts_on="2026-03-02",
        planned_end="2026-07-17",
        forecast=FORECAST,
    )


async def publish(group: Group, cadence: Cadence, at: datetime = NOW) -> tuple[str, ...]:
    return await SqlCadences(group.database).publish(PROGRAM, cadence, at)


async def told(group: Group) -> list[tuple[str, str]]:
    """Template and person of each notice, sorted."""
    statement = select(OutboxNotice.template, Staff.subject).join(Staff, col(Staff.id) == col(OutboxNotice.staff_id))
    async with group.database.transaction() as session:
        return sorted((template, subject or "") for template, subject in await session.exec(statement))


WHO = {
    Cadence.BOARD_REPORT: ["board-"],
    Cadence.EXECUTIVE_REPORT: ["cfo-", "it_lead-", "vp_operations-"],
    Cadence.REGIONAL_REPORT: ["regional_manager-north"],
    Cadence.CHAMPION_CHECK: ["champion-downtown", "office_manager-downtown"],
    Cadence.CHAMPION_REPORT: ["regional_manager-north", "regional_manager-south"],
    Cadence.CREDENTIAL_AUDIT: ["it_lead-"],
}


@pytest.mark.parametrize("cadence", list(Cadence))
async def test_those_are_told_whom_it_is_for(group: Group, cadence: Cadence) -> None:
    assert await publish(group, cadence)
    assert await told(group) == [(f"rollout_{cadence}", who) for who in WHO[cadence]]


PERIODS = {
    Cadence.BOARD_REPORT: (timedelta(days=60), timedelta(days=91)),
    Cadence.EXECUTIVE_REPORT: (timedelta(days=20), timedelta(days=31)),
    Cadence.REGIONAL_REPORT: (timedelta(days=3), timedelta(days=7)),
    Cadence.CHAMPION_CHECK: (timedelta(hours=5), timedelta(days=1)),
    Cadence.CHAMPION_REPORT: (timedelta(days=3), timedelta(days=7)),
    Cadence.CREDENTIAL_AUDIT: (timedelta(days=60), timedelta(days=91)),
}


@pytest.mark.parametrize("cadence", list(Cadence))
async def test_a_period_has_one_report_of_each_place(group: Group, cadence: Cadence) -> None:
    within, after = PERIODS[cadence]
    first = await publish(group, cadence)
    assert await publish(group, cadence, NOW + within) == ()
    before = await told(group)
    assert len(before) == len(WHO[cadence])
    second = await publish(group, cadence, NOW + after)
    assert len(second) == len(first)
    assert not set(first) & set(second)


async def test_nothing_is_sent_of_a_programme_that_is_over_or_has_not_begun(group: Group) -> None:
    await stands(group, "PROGRAM_COMPLETE")
    assert [await publish(group, cadence) for cadence in Cadence] == [()] * len(Cadence)
    await Group.found(group.database, "later", "-2")
    async with group.database.transaction() as session:
        kept = await session.get_one(RolloutProgram, PROGRAM)
        (await session.get_one(RolloutProgram, "later")).order = dict(kept.order)
    assert await SqlCadences(group.database).publish("later", Cadence.BOARD_REPORT, NOW) == ()


async def test_without_an_active_wave_regions_hear_nothing(group: Group) -> None:
    await group.stands(Process.WAVE, names.wave_case(PROGRAM, 1), wave=1, phase="WAVE_CLOSED")
    assert await publish(group, Cadence.REGIONAL_REPORT) == ()
    assert await publish(group, Cadence.CHAMPION_CHECK) == ()


async def test_a_report_counts_what_is_at_its_place(group: Group) -> None:
    await publish(group, Cadence.BOARD_REPORT)
    await publish(group, Cadence.REGIONAL_REPORT)
    async with group.database.transaction() as session:
        found = {row.cadence: row for row in (await session.exec(select(CadenceReport))).all()}
    whole, north = found["board_report"].content, found["regional_report"].content
    assert (whole["locations"], whole["live"], north["locations"], north["live"]) == (3, 2, 2, 1)
    assert found["regional_report"].region == "north"


async def test_the_letter_shows_the_figures(group: Group) -> None:
    await publish(group, Cadence.EXECUTIVE_REPORT)
    sent: list[OutgoingNotice] = []

    async def send(notice: OutgoingNotice) -> Delivery:
        sent.append(notice)
        return Delivery(status=DeliveryStatus.SENT)

    outbox = SqlOutbox(group.database, {Audience.OPERATIONS: "operations@smile.test"})
    await _all(lambda: outbox.deliver_next(send))
    assert {notice.email for notice in sent} >= {"cfo-@smile.test", "vp_operations-@smile.test"}
    assert all("Locations live: 2 of 3" in (notice.report or "") for notice in sent)
    assert all("Budget: $50,000.00" in (notice.report or "") for notice in sent)


async def _all(deliver: Callable[[], Awaitable[Delivery | None]]) -> None:
    while await deliver() is not None:
        pass


async def test_where_nobody_has_the_function_operations_hear_of_it(group: Group) -> None:
    async with group.database.transaction() as session:
        for person in (await session.exec(select(Staff))).all():
            person.active = False
    await publish(group, Cadence.BOARD_REPORT)
    async with group.database.transaction() as session:
        (row,) = (await session.exec(select(OutboxNotice))).all()
    assert (row.staff_id, row.audience) == (None, "board")
