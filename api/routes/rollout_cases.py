"""Where the processes of a rollout stand, what happened, and every second of their clocks."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import APIRouter, Query

from api.dependencies import Services
from api.live import asking
from api.problems import responses
from api.rollout_acting import ROLLOUT_ROLES, STAFF_ROLES, Member, RolloutActs, RolloutActsOfRequest, member
from api.rollout_views import location_view, programme_view
from api.schemas.econsults import TimelinePage, step_view
from api.schemas.rollouts import (
    Live,
    LocationId,
    LocationView,
    ProgramId,
    ProgrammeView,
    RollbackNumber,
    RollbackView,
    WaveNumber,
    WaveView,
)
from api.values import Limit
from db import programs, timeline
from db.tables import CaseState
from domain import names
from domain.case import Explanation
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.programme.view import ProgrammeSnapshot
from domain.rollout.rollback.view import RollbackSnapshot
from domain.rollout.wave.view import WaveSnapshot

router = APIRouter(tags=["rollouts"])

Anyone = Annotated[Member, member(*ROLLOUT_ROLES)]
OfTheGroup = Annotated[Member, member(*STAFF_ROLES)]
AfterStep = Annotated[int, Query(ge=0, le=1_000_000, description="`next_cursor` of the page before.")]
READS = responses(401, 403, 404, 422)
Shown = TypeVar("Shown", WaveSnapshot, RollbackSnapshot)
ASKS = responses(401, 403, 404, 409, 422, 503)


@router.get("/rollouts/{program_id}", summary="Where a programme stands", responses=ASKS)
async def read_programme(
    program_id: ProgramId, act: RolloutActsOfRequest, who: Anyone, live: Live = False
) -> ProgrammeView:
    """From its recorded steps. 404 `programme.unknown`."""
    reach = await act.reach(program_id, who)
    async with act.services.database.transaction() as session:
        (standing,) = await programs.programmes(session, (program_id,), after=None, limit=1)
    told = None
    if live:
        async with asking():
            told = await act.services.cases.status(names.rollout_case(program_id), ProgrammeSnapshot)
    return programme_view(standing, whole=reach.whole, live=told)


@router.get("/rollouts/{program_id}/timeline", summary="What happened in a programme", responses=READS)
async def programme_timeline(
    program_id: ProgramId, act: RolloutActsOfRequest, who: OfTheGroup, cursor: AfterStep = 0, limit: Limit = 100
) -> TimelinePage:
    """403 `rollout.part_only` for members of a part of it; 404 `programme.unknown`."""
    await act.whole(program_id, who)
    return await _steps(act.services, names.rollout_case(program_id), cursor, limit)


@router.get("/rollouts/{program_id}/explain", summary="Every second of its clocks", responses=ASKS)
async def explain_programme(program_id: ProgramId, act: RolloutActsOfRequest, who: OfTheGroup) -> list[Explanation]:
    """403 `rollout.part_only`; 404 `programme.unknown`; 409 `case.not_running`."""
    await act.whole(program_id, who)
    return await _explained(act.services, names.rollout_case(program_id))


@router.get("/rollouts/{program_id}/waves/{number}", summary="Where a wave stands", responses=ASKS)
async def read_wave(
    program_id: ProgramId, number: WaveNumber, act: RolloutActsOfRequest, who: Anyone, live: Live = False
) -> WaveView:
    """403 `rollout.part_only` for members of a part of the programme; 404 `programme.unknown`, `wave.unknown`."""
    case_id = await _wave(act, program_id, number, who)
    return WaveView(
        program_id=program_id, number=number, progress=await _progress(act, case_id, WaveSnapshot, live=live)
    )


@router.get("/rollouts/{program_id}/waves/{number}/timeline", summary="What happened in a wave", responses=READS)
async def wave_timeline(
    program_id: ProgramId,
    number: WaveNumber,
    act: RolloutActsOfRequest,
    who: OfTheGroup,
    cursor: AfterStep = 0,
    limit: Limit = 100,
) -> TimelinePage:
    """403 `rollout.part_only`; 404 `programme.unknown`, `wave.unknown`."""
    return await _steps(act.services, await _wave(act, program_id, number, who), cursor, limit)


@router.get("/rollouts/{program_id}/waves/{number}/explain", summary="Every second of its clocks", responses=ASKS)
async def explain_wave(
    program_id: ProgramId, number: WaveNumber, act: RolloutActsOfRequest, who: OfTheGroup
) -> list[Explanation]:
    """403 `rollout.part_only`; 404 `programme.unknown`, `wave.unknown`; 409 `case.not_running`."""
    return await _explained(act.services, await _wave(act, program_id, number, who))


@router.get("/locations/{location_id}", summary="Where a location stands", responses=ASKS)
async def read_location(
    location_id: LocationId, act: RolloutActsOfRequest, who: Anyone, live: Live = False
) -> LocationView:
    """404 `location.unknown`."""
    row = await act.location(location_id, who)
    case_id = names.location_case(row.program_id, location_id)
    async with act.services.database.transaction() as session:
        case = await programs.case(session, case_id)
    told = None
    if live:
        async with asking():
            told = await act.services.cases.status(case_id, LocationSnapshot)
    return location_view(row, case, who.role, told)


@router.get("/locations/{location_id}/timeline", summary="What happened at a location", responses=READS)
async def location_timeline(
    location_id: LocationId, act: RolloutActsOfRequest, who: Anyone, cursor: AfterStep = 0, limit: Limit = 100
) -> TimelinePage:
    """404 `location.unknown`."""
    row = await act.location(location_id, who)
    return await _steps(act.services, names.location_case(row.program_id, location_id), cursor, limit)


@router.get("/locations/{location_id}/explain", summary="Every second of its clocks", responses=ASKS)
async def explain_location(location_id: LocationId, act: RolloutActsOfRequest, who: Anyone) -> list[Explanation]:
    """404 `location.unknown`; 409 `case.not_running`."""
    row = await act.location(location_id, who)
    return await _explained(act.services, names.location_case(row.program_id, location_id))


@router.get("/locations/{location_id}/rollbacks/{number}", summary="Where a rollback stands", responses=ASKS)
async def read_rollback(
    location_id: LocationId, number: RollbackNumber, act: RolloutActsOfRequest, who: Anyone, live: Live = False
) -> RollbackView:
    """404 `location.unknown`, `rollback.unknown`."""
    case_id = await _rollback(act, location_id, number, who)
    progress = await _progress(act, case_id, RollbackSnapshot, live=live)
    return RollbackView(location_id=location_id, number=number, progress=progress)


@router.get("/locations/{location_id}/rollbacks/{number}/timeline", summary="What happened in it", responses=READS)
async def rollback_timeline(
    location_id: LocationId,
    number: RollbackNumber,
    act: RolloutActsOfRequest,
    who: Anyone,
    cursor: AfterStep = 0,
    limit: Limit = 100,
) -> TimelinePage:
    """404 `location.unknown`, `rollback.unknown`."""
    return await _steps(act.services, await _rollback(act, location_id, number, who), cursor, limit)


@router.get("/locations/{location_id}/rollbacks/{number}/explain", summary="Every second of its clocks", responses=ASKS)
async def explain_rollback(
    location_id: LocationId, number: RollbackNumber, act: RolloutActsOfRequest, who: Anyone
) -> list[Explanation]:
    """404 `location.unknown`, `rollback.unknown`; 409 `case.not_running`."""
    return await _explained(act.services, await _rollback(act, location_id, number, who))


async def _wave(act: RolloutActs, program_id: str, number: int, who: Member) -> str:
    """Id of its case. A wave has one once it has started."""
    await act.whole(program_id, who)
    return await _known(act, names.wave_case(program_id, number), "wave.unknown")


async def _rollback(act: RolloutActs, location_id: str, number: int, who: Member) -> str:
    row = await act.location(location_id, who)
    return await _known(act, names.rollback_case(row.program_id, location_id, number), "rollback.unknown")


async def _known(act: RolloutActs, case_id: str, code: str) -> str:
    async with act.services.database.transaction() as session:
        return (await programs.known_case(session, case_id, code)).case_id


async def _progress(act: RolloutActs, case_id: str, kind: type[Shown], *, live: bool) -> Shown:
    if live:
        async with asking():
            return await act.services.cases.status(case_id, kind)
    async with act.services.database.transaction() as session:
        found = await session.get_one(CaseState, case_id)
    return kind.model_validate(found.snapshot)


async def _steps(services: Services, case_id: str, after: int, limit: int) -> TimelinePage:
    async with services.database.transaction() as session:
        steps = await timeline.page(session, case_id, after=after, limit=limit + 1)
    items = [step_view(step) for step in steps[:limit]]
    return TimelinePage(items=items, next_cursor=items[-1].sequence if len(steps) > limit else None)


async def _explained(services: Services, case_id: str) -> list[Explanation]:
    async with asking():
        return await services.cases.explain(case_id)
