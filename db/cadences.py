"""Regular reports: worked out from the records, kept once for each period and place, and sent (A-03)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db import members, roster
from db.rollout_reports import Standings, standings
from db.session import Database
from db.tables import CadenceReport, OutboxNotice, RolloutIssue, RolloutProgram
from domain import names
from domain.actors import Notice
from domain.local_time import zone_of
from domain.names import Process
from domain.rollout.cadences import (
    Cadence,
    CadencePolicy,
    CadenceSpec,
    LocationState,
    Place,
    ProgrammeState,
    Report,
    due,
    places,
)
from domain.rollout.phases import OVER, LocationPhase
from domain.rollout.telemetry import CRITICAL

ROLLED_BACK = (LocationPhase.ROLLED_BACK, LocationPhase.RE_ENABLING)
PROCESSES = (Process.ROLLOUT, Process.WAVE, Process.LOCATION, Process.ROLLBACK)


class SqlCadences:
    """The port `CadenceReports` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def programmes(self) -> list[str]:
        async with self._database.transaction() as session:
            return list((await session.exec(select(RolloutProgram.id).order_by(col(RolloutProgram.id)))).all())

    async def publish(self, program_id: str, cadence: Cadence, at: datetime) -> tuple[str, ...]:
        """Ids of the reports that are new. One that is there already is neither changed nor sent again."""
        async with self._database.transaction() as session:
            policy, time_zone, spend_cents = await _pinned(session, program_id)
            found = await standings(session, program_id, PROCESSES)
            state = _state(program_id, found)
            spec = policy.spec(cadence)
            period = due(policy, cadence, at.astimezone(zone_of(time_zone)).date(), state) if state else None
            if spec is None or period is None or state is None:
                return ()
            critical = await _critical_issues(session, state)
            facts = Facts(spec.cadence, period, at, found, state, critical, spend_cents)
            reports = [_report(facts, place) for place in places(policy, spec, state)]
            return tuple([report.report_id for report in reports if await _publish(session, spec, report)])


async def _pinned(session: AsyncSession, program_id: str) -> tuple[CadencePolicy, str, int]:
    """Policy, time zone of the central team, and spend, as the programme was started with."""
    order = col(RolloutProgram.order)
    columns = order["policy"]["cadences"], order["calendar"]["time_zone"].astext, order["spend_cents"].as_integer()
    policy, time_zone, spend = (await session.exec(select(*columns).where(col(RolloutProgram.id) == program_id))).one()
    return CadencePolicy.model_validate(policy), time_zone, spend


def _state(program_id: str, found: Standings) -> ProgrammeState | None:
    """None before the programme's first step."""
    if found.programme is None:
        return None
    waves = {wave.wave: wave.phase for wave in found.waves}
    rolled_back = {one.location_id for one in found.rollbacks if one.phase not in OVER}
    return ProgrammeState(
        program_id=program_id,
        phase=found.programme.phase,
        locations=tuple(
            LocationState(
                location_id=one.location_id,
                region=one.region,
                phase=one.phase,
                wave_phase=waves.get(one.wave) if one.wave is not None else None,
                deployed=one.live_at is not None,
                open_rollback=one.location_id in rolled_back,
            )
            for one in found.locations
        ),
    )


class Facts(NamedTuple):
    """What the reports of one programme and period are made from."""

    cadence: Cadence
    period: str
    at: datetime
    found: Standings
    state: ProgrammeState
    critical: dict[str, int]
    spend_cents: int


def _report(facts: Facts, place: Place) -> Report:
    programme = facts.found.programme
    assert programme is not None
    here = [one for one in facts.state.locations if place.holds(one)]
    return Report(
        cadence=facts.cadence,
        program_id=facts.state.program_id,
        period=facts.period,
        place=place,
        at=facts.at,
        phase=programme.phase,
        planned_end=programme.planned_end,
        forecast_end=programme.forecast.ends_on,
        spend_cents=facts.spend_cents,
        locations=len(here),
        live=sum(one.deployed and one.phase not in ROLLED_BACK for one in here),
        rolled_back=sum(one.open_rollback for one in here),
        on_hold=sum(one.phase is LocationPhase.ON_HOLD for one in here),
        tasks_open=programme.tasks_open,
        tasks_late=programme.tasks_late,
        critical_issues=sum(facts.critical.get(one.location_id, 0) for one in here),
    )


async def _critical_issues(session: AsyncSession, state: ProgrammeState) -> dict[str, int]:
    row = RolloutIssue
    statement = (
        select(row.location_id, func.count())
        .where(
            col(row.location_id).in_([one.location_id for one in state.locations]),
            col(row.severity) == CRITICAL,
            col(row.resolved_at).is_(None),
        )
        .group_by(col(row.location_id))
    )
    return dict((await session.exec(statement)).all())


async def _publish(session: AsyncSession, spec: CadenceSpec, report: Report) -> bool:
    """False for a report that is there already."""
    row = {
        "id": report.report_id,
        "content": report.model_dump(mode="json"),
        **report.model_dump(include={"program_id", "cadence", "period", "at"}),
        **report.place.model_dump(),
    }
    new = insert(CadenceReport).values(row).on_conflict_do_nothing().returning(col(CadenceReport.id))
    if (await session.exec(new)).first() is None:
        return False
    for notice in spec.notices:
        await _tell(session, report, notice)
    return True


async def _tell(session: AsyncSession, report: Report, notice: Notice) -> None:
    """Each reader once. Where nobody has the function, operations are told of the gap."""
    place = members.Place(report.program_id, report.place.region, report.place.location_id)
    about = report.place.location_id
    case_id = names.location_case(report.program_id, about) if about else names.rollout_case(report.program_id)
    for staff_id in await members.reached(session, notice.audience, place) or (None,):
        row = {
            "key": roster.notice_key(names.operation_key(report.report_id, notice.audience), staff_id),
            "case_id": case_id,
            "report_id": report.report_id,
            "audience": notice.audience,
            "template": notice.template,
            "staff_id": staff_id,
            "queued_at": report.at,
            "status": "pending",
            "attempts": 0,
        }
        await session.exec(insert(OutboxNotice).values(row).on_conflict_do_nothing())


Visible = tuple[frozenset[str], frozenset[str]]
"""Regions and locations."""


async def reports(
    session: AsyncSession, program_id: str, *, visible: Visible | None, after: str | None, limit: int
) -> list[CadenceReport]:
    """Newest first, behind the one with the id `after`; with `visible` only those about such a place."""
    row = CadenceReport
    statement = select(row).where(col(row.program_id) == program_id)
    if visible is not None:
        regions, locations = visible
        statement = statement.where(or_(col(row.region).in_(regions), col(row.location_id).in_(locations)))
    if after is not None:
        last = select(row.at, row.id).where(col(row.id) == after).scalar_subquery()
        statement = statement.where(tuple_(col(row.at), col(row.id)) < last)
    return list((await session.exec(statement.order_by(col(row.at).desc(), col(row.id).desc()).limit(limit))).all())
