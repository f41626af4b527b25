"""Orders whose case was never started, of every kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, literal, or_, true, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.ports import Startable, UnstartedCase
from db.tables import (
    CaseState,
    ClinicianLicence,
    ConductReportRow,
    CredentialEventRow,
    EConsult,
    MessageThreadRow,
    RateRequestRow,
    RolloutProgram,
    Visit,
)
from domain import names
from domain.econsult.state import EConsultOrder
from domain.licences import LicenceOrder
from domain.rates import RateRequestOrder
from domain.review import ReviewOrder
from domain.rollout.orders import RolloutOrder
from domain.threads import ThreadOrder
from domain.visit.state import VisitOrder
from domain.visit.states import VisitStatus

GRACE = timedelta(seconds=30)
"""Whoever placed the order is still at it."""

LOOK_BACK = timedelta(days=7)
"""How long an order without any step is looked for, although it was marked as started."""


class Kind(NamedTuple):
    """A table with the columns `id`, `order`, `started` and `created_at`, and the cases of its rows."""

    table: type[Any]
    case_id: Callable[[str], str]
    order: type[Startable]


KINDS = (
    Kind(EConsult, names.econsult_case, EConsultOrder),
    Kind(RateRequestRow, names.rate_request_case, RateRequestOrder),
    Kind(MessageThreadRow, names.message_thread_case, ThreadOrder),
    Kind(ClinicianLicence, names.licence_case, LicenceOrder),
    Kind(CredentialEventRow, names.credential_event_case, ReviewOrder),
    Kind(Visit, names.visit_case, VisitOrder),
    Kind(ConductReportRow, names.conduct_report_case, ReviewOrder),
    Kind(RolloutProgram, names.rollout_case, RolloutOrder),
)


async def find(session: AsyncSession, limit: int) -> list[UnstartedCase]:
    """Of each kind up to `limit` orders not marked as started, or without a step, oldest first."""
    return [case for kind in KINDS for case in await _of(session, kind, limit)]


async def mark_started(session: AsyncSession, case_id: str) -> None:
    prefix, _, order_id = case_id.partition(":")
    kind = next(kind for kind in KINDS if kind.case_id("") == f"{prefix}:")
    await session.exec(update(kind.table).where(col(kind.table.id) == order_id).values(started=True))


async def _of(session: AsyncSession, kind: Kind, limit: int) -> list[UnstartedCase]:
    table = kind.table
    statement = (
        select(table.id, table.order)
        .where(col(table.order).is_not(None), _lost(kind))
        .order_by(col(table.id))
        .limit(limit)
    )
    rows = (await session.exec(statement)).all()
    return [UnstartedCase(case_id=kind.case_id(id_), order=kind.order.model_validate(order)) for id_, order in rows]


def _lost(kind: Kind) -> ColumnElement[bool]:
    # A visit that was only drafted, or called off before it began, is not to be started.
    wanted = col(Visit.status) == VisitStatus.SCHEDULED if kind.table is Visit else true()
    age = func.now() - col(kind.table.created_at)
    case_id = literal(kind.case_id("")).concat(col(kind.table.id))
    stepless = and_(age < LOOK_BACK, ~select(CaseState.case_id).where(col(CaseState.case_id) == case_id).exists())
    return and_(wanted, age > GRACE, or_(~col(kind.table.started), stepless))
