"""Payments that come late, twice, in disorder, of a wrong amount, or never."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.ports import CheckoutRequest
from db.tables import new_id
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.econsult.states import Stage
from domain.policy import LatePayment
from tests.workflows.consult import Consult
from tests.workflows.test_econsult_life import DAY, HOUR, MINUTE, code_of


def event(consult: Consult, kind: PaymentEventKind, **changes: object) -> PaymentEvent:
    """What the processor would report of a payment that the sandbox does not know."""
    values: dict[str, object] = {
        "event_id": f"evt_{kind}_{len(changes)}",
        "kind": kind,
        "case_id": consult.econsult_id,
        "session_id": "cs_other",
        "payment_id": "pi_other",
        "amount_cents": 14000,
        "currency": "usd",
        "occurred_at": consult.world.clock.now,
        "reference": None,
        "outcome": None,
    }
    return PaymentEvent.model_validate(values | changes)


async def test_finds_a_payment_whose_webhook_was_lost(consult: Consult) -> None:
    consult.world.stripe.webhooks.dropping = True
    await consult.pay()
    await consult.reaches(Stage.AWAITING_PAYMENT)
    await consult.world.advance(16 * MINUTE)
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_a_webhook_sent_several_times_counts_once(consult: Consult) -> None:
    consult.world.stripe.webhooks.copies = 3
    await consult.pay()
    await consult.happened("fee_booked")
    events = await consult.events()
    assert (events.count("paid"), events.count("fee_booked")) == (1, 1)


async def test_a_payment_in_the_last_moment_beats_the_expiry(consult: Consult) -> None:
    """The patient pays a moment before the link runs out, and the webhook is lost."""
    await consult.world.advance(7 * DAY - 5 * MINUTE)
    session = await consult.open_checkout()
    consult.world.stripe.webhooks.dropping = True
    await consult.pay(session)
    await consult.world.advance(10 * MINUTE)
    events = await consult.events()
    assert "paid" in events
    assert "payment_expired" not in events


async def test_a_payment_made_in_time_and_heard_of_late_still_counts(consult: Consult) -> None:
    made = consult.world.clock.now
    await consult.world.advance(8 * DAY)
    assert (await consult.recorded()).stage is Stage.PAYMENT_EXPIRED
    await consult.world.cases.report_payment(
        consult.econsult_id, event(consult, PaymentEventKind.SUCCEEDED, occurred_at=made)
    )
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_a_payment_after_expiry_goes_back_by_itself(consult: Consult) -> None:
    session = await consult.open_checkout()
    await consult.world.advance(DAY)
    payment = await paid_elsewhere(consult, after=8 * DAY)
    events = await consult.happened("refunded")
    assert "payment_not_accepted" in events
    view = await consult.recorded()
    assert view.stage is Stage.PAYMENT_EXPIRED
    assert [(p.payment_id, p.reason, p.refunded_cents) for p in view.payments] == [
        (payment, "payment.after_expiry", 14000)
    ]
    assert session not in {p.session_id for p in view.payments}


async def paid_elsewhere(consult: Consult, after: timedelta) -> str:
    """A payment through a session that the sandbox knows and the case does not; its id."""
    await consult.world.advance(after)
    return await pay_foreign(consult)


async def pay_foreign(consult: Consult, amount_cents: int = 14000) -> str:
    """Pay a Checkout Session of the case that the workflow did not open; the payment's id."""
    await consult.world.synchronise()
    opened = await consult.world.adapters.gateway.open_checkout(
        CheckoutRequest(
            key=new_id(),
            case_id=consult.econsult_id,
            amount_cents=amount_cents,
            currency="usd",
            description="x",
            success_url="http://x.test/s",
            cancel_url="http://x.test/c",
            expires_at=consult.world.clock.now + 2 * HOUR,
        )
    )
    return await consult.pay(opened.session_id)


async def test_a_payment_after_expiry_reopens_where_policy_says_so(consult: Consult) -> None:
    policy = consult.policy.model_copy(update={"late_payment": LatePayment.REOPEN})
    lenient = Consult(consult.world, consult.people, policy=policy)
    await lenient.place()
    await paid_elsewhere(lenient, after=8 * DAY)
    assert (await lenient.status()).stage is Stage.WITH_SPECIALIST


async def test_a_payment_of_another_amount_goes_back_and_support_hears_of_it(consult: Consult) -> None:
    await pay_foreign(consult, 13999)
    await consult.happened("refunded")
    view = await consult.recorded()
    assert view.stage is Stage.AWAITING_PAYMENT
    assert view.payments[0].reason == "payment.amount_mismatch"
    assert ("support", "payment_mismatch") in await consult.notices()
    await consult.pay()
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_a_second_payment_goes_back(consult: Consult) -> None:
    await consult.open_checkout()
    await pay_foreign(consult)
    await pay_foreign(consult)
    await consult.happened("refunded")
    assert [p.reason for p in (await consult.recorded()).payments] == [None, "payment.duplicate"]
    await consult.happened("fee_booked", times=2)
    balances = await consult.balances()
    assert balances["patient_deposits"] == -14000


async def test_paying_and_cancelling_at_once_leaves_no_money_behind(consult: Consult) -> None:
    """Whichever comes first: the order is with a specialist and paid, or cancelled and the money is back."""
    session = await consult.open_checkout()
    consult.world.stripe.pay(session)
    results = await asyncio.gather(consult.cancel(), consult.world.stripe.webhooks.settled(), return_exceptions=True)
    refused = isinstance(results[0], WorkflowUpdateFailedError)
    if refused:
        await consult.reaches(Stage.WITH_SPECIALIST)
        return
    await consult.happened("refunded")
    await consult.happened("fee_booked")
    assert await consult.balances() == {"processor_balance": -436, "processor_fees": 436}


