"""The payment link and the one Checkout Session behind it (E-25, decision 18)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.contracts import CheckoutInput, OpenCheckoutInput, StepDetail
from activities.payments import PaymentActivities
from activities.ports import Checkout, CheckoutStatus
from domain.actors import Audience
from domain.clock import Fired
from domain.econsult import acts, rules
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.econsult.state import OpenCheckout
from domain.econsult.states import Event, Stage
from workflows.case import milestone_detail, refusals, tell
from workflows.econsult.base import EConsultCase
from workflows.options import A_FEW_TRIES, EVENTUALLY, WHILE_SOMEBODY_WAITS, ActivityOptions

PAYMENT = "payment"
SETTLEMENT = "settlement"


class CheckoutTrack(EConsultCase, ABC):
    @abstractmethod
    async def take(self, event: PaymentEvent) -> None:
        """Deal with what the processor reports, within a turn."""

    def send_payment_link(self) -> None:
        """Start the time that the link works; its letter goes out with the step that is recorded next."""
        self.clocks.arm(self.policy.payment)
        self.state.link_expires_at = workflow.now() + self.policy.payment.deadline

    async def payment_arrives(self) -> bool:
        """Wait for the payment; False once the order is cancelled, or expired for so long that none is expected."""
        state = self.state
        while True:
            await workflow.wait_condition(lambda: state.stage is not Stage.AWAITING_PAYMENT)
            if state.stage is not Stage.PAYMENT_EXPIRED:
                return rules.is_unanswered(state)
            try:
                await workflow.wait_condition(
                    lambda: state.stage is not Stage.PAYMENT_EXPIRED,
                    timeout=self.policy.unpaid_watch,
                    timeout_summary="watching for a late payment",
                )
            except TimeoutError:
                return False

    @workflow.update
    async def open_checkout(self, request: acts.OpenCheckout) -> acts.CheckoutOpened:
        """Open the payment page: one Checkout Session at a time, a fresh one when the last has run out."""
        async with self.asked():
            rules.may_open_checkout(self.state, request.link_number)
            soon = workflow.now() + timedelta(minutes=1)
            if self.state.checkout is None or self.state.checkout.expires_at <= soon:
                self.release_checkout()
                self.state.checkout = await self._open_fresh_checkout()
                self.start(self._check_on(self.state.checkout))
                await self.record(
                    Event.CHECKOUT_OPENED, request.actor, StepDetail(subject=self.state.checkout.session_id)
                )
            return acts.CheckoutOpened(url=self.state.checkout.url)

    @open_checkout.validator
    def _open_checkout_allowed(self, request: acts.OpenCheckout) -> None:
        with refusals():
            rules.may_open_checkout(self.state, request.link_number)

    @workflow.update
    async def reissue_payment_link(self, request: acts.Act) -> acts.Receipt:
        """Send a new link with its own seven days; the old one stops working."""
        async with self.asked():
            rules.may_reissue_link(self.state)
            self.release_checkout()
            self.stop_waiting_for_settlement("a new link was sent")
            self.state.stage = Stage.AWAITING_PAYMENT
            self.state.link_number += 1
            self.send_payment_link()
            detail = StepDetail(subject=f"link:{self.state.link_number}")
            told = (tell(Audience.PATIENT, "payment_link"),)
            return await self.record(Event.PAYMENT_LINK_REISSUED, request.actor, detail, notices=told)

    @reissue_payment_link.validator
    def _reissue_allowed(self, request: acts.Act) -> None:
        with refusals():
            rules.may_reissue_link(self.state)

    async def on_link_run_out(self, fired: Fired) -> None:
        """Expire the order, but ask first whether the patient paid a moment ago."""
        if self.state.checkout:
            checkout, self.state.checkout = self.state.checkout, None
            try:
                await self._take_checkout(await self._close(checkout.session_id, A_FEW_TRIES), "expiry")
            except ActivityError:
                self.start(self._close_eventually(checkout.session_id))
        if self.state.stage is Stage.AWAITING_PAYMENT and self.state.processing is None:
            await self.expire(milestone_detail(PAYMENT, fired))

    def stop_waiting_for_settlement(self, why: str) -> None:
        self.state.processing = None
        self.clocks.cancel(SETTLEMENT, why)

    async def expire(self, detail: StepDetail) -> None:
        self.state.stage = Stage.PAYMENT_EXPIRED
        told = (tell(Audience.PATIENT, "payment_expired"), tell(Audience.CLINICIAN, "order_expired"))
        await self.record(Event.PAYMENT_EXPIRED, detail=detail, notices=told)

    def release_checkout(self, paid_session: str | None = None) -> None:
        """See, in the background, that the open session can no longer be paid. If it was, that is dealt with."""
        checkout, self.state.checkout = self.state.checkout, None
        if checkout and checkout.session_id != paid_session:
            self.start(self._close_eventually(checkout.session_id))

    async def _open_fresh_checkout(self) -> OpenCheckout:
        # Counted before it is asked for: after a failure the next try has a key of its own.
        self.state.checkouts_opened = number = self.state.checkouts_opened + 1
        opened = await workflow.execute_activity_method(
            PaymentActivities.open_checkout,
            OpenCheckoutInput(
                key=self.key("checkout", number),
                econsult_id=self.order.econsult_id,
                amount_cents=self.order.price.total_cents,
                currency=self.order.price.currency,
                link_number=self.state.link_number,
                expires_at=self._checkout_expiry(),
            ),
            summary=f"open checkout {number}",
            **WHILE_SOMEBODY_WAITS,
        )
        return OpenCheckout(
            session_id=opened.session_id,
            url=opened.url or "",
            expires_at=opened.expires_at,
            number=number,
            opened_at=workflow.now(),
        )

    def _checkout_expiry(self) -> datetime:
        now = workflow.now()
        earliest = now + rules.MIN_CHECKOUT_LIFETIME + timedelta(minutes=2)
        latest = min(now + self.policy.checkout_lifetime, self.state.link_expires_at or now)
        return max(earliest, latest)

    async def _check_on(self, checkout: OpenCheckout) -> None:
        """Ask the processor about a session now and then, because webhooks get lost.

        One whose payment is on its way is asked about until that has arrived or failed.
        """
        offsets = iter(self.policy.checkout_checks)
        while True:
            wait = self._next_check(checkout, next(offsets, None))
            if wait is None:
                return
            try:
                await workflow.wait_condition(
                    lambda: not self._matters(checkout), timeout=wait, timeout_summary="check the open checkout"
                )
            except TimeoutError:
                await self._check_once(checkout.session_id)
            else:
                return

    def _matters(self, checkout: OpenCheckout) -> bool:
        return self.state.checkout == checkout or self.state.processing == checkout.session_id

    def _next_check(self, checkout: OpenCheckout, offset: timedelta | None) -> timedelta | None:
        if offset is not None:
            return max(checkout.opened_at + offset - workflow.now(), timedelta())
        return self.policy.settlement_check_interval if self.state.processing == checkout.session_id else None

    async def _check_once(self, session_id: str) -> None:
        try:
            found = await workflow.execute_activity_method(
                PaymentActivities.read_checkout,
                CheckoutInput(session_id=session_id),
                summary="ask for the open checkout",
                **A_FEW_TRIES,
            )
        except ActivityError:
            return
        async with self.turn():
            await self._take_checkout(found, "check")

    async def _close_eventually(self, session_id: str) -> None:
        try:
            found = await self._close(session_id, EVENTUALLY)
        except ActivityError:
            return  # refused for good: the session is not ours any more, and its webhook still finds us
        async with self.turn():
            await self._take_checkout(found, "close")

    async def _close(self, session_id: str, options: ActivityOptions) -> Checkout:
        return await workflow.execute_activity_method(
            PaymentActivities.close_checkout,
            CheckoutInput(session_id=session_id),
            summary="close the checkout",
            **options,
        )

    async def _take_checkout(self, found: Checkout, source: str) -> None:
        """What the processor says of a session when asked counts like its webhook."""
        kinds = {
            CheckoutStatus.PAID: PaymentEventKind.SUCCEEDED,
            CheckoutStatus.PROCESSING: PaymentEventKind.PROCESSING,
            CheckoutStatus.EXPIRED: PaymentEventKind.CHECKOUT_EXPIRED,
        }
        if kind := kinds.get(found.status):
            await self.take(
                PaymentEvent(
                    event_id=f"{source}:{found.session_id}:{found.status}",
                    kind=kind,
                    case_id=self.order.econsult_id,
                    session_id=found.session_id,
                    payment_id=found.payment_id,
                    amount_cents=found.amount_cents,
                    currency=found.currency,
                    occurred_at=workflow.now(),
                    reference=None,
                    outcome=None,
                )
            )
