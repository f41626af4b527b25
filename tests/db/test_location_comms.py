"""The switches of a location's communication in the database: the process sets how much, settings what of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.contracts import RecordStepInput, StepDetail
from activities.rollout_contracts import SwitchComms
from db import location_comms
from db.case_records import SqlCaseRecords
from db.session import Database
from db.tables import LocationComms
from domain import names
from domain.actors import SYSTEM
from domain.errors import NotFound
from domain.rollout.location.comms import Capability, Comms, MessageChannel, may_send
from domain.rollout.location.view import snapshot
from tests.domain.rollout.locations import PROGRAM, location_order, ready

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = location_order(NOON)


def switch(sequence: int, percent: int, reason: str = "live") -> RecordStepInput:
    state = ready(ORDER, NOON)
    state.sequence = sequence
    return RecordStepInput(
        case_id=names.location_case(PROGRAM, "downtown"),
        process="Location",
        sequence=sequence,
        event="went_live",
        at=NOON + timedelta(hours=sequence),
        actor=SYSTEM,
        detail=StepDetail(),
        snapshot=snapshot(ORDER, state),
        effects=(SwitchComms(location_id="downtown", enabled_percent=percent, reason=reason),),
    )


async def read(database: Database) -> Comms:
    async with database.transaction() as session:
        return await location_comms.read(session, "downtown")


async def test_of_a_location_that_was_never_switched_on_nothing_is(database: Database) -> None:
    assert not may_send(await read(database), Capability.REMINDERS, MessageChannel.SMS, "patient-1")
    async with database.transaction() as session:
        with pytest.raises(NotFound):
            await location_comms.change(session, "downtown", {"sms": False})


async def test_a_step_switches_and_the_settings_stay(database: Database) -> None:
    records = SqlCaseRecords(database)
    await records.record(switch(1, 100))
    async with database.transaction() as session:
        await location_comms.change(session, "downtown", {"recall": False, "voice": False})
    await records.record(switch(2, 0, "rollback:1"))
    off = await read(database)
    assert (off.enabled_percent, Capability.RECALL in off.capabilities) == (0, False)
    await records.record(switch(3, 100))
    on = await read(database)
    assert may_send(on, Capability.REMINDERS, MessageChannel.SMS, "patient-1")
    assert not may_send(on, Capability.RECALL, MessageChannel.SMS, "patient-1")
    assert not may_send(on, Capability.REMINDERS, MessageChannel.VOICE, "patient-1")


async def test_a_step_that_is_repeated_after_a_later_one_switches_nothing_back(database: Database) -> None:
    records = SqlCaseRecords(database)
    await records.record(switch(1, 100))
    await records.record(switch(2, 0, "rollback:1"))
    await records.record(switch(1, 100))
    async with database.transaction() as session:
        row = await session.get_one(LocationComms, "downtown")
    assert (row.enabled_percent, row.reason, row.program_id) == (0, "rollback:1", PROGRAM)
    assert row.since == NOON + timedelta(hours=2)
