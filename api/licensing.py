"""Recording licences, and seeing that a case watches each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from api.dependencies import Services
from api.schemas.standards import LicenceView, NewLicence
from api.starting import started
from db import licences
from db.tables import Clinician, ClinicianLicence, new_id
from domain import names, standing
from domain.actors import Actor
from domain.errors import Refused
from domain.licence_dates import expiry_moment
from domain.licences import LicenceOrder, LicencePolicy, LicenceStatus


def new_row(clinician_id: str, new: NewLicence) -> ClinicianLicence:
    return ClinicianLicence(
        id=new_id(),
        clinician_id=clinician_id,
        state=new.state,
        number=new.number,
        expires_on=new.expires_on,
        expires_at=expiry_moment(new.expires_on, new.state),
    )


async def record(
    session: AsyncSession, clinician_id: str, new: NewLicence, actor: Actor, policy: LicencePolicy
) -> ClinicianLicence:
    """Keep a licence with its workflow's input pinned. Raises `Conflict` (`licence.exists`)."""
    kept = await licences.add(session, new_row(clinician_id, new))
    if kept.order is None:
        kept.order = order_of(kept, actor, policy)
    return kept


async def record_all(
    session: AsyncSession, services: Services, clinician: Clinician, known: Iterable[NewLicence], actor: Actor
) -> list[ClinicianLicence]:
    """The licences of a new clinician: those that are known, and of their other states the bare fact."""
    recorded = [await record(session, clinician.id, new, actor, services.policy.licence) for new in known]
    for state in sorted(set(clinician.licence_states) - {licence.state for licence in recorded}):
        await licences.add(session, ClinicianLicence(clinician_id=clinician.id, state=state))
    return recorded


def order_of(licence: ClinicianLicence, actor: Actor, policy: LicencePolicy) -> dict[str, Any]:
    order = LicenceOrder(
        licence_id=licence.id,
        clinician_id=licence.clinician_id,
        licence_state=licence.state,
        expires_on=licence.expires_on,
        expires_at=licence.expires_at,
        recorded_by=actor,
        policy=policy,
    )
    return order.model_dump(mode="json")


async def watch(services: Services, licence: ClinicianLicence) -> None:
    """Start the case of a licence; once. When Temporal does not answer, the sweep does so later."""
    if licence.started or licence.order is None:
        return
    starting = services.cases.start_licence(LicenceOrder.model_validate(licence.order))
    if await started(starting, names.licence_case(licence.id), "licence_start_put_off"):
        async with services.database.transaction() as session:
            await licences.mark_started(session, licence.id)


async def watched(services: Services, licence_id: str, actor: Actor) -> ClinicianLicence:
    """The licence, with a case that runs: one of which only the state was known begins to be watched.

    Raises `NotFound` (`licence.unknown`), `Refused` (`licence.revoked`).
    """
    async with services.database.transaction() as session:
        licence = await licences.get(session, licence_id, lock=True)
        if licence.status == LicenceStatus.REVOKED:
            raise Refused("licence.revoked", "the licence was revoked for good")
        if licence.order is None:
            licence.order = order_of(licence, actor, services.policy.licence)
    await watch(services, licence)
    return licence


async def ensure_watched(services: Services, licence_id: str, actor: Actor) -> None:
    """See that the case of a licence runs, if it still can: it is about to be told something."""
    with contextlib.suppress(Refused):  # revoked: nothing is left to tell it
        await watched(services, licence_id, actor)


def licence_view(licence: ClinicianLicence) -> LicenceView:
    (held,) = licences.held([licence])
    fields = licence.model_dump(include=set(LicenceView.model_fields) - {"findings", "watched"})
    return LicenceView(**fields, watched=licence.order is not None, findings=list(standing.findings(held)))
