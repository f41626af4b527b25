"""Nothing keeps a case open for ever: what people, specialists and processors fail to do comes to an end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.contracts import RecordStepInput
from crypto import Keyring
from db.case_records import SqlCaseRecords
from db.session import Database
from db.tables import new_id
from domain.econsult.acts import FollowUpNews
from domain.econsult.states import FollowUp, RefundStatus, Stage
from domain.errors import Invalid
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal, rehearse
from tests.workflows.consult import OPERATIONS, Consult, deliver_to, invite_people
from tests.workflows.test_econsult_life import DAY, HOUR, MINUTE, PAID_IN_FULL, code_of, set_panel_active


async def answered(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()


async def test_a_question_that_nobody_answers_is_withdrawn_by_operations_and_the_case_closes(consult: Consult) -> None:
    await answered(consult)
    question = await consult.ask()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.withdraw(question, OPERATIONS)
    assert code_of(refusal) == "follow_up.question_not_late"
    await consult.world.advance(14 * DAY)
    assert (await consult.recorded()).stage is Stage.AWAITING_FOLLOW_UP
    await consult.withdraw(question, OPERATIONS)
    await consult.happened("closed")
    assert ("specialist", "question_withdrawn") in await consult.notices()


async def test_a_withdrawn_question_cannot_be_answered(consult: Consult) -> None:
    await answered(consult)
    question = await consult.ask()
    await consult.withdraw(question)
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.answer(question)
    assert code_of(refusal) == "follow_up.question_not_open"


async def test_a_case_whose_information_never_comes_goes_to_another_specialist(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.request_information()
    await consult.world.advance(71 * HOUR)
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.reassign()
    assert code_of(refusal) == "information.not_late"
    await consult.world.advance(HOUR + MINUTE)
    await consult.reassign()
    assert (await consult.assigned()).number == 2
    assert {("patient", "another_specialist"), ("specialist", "case_withdrawn")} <= set(await consult.notices())


async def test_gives_up_and_refunds_when_no_specialist_is_found_for_five_days(consult: Consult) -> None:
    await set_panel_active(consult, active=False)
    await consult.pay()
    await consult.world.advance(4 * DAY + 20 * HOUR)
    assert (await consult.recorded()).stage is Stage.PAID
    await consult.world.advance(12 * HOUR)
    await consult.happened("refunded")
    assert (await consult.recorded()).stage is Stage.REFUNDED
    assert await consult.balances() == {"processor_balance": -436, "processor_fees": 436}


async def test_asks_only_specialists_licensed_in_the_patients_state(consult: Consult) -> None:
    async with consult.world.database.transaction() as session:
        for specialist in consult.people.specialists:
            (await session.merge(specialist)).licence_states = ["NY"]
    await consult.pay()
    assert "no_specialist_free" in await consult.happened("no_specialist_free")


async def test_a_slow_payment_is_found_settled_days_later_without_its_webhook(consult: Consult) -> None:
    session = await consult.open_checkout()
    consult.world.stripe.webhooks.dropping = True
    consult.world.stripe.pay_later(session)
    await consult.world.advance(9 * DAY)
    assert (await consult.recorded()).stage is Stage.AWAITING_PAYMENT
    consult.world.stripe.settle_async(session, succeeded=True)
    await consult.world.advance(DAY)
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_support_hears_of_a_payment_that_does_not_settle_in_a_fortnight(consult: Consult) -> None:
    consult.world.stripe.pay_later(await consult.open_checkout())
    await consult.world.stripe.webhooks.settled()
    await consult.world.advance(15 * DAY)
    assert ("support", "payment_unsettled") in await consult.notices()


async def test_the_link_gets_back_the_days_that_a_failed_payment_took(consult: Consult) -> None:
    session = await consult.open_checkout()
    before = (await consult.recorded()).link_expires_at
    consult.world.stripe.pay_later(session)
    await consult.world.stripe.webhooks.settled()
    await consult.world.advance(3 * DAY)
    consult.world.stripe.settle_async(session, succeeded=False)
    await consult.happened("payment_failed")
    view = await consult.recorded()
    assert before is not None
    assert view.link_expires_at is not None
    assert abs(view.link_expires_at - before - 3 * DAY) < MINUTE
    await consult.world.advance(6 * DAY)
    await consult.pay()
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_a_session_about_to_expire_is_closed_before_another_one_opens(consult: Consult) -> None:
    first = await consult.open_checkout()
    expires = consult.world.stripe.get("checkout.session", first)["expires_at"]
    await consult.world.advance(consult.policy.checkout_lifetime - MINUTE / 2)
    assert int(consult.world.clock.now.timestamp()) < expires
    second = await consult.open_checkout()
    await consult.dealt_with()
    assert second != first
    assert consult.world.stripe.get("checkout.session", first)["status"] == "expired"


async def test_a_visit_that_was_not_held_is_a_step_and_may_still_be_completed(consult: Consult) -> None:
    await answered(consult)
    visit_id = await consult.book(after=3 * DAY)
    await consult.world.advance(12 * DAY)
    assert "follow_up_not_held" in await consult.events()
    await consult.complete_visit(visit_id)
    assert (await consult.recorded()).follow_up is FollowUp.COMPLETED


async def test_a_visit_that_is_moved_beyond_the_window_is_waited_for_with_a_warning(consult: Consult) -> None:
    await answered(consult)
    visit_id = await consult.book(after=3 * DAY)
    later = (await consult.world.env.get_current_time()) + 12 * DAY
    await consult.report_visit(visit_id, FollowUpNews.MOVED, later)
    view = await consult.recorded()
    assert view.warnings == ("follow_up_visit.after_window",)
    await consult.report_visit(visit_id, FollowUpNews.NOT_HELD)
    assert (await consult.recorded()).follow_up is FollowUp.NOT_BOOKED
    await consult.report_visit(new_id(), FollowUpNews.HELD)
    assert (await consult.recorded()).follow_up is FollowUp.NOT_BOOKED


async def test_a_refund_that_comes_back_is_booked_back_and_decided_again(consult: Consult) -> None:
    await answered(consult)
    await consult.happened("fee_booked")
    await consult.decide_refund(await consult.request_refund(), 4000)
    await consult.happened("refunded")
    [refund] = (await consult.recorded()).refunds
    assert refund.refund_id is not None
    consult.world.stripe.fail_refund(refund.refund_id)
    await consult.world.stripe.webhooks.settled()
    await consult.happened("refund_failed")
    earned = {"network_payable": -12000, "clinician_payable": -2000}
    assert await consult.balances() == PAID_IN_FULL | earned
    failed, again = (await consult.recorded()).refunds
    assert (failed.status, again.status) == (RefundStatus.FAILED, RefundStatus.REQUESTED)
    await consult.decide_refund(again.request_id, 4000)
    await consult.happened("refunded", times=2)
    assert (await consult.balances())["refunds_granted"] == 4000


async def test_a_refund_that_comes_back_before_it_is_known_to_be_made_is_booked_back_too(consult: Consult) -> None:
    await answered(consult)
    await consult.happened("fee_booked")
    consult.world.stripe.faults.bounce_refunds(after=timedelta())
    await consult.decide_refund(await consult.request_refund(), 4000)
    await consult.happened("refund_failed")
    assert "refunds_granted" not in await consult.balances()


async def test_a_fault_in_a_signal_waits_for_its_cure_instead_of_ending_the_case(
    database: Database, keyring: Keyring
) -> None:
    places: list[Rehearsal] = []
    async with rehearse(database, keyring=keyring, deliver=deliver_to(places), records=Faulty(database)) as world:
        places.append(world)
        consult = Consult(world, await invite_people(database))
        await consult.place()
        await consult.pay()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "assigned" not in await consult.events():
                await asyncio.sleep(POLL_SECONDS)
                await world.advance(MINUTE)  # the server tries the failed task again by its clock


class Faulty(SqlCaseRecords):
    """Refuses the step of the payment for good, once, as a fault in our own code would."""

    faults = 1

    async def record(self, step: RecordStepInput) -> None:
        if step.event == "paid" and self.faults:
            self.faults -= 1
            raise Invalid("ledger.amount_invalid", "a fault of ours")
        await super().record(step)