async def test_a_payment_after_cancellation_goes_back(consult: Consult) -> None:
    await consult.open_checkout()
    await consult.cancel()
    await pay_foreign(consult)
    await consult.happened("refunded")
    view = await consult.recorded()
    assert (view.stage, view.payments[0].reason) == (Stage.CANCELLED, "payment.after_cancellation")


async def test_the_link_waits_for_a_payment_that_is_processing(consult: Consult) -> None:
    session = await consult.open_checkout()
    consult.world.stripe.pay_later(session)
    await consult.world.stripe.webhooks.settled()
    await consult.world.advance(8 * DAY)
    assert (await consult.recorded()).stage is Stage.AWAITING_PAYMENT
    consult.world.stripe.settle_async(session, succeeded=True)
    await consult.world.stripe.webhooks.settled()
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_a_processing_payment_that_fails_lets_the_patient_try_again(consult: Consult) -> None:
    session = await consult.open_checkout()
    consult.world.stripe.pay_later(session)
    await consult.world.advance(2 * DAY)
    consult.world.stripe.settle_async(session, succeeded=False)
    await consult.world.stripe.webhooks.settled()
    await consult.happened("payment_failed")
    await consult.pay()
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_disordered_webhooks_of_a_dispute_balance(consult: Consult) -> None:
    payment = await consult.pay()
    await consult.happened("fee_booked")
    closed = event(
        consult,
        PaymentEventKind.DISPUTE_CLOSED,
        event_id="evt_closed",
        payment_id=payment,
        reference="dp_1",
        outcome="lost",
    )
    opened = closed.model_copy(
        update={"event_id": "evt_opened", "kind": PaymentEventKind.DISPUTE_OPENED, "outcome": "needs_response"}
    )
    for report in (closed, opened, closed):
        await consult.world.cases.report_payment(consult.econsult_id, report)
    await consult.dealt_with()
    assert (await consult.events()).count("dispute_closed") == 1
    assert (await consult.balances())["dispute_losses"] == 14000


async def test_a_dispute_is_taken_from_the_balance_and_comes_back_when_won(consult: Consult) -> None:
    payment = await consult.pay()
    await consult.happened("fee_booked")
    consult.world.stripe.dispute(payment)
    await consult.world.stripe.webhooks.settled()
    await consult.happened("dispute_opened")
    assert (await consult.balances())["disputed_funds"] == 14000
    consult.world.stripe.close_dispute(payment, won=True)
    await consult.world.stripe.webhooks.settled()
    await consult.happened("dispute_closed")
    assert "disputed_funds" not in await consult.balances()


async def test_a_refund_made_at_the_processor_is_booked_once(consult: Consult) -> None:
    payment = await consult.pay()
    await consult.happened("fee_booked")
    report = event(
        consult,
        PaymentEventKind.REFUNDED,
        payment_id=payment,
        amount_cents=1000,
        refunded_total_cents=1000,
        event_id="evt_r1",
    )
    await consult.world.cases.report_payment(consult.econsult_id, report)
    again = report.model_copy(update={"event_id": "evt_r2"})
    await consult.world.cases.report_payment(consult.econsult_id, again)
    await consult.dealt_with()
    assert (await consult.balances())["patient_deposits"] == -13000


async def test_a_refund_survives_an_outage_of_the_processor(consult: Consult) -> None:
    await consult.pay()
    await consult.happened("fee_booked")
    consult.world.stripe.faults.fail_next(3, status=500, after_executing=True)
    for _ in range(3):
        await consult.decline()
    await consult.world.advance(HOUR)
    await consult.happened("refunded")
    assert (await consult.recorded()).payments[0].refunded_cents == 14000
    assert await consult.balances() == {"processor_balance": -436, "processor_fees": 436}


async def test_a_checkout_that_the_processor_cannot_open_is_said_so(consult: Consult) -> None:
    consult.world.stripe.faults.fail_next(20, status=500)
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.open_checkout()
    assert code_of(refusal) == "payment.gateway_unavailable"


async def test_a_link_reissued_after_the_watch_began_leads_to_a_specialist(consult: Consult) -> None:
    """A late payment went back, and the case would only watch for refunds: a new link brings it back to life."""
    await paid_elsewhere(consult, after=8 * DAY)
    await consult.happened("refunded")
    await consult.world.advance(consult.policy.unpaid_watch + DAY)
    await consult.reissue()
    await consult.pay(await consult.open_checkout(link_number=2))
    assert (await consult.assigned()).number == 1


async def test_a_processing_payment_is_found_settled_without_its_webhook(consult: Consult) -> None:
    session = await consult.open_checkout()
    consult.world.stripe.webhooks.dropping = True
    consult.world.stripe.pay_later(session)
    await consult.world.advance(20 * MINUTE)
    assert "payment_processing" in await consult.events()
    consult.world.stripe.settle_async(session, succeeded=True)
    await consult.world.advance(DAY)
    await consult.reaches(Stage.WITH_SPECIALIST)


async def test_a_refund_request_is_settled_when_everything_goes_back_by_itself(consult: Consult) -> None:
    await consult.pay()
    await consult.request_refund()
    for _ in range(3):
        await consult.decline()
    await consult.happened("refunded")
    assert {refund.status for refund in (await consult.recorded()).refunds} == {"superseded", "paid_back"}
    await consult.world.advance(consult.policy.money_watch + DAY)
    assert await consult.world.has_ended(consult.case_id)
