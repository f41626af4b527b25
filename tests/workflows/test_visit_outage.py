"""No worker for hours, across several due times: the truth is told afterwards, and each audience hears of it once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from crypto import Keyring
from db.session import Database
from domain.clock import SlaState
from domain.visit.states import Obligation, VisitStage
from domain.visit_calls import CallOutcome
from embedded.rehearsal import Rehearsal, rehearse
from tests.workflows.consult import invite_people
from tests.workflows.visit import HOUR, MINUTE, Appointment


@pytest.fixture
async def world(database: Database, keyring: Keyring) -> AsyncIterator[Rehearsal]:
    """With nothing cached, as `Rehearsal.outage` asks for."""
    async with rehearse(database, keyring=keyring, max_cached_workflows=0) as rehearsal:
        yield rehearsal


async def test_after_an_outage_across_the_start_the_true_times_stand_and_each_is_told_once(visit: Appointment) -> None:
    await visit.to(-2 * HOUR)
    async with visit.world.outage():
        await visit.to(3 * HOUR)
    await visit.happened("clock_milestone", times=8)
    view = await visit.status()
    assert view.stage is VisitStage.CLINICIAN_NO_SHOW
    assert await visit.milestones() == [
        ("reminders:visit_soon", "stale", -60, True),
        ("join:join_soon", "stale", -2, True),
        ("join:join_at_risk", "stale", 3, True),
        ("join:clinician_late", "breach", 5, True),
        ("join:clinician_late_operations", "escalate", 10, True),
        ("join:clinician_late_again", "escalate", 20, True),
        ("join:clinician_no_show", "end", 30, True),
        ("absence:clinician_absent", "breach", 30, True),
        ("absence:clinician_absent_operations", "escalate", 150, True),
    ]
    breached = {clock.name: clock.breached_at for clock in view.clocks if clock.breached_at}
    assert breached == {"join": visit.starts_at + 5 * MINUTE, "absence": visit.starts_at + 30 * MINUTE}
    told = [(audience, template) for audience, template, minute in await visit.told() if minute > 0]
    assert len(told) == len(set(told))
    assert sorted(told) == [
        ("clinician", "visit_join_late"),
        ("clinician", "visit_join_late_text"),
        ("clinician", "visit_missed"),
        ("operations", "clinician_absent"),
        ("operations", "clinician_late"),
        ("patient", "visit_delayed"),
        ("patient", "visit_not_held"),
        ("provider_success", "clinician_absent"),
        ("provider_success", "clinician_late"),
        ("support", "clinician_absent"),
    ]


async def test_after_an_outage_what_is_owed_was_late_when_it_was_late(visit: Appointment) -> None:
    await visit.held()
    await visit.settle(Obligation.LABS, Obligation.IMAGING)
    completed_at = (await visit.status()).completed_at
    assert completed_at is not None
    async with visit.world.outage():
        await visit.to(30 * HOUR)
    await visit.happened("clock_milestone", times=6)
    view = await visit.status()
    breached = {clock.name: clock.breached_at for clock in view.clocks if clock.breached_at}
    assert breached == {"prescriptions": completed_at + 4 * HOUR, "note": completed_at + 24 * HOUR}
    told = [(audience, template) for audience, template, minute in await visit.told() if minute > 60]
    assert sorted(told) == [
        ("clinician", "note_late"),
        ("clinician", "prescriptions_late"),
        ("operations", "note_late_desk"),
        ("operations", "prescriptions_late_desk"),
        ("provider_success", "note_late_desk"),
        ("provider_success", "prescriptions_late_desk"),
    ]
    await visit.to(31 * HOUR)
    await visit.settle(Obligation.PRESCRIPTIONS)
    await visit.write_note()
    assert (await visit.recorded()).stage is VisitStage.CLOSED_WITH_BREACH


async def test_a_visit_whose_start_was_held_up_by_an_outage_is_not_forgotten(world: Rehearsal) -> None:
    visit = Appointment(world, await invite_people(world.database))
    async with world.outage():
        await visit.insert_order()
        await world.cases.start_visit(visit.order)
        await visit.to(HOUR)
    await visit.happened("clinician_no_show")
    assert (await visit.milestones())[0] == ("join:clinician_late", "breach", 5, True)
    assert (await visit.status()).sla_state is SlaState.BREACHED


async def test_calls_reported_during_an_outage_count_afterwards(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    await visit.to(2 * MINUTE)
    await visit.call()
    async with visit.world.outage():
        await visit.reported("during", CallOutcome.BUSY, minute=4)
        await visit.to(8 * MINUTE)
    await visit.happened("call_ended", times=2)
    assert (await visit.flag()).stage is VisitStage.PATIENT_NO_SHOW
