"""The at-risk board: what breaches next, and what has breached, over all processes."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from api.auth import require
from api.dependencies import AppServices, Services
from api.durations import parse_within
from api.people import STAFF, CurrentClinician
from api.problems import responses
from api.values import EXAMPLE_ID, Limit, Page, RecordId, Time
from db import at_risk
from db.at_risk import COUNTED, AtRisk, Filters, Listing, Position
from domain.clock import SlaState
from domain.names import Process

router = APIRouter(tags=["at risk"])

PATHS = {
    "econsult": "/econsults/",
    "visit": "/visits/",
    "licence": "/licences/",
    "credential-event": "/credential-events/",
    "conduct-report": "/conduct-reports/",
}
"""Where the API shows a case, by the kind in its id."""

_TIME: TypeAdapter[datetime] = TypeAdapter(Time)

_ITEM: dict[str, Any] = {
    "case_id": f"econsult:{EXAMPLE_ID}",
    "process": "EConsult",
    "state": "WITH_SPECIALIST",
    "clock": "turnaround",
    "due": "2026-03-04T16:20:00Z",
    "due_in_seconds": 4500,
    "overdue_seconds": None,
    "owner": "specialist",
    "waits_for": "a reply",
    "escalation_level": 0,
    "acknowledged": None,
    "sla_state": "at_risk",
    "clinician_id": EXAMPLE_ID,
    "link": f"/econsults/{EXAMPLE_ID}",
}


class BoardItem(BaseModel):
    """A case on the board. Nothing in it tells of the patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ITEM]})

    case_id: str
    process: str
    state: str = Field(description="The business state.")
    clock: str = Field(description="The clock that breaches next, or has breached.")
    due: datetime = Field(description="When it breaches or has breached.")
    due_in_seconds: int | None = Field(description="Null when it was due before `now`.")
    overdue_seconds: int | None = Field(description="Null while it is to come.")
    owner: str | None = Field(description="Whom the case waits for first.")
    waits_for: str | None = Field(description="What they have to do.")
    escalation_level: int = Field(description="The highest of the case's clocks; the breach is the first step.")
    acknowledged: bool | None = Field(description="Whether every open breach was taken on; null without any.")
    sla_state: SlaState
    clinician_id: str | None
    link: str | None = Field(description="Path of the case in this API.")


class Board(Page[BoardItem]):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [_ITEM],
                    "next_cursor": None,
                    "now": "2026-03-04T15:05:00Z",
                    "total": 1,
                    "total_is_capped": False,
                }
            ]
        }
    )

    now: datetime = Field(description="The time that the list was made for.")
    total: int = Field(le=COUNTED, description="On all pages.")
    total_is_capped: bool = Field(description="There are more than `total`.")


def _position(cursor: str | None) -> Position | None:
    """Raises ValueError for what is no cursor of a board."""
    if cursor is None:
        return None
    due, _, case_id = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii").partition(" ")
    if not case_id.isprintable():
        raise ValueError("no case id")
    return Position(_TIME.validate_python(due), case_id)


def _readable(cursor: str | None) -> str | None:
    try:
        _position(cursor)
    except ValueError:
        raise ValueError("This is not a next_cursor of this list.") from None
    return cursor


def _cursor(last: AtRisk) -> str:
    return base64.urlsafe_b64encode(f"{last.due.isoformat()} {last.case_id}".encode()).decode()


Within = Annotated[str, Query(description="`90m`, `2h`, `3d` or an ISO 8601 duration.", examples=["2h"])]
BoardCursor = Annotated[
    str | None,
    Query(max_length=400, description="`next_cursor` of the page before."),
    AfterValidator(_readable),
]
Owner = Annotated[
    str | None, Query(pattern="^[a-z_]{1,50}$", description="Whom the case waits for first.", examples=["specialist"])
]


@router.get(
    "/ops/at-risk",
    summary="What breaches next",
    dependencies=[require(*STAFF)],
    responses=responses(401, 403, 422),
)
async def board(
    services: AppServices,
    within: Within = "2h",
    process: Process | None = None,
    owner: Owner = None,
    clinician_id: RecordId | None = None,
    cursor: BoardCursor = None,
    limit: Limit = 50,
) -> Board:
    """Open cases whose next breach comes within this time if nobody acts, the next one first.

    What is due and was not noticed yet, after an outage say, comes before all. Paused clocks and windows that just end
    do not count. 422 `at_risk.within_invalid`.
    """
    filters = Filters(process=process, owner=owner, clinician_id=clinician_id)
    return await _at_risk(services, parse_within(within), filters, cursor, limit)


@router.get(
    "/ops/breaches",
    summary="What has breached",
    dependencies=[require(*STAFF)],
    responses=responses(401, 403, 422),
)
async def open_breaches(
    services: AppServices,
    unacknowledged: Annotated[bool, Query(description="Only what nobody has taken on.")] = False,
    process: Process | None = None,
    owner: Owner = None,
    clinician_id: RecordId | None = None,
    cursor: BoardCursor = None,
    limit: Limit = 50,
) -> Board:
    """Cases with a breach that is not over, the oldest breach first.

    Of several breaches of a case it is the earliest that nobody has acknowledged.
    """
    filters = Filters(process=process, owner=owner, clinician_id=clinician_id)
    async with services.database.transaction() as session:
        listing = await at_risk.breaches(
            session, filters, unacknowledged=unacknowledged, after=_position(cursor), limit=limit
        )
    return _board(services.clock(), listing)


@router.get("/clinicians/me/at-risk", summary="What breaches next of mine", responses=responses(401, 403, 422))
async def own_board(
    services: AppServices,
    clinician: CurrentClinician,
    within: Within = "2h",
    cursor: BoardCursor = None,
    limit: Limit = 50,
) -> Board:
    """The clinician's own cases, whoever has to act. 422 `at_risk.within_invalid`."""
    return await _at_risk(services, parse_within(within), Filters(clinician_id=clinician.id), cursor, limit)


async def _at_risk(services: Services, within: timedelta, filters: Filters, cursor: str | None, limit: int) -> Board:
    now = services.clock()
    async with services.database.transaction() as session:
        listing = await at_risk.at_risk(session, now, within, filters, after=_position(cursor), limit=limit)
    return _board(now, listing)


def _board(now: datetime, listing: Listing) -> Board:
    return Board(
        items=[_item(now, found) for found in listing.items],
        next_cursor=_cursor(listing.items[-1]) if listing.more else None,
        now=now,
        total=min(listing.total, COUNTED),
        total_is_capped=listing.total > COUNTED,
    )


def _item(now: datetime, found: AtRisk) -> BoardItem:
    left = int((found.due - now).total_seconds())
    return BoardItem(
        case_id=found.case_id,
        process=found.process,
        state=found.business_state,
        clock=found.clock,
        due=found.due,
        due_in_seconds=left if found.due > now else None,
        overdue_seconds=-left if found.due <= now else None,
        owner=found.owner,
        waits_for=found.waits_for,
        escalation_level=found.escalation_level,
        acknowledged=None if found.breached_at is None else not found.unacknowledged,
        sla_state=SlaState(found.sla_state),
        clinician_id=found.clinician_id,
        link=_link(found.case_id),
    )


def _link(case_id: str) -> str | None:
    """None for a case that the API does not show, or that is a part of another."""
    kind, _, record_id = case_id.partition(":")
    return PATHS[kind] + record_id if kind in PATHS and ":" not in record_id else None
