"""Whatever patients, support, banks and the processor do, in whatever order it is reported, the books hold."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.econsult import rules
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.econsult.state import Payment, Refund
from domain.econsult.states import RefundStatus, Stage
from domain.ledger import Account, Price
from domain.policy import LatePayment
from tests.domain.builders import PERSON, after
from tests.domain.consult_money import Books, Paid, Processor

CURRENCIES = ("usd", "eur")
some = st.integers(0, 10_000)
"""A choice among what there is to choose from; the remainder counts."""


class MoneyOfAConsult(RuleBasedStateMachine):
    @initialize(
        portion=st.integers(0, 5_000),
        late=st.sampled_from(LatePayment),
        begun=st.sampled_from(["", "paid", "assigned"]),
    )
    def order(self, portion: int, late: LatePayment, begun: str) -> None:
        self.price = Price(network_fee_cents=12_000, clinician_portion_cents=portion)
        self.books = Books(self.price, late)
        self.processor = Processor()
        if begun != "ordered":
            self.processor.pay(self.price.total_cents, "usd", after(1))
            self.books.take(self.processor.reports[0])
        if begun == "assigned":
            self.books.assign()

    @rule(off=st.sampled_from([0, 0, 0, 1, -1]), currency=st.sampled_from(["usd", "usd", "eur"]), late=st.booleans())
    def the_patient_pays(self, off: int, currency: str, late: bool) -> None:
        self.processor.pay(self.price.total_cents + off, currency, after(200 if late else 1))

    @precondition(lambda self: self.undelivered())
    @rule(pick=some)
    def a_report_arrives(self, pick: int) -> None:
        undelivered = self.undelivered()
        self.books.take(undelivered[pick % len(undelivered)])

    @precondition(lambda self: self.books.state.seen_events)
    @rule(pick=some)
    def a_report_arrives_again(self, pick: int) -> None:
        before = len(self.books.entries)
        seen = [each for each in self.processor.reports if each.event_id in self.books.state.seen_events]
        self.books.take(seen[pick % len(seen)])
        assert len(self.books.entries) == before

    @precondition(lambda self: self.without_fee())
    @rule(pick=some, cents=st.integers(0, 500))
    def the_processor_names_its_fee(self, pick: int, cents: int) -> None:
        waiting = self.without_fee()
        self.books.book_fee(waiting[pick % len(waiting)], cents)

    @precondition(lambda self: self.books.state.stage is Stage.AWAITING_PAYMENT)
    @rule()
    def the_link_expires(self) -> None:
        self.books.state.stage = Stage.PAYMENT_EXPIRED

    @precondition(lambda self: self.books.state.stage is Stage.PAID)
    @rule()
    def a_specialist_takes_the_case(self) -> None:
        self.books.assign()

    @precondition(lambda self: self.books.state.stage is Stage.WITH_SPECIALIST)
    @rule(declines=st.sampled_from([True, False, False]))
    def the_specialist_answers_or_declines(self, declines: bool) -> None:
        assignment = self.books.state.assignment
        assert assignment is not None
        (self.books.decline if declines else self.books.reply)(assignment)

    @precondition(lambda self: self.books.state.stage in {Stage.AWAITING_PAYMENT, Stage.PAYMENT_EXPIRED, Stage.PAID})
    @rule(nobody_left=st.booleans())
    def the_order_ends_without_an_answer(self, nobody_left: bool) -> None:
        if nobody_left and self.books.state.stage is Stage.PAID:
            self.books.give_up()
        else:
            self.books.cancel()

    @precondition(lambda self: self.books.state.refundable_cents > 0 and not self.refunds(RefundStatus.REQUESTED))
    @rule()
    def somebody_asks_for_money_back(self) -> None:
        self.books.request_refund(f"request-{len(self.books.state.refunds) + 1}", PERSON)

    @precondition(lambda self: self.refunds(RefundStatus.REQUESTED))
    @rule(pick=some, part=st.integers(1, 14_000), grants=st.sampled_from(["whole", "part", "nothing"]))
    def support_decides(self, pick: int, part: int, grants: str) -> None:
        requested = self.refunds(RefundStatus.REQUESTED)
        asked = requested[pick % len(requested)]
        left = self.books.state.left_of(asked.payment_id)
        if grants == "nothing" or left == 0:
            self.books.decide_refund(asked.request_id, None)
        elif grants == "whole" or self.books.state.replied_at is None:
            self.books.decide_refund(asked.request_id, left)
        else:
            self.books.decide_refund(asked.request_id, min(part, left))

    @precondition(lambda self: self.refunds(RefundStatus.APPROVED))
    @rule(pick=some, report_first=st.booleans())
    def the_processor_answers_our_refund(self, pick: int, report_first: bool) -> None:
        approved = self.refunds(RefundStatus.APPROVED)
        refund = approved[pick % len(approved)]
        done = self.processor.refund(refund.payment_id, refund.amount_cents)
        if done and report_first:
            self.books.take(self.processor.reports[-1])
        self.books.refund_answered(refund, done)

    @precondition(lambda self: self.refundable_elsewhere())
    @rule(pick=some, cents=st.integers(1, 14_000))
    def somebody_refunds_in_the_processors_dashboard(self, pick: int, cents: int) -> None:
        payments = self.refundable_elsewhere()
        payment_id, paid = payments[pick % len(payments)]
        assert self.processor.refund(payment_id, min(cents, paid.amount_cents - paid.refunded_cents))

    @precondition(lambda self: self.processor.paid)
    @rule(pick=some, outcome=st.sampled_from(["won", "lost"]))
    def a_bank_disputes_a_payment(self, pick: int, outcome: str) -> None:
        payment_id = list(self.processor.paid)[pick % len(self.processor.paid)]
        dispute, amount = f"dispute-{payment_id}", self.processor.paid[payment_id].amount_cents
        if not any(report.reference == dispute for report in self.processor.reports):
            opened, closed = PaymentEventKind.DISPUTE_OPENED, PaymentEventKind.DISPUTE_CLOSED
            self.processor.report(opened, payment_id, amount, dispute=(dispute, "needs_response"))
            self.processor.report(closed, payment_id, amount, dispute=(dispute, outcome))

    @invariant()
    def every_currency_balances_and_every_entry_is_booked_once(self) -> None:
        for currency in CURRENCIES:
            assert sum(self.balances(currency).values()) == 0
        keys = [entry.key for entry in self.books.entries]
        assert len(keys) == len(set(keys))

    @invariant()
    def deposits_are_exactly_what_is_held_for_the_patient_and_never_overdrawn(self) -> None:
        state = self.books.state
        for currency in CURRENCIES:
            held = sum(state.deposit_of(p.payment_id) for p in state.payments.values() if p.currency == currency)
            assert -self.balances(currency)[Account.PATIENT_DEPOSITS] == held
            assert held >= 0

    @invariant()
    def nothing_is_refunded_beyond_what_was_paid(self) -> None:
        for payment in self.books.state.payments.values():
            really = self.processor.paid[payment.payment_id]
            assert payment.amount_cents == really.amount_cents
            assert 0 <= payment.refunded_cents <= really.refunded_cents <= really.amount_cents
            assert self.books.state.left_of(payment.payment_id) >= 0

    @invariant()
    def network_and_clinician_are_owed_their_parts_once_answered_and_nothing_before(self) -> None:
        answered = self.books.state.replied_at is not None
        owed = self.balances("usd")
        assert -owed[Account.NETWORK_PAYABLE] == (self.price.network_fee_cents if answered else 0)
        assert -owed[Account.CLINICIAN_PAYABLE] == (self.price.clinician_portion_cents if answered else 0)

    @invariant()
    def refunds_after_the_answer_cost_the_platform_and_not_the_specialist(self) -> None:
        state = self.books.state
        counted = state.accepted_payment
        cost = counted.refunded_cents if counted and state.replied_at is not None else 0
        assert self.balances("usd")[Account.REFUNDS_GRANTED] == cost

    @invariant()
    def disputed_money_is_out_until_the_dispute_is_decided(self) -> None:
        for currency in CURRENCIES:
            booked = self.balances(currency)
            disputes = [d for d in self.books.state.disputes.values() if self.currency_of(d.payment_id) == currency]
            assert booked[Account.DISPUTED_FUNDS] == sum(d.amount_cents for d in disputes if d.outcome is None)
            assert booked[Account.DISPUTE_LOSSES] == sum(d.amount_cents for d in disputes if d.outcome == "lost")

    @invariant()
    def one_payment_counts_and_the_others_are_on_their_way_back(self) -> None:
        state = self.books.state
        assert sum(payment.reason is None for payment in state.payments.values()) <= 1
        for payment in state.payments.values():
            asked = any(refund.payment_id == payment.payment_id for refund in state.refunds)
            assert payment.reason is None or asked
        if rules.is_unanswered(state):
            assert state.accepted_payment is not None

    def undelivered(self) -> list[PaymentEvent]:
        """News of a refund or a dispute is taken up once the payment is known."""
        state = self.books.state
        return [
            report
            for report in self.processor.reports
            if report.event_id not in state.seen_events
            and (report.kind is PaymentEventKind.SUCCEEDED or report.payment_id in state.payments)
        ]

    def without_fee(self) -> list[Payment]:
        return [payment for payment in self.books.state.payments.values() if payment.fee_cents is None]

    def refunds(self, status: RefundStatus) -> list[Refund]:
        return [refund for refund in self.books.state.refunds if refund.status is status]

    def refundable_elsewhere(self) -> list[tuple[str, Paid]]:
        return [(id_, paid) for id_, paid in self.processor.paid.items() if paid.refunded_cents < paid.amount_cents]

    def currency_of(self, payment_id: str) -> str:
        return self.processor.paid[payment_id].currency

    def balances(self, currency: str) -> Counter[Account]:
        totals: Counter[Account] = Counter()
        for entry in self.books.entries:
            if entry.currency == currency:
                totals.update({posting.account: posting.amount_cents for posting in entry.postings})
        return totals


TestMoneyOfAConsult = MoneyOfAConsult.TestCase
TestMoneyOfAConsult.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
