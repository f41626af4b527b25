"""Programmes of a rollout: checking, placing and reading them (spec/rollout.md, process R)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.auth import require
from api.dependencies import AppServices
from api.problems import responses
from api.rollout_acting import (
    CENTRAL_ROLES,
    ROLLOUT_ROLES,
    Member,
    RolloutActsOfRequest,
    member,
)
from api.rollout_files import TAKES_A_FILE, checked, place
from api.rollout_views import location_summary, programme_summary, programme_view
from api.schemas.rollouts import (
    Findings,
    LocationsRead,
    LocationSummary,
    ProgramId,
    ProgrammeSummary,
    ProgrammeView,
    SlugCursor,
)
from api.starting import start_rollout
from api.values import Limit, Page
from db import programs
from domain.errors import Invalid
from domain.rollout import location_csv, program_file
from domain.rollout.program_findings import Severity

router = APIRouter(tags=["rollouts"])

Anyone = Annotated[Member, member(*ROLLOUT_ROLES)]
Central = Annotated[Member, member(*CENTRAL_ROLES)]
CSV = {"text/csv": {"schema": {"type": "string"}, "example": location_csv.template()}}
TAKES_CSV: dict[str, Any] = {"requestBody": {"required": True, "content": CSV}}
CSV_ANSWER: dict[int | str, dict[str, Any]] = {200: {"description": "A header and an example.", "content": CSV}}


@router.get(
    "/rollouts/schema",
    summary="The JSON schema of a programme file",
    dependencies=[require(*ROLLOUT_ROLES)],
    responses=responses(401, 403),
)
async def read_schema() -> dict[str, Any]:
    """2020-12. What one entry says of another is checked besides: `POST /rollouts/validate`."""
    return program_file.schema()


@router.get(
    "/rollouts/locations-csv",
    summary="The template for a list of locations",
    dependencies=[require(*ROLLOUT_ROLES)],
    response_class=Response,
    responses={**responses(401, 403), **CSV_ANSWER},
)
async def read_template() -> Response:
    headers = {"Content-Disposition": 'attachment; filename="locations.csv"'}
    return Response(location_csv.template(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post(
    "/rollouts/locations-csv",
    summary="Make a spreadsheet into locations of a programme file",
    dependencies=[require(*CENTRAL_ROLES)],
    responses=responses(401, 403, 422),
    openapi_extra=TAKES_CSV,
)
async def read_locations(request: Request) -> LocationsRead:
    """Everything that is wrong, by row and column; nothing is stored. 422 `locations_csv.encoding`."""
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("locations_csv.encoding", "the list must be in UTF-8") from None
    found = location_csv.read_locations(text)
    return LocationsRead(locations=list(found.locations), findings=list(found.findings))


@router.post(
    "/rollouts/validate",
    summary="Check a programme file",
    dependencies=[require(*CENTRAL_ROLES)],
    responses=responses(401, 403, 415, 422),
    openapi_extra=TAKES_A_FILE,
)
async def validate(request: Request, services: AppServices) -> Findings:
    """Every finding at once; nothing is stored."""
    found = await checked(request, services)
    return Findings(valid=found.programme is not None, findings=list(found.findings))


@router.post(
    "/rollouts",
    status_code=201,
    summary="Place a programme",
    responses=responses(401, 403, 409, 415, 422),
    openapi_extra=TAKES_A_FILE,
)
async def place_programme(request: Request, act: RolloutActsOfRequest, who: Central) -> ProgrammeView:
    """Its locations are planned into waves and its process starts. Repeated with its Idempotency-Key it is placed once.

    Nothing is stored when anything is wrong: 422 `program.faulty`, with all errors of the file. 409
    `programme.exists`, `program.location_taken`, `plan.impossible`; 422 `request.idempotency_key_missing`,
    `request.idempotency_key_reused`.
    """
    found = await checked(request, act.services)
    placed = await place(act, who, found)
    await start_rollout(act.services, placed)
    async with act.services.database.transaction() as session:
        (standing,) = await programs.programmes(session, (placed.id,), after=None, limit=1)
    warnings = [one for one in found.findings if one.severity is Severity.WARNING]
    return programme_view(standing, whole=True).model_copy(update={"warnings": warnings})


@router.get("/rollouts", summary="The programmes of the caller", responses=responses(401, 403, 422))
async def list_programmes(
    services: AppServices, who: Anyone, cursor: SlugCursor = None, limit: Limit = 50
) -> Page[ProgrammeSummary]:
    """In the order of their ids."""
    async with services.database.transaction() as session:
        found = await programs.programmes(session, who.programs, after=cursor, limit=limit + 1)
    items = [programme_summary(one) for one in found[:limit]]
    return Page(items=items, next_cursor=items[-1].program_id if len(found) > limit else None)


@router.get("/rollouts/{program_id}/locations", summary="Its locations", responses=responses(401, 403, 404, 422))
async def list_locations(
    program_id: ProgramId,
    act: RolloutActsOfRequest,
    who: Anyone,
    cursor: SlugCursor = None,
    limit: Limit = 50,
) -> Page[LocationSummary]:
    """Those of the caller: of their region, or their own. In the order of their ids. 404 `programme.unknown`."""
    reach = await act.reach(program_id, who)
    async with act.services.database.transaction() as session:
        found = await programs.locations(
            session,
            program_id,
            regions=None if reach.whole else reach.regions,
            location_ids=reach.locations,
            after=cursor,
            limit=limit + 1,
        )
    items = [location_summary(row, case) for row, case in found[:limit]]
    return Page(items=items, next_cursor=items[-1].location_id if len(found) > limit else None)
