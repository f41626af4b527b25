"""What a clinician owes after a visit: prescriptions, orders, the note (V-10 to V-16)."""

from __future__ import annotations

from domain.clock import SlaState
from domain.visit.states import Fulfilment, NoteStatus, Obligation, VisitStage
from embedded.rehearsal import Rehearsal
from tests.workflows.consult import invite_people
from tests.workflows.visit import DAY, HOUR, MINUTE, ORDERS, Appointment, refused


async def test_orders_that_are_late_climb_their_ladder_until_somebody_takes_them_on(visit: Appointment) -> None:
    await visit.held()
    await visit.settle(Obligation.LABS, Obligation.IMAGING, needed=False)
    await visit.write_note()
    assert (await visit.status()).owed == (Obligation.PRESCRIPTIONS,)
    await visit.to(19 * HOUR)
    await visit.acknowledge("prescriptions")
    await visit.to(40 * HOUR)
    await visit.settle(Obligation.PRESCRIPTIONS)
    assert await visit.has_ended()
    assert [letter for letter in await visit.told() if letter[2] > 15] == [
        ("clinician", "prescriptions_due", 15 + 180),
        ("clinician", "prescriptions_late", 15 + 240),
        ("provider_success", "prescriptions_late_desk", 15 + 240),
        ("operations", "prescriptions_late_desk", 15 + 360),
        ("operations", "prescriptions_late_desk", 15 + 18 * 60),
    ]
    view = await visit.recorded()
    assert (view.stage, view.settled[Obligation.PRESCRIPTIONS].how) == (
        VisitStage.CLOSED_WITH_BREACH,
        Fulfilment.SUBMITTED,
    )


async def test_what_is_waived_is_no_breach(visit: Appointment) -> None:
    assert (await refused(visit.settle(Obligation.LABS))).missing == ("visit.completed",)
    await visit.held()
    assert (await refused(visit.settle(Obligation.NOTE))).code == "note.platform_note_needed"
    await visit.settle(Obligation.LABS, Obligation.IMAGING)
    assert (await refused(visit.waive(Obligation.LABS))).code == "obligation.settled"
    await visit.to(5 * HOUR)
    await visit.waive(Obligation.PRESCRIPTIONS)
    await visit.waive(Obligation.NOTE)
    assert await visit.has_ended()
    view = await visit.recorded()
    assert view.stage is VisitStage.CLOSED_COMPLIANT
    assert view.settled[Obligation.PRESCRIPTIONS].reference == "entered_elsewhere"
    outcomes = {clock.name: clock.outcome for clock in view.clocks}
    assert (outcomes["prescriptions"], outcomes["labs"]) == ("waived", "met")


async def test_a_draft_satisfies_the_clock_and_is_never_shared(visit: Appointment) -> None:
    await visit.held()
    draft = await visit.write_note(NoteStatus.DRAFT)
    assert Obligation.NOTE not in (await visit.status()).owed
    await visit.settle(*ORDERS)
    assert await visit.has_ended()
    note = await visit.note(draft)
    assert (note.status, note.shared_at, (await visit.recorded()).note) == ("draft", None, NoteStatus.DRAFT)
    assert "note_shared" not in [template for _, template, _ in await visit.told()]


async def test_where_policy_asks_for_a_complete_note_a_draft_does_not_satisfy_the_clock(world: Rehearsal) -> None:
    visit = Appointment(world, await invite_people(world.database))
    strict = dict.fromkeys(visit.policy.note_requires, NoteStatus.COMPLETE)
    visit.policy = visit.policy.model_copy(update={"note_requires": strict})
    await visit.place()
    await visit.held()
    await visit.settle(*ORDERS)
    note = await visit.write_note(NoteStatus.DRAFT)
    await visit.to(25 * HOUR)
    assert (await visit.status()).sla_state is SlaState.BREACHED
    await visit.save_note(note, NoteStatus.COMPLETE)
    assert await visit.has_ended()
    assert (await visit.recorded()).stage is VisitStage.CLOSED_WITH_BREACH


async def test_a_complete_note_is_shared_once_however_often_it_is_saved(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    assert (await refused(visit.write_note())).code == "visit.not_begun"
    await visit.both_join()
    note = await visit.write_note(NoteStatus.DRAFT)
    await visit.to(10 * MINUTE)
    await visit.save_note(note, NoteStatus.COMPLETE)
    shared_at = (await visit.note(note)).shared_at
    assert shared_at is not None
    await visit.to(12 * MINUTE)
    await visit.save_note(note, NoteStatus.COMPLETE)
    await visit.save_note(note, NoteStatus.DRAFT)
    await visit.complete()
    view = await visit.status()
    assert (view.owed, view.note) == (ORDERS, NoteStatus.COMPLETE)
    found = await visit.note(note)
    assert (found.status, found.shared_at) == ("complete", shared_at)
    assert [template for _, template, _ in await visit.told()].count("note_shared") == 1


async def test_what_is_never_done_closes_the_visit_with_a_breach_after_a_week(visit: Appointment) -> None:
    await visit.held()
    await visit.settle(*ORDERS)
    await visit.to(6 * DAY)
    assert (await visit.status()).stage is VisitStage.COMPLETED
    await visit.to(8 * DAY)
    assert await visit.has_ended()
    view = await visit.recorded()
    assert (view.stage, view.settled[Obligation.NOTE].how) == (VisitStage.CLOSED_WITH_BREACH, Fulfilment.BREACHED)
    operations = [minute for audience, template, minute in await visit.told() if template == "note_late_desk"]
    assert len(operations) == 1 + 6


async def test_a_visit_that_nobody_completes_completes_itself(visit: Appointment) -> None:
    await visit.to(-MINUTE)
    await visit.both_join()
    assert (await refused(visit.complete())).earliest == visit.starts_at
    await visit.to(11 * HOUR)
    assert ("clinician", "visit_complete_it", 45) in await visit.told()
    assert (await visit.status()).stage is VisitStage.IN_PROGRESS
    await visit.to(13 * HOUR)
    view = await visit.status()
    assert (view.stage, view.owed) == (VisitStage.COMPLETED, tuple(Obligation))
    step = (await visit.steps())[-1]
    assert (step.event, step.actor_role, step.detail) == (
        "visit_completed",
        "system",
        {"code": "completed_by_itself"},
    )
