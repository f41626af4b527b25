"""Ordering eConsults, and reading where they stand."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api import ordering
from api.acting import IdempotencyKey
from api.callers import Caller, caller
from api.dependencies import AppServices
from api.live import asking
from api.people import STAFF, CurrentClinician
from api.problem_model import MEDIA_TYPE
from api.problems import responses
from api.schemas.econsults import (
    EConsultView,
    OrderedEConsult,
    State,
    TimelinePage,
    econsult_view,
    step_view,
    view_fields,
)
from api.schemas.orders import DraftEConsult, LintResult, NewEConsult, SubmissionProblem
from api.starting import start
from api.values import Limit, Page, RecordId
from db import econsults, timeline
from db.econsults import Filters
from domain import names
from domain.access import Role
from domain.case import Explanation
from domain.clock import SlaState
from domain.econsult.linter import Finding, blocking
from domain.errors import Invalid

router = APIRouter(prefix="/econsults", tags=["econsults"])


class Wanted(BaseModel):
    """Which eConsults, and which part of their list."""

    model_config = ConfigDict(extra="forbid")

    state: list[State] = Field(default_factory=list, description="Any of these; repeat it for more than one.")
    sla_state: SlaState | None = None
    clinician_id: RecordId | None = None
    patient_id: RecordId | None = None
    specialist_id: RecordId | None = Field(default=None, description="Who has the case.")
    cursor: RecordId | None = Field(default=None, description="`next_cursor` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="Most items on a page.")


AnyReader = Annotated[Caller, caller(Role.CLINICIAN, Role.PATIENT, Role.SPECIALIST, *STAFF)]
_BLOCKED: dict[int | str, dict[str, Any]] = {
    422: {**responses(422)[422], "model": SubmissionProblem, "description": "Not acceptable, or blocked by the linter"}
}


@router.post("/lint", summary="Check a draft", responses=responses(401, 403, 404, 422))
async def lint_draft(draft: DraftEConsult, services: AppServices, clinician: CurrentClinician) -> LintResult:
    """What would keep the draft from being ordered, and what would make it stronger (E-03). Nothing is kept.

    404 `visit.unknown`, `note.unknown`, `attachment.unknown`.
    """
    async with services.database.transaction() as session:
        visit = await ordering.own_visit(session, clinician, draft.visit_id)
        found = await ordering.findings(session, visit, draft, services.policy.econsult)
    return LintResult(orderable=not blocking(found), findings=list(found))


@router.post(
    "",
    status_code=201,
    summary="Order an eConsult",
    response_model=OrderedEConsult,
    responses={**responses(401, 403, 404, 409), **_BLOCKED},
)
async def order_econsult(
    new: NewEConsult,
    request: Request,
    services: AppServices,
    clinician: CurrentClinician,
    key: IdempotencyKey = None,
) -> OrderedEConsult | JSONResponse:
    """For a patient of one's own visit. The patient gets a payment link; no specialist sees the case before payment.

    Repeated with its Idempotency-Key, an order is placed once and answered as it stands, without advice.
    404 `visit.unknown`, `note.unknown`, `attachment.unknown`; 409 `visit.not_started`, `visit.cancelled`,
    `visit.not_held`, `clinician.licence_expired`, `clinician.licence_suspended`, `clinician.no_licence_in_state`;
    422 `submission.blocked`, `expectations.not_acknowledged`, `request.idempotency_key_missing`,
    `request.idempotency_key_reused`.
    """
    if key is None:
        raise Invalid("request.idempotency_key_missing", "an order needs an Idempotency-Key header")
    advice: tuple[Finding, ...] = ()
    async with services.database.transaction() as session:
        placed = await econsults.placed_with(session, clinician.id, key, new.fingerprint())
        if placed is None:
            visit = await ordering.own_visit(session, clinician, new.visit_id)
            ordering.check_orderable(visit)
            await ordering.check_licensed(session, clinician.id, visit.patient_id, services.clock())
            ordering.acknowledged(new.patient_expectations)
            advice = await ordering.findings(session, visit, new, services.policy.econsult)
            if blocking(advice):
                return _blocked(request, advice)
            placed = await ordering.place(session, clinician, visit, new, key, services.policy.econsult)
    if not placed.started:
        await start(services, placed)
    async with services.database.transaction() as session:
        case = await econsults.get(session, placed.id)
    return OrderedEConsult.model_validate({**view_fields(case, services.clock(), money=True), "advice": advice})


@router.get("", summary="eConsults", responses=responses(401, 403, 422))
async def list_econsults(
    services: AppServices, who: AnyReader, wanted: Annotated[Wanted, Query()]
) -> Page[EConsultView]:
    """Newest first: clinicians and patients see their own, specialists those assigned to them, staff all."""
    filters = Filters(**wanted.model_dump(exclude={"state", "cursor", "limit"}), states=tuple(wanted.state))
    limit = wanted.limit
    async with services.database.transaction() as session:
        found = await econsults.page(session, who.scope, filters, before=wanted.cursor, limit=limit + 1)
    items = [econsult_view(case, services.clock(), money=who.sees_money(case)) for case in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/{econsult_id}", summary="Where an eConsult stands", responses=responses(401, 403, 404, 409, 422, 503))
async def read_econsult(
    econsult_id: RecordId,
    services: AppServices,
    who: AnyReader,
    live: Annotated[bool, Query(description="Ask the workflow itself. 409 `case.not_running`.")] = False,
) -> EConsultView:
    """From its recorded steps: an act's answer is never newer."""
    async with services.database.transaction() as session:
        case = await econsults.get(session, econsult_id, who.scope)
    if not live:
        return econsult_view(case, services.clock(), money=who.sees_money(case))
    async with asking():
        told = await services.cases.econsult_status(econsult_id)
    return econsult_view(case, services.clock(), money=who.sees_money(case), live=told)


