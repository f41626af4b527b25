"""What operations read across all cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import require
from api.csv_answers import CSV_TOO, Format, csv_answer
from api.dependencies import AppServices
from api.problems import responses
from api.scopes import BACK_OFFICE
from api.values import EXAMPLE_ID, Cursor, Limit, Page, Time
from db import outbox, reports
from db.reports import FollowUpOwed

router = APIRouter(
    prefix="/reports", tags=["reports"], dependencies=[require(*BACK_OFFICE)], responses=responses(401, 403, 422)
)


class CurrencyTotal(BaseModel):
    currency: str
    amount_cents: int


class FollowUpOwedPage(Page[FollowUpOwed]):
    totals: list[CurrencyTotal] = Field(description="Of all cases, not of this page alone.")


class OutcomeMeasure(BaseModel):
    measure: str = Field(examples=["improved_care_plan"])
    count: int = Field(description="How many clinicians said yes.")
    captured: int = Field(description="How many cases have an outcome.")
    percent: float | None = Field(description="Of the cases with an outcome; null while there is none.")
    benchmark_percent: int


class OutcomeReport(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answered": 12,
                    "captured": 10,
                    "measures": [
                        {
                            "measure": "improved_care_plan",
                            "count": 9,
                            "captured": 10,
                            "percent": 90.0,
                            "benchmark_percent": 90,
                        }
                    ],
                }
            ]
        }
    )

    answered: int = Field(description="eConsults with a specialist's reply.")
    captured: int = Field(description="Of those, the ones whose clinician told the outcome.")
    measures: list[OutcomeMeasure]


class WebhookView(BaseModel):
    """A stored webhook that no case has taken. What it says is left out."""

    model_config = ConfigDict(from_attributes=True)

    provider: str
    event_id: str
    type: str
    econsult_id: str | None
    status: str
    code: str | None
    attempts: int
    received_at: datetime


class WebhookPage(BaseModel):
    items: list[WebhookView]
    next_before: datetime | None = Field(default=None, description="Give it as `before` for older ones.")


class FailedNotice(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    key: str
    case_id: str = Field(examples=[f"econsult:{EXAMPLE_ID}"])
    audience: str
    template: str
    attempts: int
    error_code: str | None
    delivery_error: str | None = Field(description="Of a text that did not arrive: Twilio's code, such as 30003.")
    queued_at: datetime


@router.get(
    "/follow-up-owed",
    summary="Answered cases whose included follow-up visit is still owed",
    response_model=FollowUpOwedPage,
    responses=CSV_TOO,
)
async def follow_up_owed(
    services: AppServices,
    cursor: Cursor = None,
    limit: Limit = 50,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> FollowUpOwedPage | Response:
    """The clinician's portion was accrued with the answer; completing or declining the visit settles it (decision 15).

    Oldest order first. CSV has all of them.
    """
    async with services.database.transaction() as session:
        if format == "csv":
            everything = await reports.follow_up_owed(session, after=None, limit=None)
            return csv_answer(FollowUpOwed, everything, "follow-up-owed.csv")
        found = await reports.follow_up_owed(session, after=cursor, limit=limit + 1)
        totals = await reports.follow_up_owed_total(session)
    return FollowUpOwedPage(
        items=found[:limit],
        next_cursor=found[limit - 1].econsult_id if len(found) > limit else None,
        totals=[CurrencyTotal(currency=code, amount_cents=cents) for code, cents in sorted(totals.items())],
    )


@router.get(
    "/econsult-outcomes",
    summary="What eConsults achieved, beside the benchmarks",
    response_model=OutcomeReport,
    responses=CSV_TOO,
)
async def econsult_outcomes(
    services: AppServices,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> OutcomeReport | Response:
    """E-09: improved care plans and in-person visits avoided, as clinicians told them at closing."""
    async with services.database.transaction() as session:
        counts = await reports.outcomes(session)
    benchmarks = services.policy.benchmarks
    measured = (
        ("improved_care_plan", counts.improved_care_plan, benchmarks.improved_care_plan_percent),
        ("avoided_in_person", counts.avoided_in_person, benchmarks.avoided_in_person_percent),
    )
    measures = [
        OutcomeMeasure(
            measure=name,
            count=count,
            captured=counts.captured,
            percent=_percent(count, counts.captured),
            benchmark_percent=benchmark,
        )
        for name, count, benchmark in measured
    ]
    if format == "csv":
        return csv_answer(OutcomeMeasure, measures, "econsult-outcomes.csv")
    return OutcomeReport(answered=counts.answered, captured=counts.captured, measures=measures)


@router.get("/webhooks", summary="Webhooks that no case has taken")
async def undelivered_webhooks(
    services: AppServices,
    status: Annotated[
        list[Annotated[str, Field(pattern="^(received|undeliverable)$")]] | None,
        Query(description="`received` waits for its case, `undeliverable` was given up; both when left out."),
    ] = None,
    before: Annotated[Time | None, Query(description="`next_before` of the page before.")] = None,
    limit: Limit = 50,
) -> WebhookPage:
    """Newest first."""
    async with services.database.transaction() as session:
        statuses = status or ["received", "undeliverable"]
        found = await reports.webhooks(session, statuses, before=before, limit=limit + 1)
    items = [WebhookView.model_validate(row) for row in found[:limit]]
    return WebhookPage(items=items, next_before=items[-1].received_at if len(found) > limit else None)


@router.get("/outbox", summary="Notices that could not be sent")
async def failed_notices(
    services: AppServices,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before.")] = None,
    limit: Limit = 50,
) -> Page[FailedNotice]:
    """Given up after a day of attempts, refused for good, or a text that did not arrive.

    A text that its reader had opted out of is not listed.
    """
    async with services.database.transaction() as session:
        found = await outbox.failed(session, after=cursor, limit=limit + 1)
    items = [FailedNotice.model_validate(row) for row in found[:limit]]
    return Page(items=items, next_cursor=items[-1].key if len(found) > limit else None)


def _percent(count: int, of: int) -> float | None:
    return round(100 * count / of, 1) if of else None
