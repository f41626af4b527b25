"""What clinicians, patients and staff do with an eConsult. Each answers with the case after the act."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from api.callers import Caller, caller
from api.econsult_acting import EConsultActsOfRequest
from api.problems import responses
from api.schemas.acts import (
    Cancellation,
    CareOutcome,
    EscalatingClock,
    InformationText,
    QuestionText,
    QuestionWithdrawal,
    Reassignment,
)
from api.schemas.econsults import EConsultView
from api.values import RecordId
from domain.access import Role
from domain.econsult import acts
from workflows.econsult.workflow import EConsult

router = APIRouter(
    prefix="/econsults/{econsult_id}", tags=["econsults"], responses=responses(401, 403, 404, 409, 422, 503)
)

TreatingClinician = Annotated[Caller, caller(Role.CLINICIAN)]


@router.post("/cancel", summary="Cancel an order")
async def cancel(
    econsult_id: RecordId,
    body: Cancellation,
    act: EConsultActsOfRequest,
    who: Annotated[Caller, caller(Role.CLINICIAN, Role.PATIENT, Role.SUPPORT, Role.OPERATIONS)],
) -> EConsultView:
    """Before a specialist has the case; what was paid goes back by itself. 409 `econsult.not_cancellable`."""
    case = await act.find(econsult_id, who)
    return await act.ask(case, who, EConsult.cancel, acts.CancelOrder(actor=who.actor(case), reason=body.reason))


@router.post("/payment-link", summary="Send a new payment link")
async def reissue_payment_link(
    econsult_id: RecordId,
    act: EConsultActsOfRequest,
    who: Annotated[Caller, caller(Role.CLINICIAN, Role.SUPPORT, Role.OPERATIONS)],
) -> EConsultView:
    """With its own seven days; the old one stops working (decision 18). 409 `payment.not_due`."""
    case = await act.find(econsult_id, who)
    return await act.ask(case, who, EConsult.reissue_payment_link, acts.Act(actor=who.actor(case)))


@router.post("/information", summary="Give the information that the specialist asked for")
async def provide_information(
    econsult_id: RecordId, body: InformationText, act: EConsultActsOfRequest, who: TreatingClinician
) -> EConsultView:
    """The specialist's time runs on from here. 409 `econsult.no_information_requested`."""
    case = await act.find(econsult_id, who)
    text = act.text(case, who, "information", body.body)
    async with act.bringing(text):
        asked = acts.ProvideInformation(actor=who.actor(case), message_id=text.id)
        return await act.ask(case, who, EConsult.provide_information, asked)


@router.post("/questions", summary="Ask the specialist a follow-up question")
async def ask_question(
    econsult_id: RecordId, body: QuestionText, act: EConsultActsOfRequest, who: TreatingClinician
) -> EConsultView:
    """Within 240 hours of the reply (E-06). 409 `follow_up.no_reply_yet`, `follow_up.window_closed`."""
    case = await act.find(econsult_id, who)
    text = act.text(case, who, "question", body.body)
    async with act.bringing(text):
        asked = acts.AskFollowUp(actor=who.actor(case), message_id=text.id)
        return await act.ask(case, who, EConsult.ask_follow_up, asked)


@router.post("/questions/{question_id}/withdraw", summary="Do without the answer to a question")
async def withdraw_question(
    econsult_id: RecordId,
    question_id: RecordId,
    body: QuestionWithdrawal,
    act: EConsultActsOfRequest,
    who: Annotated[Caller, caller(Role.CLINICIAN, Role.OPERATIONS)],
) -> EConsultView:
    """The clinician at any time, operations once the answer is late: the case no longer waits for it.

    409 `follow_up.question_not_open`; `follow_up.question_not_late` with the earliest time.
    """
    case = await act.find(econsult_id, who)
    asked = acts.WithdrawQuestion(actor=who.actor(case), question_id=question_id, reason=body.reason)
    return await act.ask(case, who, EConsult.withdraw_question, asked)


@router.post("/outcome", summary="Say what the eConsult was good for")
async def capture_outcome(
    econsult_id: RecordId, body: CareOutcome, act: EConsultActsOfRequest, who: TreatingClinician
) -> EConsultView:
    """Once there is an answer; the last word counts (E-09). 409 `outcome.no_reply_yet`."""
    case = await act.find(econsult_id, who)
    asked = acts.CaptureOutcome(
        actor=who.actor(case),
        improved_care_plan=body.improved_care_plan,
        avoided_in_person=body.avoided_in_person,
    )
    return await act.ask(case, who, EConsult.capture_outcome, asked)


@router.post("/reassign", summary="Take a late case from its specialist")
async def reassign(
    econsult_id: RecordId,
    body: Reassignment,
    act: EConsultActsOfRequest,
    who: Annotated[Caller, caller(Role.OPERATIONS)],
) -> EConsultView:
    """Once it is 72 hours old (decision 13), or information that was asked for is late.

    409 `assignment.not_late`, `information.not_late` with the earliest time.
    """
    case = await act.find(econsult_id, who)
    return await act.ask(case, who, EConsult.reassign, acts.CancelOrder(actor=who.actor(case), reason=body.reason))


@router.post("/escalations/{clock}/acknowledge", summary="Take an escalated matter on")
async def acknowledge_escalation(
    econsult_id: RecordId,
    clock: EscalatingClock,
    act: EConsultActsOfRequest,
    who: Annotated[Caller, caller(Role.OPERATIONS, Role.SUPPORT)],
) -> EConsultView:
    """Its ladder is climbed no further. `clock` is a name out of `clocks`. 409 `escalation.none`."""
    case = await act.find(econsult_id, who)
    asked = acts.AcknowledgeEscalation(actor=who.actor(case), clock=clock)
    return await act.ask(case, who, EConsult.acknowledge_escalation, asked)
