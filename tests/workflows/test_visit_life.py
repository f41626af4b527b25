"""Visits through their lives, by the clock: who comes, who does not, and what follows (process V)."""

from __future__ import annotations

from domain.clock import SlaState
from domain.visit.states import Fulfilment, Obligation, VisitStage
from embedded.rehearsal import Rehearsal
from tests.workflows.consult import SUPPORT, invite_people
from tests.workflows.visit import DAY, HOUR, MINUTE, ORDERS, Appointment, refused

MOST_EVENTS = 90
"""In the history of a visit that goes well."""


async def test_goes_well_within_its_budget(world: Rehearsal) -> None:
    visit = Appointment(world, await invite_people(world.database))
    await visit.place(ahead=3 * DAY)
    await visit.to(-MINUTE)
    await visit.both_join()
    await visit.to(15 * MINUTE)
    await visit.complete()
    await visit.to(HOUR)
    await visit.settle(Obligation.PRESCRIPTIONS)
    await visit.settle(Obligation.LABS, Obligation.IMAGING, needed=False)
    await visit.write_note()

    assert await visit.has_ended()
    view = await visit.recorded()
    assert (view.stage, view.sla_state, view.missed) == (VisitStage.CLOSED_COMPLIANT, SlaState.ON_TIME, False)
    assert {obligation: settled.how for obligation, settled in view.settled.items()} == {
        Obligation.PRESCRIPTIONS: Fulfilment.SUBMITTED,
        Obligation.LABS: Fulfilment.NOT_NEEDED,
        Obligation.IMAGING: Fulfilment.NOT_NEEDED,
        Obligation.NOTE: Fulfilment.SUBMITTED,
    }
    row = await visit.visit_row()
    assert (row.status, row.started_at, row.completed_at) == ("completed", view.patient_joined_at, view.completed_at)
    assert await visit.told() == [
        ("clinician", "visit_scheduled_clinician", -4320),
        ("patient", "visit_scheduled", -4320),
        ("patient", "visit_reminder", -1440),
        ("patient", "visit_reminder", -60),
        ("clinician", "visit_starts", -2),
        ("patient", "clinician_waiting", -1),
        ("patient", "note_shared", 60),
    ]
    assert not [clock for clock in view.clocks if clock.running]
    history = await world.client.get_workflow_handle(visit.case_id).fetch_history()
    assert len(history.events) <= MOST_EVENTS


async def test_a_visit_at_short_notice_sends_no_stale_reminder(visit: Appointment) -> None:
    assert (await visit.status()).next_deadline == visit.starts_at
    await visit.to(-5 * MINUTE)
    assert await visit.told() == [
        ("clinician", "visit_scheduled_clinician", -180),
        ("patient", "visit_scheduled", -180),
        ("patient", "visit_reminder", -60),
    ]


# -- the clinician is late, or does not come


async def test_a_late_clinician_climbs_a_ladder_and_stays_late(visit: Appointment) -> None:
    await visit.to(MINUTE)
    await visit.patient_joins()
    assert (await visit.status()).stage is VisitStage.WAITING_FOR_CLINICIAN
    await visit.to(5 * MINUTE)
    view = await visit.status()
    assert (view.stage, view.sla_state, view.escalation_level) == (VisitStage.CLINICIAN_LATE, SlaState.BREACHED, 1)
    await visit.to(12 * MINUTE)
    assert (await visit.join()).stage is VisitStage.IN_PROGRESS
    assert (await visit.told())[3:] == [
        ("clinician", "visit_starts", -2),
        ("clinician", "visit_join_now", 3),
        ("clinician", "visit_join_now_text", 3),
        ("clinician", "visit_join_late", 5),
        ("clinician", "visit_join_late_text", 5),
        ("patient", "visit_delayed", 5),
        ("provider_success", "clinician_late", 5),
        ("operations", "clinician_late", 10),
    ]
    await visit.to(30 * MINUTE)
    await visit.complete()
    await visit.settle(*ORDERS)
    await visit.write_note()
    view = await visit.status()
    assert (view.stage, view.missed) == (VisitStage.CLOSED_COMPLIANT, True)
    await visit.to(6 * DAY)
    await visit.excuse()
    assert (await refused(visit.excuse())).code in {"visit.already_excused", "case.not_running"}
    assert await visit.has_ended()
    view = await visit.recorded()
    join = next(clock for clock in view.clocks if clock.name == "join")
    assert (view.missed, view.excuse, join.breached_at) == (True, "illness", visit.starts_at + 5 * MINUTE)
    assert (await visit.steps())[-1].event == "absence_excused"


async def test_an_acknowledged_ladder_is_climbed_no_further(visit: Appointment) -> None:
    assert (await refused(visit.acknowledge("join"))).code == "escalation.none"
    await visit.to(6 * MINUTE)
    await visit.acknowledge("join")
    await visit.to(25 * MINUTE)
    assert "operations" not in [audience for audience, _, _ in await visit.told()]
    assert (await visit.status()).escalation_level == 1
    await visit.to(31 * MINUTE)
    assert (await visit.status()).stage is VisitStage.CLINICIAN_NO_SHOW


