"""Whole lives of an eConsult, by the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.econsult.states import FollowUp, Stage
from tests.workflows.consult import Consult

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PAID_IN_FULL = {"processor_balance": 14000 - 436, "processor_fees": 436}


def code_of(refusal: pytest.ExceptionInfo[WorkflowUpdateFailedError]) -> str | None:
    cause = refusal.value.cause
    assert isinstance(cause, ApplicationError)
    return cause.type


async def test_closes_after_ten_days_with_everything_settled(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    question = await consult.ask()
    await consult.answer(question)
    visit = await consult.book(after=3 * DAY)
    await consult.world.advance(4 * DAY)
    await consult.complete_visit(visit)
    await consult.judge_outcome()
    await consult.world.advance(6 * DAY + HOUR)

    view = await consult.recorded()
    assert (view.stage, view.follow_up) == (Stage.CLOSED, FollowUp.COMPLETED)
    assert view.outcome is not None
    assert view.outcome.improved_care_plan
    assert await consult.balances() == PAID_IN_FULL | {"network_payable": -12000, "clinician_payable": -2000}
    assert [document.version for document in await consult.documents()] == [1, 2]
    assert [(row.number, row.status) for row in await consult.assignments()] == [(1, "replied")]
    await consult.world.advance(consult.policy.money_watch)
    assert await consult.world.has_ended(consult.case_id)


async def test_reminds_and_expires_an_order_that_nobody_pays(consult: Consult) -> None:
    await consult.world.advance(DAY + MINUTE)
    assert (await consult.notices())[-1:] == [("patient", "payment_reminder")]
    await consult.world.advance(2 * DAY)
    assert set((await consult.notices())[-2:]) == {
        ("patient", "payment_reminder"),
        ("clinician", "payment_outstanding"),
    }
    await consult.world.advance(4 * DAY)

    assert (await consult.recorded()).stage is Stage.PAYMENT_EXPIRED
    assert set((await consult.notices())[-2:]) == {("patient", "payment_expired"), ("clinician", "order_expired")}
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.open_checkout()
    assert code_of(refusal) == "payment.link_expired"
    await consult.world.advance(consult.policy.unpaid_watch + HOUR)
    assert await consult.world.has_ended(consult.case_id)
    assert await consult.balances() == {}


async def test_a_reissued_link_is_good_for_another_seven_days(consult: Consult) -> None:
    await consult.world.advance(8 * DAY)
    await consult.reissue()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.open_checkout(link_number=1)
    assert code_of(refusal) == "payment.link_replaced"
    await consult.world.advance(6 * DAY)
    await consult.pay(await consult.open_checkout(link_number=2))
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_reissuing_closes_the_session_of_the_old_link(consult: Consult) -> None:
    session = await consult.open_checkout()
    await consult.reissue()
    for _ in range(100):
        await consult.world.synchronise()
        if consult.world.stripe.get("checkout.session", session)["status"] == "expired":
            return
    pytest.fail("the old session can still be paid")


async def test_opens_a_fresh_checkout_when_the_last_has_run_out(consult: Consult) -> None:
    first = await consult.open_checkout()
    assert await consult.open_checkout() == first
    await consult.world.advance(DAY + HOUR)
    second = await consult.open_checkout()
    assert second != first
    await consult.pay(second)
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_escalates_a_late_answer_and_offers_reassignment(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.world.advance(DAY + MINUTE)
    assert (await consult.recorded()).sla_state == "at_risk"
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.reassign()
    assert code_of(refusal) == "assignment.not_late"
    await consult.world.advance(DAY)
    view = await consult.recorded()
    assert (view.sla_state, view.escalation_level) == ("breached", 1)
    assert {("network_desk", "reply_late"), ("provider_success", "reply_late")} <= set(await consult.notices())
    await consult.world.advance(DAY)
    assert ("operations", "reassignment_offered") in await consult.notices()

    await consult.reassign()
    assert (await consult.assigned()).number == 2
    await consult.accept()
    await consult.reply()
    turnaround = next(clock for clock in (await consult.recorded()).clocks if clock.name == "turnaround")
    assert (turnaround.outcome, turnaround.state) == ("met", "breached")


async def test_an_acknowledged_escalation_climbs_no_further(consult: Consult) -> None:
    await consult.pay()
    await consult.world.advance(2 * DAY + HOUR)
    await consult.acknowledge("turnaround")
    await consult.world.advance(2 * DAY)
    assert ("operations", "reassignment_offered") not in await consult.notices()


async def test_the_turnaround_stands_still_while_the_clinician_is_asked(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.world.advance(10 * HOUR)
    await consult.request_information()
    await consult.world.advance(3 * DAY)
    assert (await consult.recorded()).stage is Stage.INFO_REQUESTED
    assert ("provider_success", "information_late") in await consult.notices()
    await consult.provide_information()
    await consult.world.advance(30 * HOUR)
    assert not (await consult.recorded()).escalation_level
    await consult.world.advance(9 * HOUR)
    assert (await consult.recorded()).escalation_level == 1

    explained = await consult.world.cases.explain_econsult(consult.econsult_id)
    turnaround = next(e for e in explained if e.clock.name == "turnaround")
    assert [stretch.kind for stretch in turnaround.stretches] == ["running", "paused", "running", "overdue"]


async def test_a_declined_case_goes_to_another_specialist(consult: Consult) -> None:
    await consult.pay()
    first = await consult.assigned()
    await consult.decline()
    second = await consult.assigned()
    assert second.specialist_id != first.specialist_id
    await consult.accept()
    await consult.reply(in_person=True)
    assert [row.status for row in await consult.assignments()] == ["declined", "replied"]


async def test_refunds_by_itself_when_nobody_takes_the_case(consult: Consult) -> None:
    await consult.pay()
    for _ in range(3):
        await consult.decline()
    await consult.happened("refunded")
    view = await consult.recorded()
    assert view.stage is Stage.REFUNDED
    assert await consult.balances() == {"processor_balance": -436, "processor_fees": 436}
    assert ("patient", "specialist_unavailable") in await consult.notices()


async def test_waits_for_a_free_specialist_and_tells_the_desk_once(consult: Consult) -> None:
    await set_panel_active(consult, active=False)
    await consult.pay()
    await consult.world.advance(5 * HOUR)
    assert (await consult.events()).count("no_specialist_free") == 1
    assert (await consult.recorded()).stage is Stage.PAID
    await set_panel_active(consult, active=True)
    await consult.world.advance(3 * HOUR)
    assert (await consult.recorded()).stage is Stage.WITH_SPECIALIST


async def test_cancelling_a_paid_order_that_nobody_has_returns_the_money(consult: Consult) -> None:
    await set_panel_active(consult, active=False)
    await consult.pay()
    await consult.cancel()
    await consult.happened("refunded")
    assert (await consult.recorded()).stage is Stage.REFUNDED


async def test_cannot_be_cancelled_once_a_specialist_has_it(consult: Consult) -> None:
    await consult.pay()
    await consult.assigned()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.cancel()
    assert code_of(refusal) == "econsult.not_cancellable"


async def test_support_refunds_before_an_answer_and_ends_the_consult(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    assignment = await consult.assigned()
    request = await consult.request_refund()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.decide_refund(request, 5000)
    assert code_of(refusal) == "refund.must_be_whole"
    await consult.decide_refund(request, 14000)
    await consult.happened("refunded")
    assert (await consult.recorded()).stage is Stage.REFUNDED
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.reply(to=assignment)
    assert code_of(refusal) == "assignment.not_current"
    assert [row.status for row in await consult.assignments()] == ["withdrawn"]


async def test_support_refunds_a_part_after_the_answer_and_the_earned_parts_stay(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    await consult.decide_refund(await consult.request_refund(), 4000)
    await consult.happened("refunded")
    await consult.decide_refund(await consult.request_refund(), None)
    assert (await consult.recorded()).stage is Stage.FOLLOW_UP_WINDOW
    assert await consult.balances() == {
        "processor_balance": 14000 - 436 - 4000,
        "processor_fees": 436,
        "refunds_granted": 4000,
        "network_payable": -12000,
        "clinician_payable": -2000,
    }


async def test_an_undecided_refund_is_escalated(consult: Consult) -> None:
    await consult.pay()
    await consult.request_refund()
    await consult.world.advance(3 * DAY + HOUR)
    assert ("operations", "refund_decision_late") in await consult.notices()


async def test_a_question_asked_in_time_may_be_answered_after_the_window(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    await consult.world.advance(10 * DAY - MINUTE)
    question = await consult.ask()
    await consult.world.advance(HOUR)
    assert (await consult.recorded()).stage is Stage.AWAITING_FOLLOW_UP
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.ask()
    assert code_of(refusal) == "follow_up.window_closed"
    await consult.answer(question)
    assert "closed" in await consult.happened("closed")
    assert (await consult.recorded()).follow_up is FollowUp.NOT_BOOKED


async def test_a_visit_after_the_window_is_booked_with_a_warning(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    visit = await consult.book(after=12 * DAY)
    assert (await consult.recorded()).warnings == ("follow_up_visit.after_window",)
    assert ("clinician", "follow_up_booked_late") in await consult.notices()
    await consult.world.advance(13 * DAY)
    assert (await consult.recorded()).stage is Stage.AWAITING_FOLLOW_UP
    await consult.complete_visit(visit)
    await consult.happened("closed")


async def test_a_visit_that_nobody_completes_does_not_keep_the_case_open(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    await consult.book(after=5 * DAY)
    await consult.world.advance(13 * DAY)
    view = await consult.recorded()
    assert (view.stage, view.follow_up) == (Stage.CLOSED, FollowUp.NOT_BOOKED)


async def test_a_closed_case_still_takes_its_follow_up_visit(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    await consult.world.advance(11 * DAY)
    assert (await consult.recorded()).stage is Stage.CLOSED
    visit = await consult.book()
    await consult.world.advance(4 * DAY)
    await consult.complete_visit(visit)
    view = await consult.recorded()
    assert (view.stage, view.follow_up) == (Stage.CLOSED, FollowUp.COMPLETED)


async def test_declining_a_booked_visit_settles_what_was_owed(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    await consult.book()
    await consult.decline_visit()
    assert (await consult.recorded()).follow_up is FollowUp.DECLINED


async def test_the_patient_is_prompted_to_book_until_the_window_ends(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    await consult.world.advance(11 * DAY)
    assert (await consult.notices()).count(("patient", "follow_up_prompt")) == 3


async def set_panel_active(consult: Consult, *, active: bool) -> None:
    async with consult.world.database.transaction() as session:
        for specialist in consult.people.specialists:
            (await session.merge(specialist)).active = active
