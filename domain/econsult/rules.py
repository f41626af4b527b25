"""Which act is allowed when. Each rule raises `Refused` with a stable code and what is missing, or returns nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.access import Role
from domain.clock import Clock, deadline, due_at
from domain.econsult.state import Assignment, EConsultState, Question, Refund
from domain.econsult.states import (
    ANSWERED,
    UNANSWERED,
    AssignmentStatus,
    FollowUp,
    RefundStatus,
    Stage,
)
from domain.errors import Refused
from domain.policy import EConsultPolicy

MIN_CHECKOUT_LIFETIME = timedelta(minutes=30)
"""Stripe opens no Checkout Session for less."""

UNSETTLED = frozenset({FollowUp.BOOKED, FollowUp.NOT_BOOKED})
"""A visit that was booked may still be held, also after it was given up."""

BOOKABLE = frozenset({FollowUp.PROMPTED, FollowUp.NOT_BOOKED})


def may_open_checkout(state: EConsultState, link_number: int) -> None:
    """E-25: the payment link works until it expires or another one takes its place."""
    if state.stage is Stage.PAYMENT_EXPIRED:
        raise Refused("payment.link_expired", "the payment link has expired", missing=("payment_link.reissued",))
    if state.stage is not Stage.AWAITING_PAYMENT:
        raise Refused("payment.not_due", f"no payment is due: the eConsult is {state.stage}")
    if link_number != state.link_number:
        raise Refused("payment.link_replaced", "a newer payment link was sent", missing=("payment_link.newest",))


def may_reissue_link(state: EConsultState) -> None:
    """Decision 18: an unpaid link may be issued anew."""
    if state.stage not in {Stage.AWAITING_PAYMENT, Stage.PAYMENT_EXPIRED}:
        raise Refused("payment.not_due", f"no payment is due: the eConsult is {state.stage}")


def may_cancel(state: EConsultState) -> None:
    """An order is cancelled before the case is sent to a specialist; afterwards support decides on a refund."""
    if state.stage not in {Stage.AWAITING_PAYMENT, Stage.PAYMENT_EXPIRED, Stage.PAID}:
        raise Refused("econsult.not_cancellable", f"the eConsult is {state.stage}", missing=("econsult.not_submitted",))


def live_assignment(state: EConsultState, assignment_id: str) -> Assignment:
    """The assignment in force, which must be the one that the caller acts on."""
    current = state.assignment
    if current is None or current.assignment_id != assignment_id:
        raise Refused("assignment.not_current", "the case is no longer assigned to this specialist")
    return current


def may_accept(state: EConsultState, assignment_id: str) -> None:
    current = live_assignment(state, assignment_id)
    if current.status is not AssignmentStatus.OFFERED or state.stage is not Stage.WITH_SPECIALIST:
        raise Refused("assignment.already_accepted", "the case was accepted before")


def may_decline(state: EConsultState, assignment_id: str) -> None:
    live_assignment(state, assignment_id)
    if state.stage not in {Stage.WITH_SPECIALIST, Stage.INFO_REQUESTED}:
        raise Refused("assignment.answered", "an answered case cannot be declined")


def may_request_information(state: EConsultState, assignment_id: str) -> None:
    current = live_assignment(state, assignment_id)
    if state.stage is not Stage.WITH_SPECIALIST:
        raise Refused("econsult.not_with_specialist", f"the eConsult is {state.stage}")
    if current.status is not AssignmentStatus.ACCEPTED:
        raise Refused("assignment.not_accepted", "accept the case first", missing=("assignment.accepted",))


def may_provide_information(state: EConsultState) -> None:
    if state.stage is not Stage.INFO_REQUESTED:
        raise Refused("econsult.no_information_requested", f"the eConsult is {state.stage}")


def may_reply(state: EConsultState, assignment_id: str) -> None:
    """E-05. The first reply counts; a second one is refused."""
    current = live_assignment(state, assignment_id)
    if state.replied_at is not None:
        raise Refused("econsult.already_answered", "the eConsult has its answer; add to it as an answer to a question")
    if state.stage not in {Stage.WITH_SPECIALIST, Stage.INFO_REQUESTED}:
        raise Refused("econsult.not_with_specialist", f"the eConsult is {state.stage}")
    if current.status is not AssignmentStatus.ACCEPTED:
        raise Refused("assignment.not_accepted", "accept the case first", missing=("assignment.accepted",))


def may_ask_follow_up(state: EConsultState, now: datetime) -> None:
    """E-06, decision 12: questions within 240 hours of the initial reply, to the second, never after."""
    if state.replied_at is None:
        raise Refused("follow_up.no_reply_yet", "there is no reply to ask about", missing=("econsult.replied",))
    ends = state.window_ends_at
    if state.stage is not Stage.FOLLOW_UP_WINDOW or ends is None or now >= ends:
        raise Refused("follow_up.window_closed", "the follow-up window is over")


def open_question(state: EConsultState, question_id: str) -> Question:
    """A pending question; one asked in time may be answered after the window (decision 12)."""
    for question in state.pending_questions:
        if question.question_id == question_id:
            return question
    raise Refused("follow_up.question_not_open", "this question is not waiting for an answer")


def answer_clock(question_id: str) -> str:
    return f"answer:{question_id}"


def may_withdraw_question(state: EConsultState, question_id: str, role: str) -> Question:
    """The clinician who asked may at any time, operations once the answer is late."""
    question = open_question(state, question_id)
    clock = state.clocks[answer_clock(question_id)]
    if role != Role.CLINICIAN and clock.breached_at is None:
        raise Refused(
            "follow_up.question_not_late",
            "the answer is not late yet",
            missing=("answer.late",),
            earliest=deadline(clock),
        )
    return question


def may_answer(state: EConsultState, assignment_id: str, question_id: str) -> None:
    live_assignment(state, assignment_id)
    open_question(state, question_id)


def may_book_follow_up(state: EConsultState, policy: EConsultPolicy, starts_at: datetime, now: datetime) -> None:
    """E-10: once results are back the visit that reviews them may be booked, once, for a time that is still watched."""
    if state.follow_up not in BOOKABLE:
        raise Refused("follow_up_visit.not_bookable", f"the follow-up visit is {state.follow_up}")
    if starts_at <= now:
        raise Refused("follow_up_visit.in_the_past", "a visit is booked for the future", earliest=now)
    latest = now + policy.follow_up_horizon
    if state.closed_at is not None:
        latest = min(latest, state.closed_at + policy.money_watch - policy.follow_up_patience)
    if starts_at > latest:
        raise Refused("follow_up_visit.too_late", f"the included visit takes place by {latest:%Y-%m-%d}")


def is_after_window(state: EConsultState, starts_at: datetime) -> bool:
    """Whether a visit comes too late for questions to the specialist that it may raise."""
    ends = state.window_ends_at
    return ends is not None and starts_at >= ends


def may_decline_follow_up(state: EConsultState) -> None:
    if state.follow_up not in {FollowUp.PROMPTED, FollowUp.BOOKED, FollowUp.NOT_BOOKED}:
        raise Refused("follow_up_visit.not_open", f"the follow-up visit is {state.follow_up}")


def may_reassign(state: EConsultState, policy: EConsultPolicy, now: datetime) -> None:
    """Decision 13: offered once the case is 72 hours old without an answer, or the information asked for is late."""
    if state.stage not in {Stage.WITH_SPECIALIST, Stage.INFO_REQUESTED}:
        raise Refused("econsult.not_with_specialist", f"the eConsult is {state.stage}")
    if state.stage is Stage.INFO_REQUESTED:
        _information_is_late(state.clocks["information"], now)
        return
    turnaround = state.clocks["turnaround"]
    offer = policy.turnaround.milestones[-1]
    if any(fired.name == offer.name for fired in turnaround.fired):
        return
    # An acknowledged ladder is climbed no further: whoever took the late case on may still reassign it in time.
    due = due_at(turnaround, offer)
    if due is None or now < due:
        raise Refused(
            "assignment.not_late", "reassignment is not offered yet", missing=("turnaround.late",), earliest=due
        )


def _information_is_late(information: Clock, now: datetime) -> None:
    due = deadline(information)
    if information.breached_at is None and (due is None or now < due):
        raise Refused(
            "information.not_late", "reassignment is not offered yet", missing=("information.late",), earliest=due
        )


def may_request_refund(state: EConsultState) -> None:
    """E-37, decision 19: anybody who paid may ask; one request at a time."""
    if state.refundable_cents <= 0:
        raise Refused("refund.nothing_paid", "there is no payment left to refund", missing=("payment.accepted",))
    if any(refund.status is RefundStatus.REQUESTED for refund in state.refunds):
        raise Refused("refund.already_requested", "a refund request is waiting for its decision")


def may_decide_refund(state: EConsultState, request_id: str, amount_cents: int | None) -> Refund:
    """Support decides (decision 19). Before an answer a refund is whole; afterwards any part of what is left.

    `amount_cents` is None for a rejection.
    """
    request = next((r for r in state.refunds if r.request_id == request_id), None)
    if request is None or request.status is not RefundStatus.REQUESTED:
        raise Refused("refund.not_waiting", "this request is not waiting for a decision")
    if amount_cents is None:
        return request
    left = state.left_of(request.payment_id)
    if not 0 < amount_cents <= left:
        raise Refused("refund.amount_invalid", "a refund is more than zero and at most what is left of the payment")
    if state.replied_at is None and amount_cents != left:
        raise Refused("refund.must_be_whole", "before an answer the whole payment is refunded")
    return request


def may_capture_outcome(state: EConsultState) -> None:
    """E-09: once there is an answer whose effect can be judged."""
    if state.stage not in ANSWERED:
        raise Refused("outcome.no_reply_yet", "there is no answer to judge", missing=("econsult.replied",))


def is_unanswered(state: EConsultState) -> bool:
    return state.stage in UNANSWERED


def is_before_answer(state: EConsultState) -> bool:
    """Nobody has answered and the order is not over: what was paid can still go back whole."""
    return state.stage in UNANSWERED | {Stage.AWAITING_PAYMENT, Stage.PAYMENT_EXPIRED}


def open_money_matters(state: EConsultState) -> bool:
    """A refund waits for its decision or its confirmation, or a dispute for its outcome."""
    undecided = {RefundStatus.REQUESTED, RefundStatus.APPROVED}
    return any(r.status in undecided for r in state.refunds) or any(d.outcome is None for d in state.disputes.values())


def is_alive(state: EConsultState) -> bool:
    """The order waits for its payment or for its answer."""
    return state.stage in UNANSWERED | {Stage.AWAITING_PAYMENT}
