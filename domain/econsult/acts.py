"""What people ask of a running eConsult: the typed input of each update. Texts stay in the database; ids travel."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from domain.actors import Actor
from domain.econsult.states import Stage
from domain.model import Value


class Act(Value):
    """An act that needs nothing but its actor."""

    actor: Actor


class OpenCheckout(Act):
    link_number: int


class CheckoutOpened(Value):
    url: str


class CancelOrder(Act):
    reason: str
    """A stable code such as `patient_request`."""


class AssignmentAct(Act):
    assignment_id: str


class DeclineCase(AssignmentAct):
    reason: str
    """A stable code such as `out_of_scope`."""


class RequestInformation(AssignmentAct):
    message_id: str


class ProvideInformation(Act):
    message_id: str


class Reply(AssignmentAct):
    message_id: str
    in_person_recommended: bool


class AskFollowUp(Act):
    message_id: str


class AnswerFollowUp(AssignmentAct):
    question_id: str
    message_id: str


class WithdrawQuestion(Act):
    question_id: str
    reason: str
    """A stable code such as `specialist_unavailable`."""


class BookFollowUpVisit(Act):
    visit_id: str
    starts_at: datetime


class FollowUpNews(StrEnum):
    HELD = "held"
    NOT_HELD = "not_held"  # cancelled, or somebody did not come
    MOVED = "moved"


class FollowUpReport(Value):
    """What the visit that reviews the answer says of itself."""

    visit_id: str
    news: FollowUpNews
    starts_at: datetime


class RequestRefund(Act):
    request_id: str


class DecideRefund(Act):
    request_id: str
    amount_cents: int | None
    """None rejects the request."""


class CaptureOutcome(Act):
    improved_care_plan: bool
    avoided_in_person: bool


class AcknowledgeEscalation(Act):
    clock: str


class Receipt(Value):
    """What an act answers, once its step is recorded."""

    sequence: int
    stage: Stage
