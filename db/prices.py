"""What the patient pays for an eConsult that was ordered."""

from __future__ import annotations

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import EConsult


class OrderPrice(NamedTuple):
    patient_id: str
    clinician_id: str
    total_cents: int
    currency: str


async def price_of_order(session: AsyncSession, econsult_id: str) -> OrderPrice | None:
    """The price pinned into the order, and whose order it is."""
    order = await session.get(EConsult, econsult_id)
    if order is None:
        return None
    total = order.network_fee_cents + order.clinician_portion_cents
    return OrderPrice(order.patient_id, order.clinician_id, total, order.currency)
