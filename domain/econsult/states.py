"""Where an eConsult stands (spec/care.md 3.7)."""

from enum import StrEnum


class Stage(StrEnum):
    """The business state, in the search attribute `BusinessState` and in the API."""

    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    PAYMENT_EXPIRED = "PAYMENT_EXPIRED"
    CANCELLED = "CANCELLED"
    PAID = "PAID"  # paid, and no specialist has the case yet
    WITH_SPECIALIST = "WITH_SPECIALIST"
    INFO_REQUESTED = "INFO_REQUESTED"
    RESPONSE_READY = "RESPONSE_READY"
    FOLLOW_UP_WINDOW = "FOLLOW_UP_WINDOW"
    AWAITING_FOLLOW_UP = "AWAITING_FOLLOW_UP"  # the window is over, an answer or a booked visit is still to come
    SPECIALIST_UNAVAILABLE = "SPECIALIST_UNAVAILABLE"
    REFUNDED = "REFUNDED"
    CLOSED = "CLOSED"


ENDED = frozenset({Stage.CANCELLED, Stage.SPECIALIST_UNAVAILABLE, Stage.REFUNDED, Stage.CLOSED})
"""Stages from which nothing but money moves."""

UNANSWERED = frozenset({Stage.PAID, Stage.WITH_SPECIALIST, Stage.INFO_REQUESTED})
"""Paid, and no specialist has answered yet."""

ANSWERED = frozenset({Stage.RESPONSE_READY, Stage.FOLLOW_UP_WINDOW, Stage.AWAITING_FOLLOW_UP, Stage.CLOSED})


class FollowUp(StrEnum):
    """The parallel track of the included follow-up visit (E-10, E-15)."""

    NONE = "NONE"
    PROMPTED = "PROMPTED"
    BOOKED = "BOOKED"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    NOT_BOOKED = "NOT_BOOKED"


class AssignmentStatus(StrEnum):
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    REPLIED = "replied"


class RefundStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAID_BACK = "paid_back"
    FAILED = "failed"
    SUPERSEDED = "superseded"  # the whole payment went back by itself


class Event(StrEnum):
    """What a step on the timeline says happened."""

    ORDERED = "ordered"
    CHECKOUT_OPENED = "checkout_opened"
    PAYMENT_PROCESSING = "payment_processing"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_NOT_ACCEPTED = "payment_not_accepted"
    PAYMENT_EXPIRED = "payment_expired"
    PAYMENT_LINK_REISSUED = "payment_link_reissued"
    PAID = "paid"
    FEE_BOOKED = "fee_booked"
    CANCELLED = "cancelled"
    ASSIGNED = "assigned"
    NO_SPECIALIST_FREE = "no_specialist_free"
    SPECIALIST_UNAVAILABLE = "specialist_unavailable"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    INFORMATION_REQUESTED = "information_requested"
    INFORMATION_PROVIDED = "information_provided"
    RESPONSE_READY = "response_ready"
    FOLLOW_UP_WINDOW_OPENED = "follow_up_window_opened"
    QUESTION_ASKED = "question_asked"
    QUESTION_ANSWERED = "question_answered"
    QUESTION_WITHDRAWN = "question_withdrawn"
    FOLLOW_UP_BOOKED = "follow_up_booked"
    FOLLOW_UP_COMPLETED = "follow_up_completed"
    FOLLOW_UP_DECLINED = "follow_up_declined"
    FOLLOW_UP_MOVED = "follow_up_moved"
    FOLLOW_UP_NOT_HELD = "follow_up_not_held"
    FOLLOW_UP_WINDOW_CLOSED = "follow_up_window_closed"
    OUTCOME_CAPTURED = "outcome_captured"
    CLOSED = "closed"
    REFUND_REQUESTED = "refund_requested"
    REFUND_APPROVED = "refund_approved"
    REFUND_REJECTED = "refund_rejected"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_CLOSED = "dispute_closed"
    CLOCK_MILESTONE = "clock_milestone"
    ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"