@router.get("/{econsult_id}/timeline", summary="What happened", responses=responses(401, 403, 404, 422))
async def read_timeline(
    econsult_id: RecordId,
    services: AppServices,
    who: Annotated[Caller, caller(Role.CLINICIAN, Role.PATIENT, *STAFF)],
    cursor: Annotated[int, Query(ge=0, le=1_000_000, description="`next_cursor` of the page before.")] = 0,
    limit: Limit = 100,
) -> TimelinePage:
    """Each step in order: who, when, what, and where the case stood after it."""
    async with services.database.transaction() as session:
        await econsults.get(session, econsult_id, who.scope)
        steps = await timeline.page(session, names.econsult_case(econsult_id), after=cursor, limit=limit + 1)
    items = [step_view(step) for step in steps[:limit]]
    return TimelinePage(items=items, next_cursor=items[-1].sequence if len(steps) > limit else None)


@router.get(
    "/{econsult_id}/explain", summary="Every second of its clocks", responses=responses(401, 403, 404, 409, 422, 503)
)
async def explain(
    econsult_id: RecordId,
    services: AppServices,
    who: Annotated[Caller, caller(Role.CLINICIAN, *STAFF)],
) -> list[Explanation]:
    """From the workflow: running, paused and overdue time of each clock, and its milestones. 409 `case.not_running`."""
    async with services.database.transaction() as session:
        await econsults.get(session, econsult_id, who.scope)
    async with asking():
        return await services.cases.explain_econsult(econsult_id)


def _blocked(request: Request, findings: tuple[Finding, ...]) -> JSONResponse:
    problem = SubmissionProblem(
        type="urn:carewave:problem:submission.blocked",
        title="The input cannot be accepted",
        status=422,
        detail="The submission has faults that keep it from being ordered.",
        code="submission.blocked",
        request_id=getattr(request.state, "request_id", None),
        findings=list(findings),
    )
    return JSONResponse(problem.model_dump(mode="json", exclude_none=True), 422, media_type=MEDIA_TYPE)
