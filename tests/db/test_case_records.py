"""Steps in the database: once, in order, and true to the workflow's history."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from activities.contracts import BookEntry, Effect, QueueNotice, RecordStepInput, StepDetail
from db.case_records import SqlCaseRecords
from db.session import Database
from db.tables import CaseState, LedgerEntryRow, LedgerPosting, LostStep, OutboxNotice, Timeline
from domain import ledger, policy
from domain.actors import SYSTEM, Audience
from domain.econsult.state import EConsultOrder, EConsultState
from domain.econsult.view import snapshot
from domain.ledger import Price

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CASE = "econsult:e1"


def step(sequence: int, event: str, *effects: Effect, at: datetime = NOON) -> RecordStepInput:
    order = EConsultOrder(
        econsult_id="e1",
        visit_id="v",
        patient_id="p",
        clinician_id="c",
        specialty_code="207RC0000X",
        purpose="bridge",
        price=Price(network_fee_cents=12000, clinician_portion_cents=2000),
        policy=policy.load().econsult,
        ordered_by=SYSTEM,
    )
    state = EConsultState(ordered_at=NOON, sequence=sequence)
    return RecordStepInput(
        case_id=CASE,
        process="EConsult",
        sequence=sequence,
        event=event,
        at=at,
        actor=SYSTEM,
        detail=StepDetail(),
        snapshot=snapshot(order, state, state.ordered_at),
        effects=effects,
    )


def letter(name: str) -> QueueNotice:
    return QueueNotice(key=f"{CASE}:notice:{name}", audience=Audience.PATIENT, template=name)


def booking() -> BookEntry:
    return BookEntry(entry=ledger.payment(f"{CASE}:payment:pi", 14000, "usd"))


async def events(database: Database) -> list[tuple[int, str]]:
    async with database.transaction() as session:
        found = select(Timeline).order_by(col(Timeline.sequence))
        return [(row.sequence, row.event) for row in (await session.exec(found)).all()]


async def test_a_repeated_step_changes_nothing(database: Database) -> None:
    records = SqlCaseRecords(database)
    paid = step(1, "paid", booking(), letter("payment_received"))
    await asyncio.gather(records.record(paid), records.record(paid), records.record(paid))
    async with database.transaction() as session:
        assert len((await session.exec(select(LedgerEntryRow))).all()) == 1
        assert len((await session.exec(select(OutboxNotice))).all()) == 1
    assert await events(database) == [(1, "paid")]


async def test_the_workflow_is_right_about_a_step_that_it_came_to_differently(database: Database) -> None:
    """The worker died after writing "paid" as step 2; the workflow then heard of something else first."""
    records = SqlCaseRecords(database)
    await records.record(step(1, "ordered"))
    await records.record(step(2, "paid", booking(), letter("payment_received")))
    await records.record(step(3, "assigned"))
    later = NOON + timedelta(seconds=10)
    await records.record(step(2, "clock_milestone", letter("payment_reminder"), at=later))
    await records.record(step(3, "paid", booking(), letter("payment_received"), at=later))

    assert await events(database) == [(1, "ordered"), (2, "clock_milestone"), (3, "paid")]
    async with database.transaction() as session:
        assert len((await session.exec(select(LedgerEntryRow))).all()) == 1
        assert len((await session.exec(select(OutboxNotice))).all()) == 2
        assert {lost.event for lost in (await session.exec(select(LostStep))).all()} == {"paid", "assigned"}
        assert (await session.get_one(CaseState, CASE)).sequence == 3


async def test_a_worker_that_was_given_up_writes_nothing_over_its_successor(database: Database) -> None:
    records = SqlCaseRecords(database)
    await records.record(step(1, "paid", at=NOON + timedelta(seconds=10)))
    await records.record(step(1, "clock_milestone", letter("payment_reminder")))
    assert await events(database) == [(1, "paid")]
    async with database.transaction() as session:
        assert not (await session.exec(select(OutboxNotice))).all()


async def test_the_database_refuses_an_unbalanced_entry(database: Database) -> None:
    async def book_half() -> None:
        async with database.transaction() as session:
            session.add(
                LedgerEntryRow(key="x", case_id=CASE, clinician_id="c", kind="payment", currency="usd", at=NOON)
            )
            await session.flush()
            session.add(LedgerPosting(entry_key="x", account="processor_balance", amount_cents=1))

    with pytest.raises(IntegrityError, match=r"ledger\.unbalanced"):
        await book_half()


@pytest.mark.parametrize("statement", ["update ledger_posting set amount_cents = 1", "delete from ledger_posting"])
async def test_the_database_refuses_to_change_the_ledger(database: Database, statement: str) -> None:
    await SqlCaseRecords(database).record(step(1, "paid", booking()))
    async with database.engine.begin() as connection:
        with pytest.raises(IntegrityError, match="append-only"):
            await connection.execute(text(statement))
