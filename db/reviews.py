"""Credential events and conduct reports, with where each stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import func, literal, true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from db.tables import CaseState, ConductReportRow, CredentialEventRow
from domain import names
from domain.errors import Invalid, NotFound
from domain.review import ReviewSnapshot, ReviewStage

Report = TypeVar("Report", CredentialEventRow, ConductReportRow)

_PREFIX = {CredentialEventRow: names.credential_event_case(""), ConductReportRow: names.conduct_report_case("")}
_NAME = {CredentialEventRow: "credential_event", ConductReportRow: "conduct_report"}
_SET_LATER = {"id", "reported_at", "order", "started", "created_at"}


@dataclass(frozen=True)
class Filters:
    clinician_id: str | None = None
    """Whom it is about."""
    not_about: str | None = None
    reported_by: str | None = None
    stages: tuple[ReviewStage, ...] = ()


class Reported(NamedTuple, Generic[Report]):
    report: Report
    state: CaseState | None

    @property
    def snapshot(self) -> ReviewSnapshot | None:
        """Where the report stands after its latest step; None until the first one."""
        return ReviewSnapshot.model_validate(self.state.snapshot) if self.state else None


async def keep(session: AsyncSession, report: Report) -> Report:
    """Keep a report, or find the one that an earlier try has kept.

    Raises `Invalid` (`request.idempotency_key_reused`) when that try said something else.
    """
    table = type(report)
    row = report.model_dump(exclude={"created_at"})
    await session.exec(insert(table).values(row).on_conflict_do_nothing(index_elements=["request_key"]))
    kept = (await session.exec(select(table).where(col(table.request_key) == report.request_key))).one()
    if kept.model_dump(exclude=_SET_LATER) != report.model_dump(exclude=_SET_LATER):
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")
    return kept


async def mark_started(session: AsyncSession, kind: type[Report], report_id: str) -> None:
    (await session.get_one(kind, report_id)).started = True


async def get(session: AsyncSession, kind: type[Report], report_id: str) -> Reported[Report]:
    """Raises `NotFound` (`credential_event.unknown`, `conduct_report.unknown`)."""
    found = (await session.exec(_reported(kind).where(col(kind.id) == report_id))).one_or_none()
    if found is None:
        raise unknown(kind)
    return Reported(*found)


def unknown(kind: type[Report]) -> NotFound:
    return NotFound(f"{_NAME[kind]}.unknown", "there is no such report")


async def page(
    session: AsyncSession, kind: type[Report], filters: Filters, *, before: str | None, limit: int
) -> list[Reported[Report]]:
    """Up to `limit` reports made before the one named, newest first."""
    stage = func.coalesce(col(CaseState.business_state), ReviewStage.REPORTED.value)
    statement = _reported(kind).where(
        col(kind.clinician_id) == filters.clinician_id if filters.clinician_id else true(),
        col(kind.clinician_id) != filters.not_about if filters.not_about else true(),
        col(kind.reported_by) == filters.reported_by if filters.reported_by else true(),
        stage.in_([one.value for one in filters.stages]) if filters.stages else true(),
        col(kind.id) < before if before else true(),
    )
    found = await session.exec(statement.order_by(col(kind.id).desc()).limit(limit))
    return [Reported(*row) for row in found]


def _reported(kind: type[Report]) -> Select[Report, CaseState]:
    case_id = literal(_PREFIX[kind]) + col(kind.id)
    return select(kind, CaseState).join(CaseState, col(CaseState.case_id) == case_id, isouter=True)
