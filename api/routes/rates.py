"""Rate requests: a clinician asks for another portion, operations decide (E-20 to E-22, decision 16)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import require
from api.dependencies import AppServices, Services
from api.people import CurrentClinician, actor_of
from api.problems import responses
from api.scopes import BACK_OFFICE, visible_clinician
from api.values import EXAMPLE_ID, Cursor, Limit, Page, RecordId
from db import people, rates
from db.rates import RateCase
from db.tables import Clinician, RateRequestRow, new_id
from domain.access import Principal, Role
from domain.actors import Actor
from domain.errors import Refused
from domain.rates import DecideRate, RateRequestOrder, RateStage

router = APIRouter(tags=["rates"])


class NewRateRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"portion_cents": 3500}]})

    portion_cents: int = Field(
        strict=True, ge=0, le=100_000, description="The clinician's portion of each eConsult, in cents."
    )


class RateDecision(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"approve": True}]})

    approve: bool


class RateRequestView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "clinician_id": EXAMPLE_ID,
                    "portion_cents": 3500,
                    "below_default": False,
                    "stage": "REQUESTED",
                    "requested_at": "2026-03-02T09:00:00Z",
                    "decided_at": None,
                    "decided_by": None,
                }
            ]
        }
    )

    id: str
    clinician_id: str
    portion_cents: int
    below_default: bool = Field(description="Lower than the default portion: only an approval makes that possible.")
    stage: RateStage
    requested_at: datetime
    decided_at: datetime | None
    decided_by: Actor | None


@router.post(
    "/clinicians/{clinician_id}/rate-requests",
    status_code=201,
    summary="Ask for another portion",
    responses=responses(401, 403, 404, 409, 422),
)
async def request_rate(
    clinician_id: RecordId, new: NewRateRequest, services: AppServices, clinician: CurrentClinician
) -> RateRequestView:
    """Counts for orders placed after its approval, never for earlier ones.

    Asked again while a request for the same portion is undecided, it answers with that one.
    """
    if clinician.id != clinician_id:
        raise people.unknown(Clinician)
    async with services.database.transaction() as session:
        request = await rates.place(session, _new_request(services, clinician, new.portion_cents))
    if not request.started:
        await services.cases.start_rate_request(RateRequestOrder.model_validate(request.order))
        async with services.database.transaction() as session:
            await rates.mark_started(session, request.id)
    return await _read(services, request.id)


@router.get(
    "/clinicians/{clinician_id}/rate-requests",
    summary="The rate requests of a clinician",
    responses=responses(401, 403, 404, 422),
)
async def clinicians_rate_requests(
    clinician_id: RecordId,
    services: AppServices,
    principal: Annotated[Principal, require(Role.CLINICIAN, *BACK_OFFICE)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[RateRequestView]:
    """Newest first."""
    async with services.database.transaction() as session:
        await visible_clinician(session, principal, clinician_id)
        found = await rates.page(session, clinician_id=clinician_id, before=cursor, limit=limit + 1)
    return _page(services, found, limit)


@router.get(
    "/rate-requests",
    summary="All rate requests",
    dependencies=[require(*BACK_OFFICE)],
    responses=responses(401, 403, 422),
)
async def all_rate_requests(
    services: AppServices,
    stage: Annotated[RateStage | None, Query(description="`REQUESTED` are those that wait for a decision.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[RateRequestView]:
    """Newest first."""
    async with services.database.transaction() as session:
        found = await rates.page(session, stage=stage, before=cursor, limit=limit + 1)
    return _page(services, found, limit)


@router.post(
    "/rate-requests/{request_id}/decision",
    summary="Approve or reject a rate request",
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def decide_rate_request(
    request_id: RecordId,
    decision: RateDecision,
    services: AppServices,
    principal: Annotated[Principal, require(Role.OPERATIONS)],
) -> RateRequestView:
    """Decided once: 409 `rate.already_decided`, unless the same person repeats the same decision."""
    actor = actor_of(principal, None)
    asked = DecideRate(actor=actor, approve=decision.approve)
    found = await _read(services, request_id)
    if found.stage is RateStage.REQUESTED:
        try:
            await services.cases.decide_rate(request_id, asked, "approve" if decision.approve else "reject")
        except Refused as refusal:
            if refusal.code != "case.not_running":
                raise
            # Decided a moment ago by somebody else, or not started yet.
            if (await _read(services, request_id)).stage is RateStage.REQUESTED:
                raise
        found = await _read(services, request_id)
    wanted = RateStage.APPROVED if decision.approve else RateStage.REJECTED
    if (found.stage, found.decided_by) != (wanted, actor):
        raise Refused("rate.already_decided", f"the request is {found.stage}")
    return found


def _new_request(services: Services, clinician: Clinician, portion_cents: int) -> RateRequestRow:
    request_id = new_id()
    order = RateRequestOrder(
        request_id=request_id,
        clinician_id=clinician.id,
        portion_cents=portion_cents,
        requested_by=Actor(role=Role.CLINICIAN, id=clinician.id),
        policy=services.policy.rate_request,
    )
    return RateRequestRow(
        id=request_id, clinician_id=clinician.id, portion_cents=portion_cents, order=order.model_dump(mode="json")
    )


async def _read(services: Services, request_id: str) -> RateRequestView:
    async with services.database.transaction() as session:
        return _view(services, await rates.get(session, request_id))


def _page(services: Services, found: list[RateCase], limit: int) -> Page[RateRequestView]:
    items = [_view(services, case) for case in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


def _view(services: Services, case: RateCase) -> RateRequestView:
    row, state = case.request, case.snapshot
    return RateRequestView(
        id=row.id,
        clinician_id=row.clinician_id,
        portion_cents=row.portion_cents,
        below_default=row.portion_cents < services.policy.econsult.clinician_portion_cents,
        stage=state.stage if state else RateStage.REQUESTED,
        requested_at=state.requested_at if state else row.created_at,
        decided_at=state.decided_at if state else None,
        decided_by=state.decided_by if state else None,
    )
