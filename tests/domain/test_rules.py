"""Which act is allowed when; the cases of each rule are in `rule_cases`."""

from __future__ import annotations

from typing import Any

import pytest

from domain.clock import arm
from domain.econsult import rules
from domain.econsult.state import Dispute, EConsultState
from domain.econsult.states import ENDED, UNANSWERED, AssignmentStatus, FollowUp, RefundStatus, Stage
from domain.errors import Refused
from tests.domain.builders import (
    POLICY,
    START,
    a_payment,
    a_question,
    a_refund,
    a_state,
    after,
    an_assignment,
    paid,
)
from tests.domain.rule_cases import BREACHED, CASES, follow_up
from tests.domain.rule_checks import Case, allowing, codes_in, name_of, refusal_of, refusing, without_a_case

ALLOWED = allowing(CASES)
DISPUTE = Dispute(dispute_id="dispute-1", payment_id="payment-1", amount_cents=14_000, opened_at=START)
REFUSED = refusing(CASES)


@pytest.mark.parametrize(("case", "state"), ALLOWED, ids=name_of)
def test_allows(case: Case, state: EConsultState) -> None:
    case.rule(state, *case.args)


@pytest.mark.parametrize(("case", "code", "state"), REFUSED, ids=name_of)
def test_refuses(case: Case, code: str, state: EConsultState) -> None:
    assert refusal_of(case, state).code == code


def test_every_refusal_of_every_rule_has_a_case() -> None:
    # What these refuse is shown through the rules that call them.
    shared = {
        "live_assignment": {"may_accept", "may_decline", "may_request_information", "may_reply", "may_answer"},
        "open_question": {"may_answer", "may_withdraw_question"},
        "_information_is_late": {"may_reassign"},
    }
    assert not without_a_case(rules, CASES, shared)


def test_every_rule_has_a_state_that_allows_its_act() -> None:
    rules_with_refusals = {name for name in codes_in(rules) if name.startswith("may_")}
    assert {case.rule.__name__ for case, _ in ALLOWED} >= rules_with_refusals | {"may_answer"}


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("payment.link_expired", ("payment_link.reissued",)),
        ("payment.link_replaced", ("payment_link.newest",)),
        ("payment.not_due", ()),
        ("econsult.not_cancellable", ("econsult.not_submitted",)),
        ("assignment.not_accepted", ("assignment.accepted",)),
        ("follow_up.no_reply_yet", ("econsult.replied",)),
        ("assignment.not_late", ("turnaround.late",)),
        ("information.not_late", ("information.late",)),
        ("follow_up.question_not_late", ("answer.late",)),
        ("refund.nothing_paid", ("payment.accepted",)),
        ("outcome.no_reply_yet", ("econsult.replied",)),
    ],
)
def test_a_refusal_says_what_is_missing(code: str, missing: tuple[str, ...]) -> None:
    for case, _, state in (each for each in REFUSED if each[1] == code):
        assert refusal_of(case, state).missing == missing


def test_reassignment_says_when_it_will_be_offered() -> None:
    with pytest.raises(Refused) as refusal:
        rules.may_reassign(a_state(Stage.WITH_SPECIALIST, clocks=BREACHED), POLICY, after(50))
    assert refusal.value.earliest == after(72)


def test_booking_in_the_past_says_from_when_it_is_possible() -> None:
    with pytest.raises(Refused) as refusal:
        rules.may_book_follow_up(follow_up(FollowUp.PROMPTED), POLICY, after(1), after(2))
    assert refusal.value.earliest == after(2)


def test_a_question_is_refused_at_the_very_second_the_window_ends() -> None:
    clocks = {"follow_up_window": arm(POLICY.follow_up_window, START)}
    state = a_state(Stage.FOLLOW_UP_WINDOW, replied_at=START, clocks=clocks)
    assert state.window_ends_at == after(240)
    with pytest.raises(Refused):
        rules.may_ask_follow_up(state, after(240))


def test_rules_hand_back_what_they_found() -> None:
    mine, asked, question = an_assignment(), a_refund(), a_question()
    state = a_state(Stage.CLOSED, assignments=[mine], payments=paid(), refunds=[asked], questions=[question])
    assert rules.live_assignment(state, mine.assignment_id) == mine
    assert rules.may_decide_refund(state, asked.request_id, None) == asked
    assert rules.open_question(state, question.question_id) == question


def test_the_live_assignment_is_the_one_in_force() -> None:
    assignments = [an_assignment(AssignmentStatus.DECLINED), an_assignment(AssignmentStatus.OFFERED, number=2)]
    found = a_state(Stage.WITH_SPECIALIST, assignments=assignments).assignment
    assert found == assignments[1]


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_is_before_the_answer_or_after_it_or_over(stage: Stage) -> None:
    state = a_state(stage)
    answered = {Stage.RESPONSE_READY, Stage.FOLLOW_UP_WINDOW, Stage.AWAITING_FOLLOW_UP}
    assert rules.is_unanswered(state) is (stage in UNANSWERED)
    assert rules.is_before_answer(state) is (stage not in ENDED | answered)


@pytest.mark.parametrize(
    ("fields", "open_"),
    [
        ({}, False),
        ({"refunds": [a_refund(RefundStatus.REQUESTED)]}, True),
        ({"refunds": [a_refund(RefundStatus.APPROVED)]}, True),
        ({"refunds": [a_refund(RefundStatus.REJECTED)]}, False),
        ({"refunds": [a_refund(RefundStatus.PAID_BACK)]}, False),
        ({"refunds": [a_refund(RefundStatus.FAILED)]}, False),
        ({"disputes": {"d": Dispute(dispute_id="d", payment_id="p", amount_cents=1, opened_at=START)}}, True),
        (
            {
                "disputes": {
                    "d": Dispute(dispute_id="d", payment_id="p", amount_cents=1, opened_at=START, outcome="won")
                }
            },
            False,
        ),
    ],
)
def test_a_case_stays_open_for_money_that_is_undecided(fields: dict[str, Any], open_: bool) -> None:
    assert rules.open_money_matters(a_state(Stage.CLOSED, **fields)) is open_


@pytest.mark.parametrize(
    ("fields", "left", "held"),
    [
        ({}, 14_000, 14_000),
        ({"refunds": [a_refund(RefundStatus.REQUESTED, 0)]}, 14_000, 14_000),
        ({"refunds": [a_refund(RefundStatus.APPROVED, 4_000)]}, 10_000, 14_000),
        ({"payments": paid(a_payment(refunded_cents=4_000))}, 10_000, 10_000),
        ({"payments": paid(a_payment(refunded_cents=4_000)), "replied_at": START}, 10_000, 0),
    ],
)
def test_what_is_left_to_refund_and_what_is_held(fields: dict[str, Any], left: int, held: int) -> None:
    state = a_state(Stage.WITH_SPECIALIST, **{"payments": paid(), **fields})
    assert (state.refundable_cents, state.left_of("payment-1")) == (left, left)
    assert state.deposit_of("payment-1") == held


def test_a_payment_that_does_not_count_stays_the_patients_after_the_answer() -> None:
    payments = paid(a_payment(), a_payment("payment-2", reason="payment.duplicate"))
    state = a_state(Stage.FOLLOW_UP_WINDOW, payments=payments, replied_at=START)
    assert (state.deposit_of("payment-1"), state.deposit_of("payment-2")) == (0, 14_000)
    assert state.refundable_cents == 14_000
