"""The follow-up visit that is included in the price (E-10, E-15, decision 15)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from api import ordering
from api.callers import Caller, caller
from api.econsult_acting import EConsultActsOfRequest
from api.problems import responses
from api.schemas.acts import FollowUpBooking
from api.schemas.econsults import EConsultView
from api.starting import start_visit
from api.values import RecordId
from api.visit_acting import row
from domain.access import Role
from domain.econsult import acts
from domain.visit.state import VisitOrder
from domain.visit.states import VisitKind, VisitStatus
from workflows.econsult.workflow import EConsult

router = APIRouter(
    prefix="/econsults/{econsult_id}/follow-up-visit",
    tags=["econsults"],
    responses=responses(401, 403, 404, 409, 422, 503),
)

DURATION_MINUTES = 15

Parties = Annotated[Caller, caller(Role.PATIENT, Role.CLINICIAN, Role.SUPPORT)]


@router.post("", summary="Book the follow-up visit")
async def book(econsult_id: RecordId, body: FollowUpBooking, act: EConsultActsOfRequest, who: Parties) -> EConsultView:
    """With the same clinician, at no charge. After the window is allowed, with a warning in the answer.

    409 `follow_up_visit.not_bookable`, `follow_up_visit.in_the_past`, `follow_up_visit.too_late`,
    `clinician.licence_expired`, `clinician.licence_suspended`, `clinician.no_licence_in_state`.
    """
    case = await act.find(econsult_id, who)
    async with act.services.database.transaction() as session:
        await ordering.check_licensed(session, case.clinician_id, case.patient_id, act.services.clock())
    order = VisitOrder(
        visit_id=act.record_id(who),
        patient_id=case.patient_id,
        clinician_id=case.clinician_id,
        kind=VisitKind.ECONSULT_FOLLOW_UP,
        econsult_id=econsult_id,
        starts_at=body.starts_at,
        duration_minutes=DURATION_MINUTES,
        policy=act.services.policy.visit,
        scheduled_by=who.actor(case),
    )
    # Cancelled until the step that accepts the booking makes it scheduled: only then is it started.
    visit = row(order, status=VisitStatus.CANCELLED, price_cents=0)
    async with act.bringing(visit):
        asked = acts.BookFollowUpVisit(actor=order.scheduled_by, visit_id=order.visit_id, starts_at=body.starts_at)
        view = await act.ask(case, who, EConsult.book_follow_up_visit, asked)
    await start_visit(act.services, order.visit_id)
    return view


@router.post("/decline", summary="Do without the follow-up visit")
async def decline(
    econsult_id: RecordId,
    act: EConsultActsOfRequest,
    who: Annotated[Caller, caller(Role.PATIENT, Role.SUPPORT)],
) -> EConsultView:
    """The patient's choice, also through support (decision 15). A booked one is cancelled.

    409 `follow_up_visit.not_open`.
    """
    case = await act.find(econsult_id, who)
    return await act.ask(case, who, EConsult.decline_follow_up_visit, acts.Act(actor=who.actor(case)))
