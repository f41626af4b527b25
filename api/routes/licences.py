"""Licences of clinicians: recorded, renewed, waived, suspended; what is booked and cannot go on (K-03)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from temporalio.workflow import UpdateMethodMultiParam

from api import licensing
from api.acting import Acts, ActsOfRequest
from api.auth import require
from api.callers import Caller, caller
from api.dependencies import AppServices
from api.problems import responses
from api.schemas.roster import Day
from api.schemas.standards import (
    LicenceLoss,
    LicenceView,
    LicenceWaiver,
    NewLicence,
    ReassignmentView,
    Renewal,
)
from api.scopes import BACK_OFFICE, visible_clinician
from api.values import Cursor, Limit, Page, RecordId
from db import licences, people, reassignments
from db.tables import Clinician, ClinicianLicence
from domain import names
from domain.access import Principal, Role
from domain.actors import Actor
from domain.licence_dates import expiry_moment
from domain.licences import EndLicence, LicenceAct, LicenceStatus, RenewLicence, WaiveLicence
from workflows.licence import Licence

router = APIRouter(tags=["licences"])
PROBLEMS = responses(401, 403, 404, 409, 422, 503)

Office = Annotated[Caller, caller(*BACK_OFFICE)]


@router.post(
    "/clinicians/{clinician_id}/licences",
    status_code=201,
    summary="Record a licence",
    responses=responses(401, 403, 404, 409, 422),
)
async def record_licence(clinician_id: RecordId, new: NewLicence, services: AppServices, who: Office) -> LicenceView:
    """The clinician is told 60, 30 and 7 days before its expiry. 409 `licence.exists` while there is one in this state.

    One of which nothing but the state was known is completed.
    """
    async with services.database.transaction() as session:
        await people.get(session, Clinician, clinician_id)
        kept = await licensing.record(session, clinician_id, new, office_actor(who), services.policy.licence)
    await licensing.watch(services, kept)
    return await _read(services, kept.id)


@router.get(
    "/clinicians/{clinician_id}/licences",
    summary="The licences of a clinician",
    responses=responses(401, 403, 404, 422),
)
async def clinicians_licences(
    clinician_id: RecordId,
    services: AppServices,
    principal: Annotated[Principal, require(Role.CLINICIAN, *BACK_OFFICE)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[LicenceView]:
    """In the order of creation, revoked ones too."""
    async with services.database.transaction() as session:
        await visible_clinician(session, principal, clinician_id)
        found = await licences.page(session, clinician_id=clinician_id, after=cursor, limit=limit + 1)
    return _page(found, limit)


@router.get(
    "/clinicians/{clinician_id}/reassignments",
    summary="What a clinician has booked and may not go on with",
    responses=responses(401, 403, 404, 422),
)
async def list_reassignments(
    clinician_id: RecordId,
    services: AppServices,
    principal: Annotated[Principal, require(Role.CLINICIAN, *BACK_OFFICE, Role.SUPPORT)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ReassignmentView]:
    """Scheduled visits and open eConsults of patients in states where the clinician has no licence that counts now."""
    async with services.database.transaction() as session:
        await visible_clinician(session, principal, clinician_id, (*BACK_OFFICE, Role.SUPPORT))
        found = await reassignments.page(session, clinician_id, services.clock(), after=cursor, limit=limit + 1)
    items = [
        ReassignmentView(
            kind=booked.kind,
            id=booked.id,
            patient_state=booked.patient_state,
            state=booked.business_state,
            scheduled_start=booked.scheduled_start,
            code=block,
        )
        for booked, block in found[:limit]
    ]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get(
    "/licences", summary="All licences", dependencies=[require(*BACK_OFFICE)], responses=responses(401, 403, 422)
)
async def all_licences(
    services: AppServices,
    status: LicenceStatus | None = None,
    expires_before: Annotated[Day | None, Query(description="Of those whose expiry is known.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[LicenceView]:
    """In the order of creation."""
    async with services.database.transaction() as session:
        found = await licences.page(
            session, status=status, expires_before=expires_before, after=cursor, limit=limit + 1
        )
    return _page(found, limit)


@router.get("/licences/{licence_id}", summary="A licence", responses=responses(401, 403, 404, 422))
async def read_licence(
    licence_id: RecordId, services: AppServices, who: Annotated[Caller, caller(Role.CLINICIAN, *BACK_OFFICE)]
) -> LicenceView:
    """For its clinician and the back office."""
    async with services.database.transaction() as session:
        licence = await licences.get(session, licence_id)
    if who.staff is None and licence.clinician_id != who.scope.clinician_id:
        raise licences.unknown()
    return licensing.licence_view(licence)


@router.post("/licences/{licence_id}/renew", summary="Record a renewal", responses=PROBLEMS)
async def renew(licence_id: RecordId, body: Renewal, act: ActsOfRequest, who: Office) -> LicenceView:
    """Also of a licence that has expired. 409 `licence.date_past`, `licence.revoked`."""
    licence = await licensing.watched(act.services, licence_id, office_actor(who))
    asked = RenewLicence(
        actor=office_actor(who),
        expires_on=body.expires_on,
        expires_at=expiry_moment(body.expires_on, licence.state),
    )
    return await _ask(act, who, licence, Licence.renew, asked)


@router.post("/licences/{licence_id}/waive", summary="Record a waiver", responses=PROBLEMS)
async def waive(licence_id: RecordId, body: LicenceWaiver, act: ActsOfRequest, who: Office) -> LicenceView:
    """It stands in for a renewal until its last day.

    409 `licence.date_past`, `licence.suspended`, `licence.revoked`.
    """
    licence = await licensing.watched(act.services, licence_id, office_actor(who))
    asked = WaiveLicence(
        actor=office_actor(who),
        waived_until=body.until,
        waived_until_at=expiry_moment(body.until, licence.state),
    )
    return await _ask(act, who, licence, Licence.waive, asked)


@router.post("/licences/{licence_id}/suspend", summary="Suspend a licence", responses=PROBLEMS)
async def suspend(licence_id: RecordId, body: LicenceLoss, act: ActsOfRequest, who: Office) -> LicenceView:
    """No new visits and eConsults from now on. 409 `licence.already_suspended`, `licence.revoked`."""
    licence = await licensing.watched(act.services, licence_id, office_actor(who))
    return await _ask(act, who, licence, Licence.suspend, EndLicence(actor=office_actor(who), reason=body.reason))


@router.post("/licences/{licence_id}/reinstate", summary="Lift a suspension", responses=PROBLEMS)
async def reinstate(licence_id: RecordId, act: ActsOfRequest, who: Office) -> LicenceView:
    """409 `licence.not_suspended`, `licence.revoked`."""
    licence = await licensing.watched(act.services, licence_id, office_actor(who))
    return await _ask(act, who, licence, Licence.reinstate, LicenceAct(actor=office_actor(who)))


@router.post("/licences/{licence_id}/revoke", summary="Revoke a licence for good", responses=PROBLEMS)
async def revoke(licence_id: RecordId, body: LicenceLoss, act: ActsOfRequest, who: Office) -> LicenceView:
    """Another one in the state can be recorded afterwards. Done before, it changes nothing."""
    found = await _read(act.services, licence_id)
    if found.status is LicenceStatus.REVOKED:
        return found
    licence = await licensing.watched(act.services, licence_id, office_actor(who))
    return await _ask(act, who, licence, Licence.revoke, EndLicence(actor=office_actor(who), reason=body.reason))


def office_actor(who: Caller) -> Actor:
    assert who.staff is not None
    return Actor(role=who.staff.value, id=who.subject)


async def _ask(
    act: Acts,
    who: Caller,
    licence: ClinicianLicence,
    update: UpdateMethodMultiParam[[Any, Any], Any],
    asked: LicenceAct,
) -> LicenceView:
    await act.update(names.licence_case(licence.id), who, update, asked)
    return await _read(act.services, licence.id)


async def _read(services: AppServices, licence_id: str) -> LicenceView:
    async with services.database.transaction() as session:
        return licensing.licence_view(await licences.get(session, licence_id))


def _page(found: list[ClinicianLicence], limit: int) -> Page[LicenceView]:
    items = [licensing.licence_view(one) for one in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)
