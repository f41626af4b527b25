"""Who asks for a case, and which ones are theirs to see (object-level rules, in one place)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Depends

from api.auth import require
from api.dependencies import AppServices
from api.people import STAFF, persons_of
from db.econsults import Scope
from db.tables import Clinician, Patient, Specialist
from domain.access import Principal, Role
from domain.actors import Actor
from domain.errors import Forbidden


class Parties(Protocol):
    """The two whom a case is about."""

    @property
    def clinician_id(self) -> str: ...

    @property
    def patient_id(self) -> str: ...


@dataclass(frozen=True)
class Caller:
    subject: str
    """Of the token."""
    scope: Scope
    """The cases that the caller may see in the roles that the route allows."""
    staff: Role | None = None

    def role(self, case: Parties) -> Role:
        """The role in which the caller sees this case: the one of the person in it, before a staff role."""
        if case.clinician_id == self.scope.clinician_id:
            return Role.CLINICIAN
        if case.patient_id == self.scope.patient_id:
            return Role.PATIENT
        return self.staff or Role.SPECIALIST

    def actor(self, case: Parties) -> Actor:
        role = self.role(case)
        people = {
            Role.CLINICIAN: self.scope.clinician_id,
            Role.PATIENT: self.scope.patient_id,
            Role.SPECIALIST: self.scope.specialist_id,
        }
        return Actor(role=role.value, id=people.get(role) or self.subject)

    def sees_money(self, case: Parties) -> bool:
        return self.role(case) is not Role.SPECIALIST


def caller(*roles: Role) -> Any:
    """A dependency that yields the Caller, who holds one of the roles: `who: Annotated[Caller, caller(Role.SUPPORT)]`.

    403 `person.unknown` for somebody without a record in any of them who is no staff either.
    """
    needed = require(*roles)

    async def find(services: AppServices, principal: Principal = needed) -> Caller:
        staff = next((role for role in STAFF if role in roles and principal.has(role)), None)
        async with services.database.transaction() as session:
            found = {type(person): person.id for person in await persons_of(session, principal)}
        scope = Scope(
            everything=staff is not None,
            clinician_id=found.get(Clinician) if Role.CLINICIAN in roles else None,
            patient_id=found.get(Patient) if Role.PATIENT in roles else None,
            specialist_id=found.get(Specialist) if Role.SPECIALIST in roles else None,
        )
        if scope == Scope():
            raise Forbidden("person.unknown", "nobody is on record for this token's subject in this role")
        return Caller(subject=principal.subject, scope=scope, staff=staff)

    return Depends(find)
