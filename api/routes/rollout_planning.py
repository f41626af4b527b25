"""How ready locations are, in which wave they are, and what else would be possible (processes S and W)."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

import wave_planner
from api.csv_answers import CSV_TOO, Format, csv_answer
from api.problems import responses
from api.rollout_acting import CENTRAL_ROLES, ROLLOUT_ROLES, Member, RolloutActs, RolloutActsOfRequest, member
from api.rollout_files import TAKES_A_FILE, checked
from api.rollout_planning import answer, assess, assessment_view, planning_of, suppose
from api.rollout_views import SURVEYORS
from api.schemas.rollout_planning import (
    AssessmentView,
    EntryView,
    LocationReadiness,
    MatrixLine,
    NewReadiness,
    PlanAnswer,
    ReadinessMatrix,
    WhatIf,
)
from api.schemas.rollouts import SLUG, LocationId, ProgramId
from db import readiness
from db.tables import RolloutLocation
from domain.errors import Fault, Faulty, NotFound
from domain.rollout.people import Function
from domain.rollout.plan import Plan
from domain.rollout.planning.answers import Conflict, WhyNot
from domain.rollout.program import Factor
from domain.rollout.program_findings import Severity
from domain.rollout.readiness import Band, shown
from domain.rollout.resurvey import Resurvey

router = APIRouter(tags=["rollout planning"])

Anyone = Annotated[Member, member(*ROLLOUT_ROLES)]
Central = Annotated[Member, member(*CENTRAL_ROLES)]
Surveyor = Annotated[Member, member(*SURVEYORS)]
Wave = Annotated[int, Query(ge=1, le=50, examples=[1])]
OfLocation = Annotated[str, Query(pattern=SLUG, examples=["downtown"])]

ASSESSORS = (Function.VP_OPERATIONS, Function.IT_LEAD, Function.PROJECT_MANAGER, Function.REGIONAL_MANAGER)
"""Who says how ready a location is."""
LATEST = 50


@router.post(
    "/locations/{location_id}/readiness",
    summary="Score the readiness of a location, or measure it anew",
    responses=responses(401, 403, 404, 422),
)
async def assess_location(
    location_id: LocationId, body: NewReadiness, act: RolloutActsOfRequest, who: Surveyor
) -> AssessmentView:
    """Plans that are made from now on go by it; the plan that is followed stays as it is.

    404 `location.unknown`; 403 `rollout.function_missing`; 422 `request.idempotency_key_reused`.
    """
    row = await act.location(location_id, who)
    author = who.actor(row.program_id, ASSESSORS, region=row.region, location_id=location_id)
    await assess(act, row, body, entry_id=act.record_id(who), author=author.id)
    return await _assessment(act, row)


@router.get(
    "/locations/{location_id}/readiness",
    summary="How ready a location is, and who found what",
    responses=responses(401, 403, 404, 422),
)
async def read_readiness(location_id: LocationId, act: RolloutActsOfRequest, who: Surveyor) -> LocationReadiness:
    """The latest 50 entries. 404 `location.unknown`."""
    row = await act.location(location_id, who)
    async with act.services.database.transaction() as session:
        entries = await readiness.history(session, location_id, LATEST)
    return LocationReadiness(
        assessment=await _assessment(act, row),
        entries=[
            EntryView(
                entry_id=one.id,
                found=Resurvey.model_validate(one.found),
                author=one.author,
                composite=shown(one.composite),
                band=Band(one.band),
                entered_at=one.entered_at,
            )
            for one in entries
        ],
    )


@router.get(
    "/rollouts/{program_id}/readiness",
    summary="The readiness matrix",
    response_model=ReadinessMatrix,
    responses={**responses(401, 403, 404, 422), **CSV_TOO},
)
async def read_matrix(
    program_id: ProgramId,
    act: RolloutActsOfRequest,
    who: Surveyor,
    format: Format = "json",  # noqa: A002
) -> ReadinessMatrix | Response:
    """Of the locations that are the caller's (S-08). 404 `programme.unknown`."""
    reach = await act.reach(program_id, who)
    async with act.services.database.transaction() as session:
        planning = await planning_of(session, program_id)
    regions = {one.location_id: one.region for one in planning.programme.locations}
    items = [
        assessment_view(one, regions[one.location_id], planning.following)
        for one in planning.readiness
        if reach.covers(regions[one.location_id], one.location_id)
    ]
    if format == "csv":
        return csv_answer(MatrixLine, [_line(one) for one in items], "readiness-matrix.csv")
    return ReadinessMatrix(program_id=program_id, items=items)


