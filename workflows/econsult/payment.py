"""The payment itself: accepted once and of the pinned amount; anything else goes back (E-26)."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.contracts import BookEntry, ReadFeeInput, StepDetail
from activities.payments import PaymentActivities
from domain import ledger
from domain.actors import PAYMENT_PROCESSOR, Audience
from domain.econsult import acts, payments, rules
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.econsult.payments import Verdict
from domain.econsult.state import Payment
from domain.econsult.states import AssignmentStatus, Event, Stage
from workflows.case import refusals, tell
from workflows.econsult.checkout import PAYMENT, CheckoutTrack
from workflows.econsult.refund import RefundTrack
from workflows.options import within


class PaymentTrack(CheckoutTrack, RefundTrack):
    @workflow.signal
    async def payment_reported(self, event: PaymentEvent) -> None:
        """Something happened at the payment processor; the webhook is stored already."""
        async with self.turn():
            await self.take(event)

    @workflow.update
    async def cancel(self, request: acts.CancelOrder) -> acts.Receipt:
        """Cancel an order that no specialist has yet; what was paid goes back by itself."""
        async with self.asked():
            rules.may_cancel(self.state)
            return await self.cancel_order(request)

    @cancel.validator
    def _cancel_allowed(self, request: acts.CancelOrder) -> None:
        with refusals():
            rules.may_cancel(self.state)

    async def cancel_order(self, request: acts.CancelOrder) -> acts.Receipt:
        self.state.stage = Stage.CANCELLED
        self.clocks.cancel_all("order cancelled")
        self.release_checkout()
        if payment := self.state.accepted_payment:
            self.refund_by_itself(payment.payment_id)
        told = (tell(Audience.PATIENT, "order_cancelled"), tell(Audience.CLINICIAN, "order_cancelled_clinician"))
        effects = (self.set_assignment(AssignmentStatus.WITHDRAWN, request.reason),) if self.state.assignment else ()
        return await self.record(
            Event.CANCELLED, request.actor, StepDetail(code=request.reason), effects=effects, notices=told
        )

    async def take(self, event: PaymentEvent) -> None:
        """Each report counts once, in whatever order reports come."""
        if event.event_id in self.state.seen_events:
            return
        self.state.seen_events.append(event.event_id)
        deal_with = {
            PaymentEventKind.SUCCEEDED: self._succeeded,
            PaymentEventKind.PROCESSING: self._processing,
            PaymentEventKind.FAILED: self._failed,
            PaymentEventKind.CHECKOUT_EXPIRED: self._checkout_expired,
            PaymentEventKind.REFUNDED: self.refunded_elsewhere,
            PaymentEventKind.REFUND_FAILED: self.refund_bounced,
            PaymentEventKind.DISPUTE_OPENED: self.dispute_opened,
            PaymentEventKind.DISPUTE_CLOSED: self.dispute_closed,
        }
        await deal_with[event.kind](event)

    async def _succeeded(self, event: PaymentEvent) -> None:
        judgement = payments.judge(self.state, event, self.order.price, self.policy.late_payment)
        if judgement.verdict is Verdict.KNOWN or event.payment_id is None:
            return
        payment = Payment(
            payment_id=event.payment_id,
            session_id=event.session_id,
            amount_cents=event.amount_cents,
            currency=event.currency,
            at=event.occurred_at,
            reason=judgement.code,
        )
        self.state.payments[payment.payment_id] = payment
        booked = BookEntry(
            entry=ledger.payment(self.key("payment", payment.payment_id), payment.amount_cents, payment.currency)
        )
        if judgement.verdict is Verdict.REFUND:
            self._forget_checkout(event.session_id)
            await self._refuse_payment(payment, booked)
        else:
            await self._accept_payment(payment, booked)
        self.start(self._book_fee(payment))
        await self.book_refunds_elsewhere(payment.payment_id)

    async def _accept_payment(self, payment: Payment, booked: BookEntry) -> None:
        self.state.stage = Stage.PAID
        self.stop_waiting_for_settlement("paid")
        self.clocks.meet(PAYMENT, PAYMENT_PROCESSOR)
        self.clocks.arm(self.policy.turnaround)
        self.release_checkout(paid_session=payment.session_id)
        await self.record(
            Event.PAID,
            PAYMENT_PROCESSOR,
            StepDetail(subject=payment.payment_id, amount_cents=payment.amount_cents),
            effects=(booked,),
            notices=(tell(Audience.PATIENT, "payment_received"), tell(Audience.CLINICIAN, "order_paid")),
        )

    async def _refuse_payment(self, payment: Payment, booked: BookEntry) -> None:
        """It was paid, so it is booked; it is not what was asked for, so it goes back whole."""
        self.refund_by_itself(payment.payment_id)
        notices = [tell(Audience.PATIENT, "payment_returned")]
        if payment.reason in {"payment.amount_mismatch", "payment.currency_mismatch"}:
            notices.append(tell(Audience.SUPPORT, "payment_mismatch"))
        await self.record(
            Event.PAYMENT_NOT_ACCEPTED,
            PAYMENT_PROCESSOR,
            StepDetail(subject=payment.payment_id, code=payment.reason, amount_cents=payment.amount_cents),
            effects=(booked,),
            notices=notices,
        )

    async def _processing(self, event: PaymentEvent) -> None:
        """The patient has paid by a method that settles later: the link's time stands still meanwhile."""
        if self.state.stage is not Stage.AWAITING_PAYMENT or self.state.processing:
            return
        self.state.processing = event.session_id
        self.clocks.pause(PAYMENT, "payment is processing")
        self.clocks.arm(self.policy.settlement)
        await self.record(Event.PAYMENT_PROCESSING, PAYMENT_PROCESSOR, StepDetail(subject=event.session_id))

    async def _failed(self, event: PaymentEvent) -> None:
        """An asynchronous payment came to nothing: the patient may try again for as long as the link works."""
        other = self.state.processing is not None and self.state.processing != event.session_id
        if self.state.stage is not Stage.AWAITING_PAYMENT or other:
            return
        self.stop_waiting_for_settlement("the payment failed")
        self.clocks.resume(PAYMENT)
        self.state.link_expires_at = self.clocks.deadline(PAYMENT) or self.state.link_expires_at
        self._forget_checkout(event.session_id)
        await self.record(
            Event.PAYMENT_FAILED,
            PAYMENT_PROCESSOR,
            StepDetail(subject=event.session_id),
            notices=(tell(Audience.PATIENT, "payment_failed"),),
        )
        if self.clocks.has_run_out(PAYMENT):
            await self.expire(StepDetail(subject=event.session_id, code="payment.failed"))

    async def _checkout_expired(self, event: PaymentEvent) -> None:
        """A session that was completed expires only when its payment has failed."""
        if self.state.processing is not None and self.state.processing == event.session_id:
            await self._failed(event)
        self._forget_checkout(event.session_id)

    def _forget_checkout(self, session_id: str | None) -> None:
        if self.state.checkout and self.state.checkout.session_id == session_id:
            self.state.checkout = None

    async def _book_fee(self, payment: Payment) -> None:
        try:
            fee = await workflow.execute_activity_method(
                PaymentActivities.read_fee,
                ReadFeeInput(payment_id=payment.payment_id),
                summary="read the processor's fee",
                **within(self.policy.money_watch),
            )
        except ActivityError:
            return  # the processor will never say; the balance report shows the difference
        async with self.turn():
            known = self.state.payments[payment.payment_id]
            self.state.payments[payment.payment_id] = known.model_copy(update={"fee_cents": fee.fee_cents})
            key = self.key("fee", payment.payment_id)
            entries = (ledger.processor_fee(key, fee.fee_cents, fee.currency),) if fee.fee_cents > 0 else ()
            await self.record(
                Event.FEE_BOOKED,
                PAYMENT_PROCESSOR,
                StepDetail(subject=payment.payment_id, amount_cents=fee.fee_cents),
                effects=tuple(BookEntry(entry=entry) for entry in entries),
            )
