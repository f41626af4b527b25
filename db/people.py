"""Clinicians, patients and specialists."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import Clinician, Patient, Specialist
from domain.errors import Conflict, NotFound

Person: TypeAlias = Clinician | Patient | Specialist
P = TypeVar("P", bound=Person)


async def add(session: AsyncSession, person: P) -> P:
    """Keep a new person. Raises `Conflict` (`person.subject_taken`), after which the transaction is of no more use."""
    session.add(person)
    try:
        await session.flush()
    except IntegrityError:
        # Not chained: the driver's message quotes the row.
        raise Conflict("person.subject_taken", "another record of this kind has this subject") from None
    return person


async def get(session: AsyncSession, kind: type[P], person_id: str) -> P:
    """The person with this id. Raises `NotFound` (`clinician.unknown`, `patient.unknown`, `specialist.unknown`)."""
    found = await session.get(kind, person_id)
    if found is None:
        raise unknown(kind)
    return found


def unknown(kind: type[P]) -> NotFound:
    name = kind.__name__.lower()
    return NotFound(f"{name}.unknown", f"there is no such {name}")


async def find_by_subject(session: AsyncSession, kind: type[P], subject: str) -> P | None:
    """The person whose tokens carry this `sub`."""
    return (await session.exec(select(kind).where(col(kind.subject) == subject))).one_or_none()


async def list_specialists(
    session: AsyncSession, *, specialty_code: str | None, after: str | None, limit: int
) -> list[Specialist]:
    """Up to `limit` members of the panel with ids after `after`, in the order of creation."""
    statement = select(Specialist).order_by(col(Specialist.id)).limit(limit)
    if specialty_code is not None:
        statement = statement.where(col(Specialist.specialty_codes).contains([specialty_code]))
    if after is not None:
        statement = statement.where(col(Specialist.id) > after)
    return list((await session.exec(statement)).all())