@router.post(
    "/rollouts/plan",
    summary="Plan a programme file",
    responses=responses(401, 403, 415, 422),
    openapi_extra=TAKES_A_FILE,
)
async def plan_file(request: Request, act: RolloutActsOfRequest, who: Central) -> PlanAnswer:  # noqa: ARG001
    """Nothing is stored or started. Where no plan is possible: which rules conflict and which waivers would help.

    422 `program.faulty`, with all errors of the file; `calendar.never_open`.
    """
    found = await checked(request, act.services)
    if found.programme is None:
        faults = tuple(Fault(one.code, one.path, one.detail) for one in found.errors)
        raise Faulty("program.faulty", "The programme file has errors.", faults)
    made = await answer(found.programme, act.services.policy.rollout)
    warnings = [one for one in found.findings if one.severity is Severity.WARNING]
    return made.model_copy(update={"warnings": warnings})


@router.get("/rollouts/{program_id}/plan", summary="The plan that is followed", responses=responses(401, 403, 404, 422))
async def read_plan(program_id: ProgramId, act: RolloutActsOfRequest, who: Anyone) -> Plan:
    """With the locations that are the caller's. 404 `programme.unknown`."""
    reach = await act.reach(program_id, who)
    async with act.services.database.transaction() as session:
        planning = await planning_of(session, program_id)
    theirs = {one.location_id for one in planning.programme.locations if reach.covers(one.region, one.location_id)}
    followed = planning.following
    if reach.whole:
        return followed
    return followed.model_copy(
        update={
            "waves": tuple(
                wave.model_copy(update={"locations": tuple(one for one in wave.locations if one in theirs)})
                for wave in followed.waves
            ),
            "deferred": tuple(one for one in followed.deferred if one.location_id in theirs),
            "warnings": (),
        }
    )


@router.get(
    "/rollouts/{program_id}/plan/why-not",
    summary="Why a location is not in a wave",
    responses=responses(401, 403, 404, 422),
)
async def why_not(
    program_id: ProgramId, location_id: OfLocation, wave: Wave, act: RolloutActsOfRequest, who: Surveyor
) -> WhyNot:
    """Rules that forbid it and what would allow it, or who comes first. Others are named to members of the whole.

    404 `programme.unknown`, `location.unknown`; 422 `plan.wave_unknown`.
    """
    reach = await act.reach(program_id, who)
    row = await act.location(location_id, who)
    if row.program_id != program_id:
        raise NotFound("location.unknown", "the programme has no such location")
    async with act.services.database.transaction() as session:
        planning = await planning_of(session, program_id)
    found = await asyncio.to_thread(
        wave_planner.why_not,
        planning.programme,
        planning.policy,
        location_id,
        wave,
        current=planning.following,
        settled=planning.settled,
    )
    if reach.whole:
        return found
    return found.model_copy(update={"ahead": (), "waivers": (), "conflicts": _without_places(found)})


@router.post(
    "/rollouts/{program_id}/plan/what-if",
    summary="Plan with other facts, waivers and moves",
    responses=responses(401, 403, 404, 422),
)
async def what_if(program_id: ProgramId, body: WhatIf, act: RolloutActsOfRequest, who: Central) -> PlanAnswer:
    """Nothing is stored or started. Waves that have started stay as they are.

    404 `programme.unknown`, `location.unknown`; 403 `rollout.part_only`; 422 `plan.wave_unknown`.
    """
    await act.whole(program_id, who)
    async with act.services.database.transaction() as session:
        planning = await planning_of(session, program_id)
    return await suppose(planning, body)


async def _assessment(act: RolloutActs, row: RolloutLocation) -> AssessmentView:
    async with act.services.database.transaction() as session:
        planning = await planning_of(session, row.program_id)
    found = next(one for one in planning.readiness if one.location_id == row.location_id)
    return assessment_view(found, row.region, planning.following)


def _line(found: AssessmentView) -> MatrixLine:
    scores = {one.factor: one.score for one in found.scores}
    return MatrixLine(
        **{factor.value: scores[factor] for factor in Factor},
        **found.model_dump(
            include={"location_id", "composite", "band", "recommended_wave", "planned_wave"},
        ),
    )


def _without_places(found: WhyNot) -> tuple[Conflict, ...]:
    """Conflicts say which rules; at which other locations is not for a member of a part."""
    return tuple(one.model_copy(update={"violations": ()}) for one in found.conflicts)
