"""Credential events: what befalls a clinician's licences and standing, reported promptly (K-01 to K-04)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api import licensing, reviewing
from api.acting import ActsOfRequest
from api.callers import Caller, caller
from api.dependencies import AppServices, Services
from api.problems import responses
from api.schemas.acts import EscalatingClock
from api.schemas.standards import CredentialEventView, CredentialResolution, NewCredentialEvent, NewTriage
from api.scopes import BACK_OFFICE
from api.values import Cursor, Limit, Page, RecordId
from db import licences, people, reviews
from db.reviews import Filters, Reported
from db.tables import Clinician, CredentialEventRow, new_id
from domain.access import Role
from domain.errors import Invalid
from domain.review import NAMES_A_LICENCE, CredentialOutcome, ReviewOrder, ReviewStage, is_late

router = APIRouter(tags=["credential events"])
PROBLEMS = responses(401, 403, 404, 409, 422, 503)

WESTERNMOST = timedelta(hours=14)
"""By so much may it be a later day elsewhere."""

Reader = Annotated[Caller, caller(Role.CLINICIAN, *BACK_OFFICE)]
Office = Annotated[Caller, caller(*BACK_OFFICE)]
Event = Reported[CredentialEventRow]


@router.post(
    "/clinicians/{clinician_id}/credential-events",
    status_code=201,
    summary="Report a credential event",
    responses=responses(401, 403, 404, 422),
)
async def report_event(
    clinician_id: RecordId, new: NewCredentialEvent, services: AppServices, act: ActsOfRequest, who: Reader
) -> CredentialEventView:
    """The clinician, within 24 hours of knowing (decision 11), or the back office. A late report counts as well.

    A suspension or expiry takes effect on the licence at once. 404 `clinician.unknown`, `licence.unknown`;
    422 `credential_event.licence_missing`, `credential_event.in_the_future`.
    """
    if who.staff is None and who.scope.clinician_id != clinician_id:
        raise people.unknown(Clinician)
    _plausible(services, new)
    async with services.database.transaction() as session:
        await people.get(session, Clinician, clinician_id)
        if new.licence_id and (await licences.get(session, new.licence_id)).clinician_id != clinician_id:
            raise licences.unknown()
    actor = reviewing.reporter(who)
    event = CredentialEventRow(
        id=new_id(),
        request_key=act.record_id(who),
        clinician_id=clinician_id,
        reported_by_role=actor.role,
        reported_by=actor.id,
        reported_at=services.clock(),
        order={},
        **new.model_dump(),
    )
    event.order = reviewing.order_of(event, services.policy.credential_event)
    if new.licence_id:
        await licensing.ensure_watched(services, new.licence_id, actor)
    return _view(await reviewing.file(services, event))


@router.get(
    "/clinicians/{clinician_id}/credential-events",
    summary="The credential events of a clinician",
    responses=responses(401, 403, 404, 422),
)
async def clinicians_events(
    clinician_id: RecordId, services: AppServices, who: Reader, cursor: Cursor = None, limit: Limit = 50
) -> Page[CredentialEventView]:
    """Newest first; for the clinician and the back office."""
    if who.staff is None and who.scope.clinician_id != clinician_id:
        raise people.unknown(Clinician)
    async with services.database.transaction() as session:
        await people.get(session, Clinician, clinician_id)
        found = await reviews.page(
            session, CredentialEventRow, Filters(clinician_id=clinician_id), before=cursor, limit=limit + 1
        )
    return _page(found, limit)


@router.get("/credential-events", summary="All credential events", responses=responses(401, 403, 422))
async def all_events(
    services: AppServices,
    _: Office,
    stage: Annotated[ReviewStage | None, Query(description="`REPORTED` are those that wait for a triage.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[CredentialEventView]:
    """Newest first."""
    filters = Filters(stages=(stage,) if stage else ())
    async with services.database.transaction() as session:
        found = await reviews.page(session, CredentialEventRow, filters, before=cursor, limit=limit + 1)
    return _page(found, limit)


@router.get("/credential-events/{event_id}", summary="A credential event", responses=responses(401, 403, 404, 422))
async def read_event(event_id: RecordId, services: AppServices, who: Reader) -> CredentialEventView:
    """For its clinician and the back office."""
    async with services.database.transaction() as session:
        found = await reviews.get(session, CredentialEventRow, event_id)
    if who.staff is None and found.report.clinician_id != who.scope.clinician_id:
        raise reviews.unknown(CredentialEventRow)
    return _view(found)


@router.post("/credential-events/{event_id}/triage", summary="Triage a credential event", responses=PROBLEMS)
async def triage_event(event_id: RecordId, body: NewTriage, act: ActsOfRequest, who: Office) -> CredentialEventView:
    """The time for a resolution runs from here.

    403 `review.own_case`; 404 `staff.unknown`; 409 `review.already_triaged`.
    """
    found = await reviewing.reviewed(act.services, CredentialEventRow, event_id, who)
    return _view(await reviewing.triage(act, who, found.report, body))


@router.post("/credential-events/{event_id}/resolve", summary="Resolve a credential event", responses=PROBLEMS)
async def resolve_event(
    event_id: RecordId, body: CredentialResolution, act: ActsOfRequest, who: Office
) -> CredentialEventView:
    """403 `review.own_case`; 409 `review.not_triaged`, `review.already_resolved`, `review.no_licence`."""
    found = await reviewing.reviewed(act.services, CredentialEventRow, event_id, who)
    concerned = await _concerned(act.services, found.report, body.outcome)
    for licence_id in concerned:
        await licensing.ensure_watched(act.services, licence_id, reviewing.reporter(who))
    return _view(await reviewing.resolve(act, who, found, body.outcome, concerned))


@router.post(
    "/credential-events/{event_id}/escalations/{clock}/acknowledge",
    summary="Take a late review on",
    responses=PROBLEMS,
)
async def acknowledge_event(
    event_id: RecordId, clock: EscalatingClock, act: ActsOfRequest, who: Office
) -> CredentialEventView:
    """Its ladder is climbed no further. 403 `review.own_case`; 409 `escalation.none`."""
    found = await reviewing.reviewed(act.services, CredentialEventRow, event_id, who)
    return _view(await reviewing.acknowledge(act, who, found.report, clock))


def _plausible(services: Services, new: NewCredentialEvent) -> None:
    now = services.clock()
    if new.aware_at > now or new.occurred_on > (now + WESTERNMOST).date():
        raise Invalid("credential_event.in_the_future", "what has not happened yet cannot be reported")
    if new.kind in NAMES_A_LICENCE and new.licence_id is None:
        raise Invalid("credential_event.licence_missing", "say which licence it is about")


async def _concerned(services: Services, event: CredentialEventRow, outcome: CredentialOutcome) -> tuple[str, ...]:
    """The licences that the outcome suspends."""
    if outcome is CredentialOutcome.LICENCE_SUSPENDED:
        return (event.licence_id,) if event.licence_id else ()
    if outcome is not CredentialOutcome.CLINICIAN_BLOCKED:
        return ()
    async with services.database.transaction() as session:
        found = await licences.of_clinician(session, event.clinician_id)
    return tuple(licence.id for licence in found)


def _view(found: Event) -> CredentialEventView:
    event = found.report
    return CredentialEventView(
        **event.model_dump(include={"id", "clinician_id", "kind", "licence_id", "occurred_on", "aware_at"}),
        **event.model_dump(include={"reported_at", "description"}),
        **reviewing.progress(found.snapshot),
        reported_by=reviewing.reported_by(event),
        late_report=is_late(ReviewOrder.model_validate(event.order)),
    )


def _page(found: list[Event], limit: int) -> Page[CredentialEventView]:
    items = [_view(one) for one in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)
