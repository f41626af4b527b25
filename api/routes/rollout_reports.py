"""Reports on a programme, as JSON and CSV: its board, a gate's evidence, figures against the baseline, the return."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from activities.rollout_contracts import CollectEvidenceInput
from api import rollout_reporting as reporting
from api.csv_answers import CSV_TOO, Format, csv_answer
from api.problems import responses
from api.rollout_acting import STAFF_ROLES, Member, RolloutActsOfRequest, member
from api.rollout_policy import policy_of
from api.rollout_scope import visible_locations
from api.schemas.rollout_reports import (
    Board,
    BoardLocation,
    ComparisonLine,
    DowntimeDay,
    DowntimeReport,
    EvidenceLine,
    EvidenceReport,
    MetricsReport,
    RegularReport,
    RoiLine,
    RoiReport,
)
from api.schemas.roster import Day
from api.values import Limit, Page
from db import cadences, gate_evidence, outages
from db.members import unknown_programme
from db.rollout_reports import Standings, standings
from db.tables import CadenceReport
from domain.errors import Invalid, NotFound
from domain.local_time import zone_of
from domain.names import Process
from domain.rollout.program import LocationFacts, Slug
from domain.rollout.roi import Prices, Stretch
from domain.rollout.triggers import downtime_by_day

router = APIRouter(prefix="/rollouts/{program_id}", tags=["rollout reports"])
PROBLEMS = {**responses(401, 403, 404, 422), **CSV_TOO}
USUAL = timedelta(days=30)

Reader = Annotated[Member, member(*STAFF_ROLES)]
Cents = Annotated[int | None, Query(ge=0, le=10_000_000)]


@router.get("/board", summary="The board of a programme", response_model=Board, responses=PROBLEMS)
async def read_board(
    program_id: Slug,
    act: RolloutActsOfRequest,
    who: Reader,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> Board | Response:
    """Waves by locations, phases, holds, forecast. Only locations that the caller may see; CSV has a line for each.

    404 `programme.unknown`.
    """
    await act.programme(program_id, who)
    async with act.services.database.transaction() as session:
        found = await standings(session, program_id)
        visible = {location.location_id for location in await visible_locations(session, program_id, who)}
    board = reporting.board(program_id, found, visible)
    return board if format == "json" else csv_answer(BoardLocation, board.locations, f"board-{program_id}.csv")


@router.get(
    "/waves/{number}/evidence", summary="Evidence for a gate", response_model=EvidenceReport, responses=PROBLEMS
)
async def read_evidence(
    program_id: Slug,
    number: int,
    act: RolloutActsOfRequest,
    who: Reader,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> EvidenceReport | Response:
    """What is known now, each with its source, its age and who submitted it (GG-02 to GG-09). Own locations only.

    The gate judges a snapshot of this, which it takes when it opens. 404 `programme.unknown`, `wave.unknown`; 422
    `wave.not_live` before its first go-live.
    """
    await act.programme(program_id, who)
    now = act.services.clock()
    async with act.services.database.transaction() as session:
        found = await standings(session, program_id, (Process.ROLLOUT, Process.LOCATION))
        visible = {location.location_id for location in await visible_locations(session, program_id, who)}
        asked = _of_wave(program_id, number, found, now)
        evidence = await gate_evidence.collect(session, asked)
    lines = [EvidenceLine(**one.model_dump()) for one in evidence if one.location_id in {None, *visible}]
    if format == "csv":
        return csv_answer(EvidenceLine, lines, f"evidence-{program_id}-{number}.csv")
    return EvidenceReport(program_id=program_id, wave=number, since=asked.since, until=now, items=lines)


@router.get(
    "/metrics",
    summary="Figures of all locations against the baseline",
    response_model=MetricsReport,
    responses=PROBLEMS,
)
async def read_metrics(
    program_id: Slug,
    act: RolloutActsOfRequest,
    who: Reader,
    first: Annotated[Day | None, Query(alias="from", description="Thirty days before the end when left out.")] = None,
    last: Annotated[Day | None, Query(alias="to", description="The last day; today when left out.")] = None,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> MetricsReport | Response:
    """Periods that end within these days, local to each location.

    404 `programme.unknown`; 422 `report.period_invalid`.
    """
    await act.programme(program_id, who)
    async with act.services.database.transaction() as session:
        pinned = await policy_of(session, program_id)
        stretch = _stretch(first, last, act.services.clock().astimezone(zone_of(pinned.time_zone)).date())
        locations = await visible_locations(session, program_id, who)
        each = {location.location_id: [stretch] for location in locations}
        found = await reporting.measured(session, pinned, each, Prices())
    lines = list(reporting.comparison_lines(pinned.baseline, found))
    if format == "csv":
        return csv_answer(ComparisonLine, lines, f"metrics-{program_id}.csv")
    return MetricsReport(program_id=program_id, first_day=stretch.first_day, last_day=stretch.last_day, items=lines)


@router.get("/roi", summary="The return of a programme", response_model=RoiReport, responses=PROBLEMS)
async def read_roi(
    program_id: Slug,
    act: RolloutActsOfRequest,
    who: Reader,
    hour_cents: Annotated[Cents, Query(description="What an hour of the front desk costs.")] = None,
    visit_cents: Annotated[Cents, Query(description="What a visit that takes place brings.")] = None,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> RoiReport | Response:
    """Z-02: 30, 60 and 90 days after each go-live, and the weeks of validation. 404 `programme.unknown`."""
    await act.programme(program_id, who)
    async with act.services.database.transaction() as session:
        pinned = await policy_of(session, program_id)
        today = act.services.clock().astimezone(zone_of(pinned.time_zone)).date()
        found = await standings(session, program_id, (Process.LOCATION,))
        live = {one.location_id: one.live_at for one in found.locations if one.live_at}
        locations = await visible_locations(session, program_id, who)
        stretches = reporting.stretches_of(pinned, locations, live, today)
        each = await reporting.measured(
            session, pinned, stretches, Prices(hour_cents=hour_cents, visit_cents=visit_cents)
        )
    lines = [reporting.roi_line(one, today) for one in each]
    if format == "csv":
        return csv_answer(RoiLine, lines, f"roi-{program_id}.csv")
    after = [one.saved_cents for one in lines if one.location_id is None and one.stretch.startswith("day_")]
    known = [cents for cents in after if cents is not None]
    saved = sum(known) if known else None
    return RoiReport(
        program_id=program_id,
        spend_cents=pinned.spend_cents,
        saved_cents=saved,
        net_cents=None if saved is None else saved - pinned.spend_cents,
        items=lines,
        metrics=list(reporting.comparison_lines(pinned.baseline, each)),
    )


@router.get("/downtime", summary="Downtime by day", response_model=DowntimeReport, responses=PROBLEMS)
async def read_downtime(
    program_id: Slug,
    act: RolloutActsOfRequest,
    who: Reader,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> DowntimeReport | Response:
    """Outages in opening hours, added up by local day (decision 36). 404 `programme.unknown`."""
    await act.programme(program_id, who)
    now = act.services.clock()
    async with act.services.database.transaction() as session:
        locations = await visible_locations(session, program_id, who)
        found = await outages.of_locations(session, [location.location_id for location in locations])
    lines = [
        DowntimeDay(location_id=location.location_id, day=day, minutes=int(down.total_seconds() // 60))
        for location in locations
        if location.location_id in found
        for day, down in downtime_by_day(
            found[location.location_id], LocationFacts.model_validate(location.facts).calendar, now
        ).items()
    ]
    return (
        DowntimeReport(items=lines)
        if format == "json"
        else csv_answer(DowntimeDay, lines, f"downtime-{program_id}.csv")
    )


@router.get(
    "/reports", summary="The regular reports of a programme", response_model=Page[RegularReport], responses=PROBLEMS
)
async def list_reports(
    program_id: Slug,
    act: RolloutActsOfRequest,
    who: Reader,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before.")] = None,
    limit: Limit = 50,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> Page[RegularReport] | Response:
    """A-03: what was sent each quarter, month, week or day, newest first. Only places that the caller may see.

    404 `programme.unknown`.
    """
    await act.programme(program_id, who)
    reach = who.reach(program_id)
    if reach is None:
        raise unknown_programme()
    async with act.services.database.transaction() as session:
        found = await cadences.reports(
            session,
            program_id,
            visible=None if reach.whole else (reach.regions, reach.locations),
            after=cursor,
            limit=limit + 1,
        )
    items = [_regular(row) for row in found[:limit]]
    if format == "csv":
        return csv_answer(RegularReport, items, f"reports-{program_id}.csv")
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


def _regular(row: CadenceReport) -> RegularReport:
    place = {"region": row.region, "location_id": row.location_id}
    return RegularReport.model_validate({**row.content, **place, "id": row.id})


def _of_wave(program_id: str, number: int, found: Standings, now: datetime) -> CollectEvidenceInput:
    """Raises `NotFound` (`wave.unknown`), `Invalid` (`wave.not_live`)."""
    waves = found.programme.waves if found.programme else ()
    wave = next((one for one in waves if one.number == number), None)
    if wave is None:
        raise NotFound("wave.unknown", "there is no such wave in the plan")
    live = [one.live_at for one in found.locations if one.location_id in wave.locations and one.live_at]
    if not live:
        raise Invalid("wave.not_live", "no location of this wave has gone live")
    return CollectEvidenceInput(
        program_id=program_id,
        wave=number,
        locations=wave.locations,
        since=min(live),
        until=now,
        incidents_since=min(live),
    )


def _stretch(first: date | None, last: date | None, today: date) -> Stretch:
    """Raises `Invalid` (`report.period_invalid`)."""
    end = last or today
    begin = first or end - USUAL + timedelta(days=1)
    if begin > end:
        raise Invalid("report.period_invalid", "a period ends after it begins")
    return Stretch(name="period", first_day=begin, last_day=end)
