"""Every rule of the eConsult, with the states in which it allows its act and those in which it refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.case import may_acknowledge
from domain.clock import Clock, acknowledge, arm, fire, pause
from domain.econsult import rules
from domain.econsult.state import EConsultState, FollowUpVisit
from domain.econsult.states import AssignmentStatus, FollowUp, RefundStatus, Stage
from tests.domain.builders import (
    PERSON,
    POLICY,
    START,
    a_payment,
    a_question,
    a_refund,
    a_state,
    a_turnaround,
    after,
    an_assignment,
    paid,
)
from tests.domain.rule_checks import Case, refused

OFFERED, ACCEPTED = AssignmentStatus.OFFERED, AssignmentStatus.ACCEPTED
MINE, OTHERS = "assignment-1", "assignment-2"


def at(*stages: Stage, **fields: Any) -> tuple[EConsultState, ...]:
    return tuple(a_state(stage, **fields) for stage in stages)


def all_but(*stages: Stage, **fields: Any) -> tuple[EConsultState, ...]:
    return at(*(stage for stage in Stage if stage not in stages), **fields)


def with_specialist(status: AssignmentStatus, stage: Stage = Stage.WITH_SPECIALIST, **fields: Any) -> EConsultState:
    return a_state(stage, assignments=[an_assignment(status)], **fields)


def taken_back(stage: Stage = Stage.WITH_SPECIALIST, **fields: Any) -> tuple[EConsultState, ...]:
    """The case is no longer this specialist's: declined, withdrawn, somebody else's, nobody's yet."""
    passed_on = [an_assignment(AssignmentStatus.DECLINED), an_assignment(ACCEPTED, number=2)]
    gone = (AssignmentStatus.DECLINED, AssignmentStatus.WITHDRAWN)
    return (
        *(with_specialist(status, stage, **fields) for status in gone),
        a_state(stage, assignments=passed_on, **fields),
        a_state(stage, **fields),
    )


def answered(stage: Stage = Stage.FOLLOW_UP_WINDOW, opened: datetime = START, **fields: Any) -> EConsultState:
    clocks = {"follow_up_window": arm(POLICY.follow_up_window, opened)}
    return a_state(
        stage, replied_at=opened, clocks=clocks, assignments=[an_assignment(AssignmentStatus.REPLIED)], **fields
    )


def follow_up(status: FollowUp, visit_id: str | None = None) -> EConsultState:
    visit = FollowUpVisit(visit_id=visit_id, starts_at=after(99), after_window=False) if visit_id else None
    return answered(follow_up=status, follow_up_visit=visit)


def asked(now: datetime) -> EConsultState:
    """A question was put at the start; its clock was last looked at now."""
    clock, _ = fire(arm(POLICY.answer, START), now)
    return answered(questions=[a_question()]).model_copy(update={"clocks": {"answer:question-1": clock}})


def waiting(*paid_back: int, stage: Stage = Stage.WITH_SPECIALIST, **fields: Any) -> EConsultState:
    """A refund request waits for its decision; so many cents of the payment were approved before."""
    before = [a_refund(RefundStatus.APPROVED, cents, number) for number, cents in enumerate(paid_back, start=2)]
    return a_state(stage, payments=paid(), refunds=[*before, a_refund()], **fields)


def waiting_for_information(since: datetime) -> dict[str, Clock]:
    return {
        "turnaround": pause(arm(POLICY.turnaround, START), since, "asked"),
        "information": arm(POLICY.information, since),
    }


UNPAID = (Stage.AWAITING_PAYMENT, Stage.PAYMENT_EXPIRED)
BUSY = (Stage.WITH_SPECIALIST, Stage.INFO_REQUESTED)
JUDGEABLE = (Stage.RESPONSE_READY, Stage.FOLLOW_UP_WINDOW, Stage.AWAITING_FOLLOW_UP, Stage.CLOSED)
REFUNDED_WHOLE = paid(a_payment(refunded_cents=14_000))
PAUSED_EARLY = {"turnaround": pause(arm(POLICY.turnaround, START), after(71), "asked")}
BREACHED = {"turnaround": a_turnaround(after(48))}

