"""What to know before ordering or paying for an eConsult (E-03, E-30 to E-38)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from api.auth import require
from api.dependencies import AppServices, Services
from api.people import STAFF, persons_of
from api.problems import responses
from api.values import RecordId
from db import econsults
from db.econsults import Scope
from db.tables import Clinician, Patient
from domain.access import Principal, Role
from domain.econsult.guide import PURPOSES, Faq, PurposeText, faq, money

router = APIRouter(prefix="/econsults", tags=["econsults"])


class GuideView(BaseModel):
    submission_guide_url: str
    support_contact: str
    price_cents: int
    currency: str
    price: str
    """As people write it."""
    purposes: tuple[PurposeText, ...]
    faq: tuple[Faq, ...]


class _Price(BaseModel):
    cents: int
    currency: str


@router.get("/guide", summary="Guide, price and usual questions", responses=responses(401, 403, 404, 422))
async def read_guide(
    services: AppServices,
    principal: Annotated[Principal, require(*Role)],
    econsult_id: Annotated[RecordId | None, Query(description="An order, whose own price is then given.")] = None,
) -> GuideView:
    """With the price of the caller's order, or the default one before there is an order. 404 `econsult.unknown`."""
    price = _default_price(services)
    if econsult_id is not None:
        async with services.database.transaction() as session:
            price = await _order_price(session, principal, econsult_id)
    text = money(price.cents, price.currency)
    return GuideView(
        submission_guide_url=services.settings.submission_guide_url,
        support_contact=services.settings.support_contact,
        price_cents=price.cents,
        currency=price.currency,
        price=text,
        purposes=PURPOSES,
        faq=faq(text, services.settings.support_contact),
    )


def _default_price(services: Services) -> _Price:
    policy = services.policy.econsult
    return _Price(cents=policy.network_fee_cents + policy.clinician_portion_cents, currency=policy.currency)


async def _order_price(session: AsyncSession, principal: Principal, econsult_id: str) -> _Price:
    """Of an order of the caller's; staff sees all. Raises `NotFound` (`econsult.unknown`)."""
    ids = {type(person): person.id for person in await persons_of(session, principal)}
    scope = Scope(everything=principal.has(*STAFF), clinician_id=ids.get(Clinician), patient_id=ids.get(Patient))
    order = (await econsults.get(session, econsult_id, scope)).order
    return _Price(cents=order.network_fee_cents + order.clinician_portion_cents, currency=order.currency)
