"""Scheduling visits, and seeing where they stand (spec/care.md, process V)."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api import visit_acting
from api.callers import Caller, caller
from api.dependencies import AppServices
from api.live import asking
from api.people import STAFF
from api.problems import responses
from api.schemas.econsults import TimelinePage, step_view
from api.schemas.roster import Day
from api.schemas.visits import NewVisit, VisitView, visit_view
from api.starting import start_visit
from api.values import Limit, Page, RecordId, TimeZone
from api.visit_acting import VisitActsOfRequest
from db import timeline, visits
from db.visits import Filters
from domain import names
from domain.access import Role
from domain.case import Explanation
from domain.local_time import instant, zone_of
from domain.visit.states import VisitStatus

router = APIRouter(prefix="/visits", tags=["visits"])

Parties = Annotated[Caller, caller(Role.CLINICIAN, Role.PATIENT, *STAFF)]
ClinicianOrStaff = Annotated[Caller, caller(Role.CLINICIAN, *STAFF)]


class Wanted(BaseModel):
    """Which visits, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    status: VisitStatus | None = None
    clinician_id: RecordId | None = None
    first_day: Day | None = Field(default=None, description="Visits that start on this day or later.")
    last_day: Day | None = Field(default=None, description="Visits that start on this day or earlier.")
    time_zone: TimeZone = Field(default="UTC", description="Where these are days; an IANA name.")
    cursor: RecordId | None = Field(default=None, description="`next_cursor` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="Most items on a page.")

    def filters(self) -> Filters:
        zone = zone_of(self.time_zone)
        midnight = time()
        after = self.last_day + timedelta(days=1) if self.last_day else None
        return Filters(
            status=self.status,
            clinician_id=self.clinician_id,
            starts_from=instant(self.first_day, midnight, zone) if self.first_day else None,
            starts_before=instant(after, midnight, zone) if after else None,
        )


@router.post("", status_code=201, summary="Schedule a visit", responses=responses(401, 403, 404, 409, 422))
async def schedule_visit(new: NewVisit, act: VisitActsOfRequest, who: ClinicianOrStaff) -> VisitView:
    """Staff schedules visits of anybody, a clinician their own with patients whom they have a visit with already.

    Repeated with its Idempotency-Key, a visit is scheduled once and answered as it stands.
    403 `visit.of_another_clinician`, `visit.patient_not_yours`; 404 `patient.unknown` and `clinician.unknown`;
    409 `visit.in_the_past`, `visit.too_far_ahead`, `clinician.licence_expired`, `clinician.licence_suspended`,
    `clinician.no_licence_in_state`, by the patient's state; 422 `visit.clinician_missing`,
    `request.idempotency_key_missing`, `request.idempotency_key_reused`.
    """
    async with act.services.database.transaction() as session:
        visit = await visit_acting.schedule(session, act, who, new)
    await start_visit(act.services, visit.id)
    return await act.view(visit.id, who)


@router.get("", summary="Visits", responses=responses(401, 403, 422))
async def list_visits(services: AppServices, who: Parties, wanted: Annotated[Wanted, Query()]) -> Page[VisitView]:
    """The latest start first: clinicians and patients see their own, staff all."""
    limit = wanted.limit
    async with services.database.transaction() as session:
        found = await visits.page(session, who.scope, wanted.filters(), after=wanted.cursor, limit=limit + 1)
    items = [visit_view(case, who.role(case)) for case in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/{visit_id}", summary="Where a visit stands", responses=responses(401, 403, 404, 409, 422, 503))
async def read_visit(
    visit_id: RecordId,
    services: AppServices,
    who: Parties,
    live: Annotated[bool, Query(description="Ask the workflow itself. 409 `case.not_running`.")] = False,
) -> VisitView:
    """From its recorded steps, for its clinician, its patient and staff."""
    async with services.database.transaction() as session:
        case = await visits.get(session, visit_id, who.scope)
    if not live:
        return visit_view(case, who.role(case))
    async with asking():
        told = await services.cases.visit_status(visit_id)
    return visit_view(case, who.role(case), live=told)


@router.get("/{visit_id}/timeline", summary="What happened", responses=responses(401, 403, 404, 422))
async def read_timeline(
    visit_id: RecordId,
    services: AppServices,
    who: ClinicianOrStaff,
    cursor: Annotated[int, Query(ge=0, le=1_000_000, description="`next_cursor` of the page before.")] = 0,
    limit: Limit = 100,
) -> TimelinePage:
    """Each step in order: who, when, what, and where the visit stood after it."""
    async with services.database.transaction() as session:
        await visits.get(session, visit_id, who.scope)
        steps = await timeline.page(session, names.visit_case(visit_id), after=cursor, limit=limit + 1)
    items = [step_view(step) for step in steps[:limit]]
    return TimelinePage(items=items, next_cursor=items[-1].sequence if len(steps) > limit else None)


@router.get(
    "/{visit_id}/explain", summary="Every second of its clocks", responses=responses(401, 403, 404, 409, 422, 503)
)
async def explain(visit_id: RecordId, services: AppServices, who: ClinicianOrStaff) -> list[Explanation]:
    """From the workflow: running, paused and overdue time of each clock, and its milestones. 409 `case.not_running`."""
    async with services.database.transaction() as session:
        await visits.get(session, visit_id, who.scope)
    async with asking():
        return await services.cases.explain_visit(visit_id)
