"""Which act is allowed when; the cases of each rule are in `rule_cases`."""

from __future__ import annotations

import ast
import inspect
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
from tests.domain.rule_cases import BREACHED, CASES, Case, follow_up

ALLOWED = [(case, state) for case in CASES for state in case.allowed]
DISPUTE = Dispute(dispute_id="dispute-1", payment_id="payment-1", amount_cents=14_000, opened_at=START)
REFUSED = [(case, code, state) for case in CASES for code, state in case.refused]


def name_of(value: Any) -> str:
    if isinstance(value, Case):
        return value.rule.__name__
    return value.stage if isinstance(value, EConsultState) else str(value)


@pytest.mark.parametrize(("case", "state"), ALLOWED, ids=name_of)
def test_allows(case: Case, state: EConsultState) -> None:
    case.rule(state, *case.args)


@pytest.mark.parametrize(("case", "code", "state"), REFUSED, ids=name_of)
def test_refuses(case: Case, code: str, state: EConsultState) -> None:
    before = state.model_copy(deep=True)
    with pytest.raises(Refused) as refusal:
        case.rule(state, *case.args)
    assert refusal.value.code == code
    assert state == before


def codes_in_the_module() -> dict[str, set[str]]:
    """Each refusal in the source, with the rule that raises it."""
    tree = ast.parse(inspect.getsource(rules))
    found: dict[str, set[str]] = {}
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id == "Refused":
                found.setdefault(function.name, set()).add(ast.literal_eval(call.args[0]))
    return found


def test_every_refusal_of_every_rule_has_a_case() -> None:
    shown = {(case.rule.__name__, code) for case, code, _ in REFUSED}
    # What these two refuse is shown through the rules that call them.
    theirs = {"may_accept", "may_decline", "may_request_information", "may_reply", "may_answer"}
    shared = {
        "live_assignment": theirs,
        "open_question": {"may_answer", "may_withdraw_question"},
        "_information_is_late": {"may_reassign"},
    }
    for rule, codes in codes_in_the_module().items():
        for code in codes:
            assert {(caller, code) for caller in shared.get(rule, {rule})} <= shown


def test_every_rule_has_a_state_that_allows_its_act() -> None:
    rules_with_refusals = {name for name in codes_in_the_module() if name.startswith("may_")}
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
        with pytest.raises(Refused) as refusal:
            case.rule(state, *case.args)
        assert refusal.value.missing == missing


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
