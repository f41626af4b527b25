"""The at-risk board in SQL: what is on it, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from activities.contracts import RecordStepInput, StepDetail
from db import at_risk
from db.at_risk import COUNTED, AtRisk, Filters, Position
from db.case_records import SqlCaseRecords
from db.session import Database
from db.tables import CaseState
from domain.actors import SYSTEM
from domain.clock import Clock, Outcome, acknowledge, arm, end, fire, pause
from domain.econsult.states import Stage
from domain.econsult.view import snapshot
from domain.names import Process
from tests.domain.builders import PERSON, POLICY, START, a_state, an_order

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERYTHING = Filters()


async def add_case(database: Database, case_id: str, *, due: datetime | None = None, **columns: Any) -> None:
    """Only its projection."""
    row: dict[str, Any] = {
        "process": Process.ECONSULT,
        "business_state": "WITH_SPECIALIST",
        "sequence": 1,
        "sla_state": "on_time",
        "escalation_level": 0,
        "owner": "specialist",
        "breach_due": due,
        "next_clock": "turnaround" if due else None,
        "snapshot": {"waits_for": [{"who": "specialist", "what": "a reply"}]},
        "updated_at": NOON,
    }
    async with database.transaction() as session:
        session.add(CaseState(case_id=case_id, **row | columns))


async def record(database: Database, sequence: int, clock: Clock, stage: Stage = Stage.WITH_SPECIALIST) -> None:
    """A step of one eConsult, whose turnaround was armed at the start of the world."""
    state = a_state(stage, sequence=sequence, clocks={"turnaround": clock})
    await SqlCaseRecords(database).record(
        RecordStepInput(
            case_id="econsult:e-1",
            process=Process.ECONSULT,
            sequence=sequence,
            event="clock_milestone",
            at=START + sequence * HOUR,
            actor=SYSTEM,
            detail=StepDetail(),
            snapshot=snapshot(an_order(), state, START),
        )
    )


async def soon(
    database: Database,
    within: timedelta = 2 * HOUR,
    filters: Filters = EVERYTHING,
    *,
    now: datetime = NOON,
    after: Position | None = None,
    limit: int = 100,
) -> list[AtRisk]:
    async with database.transaction() as session:
        return (await at_risk.at_risk(session, now, within, filters, after=after, limit=limit)).items


async def breached(
    database: Database, filters: Filters = EVERYTHING, *, unacknowledged: bool = False, limit: int = 100
) -> list[AtRisk]:
    async with database.transaction() as session:
        return (await at_risk.breaches(session, filters, unacknowledged=unacknowledged, limit=limit)).items


def ids(found: list[AtRisk]) -> list[str]:
    return [each.case_id for each in found]


async def test_lists_what_breaches_next_in_the_order_of_its_time(database: Database) -> None:
    await add_case(database, "visit:later", due=NOON + 2 * HOUR)
    await add_case(database, "econsult:soon", due=NOON + HOUR)
    await add_case(database, "econsult:unnoticed", due=NOON - HOUR)
    await add_case(database, "econsult:too-late", due=NOON + 2 * HOUR + timedelta(seconds=1))
    await add_case(database, "econsult:nothing-due")
    found = await soon(database)
    assert ids(found) == ["econsult:unnoticed", "econsult:soon", "visit:later"]
    assert (found[1].due, found[1].clock, found[1].waits_for) == (NOON + HOUR, "turnaround", "a reply")


async def test_pages_through_cases_that_are_due_at_the_same_time(database: Database) -> None:
    everything = sorted(f"visit:{number}" for number in range(7))
    for case_id in reversed(everything):
        await add_case(database, case_id, due=NOON)
    pages: list[list[str]] = []
    after = None
    while page := await soon(database, after=after, limit=3):
        pages.append(ids(page))
        after = page[-1].position
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [case_id for page in pages for case_id in page] == everything


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(process=Process.RATE_REQUEST), ["b"]),
        (Filters(owner="operations"), ["b"]),
        (Filters(clinician_id="c-2"), ["c"]),
        (Filters(process=Process.ECONSULT, clinician_id="c-1"), ["a"]),
        (Filters(owner="nobody"), []),
    ],
)
async def test_shows_what_was_asked_for(database: Database, filters: Filters, expected: list[str]) -> None:
    columns = {"breached_at": NOON, "breached_clock": "turnaround"}
    await add_case(database, "a", due=NOON, clinician_id="c-1", **columns)
    await add_case(
        database, "b", due=NOON, process=Process.RATE_REQUEST, owner="operations", clinician_id="c-1", **columns
    )
    await add_case(database, "c", due=NOON, clinician_id="c-2", **columns)
    assert ids(await soon(database, filters=filters)) == expected
    assert ids(await breached(database, filters)) == expected


async def test_lists_open_breaches_the_oldest_first(database: Database) -> None:
    for case_id, hours, unacknowledged in (("new", 1, True), ("old", 3, True), ("taken-on", 2, False)):
        at = NOON - hours * HOUR
        await add_case(database, case_id, breached_at=at, breached_clock="turnaround", unacknowledged=unacknowledged)
    await add_case(database, "on-time", due=NOON)
    assert ids(await breached(database)) == ["old", "taken-on", "new"]
    assert ids(await breached(database, unacknowledged=True)) == ["old", "new"]


async def test_counts_no_further_than_anybody_reads(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(
            text(
                "insert into case_state (case_id, process, business_state, sequence, sla_state, escalation_level,"
                " breach_due, breached_at, snapshot, updated_at)"
                " select n, 'Visit', 'OPEN', 1, 'on_time', 0, :due, :due, '{}', :due from generate_series(1, :many) n"
            ),
            {"due": NOON, "many": COUNTED + 500},
        )
    async with database.transaction() as session:
        many = await at_risk.at_risk(session, NOON, HOUR, EVERYTHING, limit=10)
        rest = await at_risk.at_risk(session, NOON, HOUR, EVERYTHING, after=many.items[-1].position, limit=10)
        late = await at_risk.breaches(session, EVERYTHING, limit=10)
        none = await at_risk.breaches(session, EVERYTHING, unacknowledged=True, limit=10)
    assert [(found.total, found.more) for found in (many, rest, late)] == [(COUNTED + 1, True)] * 3
    assert (none.total, none.more) == (0, False)


async def test_the_total_is_that_of_all_pages(database: Database) -> None:
    for number in range(5):
        await add_case(database, f"visit:{number}", due=NOON)
    async with database.transaction() as session:
        first = await at_risk.at_risk(session, NOON, HOUR, EVERYTHING, limit=3)
        last = await at_risk.at_risk(session, NOON, HOUR, EVERYTHING, after=first.items[-1].position, limit=3)
        beyond = await at_risk.at_risk(session, NOON, HOUR, EVERYTHING, after=last.items[-1].position, limit=3)
        exact = await at_risk.at_risk(session, NOON, HOUR, EVERYTHING, limit=5)
    assert [(len(page.items), page.more, page.total) for page in (first, last, beyond, exact)] == [
        (3, True, 5),
        (2, False, 5),
        (0, False, 5),
        (5, False, 5),
    ]


async def test_a_case_moves_over_the_board_as_its_clock_runs(database: Database) -> None:
    now = START + 47 * HOUR
    clock = arm(POLICY.turnaround, START)
    await record(database, 1, clock)
    assert ids(await soon(database, now=now)) == ["econsult:e-1"]
    assert not await soon(database, now=now, within=timedelta(minutes=59))

    await record(database, 2, pause(clock, now, "information"), Stage.INFO_REQUESTED)
    assert not await soon(database, now=now)

    clock = fire(clock, START + 49 * HOUR)[0]
    await record(database, 3, clock)
    assert not await soon(database, now=START + 49 * HOUR)
    [late] = await breached(database, unacknowledged=True)
    assert (late.due, late.clock, late.escalation_level) == (START + 48 * HOUR, "turnaround", 1)

    clock = acknowledge(clock, START + 50 * HOUR, PERSON)
    await record(database, 4, clock)
    assert not await breached(database, unacknowledged=True)
    assert ids(await breached(database)) == ["econsult:e-1"]

    await record(database, 5, end(clock, START + 51 * HOUR, Outcome.MET, PERSON), Stage.FOLLOW_UP_WINDOW)
    assert not await breached(database)
