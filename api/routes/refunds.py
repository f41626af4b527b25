"""Money back, decided by support (E-37, decision 19)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from api.callers import Caller, caller
from api.econsult_acting import EConsultActsOfRequest
from api.problems import responses
from api.schemas.acts import RefundDecision, RefundId, RefundReason
from api.schemas.econsults import EConsultView
from api.values import RecordId
from db.econsults import Case
from db.tables import RefundRequestRow
from domain.access import Role
from domain.econsult import acts, payments
from domain.econsult.state import Refund
from domain.econsult.states import RefundStatus
from domain.errors import NotFound, Refused
from workflows.econsult.workflow import EConsult

router = APIRouter(
    prefix="/econsults/{econsult_id}/refund-requests",
    tags=["refunds"],
    responses=responses(401, 403, 404, 409, 422, 503),
)


@router.post("", summary="Ask for a refund")
async def request_refund(
    econsult_id: RecordId,
    body: RefundReason,
    act: EConsultActsOfRequest,
    who: Annotated[Caller, caller(Role.PATIENT, Role.CLINICIAN, Role.SUPPORT)],
) -> EConsultView:
    """One request at a time. 409 `refund.nothing_paid`, `refund.already_requested`."""
    case = await act.find(econsult_id, who)
    actor = who.actor(case)
    request = RefundRequestRow(
        id=act.record_id(who), econsult_id=econsult_id, requested_by=f"{actor.role}:{actor.id}", reason=body.reason
    )
    async with act.bringing(request):
        asked = acts.RequestRefund(actor=actor, request_id=request.id)
        return await act.ask(case, who, EConsult.request_refund, asked)


@router.post("/{request_id}/decision", summary="Grant or reject a refund")
async def decide_refund(
    econsult_id: RecordId,
    request_id: RefundId,
    body: RefundDecision,
    act: EConsultActsOfRequest,
    who: Annotated[Caller, caller(Role.SUPPORT)],
) -> EConsultView:
    """Whole before an answer, any part of what is left afterwards.

    404 `refund.unknown`; 409 `refund.not_waiting`, `refund.nothing_paid`, `refund.amount_invalid`,
    `refund.must_be_whole`.
    """
    case = await act.find(econsult_id, who)
    request = _request_of(case, request_id)
    amount = (body.amount_cents or _everything(case, request)) if body.approve else None
    asked = acts.DecideRefund(actor=who.actor(case), request_id=request_id, amount_cents=amount)
    return await act.ask(case, who, EConsult.decide_refund, asked)


def _request_of(case: Case, request_id: str) -> Refund:
    refunds = case.snapshot.refunds if case.snapshot else ()
    found = next((refund for refund in refunds if refund.request_id == request_id), None)
    if found is None:
        raise NotFound("refund.unknown", "there is no such refund request")
    return found


def _everything(case: Case, request: Refund) -> int:
    """Cents to grant when no amount is named: all that is left. A repeat asks for what was granted the first time."""
    assert case.snapshot is not None
    waiting = request.status is RefundStatus.REQUESTED
    paid = next(payment for payment in case.snapshot.payments if payment.payment_id == request.payment_id)
    cents = payments.left_of(paid, case.snapshot.refunds) if waiting else request.amount_cents
    if cents > 0:
        return cents
    if waiting:
        raise Refused("refund.nothing_paid", "there is no payment left to refund", missing=("payment.accepted",))
    raise Refused("refund.not_waiting", "this request is not waiting for a decision")
