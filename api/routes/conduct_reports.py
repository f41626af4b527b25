"""Conduct reports: how clinicians behave, and referrals off the platform (V-17, V-18).

The reported clinician never learns who reported, nor in which words.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Annotated

from fastapi import APIRouter, Query

from api import reviewing
from api.acting import ActsOfRequest
from api.callers import Caller, caller
from api.dependencies import AppServices
from api.people import CurrentClinician
from api.problems import responses
from api.schemas.acts import EscalatingClock
from api.schemas.standards import ConductReportView, ConductResolution, NewConductReport, NewTriage
from api.scopes import BACK_OFFICE
from api.values import Cursor, Limit, Page, RecordId
from db import people, reviews
from db.reviews import Filters, Reported
from db.tables import Clinician, ConductReportRow, new_id
from domain.access import Role
from domain.review import ReviewStage

router = APIRouter(prefix="/conduct-reports", tags=["conduct reports"])
PROBLEMS = responses(401, 403, 404, 409, 422, 503)

Anybody = Annotated[Caller, caller(Role.PATIENT, Role.CLINICIAN, Role.SUPPORT, *BACK_OFFICE)]
Office = Annotated[Caller, caller(*BACK_OFFICE)]
Case = Reported[ConductReportRow]

TO_THE_CLINICIAN = (ReviewStage.TRIAGED, ReviewStage.RESOLVED)
"""Earlier, the hour alone would tell of whom a report comes."""


class Reader(Enum):
    """As whom somebody reads a report."""

    REVIEWER = auto()
    REPORTER = auto()
    SUBJECT = auto()


@router.post("", status_code=201, summary="Report a clinician's conduct", responses=responses(401, 403, 404, 422))
async def report_conduct(
    new: NewConductReport,
    services: AppServices,
    act: ActsOfRequest,
    who: Annotated[Caller, caller(Role.PATIENT, Role.CLINICIAN, Role.SUPPORT, Role.OPERATIONS)],
) -> ConductReportView:
    """By patients, clinicians and staff. The clinician never learns by whom. 404 `clinician.unknown`."""
    async with services.database.transaction() as session:
        await people.get(session, Clinician, new.clinician_id)
    actor = reviewing.reporter(who)
    report = ConductReportRow(
        id=new_id(),
        request_key=act.record_id(who),
        reported_by_role=actor.role,
        reported_by=actor.id,
        reported_at=services.clock(),
        order={},
        **new.model_dump(),
    )
    report.order = reviewing.order_of(report, services.policy.conduct_report)
    return _view(await reviewing.file(services, report), Reader.REPORTER)


@router.get("", summary="Conduct reports", responses=responses(401, 403, 422))
async def list_reports(
    services: AppServices,
    who: Anybody,
    stage: Annotated[ReviewStage | None, Query(description="`REPORTED` are those that wait for a triage.")] = None,
    clinician_id: Annotated[RecordId | None, Query(description="Whom they are about.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ConductReportView]:
    """Newest first: the back office sees all but those about themselves, anybody else what they reported."""
    reviewer = _reviews(who)
    filters = Filters(
        clinician_id=clinician_id,
        not_about=await reviewing.own_clinician_id(services, who) if reviewer else None,
        reported_by=None if reviewer else reviewing.reporter(who).id,
        stages=(stage,) if stage else (),
    )
    async with services.database.transaction() as session:
        found = await reviews.page(session, ConductReportRow, filters, before=cursor, limit=limit + 1)
    return _page(found, limit, Reader.REVIEWER if reviewer else Reader.REPORTER)


@router.get("/about-me", summary="What was reported about the clinician who calls", responses=responses(401, 403, 422))
async def reports_about_me(
    services: AppServices, clinician: CurrentClinician, cursor: Cursor = None, limit: Limit = 50
) -> Page[ConductReportView]:
    """From the triage on, newest first; without who reported, when and in which words."""
    filters = Filters(clinician_id=clinician.id, stages=TO_THE_CLINICIAN)
    async with services.database.transaction() as session:
        found = await reviews.page(session, ConductReportRow, filters, before=cursor, limit=limit + 1)
    return _page(found, limit, Reader.SUBJECT)


@router.get("/{report_id}", summary="A conduct report", responses=responses(401, 403, 404, 422))
async def read_report(report_id: RecordId, services: AppServices, who: Anybody) -> ConductReportView:
    """For the back office, for whoever reported, and from the triage on for the clinician. Each sees their part."""
    async with services.database.transaction() as session:
        found = await reviews.get(session, ConductReportRow, report_id)
    reader = _reader(found, who, await reviewing.own_clinician_id(services, who))
    if reader is None:
        raise reviews.unknown(ConductReportRow)
    return _view(found, reader)


@router.post("/{report_id}/triage", summary="Triage a conduct report", responses=PROBLEMS)
async def triage_report(report_id: RecordId, body: NewTriage, act: ActsOfRequest, who: Office) -> ConductReportView:
    """The time for a resolution, which depends on the severity, runs from here.

    403 `review.own_case`; 404 `staff.unknown`; 409 `review.already_triaged`.
    """
    found = await reviewing.reviewed(act.services, ConductReportRow, report_id, who)
    return _view(await reviewing.triage(act, who, found.report, body), Reader.REVIEWER)


@router.post("/{report_id}/resolve", summary="Resolve a conduct report", responses=PROBLEMS)
async def resolve_report(
    report_id: RecordId, body: ConductResolution, act: ActsOfRequest, who: Office
) -> ConductReportView:
    """403 `review.own_case`; 409 `review.not_triaged`, `review.already_resolved`."""
    found = await reviewing.reviewed(act.services, ConductReportRow, report_id, who)
    return _view(await reviewing.resolve(act, who, found, body.outcome), Reader.REVIEWER)


@router.post("/{report_id}/escalations/{clock}/acknowledge", summary="Take a late review on", responses=PROBLEMS)
async def acknowledge_report(
    report_id: RecordId, clock: EscalatingClock, act: ActsOfRequest, who: Office
) -> ConductReportView:
    """Its ladder is climbed no further. 403 `review.own_case`; 409 `escalation.none`."""
    found = await reviewing.reviewed(act.services, ConductReportRow, report_id, who)
    return _view(await reviewing.acknowledge(act, who, found.report, clock), Reader.REVIEWER)


def _reader(found: Case, who: Caller, own_clinician_id: str | None) -> Reader | None:
    """Nobody reviews what is about themselves, whatever their roles."""
    about_me = found.report.clinician_id == own_clinician_id
    if _reviews(who) and not about_me:
        return Reader.REVIEWER
    if found.report.reported_by == reviewing.reporter(who).id:
        return Reader.REPORTER
    stage = found.snapshot.stage if found.snapshot else ReviewStage.REPORTED
    return Reader.SUBJECT if about_me and stage in TO_THE_CLINICIAN else None


def _reviews(who: Caller) -> bool:
    return who.staff in BACK_OFFICE


def _view(found: Case, reader: Reader) -> ConductReportView:
    report = found.report
    whole = ConductReportView(
        **report.model_dump(include={"id", "clinician_id", "kind", "reported_at", "description"}),
        **reviewing.progress(found.snapshot),
        reported_by=reviewing.reported_by(report),
    )
    if reader is Reader.REVIEWER:
        return whole
    hidden: dict[str, object] = {"severity": None, "assigned_to": None, "escalation_level": None, "clocks": []}
    if reader is Reader.REPORTER:
        return whole.model_copy(update={**hidden, "outcome": None, "resolved_at": None})
    return whole.model_copy(update={**hidden, "reported_by": None, "reported_at": None, "description": None})


def _page(found: list[Case], limit: int, reader: Reader) -> Page[ConductReportView]:
    items = [_view(one, reader) for one in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)