async def test_a_clinician_who_never_comes_is_escalated_until_somebody_takes_it_on(visit: Appointment) -> None:
    await visit.to(31 * MINUTE)
    view = await visit.status()
    assert (view.stage, view.missed) == (VisitStage.CLINICIAN_NO_SHOW, True)
    assert (await visit.visit_row()).status == "cancelled"
    assert (await refused(visit.join())).code == "visit.over"
    await visit.to(7 * HOUR)
    await visit.acknowledge("absence")
    await visit.to(2 * DAY)
    assert [letter for letter in await visit.told() if letter[2] >= 20] == [
        ("operations", "clinician_late", 20),
        ("provider_success", "clinician_late", 20),
        ("clinician", "visit_missed", 30),
        ("patient", "visit_not_held", 30),
        ("provider_success", "clinician_absent", 30),
        ("support", "clinician_absent", 30),
        ("operations", "clinician_absent", 150),
        ("operations", "clinician_absent", 390),
    ]
    await visit.excuse()
    assert await visit.has_ended()
    view = await visit.recorded()
    assert (view.stage, view.excuse, view.sla_state) == (VisitStage.CLINICIAN_NO_SHOW, "illness", SlaState.ON_TIME)


async def test_an_absence_that_nobody_takes_on_is_told_again_and_then_closed(visit: Appointment) -> None:
    await visit.to(6 * DAY)
    told = [minute for audience, template, minute in await visit.told() if audience == "operations" and minute > 30]
    assert told == [30 + 120 + n * 240 for n in range(6)]
    assert (await visit.status()).closed_at is None
    await visit.to(15 * DAY)
    assert await visit.has_ended()
    assert (await visit.events())[-1] == "visit_closed"


async def test_a_clinician_who_calls_off_may_be_excused_for_a_week(visit: Appointment) -> None:
    await visit.cancel(visit.clinician)
    assert ((await visit.status()).missed, (await visit.visit_row()).status) == (True, "cancelled")
    await visit.to(3 * DAY)
    await visit.excuse()
    assert await visit.has_ended()
    assert (await visit.events())[-2:] == ["visit_cancelled", "absence_excused"]


async def test_a_patient_who_gives_up_on_a_late_clinician_does_not_undo_the_miss(visit: Appointment) -> None:
    await visit.to(7 * MINUTE)
    await visit.cancel(visit.patient)
    view = await visit.status()
    assert (view.stage, view.missed) == (VisitStage.CANCELLED, True)
    await visit.to(8 * DAY)
    assert await visit.has_ended()


async def test_a_patients_cancellation_ends_the_visit_at_once(visit: Appointment) -> None:
    await visit.cancel(visit.patient)
    assert await visit.has_ended()
    assert (await visit.recorded()).missed is False
    assert {template for _, template in await visit.notices()} >= {"visit_cancelled", "visit_cancelled_clinician"}


# -- another time


async def test_nobody_is_late_for_a_time_that_was_moved(visit: Appointment) -> None:
    await visit.to(MINUTE)
    await visit.patient_joins()
    await visit.to(6 * MINUTE)
    await visit.reschedule(2 * DAY)
    view = await visit.status()
    assert (view.stage, view.starts_at, view.missed) == (VisitStage.SCHEDULED, visit.starts_at, False)
    assert (view.patient_joined_at, (await visit.visit_row()).scheduled_start) == (None, visit.starts_at)
    await visit.to(-HOUR / 2)
    assert (await visit.status()).sla_state is SlaState.ON_TIME
    assert [letter[1] for letter in await visit.told() if -2800 < letter[2] < 0] == ["visit_reminder", "visit_reminder"]
    await visit.to(-MINUTE)
    assert (await visit.join()).stage is VisitStage.WAITING_FOR_PATIENT
    await visit.to(4 * MINUTE)
    assert (await visit.patient_joins()).stage is VisitStage.IN_PROGRESS
    assert (await refused(visit.reschedule(DAY))).code == "visit.not_scheduled"


async def test_moved_to_the_very_present_it_begins_now(visit: Appointment) -> None:
    await visit.reschedule(-2 * HOUR - 59 * MINUTE)
    await visit.to(6 * MINUTE)
    assert (await visit.status()).stage is VisitStage.CLINICIAN_LATE
    assert (await refused(visit.reschedule(-HOUR))).code == "visit.in_the_past"


# -- the patient does not come, and nobody does anything


async def test_a_visit_that_nobody_resolves_is_told_upwards_and_given_up_at_last(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.join()
    await visit.to(6 * DAY)
    view = await visit.status()
    assert (view.stage, view.escalation_level) == (VisitStage.WAITING_FOR_PATIENT, 4)
    await visit.acknowledge("waiting", SUPPORT)
    await visit.to(8 * DAY)
    assert await visit.has_ended()
    view = await visit.recorded()
    assert (view.stage, view.end_reason, view.missed) == (VisitStage.CANCELLED, "never_resolved", False)
    assert [letter for letter in await visit.told() if letter[2] > 0] == [
        ("clinician", "visit_wait_over", 5),
        ("clinician", "visit_unresolved", 65),
        ("support", "visit_unresolved_desk", 65),
        ("operations", "visit_unresolved_desk", 5 + 4 * 60),
        ("operations", "visit_unresolved_desk", 5 + 28 * 60),
        ("operations", "visit_unresolved_desk", 5 + 72 * 60),
        ("clinician", "visit_cancelled_clinician", 5 + 7 * 24 * 60),
        ("patient", "visit_cancelled", 5 + 7 * 24 * 60),
    ]
