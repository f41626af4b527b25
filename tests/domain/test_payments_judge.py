"""What becomes of a payment that the processor reports (E-26, decision 18)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.actors import SYSTEM
from domain.econsult.payment_events import PaymentEvent, PaymentEventKind
from domain.econsult.payments import Judgement, Verdict, amount_fault, judge, left_of
from domain.econsult.state import EConsultState, Refund
from domain.econsult.states import RefundStatus, Stage
from domain.policy import LatePayment
from tests.domain.builders import PRICE, START, a_payment, a_state, after, paid

EXPIRES = after(168)
ACCEPTED = (Verdict.ACCEPT, None)
KNOWN = (Verdict.KNOWN, None)
PAYABLE = {Stage.AWAITING_PAYMENT, Stage.PAYMENT_EXPIRED}


def a_report(**fields: Any) -> PaymentEvent:
    known = {
        "event_id": "event-1",
        "kind": PaymentEventKind.SUCCEEDED,
        "case_id": "econsult-1",
        "session_id": "session-1",
        "payment_id": "payment-1",
        "amount_cents": 14_000,
        "currency": "usd",
        "occurred_at": START,
        "reference": None,
        "outcome": None,
    }
    return PaymentEvent.model_validate({**known, **fields})


def verdict(state: EConsultState, late: LatePayment = LatePayment.REFUND, **report: Any) -> tuple[Verdict, str | None]:
    judged = judge(state, a_report(**report), PRICE, late)
    return judged.verdict, judged.code


def returned(code: str) -> tuple[Verdict, str]:
    return Verdict.REFUND, code


def test_accepts_the_price_while_a_payment_is_due() -> None:
    assert judge(a_state(Stage.AWAITING_PAYMENT), a_report(), PRICE, LatePayment.REFUND) == Judgement(
        verdict=Verdict.ACCEPT
    )


@pytest.mark.parametrize("late", LatePayment)
@pytest.mark.parametrize(
    ("occurred", "in_time"), [(167.999, True), (168, False), (200, False)], ids=["before", "as it ends", "after"]
)
def test_after_expiry_counts_what_was_paid_in_time(late: LatePayment, occurred: float, in_time: bool) -> None:
    expired = a_state(Stage.PAYMENT_EXPIRED, link_expires_at=EXPIRES)
    accepted = in_time or late is LatePayment.REOPEN
    expected = ACCEPTED if accepted else returned("payment.after_expiry")
    assert verdict(expired, late, occurred_at=after(occurred)) == expected


def test_an_expired_order_without_a_known_end_takes_no_late_payment() -> None:
    assert verdict(a_state(Stage.PAYMENT_EXPIRED)) == returned("payment.after_expiry")


@pytest.mark.parametrize("late", LatePayment)
@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in PAYABLE])
def test_without_a_payment_due_it_goes_back(stage: Stage, late: LatePayment) -> None:
    assert verdict(a_state(stage), late) == returned("payment.after_cancellation")


@pytest.mark.parametrize("stage", Stage)
def test_a_second_payment_goes_back_whatever_the_stage(stage: Stage) -> None:
    assert verdict(a_state(stage, payments=paid()), payment_id="payment-2") == returned("payment.duplicate")


@pytest.mark.parametrize("stage", Stage)
def test_the_same_payment_is_judged_once(stage: Stage) -> None:
    assert verdict(a_state(stage, payments=paid())) == KNOWN
    assert verdict(a_state(stage, payments=paid()), amount_cents=1, currency="eur") == KNOWN


def test_a_payment_that_went_back_does_not_bar_the_right_one() -> None:
    wrong = paid(a_payment(reason="payment.amount_mismatch"))
    assert verdict(a_state(Stage.AWAITING_PAYMENT, payments=wrong), payment_id="payment-2") == ACCEPTED


@pytest.mark.parametrize(
    ("cents", "currency", "fault"),
    [
        (14_000, "usd", None),
        (14_000, "USD", None),
        (13_999, "usd", "payment.amount_mismatch"),
        (14_001, "usd", "payment.amount_mismatch"),
        (0, "usd", "payment.amount_mismatch"),
        (14_000, "eur", "payment.currency_mismatch"),
        (1, "eur", "payment.currency_mismatch"),
    ],
)
def test_only_the_pinned_price_in_its_currency_counts(cents: int, currency: str, fault: str | None) -> None:
    assert amount_fault(cents, currency, PRICE) == fault
    expected = returned(fault) if fault else ACCEPTED
    assert verdict(a_state(Stage.AWAITING_PAYMENT), amount_cents=cents, currency=currency) == expected


def test_a_wrong_amount_is_called_that_even_when_it_comes_twice() -> None:
    twice = a_state(Stage.PAID, payments=paid())
    assert verdict(twice, payment_id="payment-2", amount_cents=1) == returned("payment.amount_mismatch")


@pytest.mark.parametrize(
    ("status", "of", "left"),
    [
        (RefundStatus.APPROVED, "payment-1", 10_500),
        (RefundStatus.APPROVED, "payment-2", 13_000),
        *((status, "payment-1", 13_000) for status in RefundStatus if status is not RefundStatus.APPROVED),
    ],
)
def test_what_is_left_is_neither_back_nor_on_its_way(status: RefundStatus, of: str, left: int) -> None:
    refund = Refund(
        request_id="r-1", payment_id=of, requested_at=START, requested_by=SYSTEM, status=status, amount_cents=2_500
    )
    assert left_of(a_payment(refunded_cents=1_000), [refund]) == left
