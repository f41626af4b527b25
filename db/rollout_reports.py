"""Where the processes of a programme stand, for its boards: read from their latest snapshots."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple, TypeVar

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import CaseState, RolloutProgram
from domain import names
from domain.model import Value
from domain.names import Process
from domain.rollout.forecast import ProgrammeForecast
from domain.rollout.gate.results import Result
from domain.rollout.gate.state import GateDecision
from domain.rollout.holds import Holds
from domain.rollout.location.state import Baseline
from domain.rollout.phases import LocationPhase, ProgrammePhase, RollbackPhase, WavePhase
from domain.rollout.programme.state import Slip


class _Standing(Value):
    """What boards show of a snapshot. More is in it; of a field that an older one lacks the default is shown."""

    holds: Holds = ()
    next_deadline: datetime | None = None


class PlannedWave(Value):
    number: int
    locations: tuple[str, ...]
    phase: WavePhase
    planned_from: date
    planned_to: date
    forecast_from: date
    forecast_to: date
    started_at: datetime | None
    closed_at: datetime | None
    extended_weeks: int


class ProgrammeStanding(_Standing):
    phase: ProgrammePhase
    starts_on: date
    plan_version: int = 1
    tasks_open: int = 0
    tasks_late: int = 0
    waves: tuple[PlannedWave, ...] = ()
    missing: tuple[str, ...] = ()
    planned_end: date
    forecast: ProgrammeForecast
    slips: tuple[Slip, ...] = ()


class GateStanding(Value):
    attempt: int
    result: Result
    evidence_hash: str


class WaveStanding(_Standing):
    wave: int
    phase: WavePhase
    gate: GateStanding | None = None
    decisions: tuple[GateDecision, ...] = ()
    evaluation_at: datetime | None = None
    unwritten: tuple[str, ...] = ()
    not_live: tuple[str, ...] = ()


class LocationStanding(_Standing):
    location_id: str
    region: str
    wave: int | None = None
    phase: LocationPhase
    planned_go_live_at: datetime | None = None
    live_at: datetime | None = None
    baseline: Baseline | None = None
    baseline_due: datetime | None = None
    missing: tuple[str, ...] = ()
    comms_percent: int = 0
    issue: str | None = None
    rollbacks: tuple[object, ...] = ()


class RollbackStanding(_Standing):
    location_id: str
    region: str | None = None
    number: int
    phase: RollbackPhase
    issues: tuple[str, ...] = ()
    triggered_at: datetime
    enabled_percent: int = 0
    missing: tuple[str, ...] = ()
    resolved_at: datetime | None = None


class Standings(NamedTuple):
    """All processes of a programme; the programme's own is None until its first step."""

    programme: ProgrammeStanding | None
    waves: list[WaveStanding]
    locations: list[LocationStanding]
    rollbacks: list[RollbackStanding]
    as_of: datetime | None
    """Of the latest step."""


_OF: dict[Process, type[_Standing]] = {
    Process.ROLLOUT: ProgrammeStanding,
    Process.WAVE: WaveStanding,
    Process.LOCATION: LocationStanding,
    Process.ROLLBACK: RollbackStanding,
}
Kind = TypeVar("Kind", bound=_Standing)


async def standings(session: AsyncSession, program_id: str, processes: Collection[Process] = tuple(_OF)) -> Standings:
    """In the order of their case ids."""
    row = CaseState
    statement = (
        select(row.process, row.snapshot, row.updated_at)
        .where(col(row.snapshot)["program_id"].astext == program_id, col(row.process).in_(processes))
        .order_by(col(row.case_id))
    )
    found: list[_Standing] = []
    as_of: datetime | None = None
    for process, snapshot, updated_at in await session.exec(statement):
        found.append(_OF[Process(process)].model_validate(snapshot))
        as_of = max(as_of or updated_at, updated_at)
    return Standings(
        programme=next(iter(_all(found, ProgrammeStanding)), None),
        waves=sorted(_all(found, WaveStanding), key=lambda one: one.wave),
        locations=_all(found, LocationStanding),
        rollbacks=_all(found, RollbackStanding),
        as_of=as_of,
    )


async def standing_of(session: AsyncSession, program_id: str, location_id: str) -> LocationStanding | None:
    """None before the first step of its process."""
    case = await session.get(CaseState, names.location_case(program_id, location_id))
    return LocationStanding.model_validate(case.snapshot) if case else None


async def program_ids(session: AsyncSession) -> list[str]:
    """Of all programmes, sorted."""
    return list((await session.exec(select(RolloutProgram.id).order_by(col(RolloutProgram.id)))).all())


def _all(found: list[_Standing], kind: type[Kind]) -> list[Kind]:
    return [one for one in found if isinstance(one, kind)]
