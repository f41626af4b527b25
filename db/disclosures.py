"""The audit of what was shown of a patient, and to whom (G-03)."""

from __future__ import annotations

from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import Disclosure


async def disclose(
    session: AsyncSession, patient_id: str, role: str, person_id: str, what: str, *, econsult_id: str | None = None
) -> None:
    """Record that a person is shown something of a patient, such as `patient` or `attachment.content:{id}`.

    It commits with the transaction that reads what is shown: nothing is shown without it.
    """
    session.add(Disclosure(patient_id=patient_id, role=role, person_id=person_id, what=what, econsult_id=econsult_id))
    await session.flush()