CASES = [
    Case(
        rules.may_open_checkout,
        (1,),
        at(Stage.AWAITING_PAYMENT),
        (
            *refused("payment.link_expired", *at(Stage.PAYMENT_EXPIRED)),
            *refused("payment.not_due", *all_but(*UNPAID)),
            *refused("payment.link_replaced", *at(Stage.AWAITING_PAYMENT, link_number=2)),
        ),
    ),
    Case(rules.may_reissue_link, (), at(*UNPAID), refused("payment.not_due", *all_but(*UNPAID))),
    Case(
        rules.may_cancel,
        (),
        at(*UNPAID, Stage.PAID),
        refused("econsult.not_cancellable", *all_but(*UNPAID, Stage.PAID)),
    ),
    Case(
        rules.may_accept,
        (MINE,),
        (with_specialist(OFFERED),),
        (
            *refused("assignment.not_current", *taken_back()),
            *refused("assignment.already_accepted", with_specialist(ACCEPTED), answered()),
        ),
    ),
    Case(
        rules.may_decline,
        (MINE,),
        tuple(with_specialist(status, stage) for status in (OFFERED, ACCEPTED) for stage in BUSY),
        (*refused("assignment.not_current", *taken_back()), *refused("assignment.answered", answered())),
    ),
    Case(
        rules.may_request_information,
        (MINE,),
        (with_specialist(ACCEPTED),),
        (
            *refused("assignment.not_current", *taken_back()),
            *refused("econsult.not_with_specialist", with_specialist(ACCEPTED, Stage.INFO_REQUESTED), answered()),
            *refused("assignment.not_accepted", with_specialist(OFFERED)),
        ),
    ),
    Case(
        rules.may_provide_information,
        (),
        at(Stage.INFO_REQUESTED),
        refused("econsult.no_information_requested", *all_but(Stage.INFO_REQUESTED)),
    ),
    Case(
        rules.may_reply,
        (MINE,),
        tuple(with_specialist(ACCEPTED, stage) for stage in BUSY),
        (
            *refused("assignment.not_current", *taken_back()),
            *refused("econsult.already_answered", answered()),
            *refused(
                "econsult.not_with_specialist",
                *all_but(*BUSY, assignments=[an_assignment(ACCEPTED)]),
            ),
            *refused("assignment.not_accepted", with_specialist(OFFERED)),
        ),
    ),
    Case(
        rules.may_ask_follow_up,
        (after(239.999),),
        (answered(),),
        (
            *refused("follow_up.no_reply_yet", *at(*Stage)),
            *refused(
                "follow_up.window_closed",
                answered(Stage.AWAITING_FOLLOW_UP),
                answered(opened=after(-0.001)),  # the window's very end
            ),
        ),
    ),
    Case(
        rules.may_answer,
        (MINE, "question-1"),
        (answered(questions=[a_question()]), answered(Stage.AWAITING_FOLLOW_UP, questions=[a_question()])),
        (
            *refused("assignment.not_current", *taken_back(Stage.FOLLOW_UP_WINDOW, questions=[a_question()])),
            *refused("follow_up.question_not_open", answered(), answered(questions=[a_question(answered=True)])),
        ),
    ),
    Case(
        rules.may_book_follow_up,
        (POLICY, after(2), after(1)),
        (follow_up(FollowUp.PROMPTED), follow_up(FollowUp.NOT_BOOKED)),
        refused(
            "follow_up_visit.not_bookable",
            *(follow_up(status) for status in (FollowUp.NONE, FollowUp.BOOKED, FollowUp.COMPLETED, FollowUp.DECLINED)),
        ),
    ),
    Case(
        rules.may_book_follow_up,
        (POLICY, after(1), after(1)),
        (),
        refused("follow_up_visit.in_the_past", follow_up(FollowUp.PROMPTED)),
    ),
    Case(
        rules.may_book_follow_up,
        (POLICY, after(90 * 24), after(0)),
        (follow_up(FollowUp.PROMPTED),),
        # 120 days after closing the money watch ends, and the visit must be over by then.
        refused("follow_up_visit.too_late", answered(follow_up=FollowUp.NOT_BOOKED, closed_at=after(-24 * 24))),
    ),
    Case(
        rules.may_book_follow_up,
        (POLICY, after(90 * 24 + 1), after(0)),
        (),
        refused("follow_up_visit.too_late", follow_up(FollowUp.PROMPTED)),
    ),
    Case(
        rules.may_withdraw_question,
        ("question-1", "operations"),
        (asked(after(48)), asked(after(49))),
        (
            *refused("follow_up.question_not_late", asked(after(47))),
            *refused("follow_up.question_not_open", answered(), answered(questions=[a_question(answered=True)])),
        ),
    ),
    Case(rules.may_withdraw_question, ("question-1", "clinician"), (asked(after(0)), asked(after(60))), ()),
    Case(
        rules.may_decline_follow_up,
        (),
        tuple(follow_up(status) for status in (FollowUp.PROMPTED, FollowUp.BOOKED, FollowUp.NOT_BOOKED)),
        refused(
            "follow_up_visit.not_open",
            *(follow_up(status) for status in (FollowUp.NONE, FollowUp.COMPLETED, FollowUp.DECLINED)),
        ),
    ),
    Case(
        rules.may_reassign,
        (POLICY, after(80)),
        (
            *at(Stage.WITH_SPECIALIST, clocks={"turnaround": a_turnaround(after(72))}),
            # Whoever acknowledged the breach may still reassign once the case is old enough.
            *at(Stage.WITH_SPECIALIST, clocks={"turnaround": acknowledge(a_turnaround(after(48)), after(49), PERSON)}),
            *at(Stage.INFO_REQUESTED, clocks=waiting_for_information(after(8))),
        ),
        (
            *refused("econsult.not_with_specialist", *all_but(*BUSY, clocks={"turnaround": a_turnaround(after(72))})),
            *refused("assignment.not_late", *at(Stage.WITH_SPECIALIST, clocks=PAUSED_EARLY)),
            *refused("information.not_late", *at(Stage.INFO_REQUESTED, clocks=waiting_for_information(after(9)))),
        ),
    ),
    Case(
        rules.may_reassign,
        (POLICY, after(72)),
        at(Stage.WITH_SPECIALIST, clocks=BREACHED),
        refused("econsult.not_with_specialist", *at(Stage.PAID, clocks=BREACHED)),
    ),
    Case(
        rules.may_reassign,
        (POLICY, after(71.999)),
        (),
        refused("assignment.not_late", *at(Stage.WITH_SPECIALIST, clocks=BREACHED)),
    ),
    Case(
        rules.may_request_refund,
        (),
        at(*Stage, payments=paid()),
        (
            *refused(
                "refund.nothing_paid",
                *at(*Stage),
                *at(Stage.CLOSED, payments=paid(a_payment(reason="payment.duplicate"))),
                *at(Stage.CLOSED, payments=REFUNDED_WHOLE),
                *at(Stage.CLOSED, payments=paid(), refunds=[a_refund(RefundStatus.APPROVED, 14_000)]),
            ),
            *refused("refund.already_requested", waiting()),
        ),
    ),
    Case(
        rules.may_decide_refund,
        ("request-1", None),
        (waiting(), waiting(replied_at=START)),
        refused(
            "refund.not_waiting",
            a_state(Stage.PAID, payments=paid()),
            a_state(Stage.PAID, payments=paid(), refunds=[a_refund(number=2)]),
            *(
                a_state(Stage.PAID, payments=paid(), refunds=[a_refund(status)])
                for status in RefundStatus
                if status is not RefundStatus.REQUESTED
            ),
        ),
    ),
    Case(
        rules.may_decide_refund,
        ("request-1", 5_000),
        (waiting(replied_at=START), waiting(9_000, replied_at=START), waiting(9_000)),
        (
            *refused("refund.amount_invalid", waiting(9_001, replied_at=START)),
            *refused("refund.must_be_whole", waiting()),
        ),
    ),
    *(
        Case(rules.may_decide_refund, ("request-1", cents), (), refused("refund.amount_invalid", waiting()))
        for cents in (0, -1, 14_001)
    ),
    Case(rules.may_decide_refund, ("request-1", 14_000), (waiting(),), ()),
    Case(
        rules.may_capture_outcome,
        (),
        at(*JUDGEABLE),
        refused("outcome.no_reply_yet", *all_but(*JUDGEABLE)),
    ),
    Case(
        may_acknowledge,
        ("turnaround",),
        at(Stage.WITH_SPECIALIST, clocks=BREACHED),
        refused("escalation.none", *at(*Stage), *at(*BUSY, clocks={"turnaround": a_turnaround(after(24))})),
    ),
]
