"""Licences of clinicians, and what a clinician may take on with them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import RecordStepInput, SetLicenceStatus
from db.tables import Clinician, ClinicianLicence
from domain import standing
from domain.errors import Conflict, NotFound
from domain.licences import LicenceSnapshot, LicenceStatus
from domain.standing import HeldLicence

_REVOKED = LicenceStatus.REVOKED.value


async def add(session: AsyncSession, licence: ClinicianLicence) -> ClinicianLicence:
    """Keep a licence; the clinician's states follow.

    One of which nothing but the state was known is completed; the same one again is that one. Raises `Conflict`
    (`licence.exists`).
    """
    # Locked, so that two licences at the same moment come one after the other.
    clinician = await session.get_one(Clinician, licence.clinician_id, with_for_update=True)
    known = await _in_state(session, licence.clinician_id, licence.state)
    if known is None:
        session.add(licence)
        if licence.state not in clinician.licence_states:
            clinician.licence_states = [*clinician.licence_states, licence.state]
    elif known.order is None:
        known.number, known.expires_on, known.expires_at = licence.number, licence.expires_on, licence.expires_at
    elif (known.number, known.expires_on) != (licence.number, licence.expires_on):
        raise Conflict("licence.exists", "a licence in this state is on record: renew it, or revoke it first")
    await session.flush()
    return known or licence


async def _in_state(session: AsyncSession, clinician_id: str, state: str) -> ClinicianLicence | None:
    statement = select(ClinicianLicence).where(
        col(ClinicianLicence.clinician_id) == clinician_id,
        col(ClinicianLicence.state) == state,
        col(ClinicianLicence.status) != _REVOKED,
    )
    return (await session.exec(statement)).one_or_none()


async def get(session: AsyncSession, licence_id: str, *, lock: bool = False) -> ClinicianLicence:
    """Raises `NotFound` (`licence.unknown`)."""
    found = await session.get(ClinicianLicence, licence_id, with_for_update=lock)
    if found is None:
        raise unknown()
    return found


def unknown() -> NotFound:
    return NotFound("licence.unknown", "there is no such licence")


async def page(
    session: AsyncSession,
    *,
    clinician_id: str | None = None,
    status: LicenceStatus | None = None,
    expires_before: date | None = None,
    after: str | None,
    limit: int,
) -> list[ClinicianLicence]:
    """Up to `limit` licences with ids after `after`, in the order of creation."""
    statement = select(ClinicianLicence).order_by(col(ClinicianLicence.id)).limit(limit)
    if clinician_id is not None:
        statement = statement.where(col(ClinicianLicence.clinician_id) == clinician_id)
    if status is not None:
        statement = statement.where(col(ClinicianLicence.status) == status.value)
    if expires_before is not None:
        statement = statement.where(col(ClinicianLicence.expires_on) < expires_before)
    if after is not None:
        statement = statement.where(col(ClinicianLicence.id) > after)
    return list((await session.exec(statement)).all())


async def of_clinician(session: AsyncSession, clinician_id: str) -> list[ClinicianLicence]:
    """Without those that were revoked."""
    statement = select(ClinicianLicence).where(
        col(ClinicianLicence.clinician_id) == clinician_id, col(ClinicianLicence.status) != _REVOKED
    )
    return list((await session.exec(statement)).all())


async def check_standing(session: AsyncSession, clinician_id: str, state: str, at: datetime) -> None:
    """Whether the clinician may take on a patient of this state at this moment (K-03).

    Raises `Refused` (`clinician.licence_expired`, `clinician.licence_suspended`, `clinician.no_licence_in_state`).
    """
    standing.check(held(await of_clinician(session, clinician_id)), state, at)


def held(licences: Iterable[ClinicianLicence]) -> tuple[HeldLicence, ...]:
    return tuple(
        HeldLicence(
            licence_state=licence.state,
            status=LicenceStatus(licence.status),
            expires_at=licence.expires_at,
            waived_until_at=licence.waived_until_at,
        )
        for licence in licences
    )


async def mark_started(session: AsyncSession, licence_id: str) -> None:
    (await get(session, licence_id)).started = True


async def apply_status(session: AsyncSession, step: RecordStepInput, _: SetLicenceStatus) -> None:
    """The effect `SetLicenceStatus`."""
    view = step.snapshot
    if not isinstance(view, LicenceSnapshot):
        raise TypeError(f"a step of {step.process} sets no licence's status")
    values = view.model_dump(include={"expires_on", "expires_at", "waived_until", "waived_until_at"})
    await session.exec(
        update(ClinicianLicence)
        .where(col(ClinicianLicence.id) == view.licence_id)
        .values(status=view.status.value, reason=view.reason and view.reason.value, **values)
    )
