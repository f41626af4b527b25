"""Who calls, as a record of ours: the token proves a subject, these find the person behind it."""

from typing import Annotated

from fastapi import Depends
from sqlmodel.ext.asyncio.session import AsyncSession

from api.auth import require
from api.dependencies import AppServices
from db import people
from db.people import P, Person
from db.tables import Clinician, Patient, Specialist
from db.visits import has_met
from domain.access import Principal, Role
from domain.actors import Actor
from domain.errors import Forbidden

STAFF = (Role.ADMINISTRATOR, Role.OPERATIONS, Role.SUPPORT)

_ROLES: dict[type[Person], Role] = {
    Clinician: Role.CLINICIAN,
    Patient: Role.PATIENT,
    Specialist: Role.SPECIALIST,
}


async def current_clinician(
    services: AppServices, principal: Annotated[Principal, require(Role.CLINICIAN)]
) -> Clinician:
    async with services.database.transaction() as session:
        return await own_record(session, Clinician, principal)


async def current_patient(services: AppServices, principal: Annotated[Principal, require(Role.PATIENT)]) -> Patient:
    async with services.database.transaction() as session:
        return await own_record(session, Patient, principal)


async def current_specialist(
    services: AppServices, principal: Annotated[Principal, require(Role.SPECIALIST)]
) -> Specialist:
    async with services.database.transaction() as session:
        return await own_record(session, Specialist, principal)


CurrentClinician = Annotated[Clinician, Depends(current_clinician)]
"""The clinician who calls; also asks for the role. 403 `person.unknown` without a record."""
CurrentPatient = Annotated[Patient, Depends(current_patient)]
CurrentSpecialist = Annotated[Specialist, Depends(current_specialist)]


async def own_record(session: AsyncSession, kind: type[P], principal: Principal) -> P:
    """The caller's record of this kind. Raises `Forbidden` (`person.unknown`)."""
    person = await people.find_by_subject(session, kind, principal.subject)
    if person is None:
        raise _unknown()
    return person


async def persons_of(session: AsyncSession, principal: Principal) -> list[Person]:
    """The caller's records, at most one for each role of a person that the token holds.

    Empty for staff without any. Raises `Forbidden` (`person.unknown`) for anybody else without any.
    """
    kinds = [kind for kind, role in _ROLES.items() if principal.has(role)]
    found = [await people.find_by_subject(session, kind, principal.subject) for kind in kinds]
    persons = [person for person in found if person is not None]
    if not persons and not principal.has(*STAFF):
        raise _unknown()
    return persons


def actor_of(principal: Principal, person: Person | None) -> Actor:
    """Who acts: the person's record, or the token's subject for staff. Raises `Forbidden` (`person.unknown`)."""
    if person is not None:
        return Actor(role=_ROLES[type(person)].value, id=person.id)
    for role in STAFF:
        if principal.has(role):
            return Actor(role=role.value, id=principal.subject)
    raise _unknown()


async def carer_or_self(session: AsyncSession, principal: Principal, patient_id: str) -> Actor | None:
    """The caller, as the patient themselves or as a clinician whose visit with them has begun; else None.

    Raises `Forbidden` (`person.unknown`).
    """
    for person in await persons_of(session, principal):
        own = isinstance(person, Patient) and person.id == patient_id
        if own or (isinstance(person, Clinician) and await has_met(session, person.id, patient_id)):
            return actor_of(principal, person)
    return None


def _unknown() -> Forbidden:
    return Forbidden("person.unknown", "nobody is on record for this token's subject in this role")
