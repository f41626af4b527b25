"""Money back: refunds that support decides, refunds that happen by themselves, disputes (E-37, decision 19)."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.contracts import BookEntry, Effect, RefundInput, StepDetail
from activities.payments import PaymentActivities
from domain import ledger
from domain.actors import PAYMENT_PROCESSOR, SYSTEM, Actor, Audience
from domain.econsult import acts, rules
from domain.econsult.payment_events import PaymentEvent
from domain.econsult.state import Dispute, Refund
from domain.econsult.states import ENDED, AssignmentStatus, Event, RefundStatus, Stage
from workflows.case import refusals, tell
from workflows.econsult.base import EConsultCase
from workflows.options import EVENTUALLY


class RefundTrack(EConsultCase):
    @workflow.update
    async def request_refund(self, request: acts.RequestRefund) -> acts.Receipt:
        """Ask support for money back."""
        async with self.asked():
            rules.may_request_refund(self.state)
            payment = self.state.accepted_payment
            assert payment is not None
            self._ask_support(request.request_id, payment.payment_id, request.actor)
            return await self.record(
                Event.REFUND_REQUESTED,
                request.actor,
                StepDetail(subject=request.request_id),
                notices=(tell(Audience.SUPPORT, "refund_requested"),),
            )

    @request_refund.validator
    def _request_refund_allowed(self, request: acts.RequestRefund) -> None:
        with refusals():
            rules.may_request_refund(self.state)

    @workflow.update
    async def decide_refund(self, request: acts.DecideRefund) -> acts.Receipt:
        """Support grants a refund, whole or in part, or rejects it."""
        async with self.asked():
            asked = rules.may_decide_refund(self.state, request.request_id, request.amount_cents)
            self.clocks.meet(_decision_clock(request.request_id), request.actor)
            if request.amount_cents is None:
                return await self._reject_refund(asked, request.actor)
            return await self._approve_refund(asked, request.actor, request.amount_cents)

    @decide_refund.validator
    def _decide_refund_allowed(self, request: acts.DecideRefund) -> None:
        with refusals():
            rules.may_decide_refund(self.state, request.request_id, request.amount_cents)

    async def _reject_refund(self, asked: Refund, actor: Actor) -> acts.Receipt:
        self._set_refund(asked, status=RefundStatus.REJECTED, decided_by=actor, decided_at=workflow.now())
        return await self.record(
            Event.REFUND_REJECTED,
            actor,
            StepDetail(subject=asked.request_id),
            notices=(tell(Audience.PATIENT, "refund_rejected"),),
        )

    async def _approve_refund(self, asked: Refund, actor: Actor, amount_cents: int) -> acts.Receipt:
        """A refund before any answer ends the consult; afterwards the consult goes on."""
        approved = self._set_refund(
            asked,
            status=RefundStatus.APPROVED,
            amount_cents=amount_cents,
            decided_by=actor,
            decided_at=workflow.now(),
        )
        notices = [tell(Audience.PATIENT, "refund_approved")]
        effects: list[Effect] = []
        if rules.is_unanswered(self.state) and self.state.payments[asked.payment_id].reason is None:
            self.state.stage = Stage.CANCELLED
            self.clocks.cancel_all("refunded")
            notices.append(tell(Audience.CLINICIAN, "order_refunded"))
            if self.state.assignment:
                effects.append(self.set_assignment(AssignmentStatus.WITHDRAWN, "refunded"))
                notices.append(tell(Audience.SPECIALIST, "case_withdrawn"))
        self.start(self._pay_back(approved))
        return await self.record(
            Event.REFUND_APPROVED,
            actor,
            StepDetail(subject=asked.request_id, amount_cents=amount_cents),
            effects=effects,
            notices=notices,
        )

    def refund_by_itself(self, payment_id: str) -> None:
        """Return a whole payment without a human: no specialist answered, or it should never have been made."""
        amount = self.state.left_of(payment_id)
        if amount <= 0:
            return
        self._nothing_left_to_decide(payment_id)
        automatic = Refund(
            request_id=f"auto-{payment_id}",
            payment_id=payment_id,
            requested_at=workflow.now(),
            requested_by=SYSTEM,
            status=RefundStatus.APPROVED,
            amount_cents=amount,
            decided_by=SYSTEM,
            decided_at=workflow.now(),
        )
        self.state.refunds.append(automatic)
        self.start(self._pay_back(automatic))

    async def _pay_back(self, refund: Refund) -> None:
        payment = self.state.payments[refund.payment_id]
        try:
            done = await workflow.execute_activity_method(
                PaymentActivities.refund,
                RefundInput(
                    key=self.key("refund", refund.request_id),
                    econsult_id=self.order.econsult_id,
                    payment_id=payment.payment_id,
                    amount_cents=refund.amount_cents,
                    reason=payment.reason or "refund.decided",
                ),
                summary=f"refund {refund.amount_cents} cents",
                **EVENTUALLY,
            )
        except ActivityError:
            async with self.turn():
                await self._refund_failed(refund)
            return
        async with self.turn():
            made = self._set_refund(refund, status=RefundStatus.PAID_BACK, refund_id=done.refund_id)
            await self._booked_back(refund.payment_id, refund.amount_cents, refund.request_id)
            if bounced_at := self.state.bounced_early.pop(done.refund_id, None):
                await self._bounced(made, bounced_at)

    async def _booked_back(self, payment_id: str, amount_cents: int, reference: str) -> None:
        payment = self.state.payments[payment_id]
        entry = ledger.refund(
            self.key("refund", reference), amount_cents, payment.currency, self.state.deposit_of(payment_id)
        )
        refunded = payment.refunded_cents + amount_cents
        self.state.payments[payment_id] = payment.model_copy(update={"refunded_cents": refunded})
        whole = payment.reason is None and refunded == payment.amount_cents
        if whole and self.state.replied_at is None and self.state.stage in ENDED:
            self.state.stage = Stage.REFUNDED
        await self.record(
            Event.REFUNDED,
            detail=StepDetail(subject=reference, code=payment.reason, amount_cents=amount_cents),
            effects=(BookEntry(entry=entry),),
            notices=(tell(Audience.PATIENT, "refunded"),),
        )

    async def _refund_failed(self, refund: Refund, effects: tuple[Effect, ...] = ()) -> None:
        """The processor refuses for good: a human has to find another way; deciding again tries again."""
        self._set_refund(refund, status=RefundStatus.FAILED)
        self._ask_support(f"{refund.request_id}-again", refund.payment_id, SYSTEM)
        await self.record(
            Event.REFUND_FAILED,
            detail=StepDetail(subject=refund.request_id, amount_cents=refund.amount_cents),
            effects=effects,
            notices=(tell(Audience.SUPPORT, "refund_failed"), tell(Audience.OPERATIONS, "refund_failed")),
        )
        await self.book_refunds_elsewhere(refund.payment_id)

    async def refund_bounced(self, event: PaymentEvent) -> None:
        """A refund that had succeeded came back, from a closed bank account say: book it back and ask support again."""
        if event.reference is None:
            return
        refund = next((r for r in self.state.refunds if r.refund_id == event.reference), None)
        if refund is None:
            self.state.bounced_early[event.reference] = event.occurred_at
        elif refund.status is RefundStatus.PAID_BACK:
            await self._bounced(refund, event.occurred_at)

    async def _bounced(self, refund: Refund, at: datetime) -> None:
        payment = self.state.payments[refund.payment_id]
        left = payment.refunded_cents - refund.amount_cents
        self.state.payments[payment.payment_id] = payment.model_copy(update={"refunded_cents": left})
        self.state.refunds_reported.pop(payment.payment_id, None)
        self.state.refund_bounced_at[payment.payment_id] = at
        if self.state.stage is Stage.REFUNDED:
            self.state.stage = Stage.CANCELLED
        entry = ledger.refund_returned(
            self.key("refund-returned", refund.request_id),
            refund.amount_cents,
            payment.currency,
            self.state.deposit_of(payment.payment_id),
        )
        await self._refund_failed(refund, (BookEntry(entry=entry),))

    async def refunded_elsewhere(self, event: PaymentEvent) -> None:
        """Refunds are made in the processor's own dashboard too; the total that it reports is what counts."""
        if event.payment_id is not None and event.refunded_total_cents is not None:
            bounced = self.state.refund_bounced_at.get(event.payment_id)
            if bounced is not None and event.occurred_at <= bounced:
                return  # its total still holds what has come back since
            reported = self.state.refunds_reported.get(event.payment_id, 0)
            self.state.refunds_reported[event.payment_id] = max(reported, event.refunded_total_cents)
            await self.book_refunds_elsewhere(event.payment_id)

    async def book_refunds_elsewhere(self, payment_id: str) -> None:
        """Book what was refunded without us. A report may come before its payment, or while our own is under way."""
        payment = self.state.payments.get(payment_id)
        if payment is None:
            return
        reported = self.state.refunds_reported.get(payment_id, 0)
        unknown = reported - payment.refunded_cents - self.state.under_way(payment_id)
        if unknown > 0:
            await self._booked_back(payment_id, unknown, f"elsewhere-{payment_id}-{reported}")

    async def dispute_opened(self, event: PaymentEvent) -> None:
        """The patient's bank took the money back for now; people gather the evidence."""
        inquiry = (event.outcome or "").startswith("warning_")  # the bank only asks; no money moves
        if inquiry or event.reference is None or event.reference in self.state.disputes:
            return
        self.state.disputes[event.reference] = Dispute(
            dispute_id=event.reference,
            payment_id=event.payment_id or "",
            amount_cents=event.amount_cents,
            opened_at=workflow.now(),
        )
        entry = ledger.dispute_opened(self.key("dispute", event.reference), event.amount_cents, event.currency)
        await self.record(
            Event.DISPUTE_OPENED,
            PAYMENT_PROCESSOR,
            StepDetail(subject=event.reference, amount_cents=event.amount_cents),
            effects=(BookEntry(entry=entry),),
            notices=(tell(Audience.SUPPORT, "dispute_opened"), tell(Audience.OPERATIONS, "dispute_opened")),
        )

    async def dispute_closed(self, event: PaymentEvent) -> None:
        """Won: the money is back. Lost: it is gone. A close that comes before its opening opens it first."""
        await self.dispute_opened(event)
        dispute = self.state.disputes.get(event.reference or "")
        if dispute is None or dispute.outcome is not None or event.outcome not in {"won", "lost"}:
            return
        self.state.disputes[dispute.dispute_id] = dispute.model_copy(update={"outcome": event.outcome})
        settle = ledger.dispute_won if event.outcome == "won" else ledger.dispute_lost
        entry = settle(self.key("dispute", dispute.dispute_id, event.outcome), dispute.amount_cents, event.currency)
        await self.record(
            Event.DISPUTE_CLOSED,
            PAYMENT_PROCESSOR,
            StepDetail(subject=dispute.dispute_id, code=event.outcome, amount_cents=dispute.amount_cents),
            effects=(BookEntry(entry=entry),),
            notices=(tell(Audience.SUPPORT, "dispute_closed"),),
        )

    def _ask_support(self, request_id: str, payment_id: str, actor: Actor) -> None:
        self.state.refunds.append(
            Refund(
                request_id=request_id,
                payment_id=payment_id,
                requested_at=workflow.now(),
                requested_by=actor,
                status=RefundStatus.REQUESTED,
            )
        )
        self.clocks.arm(self.policy.refund_decision, _decision_clock(request_id))

    def _nothing_left_to_decide(self, payment_id: str) -> None:
        """The whole payment goes back: who asked for it need not wait for support."""
        for refund in [r for r in self.state.refunds if r.payment_id == payment_id]:
            if refund.status is RefundStatus.REQUESTED:
                self._set_refund(refund, status=RefundStatus.SUPERSEDED)
                self.clocks.cancel(_decision_clock(refund.request_id), "refunded by itself")

    def _set_refund(self, refund: Refund, **changes: object) -> Refund:
        changed = refund.model_copy(update=changes)
        position = next(i for i, known in enumerate(self.state.refunds) if known.request_id == refund.request_id)
        self.state.refunds[position] = changed
        return changed


def _decision_clock(request_id: str) -> str:
    return f"refund_decision:{request_id}"
