"""Money back, decided by support (E-37, decision 19)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from api.acting import ActsOfRequest
from api.callers import Caller, caller
from api.problems import responses
from api.schemas.acts import RefundDecision, RefundId, RefundReason
from api.schemas.econsults import EConsultView
from api.values import RecordId
from db.econsults import Case
from db.tables import RefundRequestRow
from domain.access import Role
from domain.econsult import acts
from domain.econsult.states import RefundStatus
from domain.errors import NotFound
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
    act: ActsOfRequest,
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
    act: ActsOfRequest,
    who: Annotated[Caller, caller(Role.SUPPORT)],
) -> EConsultView:
    """Whole before an answer, any part of what is left afterwards.

    404 `refund.unknown`; 409 `refund.not_waiting`, `refund.amount_invalid`, `refund.must_be_whole`.
    """
    case = await act.find(econsult_id, who)
    left = _left_of(case, request_id)
    amount = (body.amount_cents or left) if body.approve else None
    asked = acts.DecideRefund(actor=who.actor(case), request_id=request_id, amount_cents=amount)
    return await act.ask(case, who, EConsult.decide_refund, asked)


def _left_of(case: Case, request_id: str) -> int:
    """Cents of the payment that the request is about, less what went back or is on its way."""
    snapshot = case.snapshot
    refunds = snapshot.refunds if snapshot else ()
    payments = {payment.payment_id: payment for payment in snapshot.payments} if snapshot else {}
    asked = next((refund for refund in refunds if refund.request_id == request_id), None)
    if asked is None:
        raise NotFound("refund.unknown", "there is no such refund request")
    payment = payments[asked.payment_id]
    under_way = (r for r in refunds if r.payment_id == asked.payment_id and r.status is RefundStatus.APPROVED)
    return payment.amount_cents - payment.refunded_cents - sum(refund.amount_cents for refund in under_way)
