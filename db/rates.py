"""Requests of clinicians for another portion, with where each stands."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, func, literal, true
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from db.tables import CaseState, Clinician, RateRequestRow
from domain import names
from domain.errors import NotFound
from domain.rates import RateRequestSnapshot, RateStage


class RateCase(NamedTuple):
    request: RateRequestRow
    state: CaseState | None

    @property
    def snapshot(self) -> RateRequestSnapshot | None:
        """Where the request stands after its latest step; None until the first one."""
        return RateRequestSnapshot.model_validate(self.state.snapshot) if self.state else None


async def place(session: AsyncSession, request: RateRequestRow) -> RateRequestRow:
    """Keep the request, or find the clinician's undecided one for the same portion: a repeat asks once."""
    # Locked, so that two requests at the same moment come one after the other.
    await session.get_one(Clinician, request.clinician_id, with_for_update=True)
    same = (
        _cases()
        .where(
            col(RateRequestRow.clinician_id) == request.clinician_id,
            col(RateRequestRow.portion_cents) == request.portion_cents,
            _in_stage(RateStage.REQUESTED),
        )
        .order_by(col(RateRequestRow.id))
        .limit(1)
    )
    found = (await session.exec(same)).first()
    if found is not None:
        return found[0]
    session.add(request)
    await session.flush()
    return request


async def mark_started(session: AsyncSession, request_id: str) -> None:
    (await session.get_one(RateRequestRow, request_id)).started = True


async def get(session: AsyncSession, request_id: str) -> RateCase:
    """Raises `NotFound` (`rate_request.unknown`)."""
    found = (await session.exec(_cases().where(col(RateRequestRow.id) == request_id))).one_or_none()
    if found is None:
        raise NotFound("rate_request.unknown", "there is no such rate request")
    return RateCase(*found)


async def page(
    session: AsyncSession,
    *,
    clinician_id: str | None = None,
    stage: RateStage | None = None,
    before: str | None,
    limit: int,
) -> list[RateCase]:
    """Up to `limit` requests made before the one named, newest first."""
    statement = _cases().where(_in_stage(stage) if stage else true())
    if clinician_id is not None:
        statement = statement.where(col(RateRequestRow.clinician_id) == clinician_id)
    if before is not None:
        statement = statement.where(col(RateRequestRow.id) < before)
    found = await session.exec(statement.order_by(col(RateRequestRow.id).desc()).limit(limit))
    return [RateCase(*row) for row in found]


def _cases() -> Select[RateRequestRow, CaseState]:
    case_id = literal(names.rate_request_case("")) + col(RateRequestRow.id)
    return select(RateRequestRow, CaseState).join(CaseState, col(CaseState.case_id) == case_id, isouter=True)


def _in_stage(stage: RateStage) -> ColumnElement[bool]:
    """A request whose workflow has recorded nothing yet counts as requested."""
    return func.coalesce(col(CaseState.business_state), RateStage.REQUESTED.value) == stage.value
