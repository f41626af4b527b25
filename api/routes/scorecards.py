"""Scorecards: how reliably clinicians attend, and keep the times of care (V-02, decision 03)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.auth import require
from api.csv_answers import CSV_TOO, Format, csv_answer
from api.dependencies import AppServices
from api.people import STAFF
from api.problems import responses
from api.schemas.scorecards import (
    ScorecardLine,
    ScorecardPage,
    ScorecardView,
    listed,
    scorecard_lines,
    scorecard_view,
)
from api.scopes import visible_clinician
from api.values import Cursor, Limit, RecordId, Time
from db import scorecard
from domain.access import Principal, Role
from domain.scorecard import Period

router = APIRouter(tags=["scorecards"])

USUAL = timedelta(weeks=4)


async def _period(
    services: AppServices,
    start: Annotated[Time | None, Query(alias="from", description="Four weeks before the end when left out.")] = None,
    until: Annotated[Time | None, Query(description="The first moment after the period; now when left out.")] = None,
) -> Period:
    end = until or services.clock()
    return Period.of(start or end - USUAL, end)


AskedPeriod = Annotated[Period, Depends(_period)]


@router.get(
    "/clinicians/{clinician_id}/scorecard",
    summary="The scorecard of a clinician",
    response_model=ScorecardView,
    responses={**responses(401, 403, 404, 422), **CSV_TOO},
)
async def clinician_scorecard(
    clinician_id: RecordId,
    services: AppServices,
    principal: Annotated[Principal, require(Role.CLINICIAN, *STAFF)],
    period: AskedPeriod,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> ScorecardView | Response:
    """For the clinician and for staff. docs/scorecard.md defines each figure.

    Visits count by their start, messages and eConsults by when the clinician was asked. CSV has a line for each figure.
    422 `scorecard.period_invalid`.
    """
    async with services.database.transaction() as session:
        await visible_clinician(session, principal, clinician_id, STAFF)
        card = await scorecard.of_clinician(session, period, clinician_id)
    if format == "csv":
        lines = list(scorecard_lines(clinician_id, card, with_trend=True))
        return csv_answer(ScorecardLine, lines, f"scorecard-{clinician_id}.csv")
    return scorecard_view(clinician_id, period, card)


@router.get(
    "/ops/scorecard",
    summary="The scorecard of everybody together",
    dependencies=[require(*STAFF)],
    response_model=ScorecardView,
    responses={**responses(401, 403, 422), **CSV_TOO},
)
async def overall_scorecard(
    services: AppServices,
    period: AskedPeriod,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> ScorecardView | Response:
    """All clinicians as one. 422 `scorecard.period_invalid`."""
    async with services.database.transaction() as session:
        card = await scorecard.overall(session, period)
    if format == "csv":
        return csv_answer(
            ScorecardLine, list(scorecard_lines(None, card, with_trend=True)), "scorecard-of-everybody.csv"
        )
    return scorecard_view(None, period, card)


@router.get(
    "/ops/scorecard/clinicians",
    summary="The scorecards of all clinicians",
    dependencies=[require(*STAFF)],
    response_model=ScorecardPage,
    responses={**responses(401, 403, 422), **CSV_TOO},
)
async def clinician_scorecards(
    services: AppServices,
    period: AskedPeriod,
    cursor: Cursor = None,
    limit: Limit = 50,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> ScorecardPage | Response:
    """One for each clinician, without the trend. CSV has all clinicians. 422 `scorecard.period_invalid`."""
    async with services.database.transaction() as session:
        if format == "csv":
            cards = await scorecard.of_clinicians(session, period, after=None, limit=None)
            lines = [
                line for clinician_id, card in cards for line in scorecard_lines(clinician_id, card, with_trend=False)
            ]
            return csv_answer(ScorecardLine, lines, "scorecards-of-clinicians.csv")
        found = await scorecard.of_clinicians(session, period, after=cursor, limit=limit + 1)
    return ScorecardPage(
        items=[listed(clinician_id, card) for clinician_id, card in found[:limit]],
        next_cursor=found[limit - 1][0] if len(found) > limit else None,
        start=period.start,
        until=period.until,
    )
