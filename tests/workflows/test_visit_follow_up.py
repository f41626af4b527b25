"""The follow-up visit of an eConsult: each hears what becomes of the other (E-10, decision 15)."""

from __future__ import annotations

import pytest

from domain.econsult.states import FollowUp
from domain.visit.states import VisitStage
from embedded.rehearsal import Rehearsal
from tests.workflows.consult import Consult
from tests.workflows.visit import DAY, HOUR, MINUTE, Appointment, refused


@pytest.fixture
async def consult(consult: Consult) -> Consult:
    """It is answered, and the patient is asked to book."""
    await consult.pay()
    await consult.accept()
    await consult.reply()
    return consult


@pytest.fixture
async def visit(consult: Consult) -> Appointment:
    """Booked three days ahead."""
    visit_id = await consult.book(after=3 * DAY)
    booked = Appointment(consult.world, consult.people, visit_id=visit_id, econsult_id=consult.econsult_id)
    found = (await consult.status()).follow_up_visit
    assert found is not None
    booked.starts_at = found.starts_at
    await booked.start()
    return booked


async def test_held_it_settles_what_the_consult_owed(consult: Consult, visit: Appointment) -> None:
    await visit.held()
    await consult.happened("follow_up_completed")
    assert (await consult.recorded()).follow_up is FollowUp.COMPLETED
    assert (await visit.visit_row()).status == "completed"


async def test_a_patient_who_does_not_come_may_book_again(consult: Consult, visit: Appointment) -> None:
    await visit.flagged()
    await consult.happened("follow_up_not_held")
    assert (await consult.recorded()).follow_up is FollowUp.NOT_BOOKED
    assert ("patient", "follow_up_prompt") in await consult.notices()
    await consult.book(after=DAY)
    assert (await consult.recorded()).follow_up is FollowUp.BOOKED


async def test_a_clinician_who_does_not_come_owes_it_still(consult: Consult, visit: Appointment) -> None:
    await visit.to(HOUR)
    await consult.happened("follow_up_not_held")
    assert (await consult.recorded()).follow_up is FollowUp.NOT_BOOKED


async def test_called_off_it_is_still_owed(consult: Consult, visit: Appointment) -> None:
    await visit.cancel()
    await consult.happened("follow_up_not_held")
    assert (await consult.events()).count("follow_up_not_held") == 1


async def test_moved_the_consult_waits_for_the_new_time(consult: Consult, visit: Appointment) -> None:
    await visit.reschedule(9 * DAY)
    await consult.happened("follow_up_moved")
    found = (await consult.recorded()).follow_up_visit
    assert found is not None
    assert (found.starts_at, found.after_window) == (visit.starts_at, True)
    await visit.held()
    await consult.happened("closed")
    assert (await consult.recorded()).follow_up is FollowUp.COMPLETED


async def test_declined_through_the_consult_it_is_called_off(consult: Consult, visit: Appointment) -> None:
    await consult.decline_visit()
    await visit.happened("visit_cancelled")
    assert await visit.has_ended()
    view = await visit.recorded()
    assert (view.stage, view.end_reason, (await visit.visit_row()).status) == (
        VisitStage.CANCELLED,
        "declined",
        "cancelled",
    )
    assert (await consult.recorded()).follow_up is FollowUp.DECLINED
    assert "follow_up_not_held" not in await consult.events()


async def test_declined_while_the_clinician_is_late_or_waits_it_is_called_off_too(
    consult: Consult, visit: Appointment
) -> None:
    await visit.to(6 * MINUTE)
    assert (await visit.status()).stage is VisitStage.CLINICIAN_LATE
    await consult.decline_visit()
    await visit.happened("visit_cancelled")
    view = await visit.recorded()
    assert (view.stage, view.missed) == (VisitStage.CANCELLED, True)
    assert (await refused(visit.join())).code == "visit.over"


async def test_a_visit_outlives_its_consult(world: Rehearsal, consult: Consult, visit: Appointment) -> None:
    await world.client.get_workflow_handle(consult.case_id).cancel()
    assert await consult.has_ended()
    await visit.held()
    assert (await visit.status()).stage is VisitStage.COMPLETED
