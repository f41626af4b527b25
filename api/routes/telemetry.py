"""Telemetry of locations, incidents with messages, issues, answers of champions (X-01 to X-03, GG-02 to GG-07)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api import telemetry as taking
from api.problems import responses
from api.rollout_acting import ROLLOUT_ROLES, STAFF_ROLES, Member, RolloutActsOfRequest, member
from api.rollout_policy import policy_of
from api.schemas.telemetry import (
    BatchReceipt,
    ConfidenceView,
    IncidentView,
    IssueView,
    NewBatch,
    NewConfidence,
    NewIncident,
    NewIssue,
)
from api.values import Cursor, Limit, Page, RecordId
from db import issues, telemetry
from db.tables import ConfidenceAnswer, MessageIncident, RolloutIssue, RolloutLocation
from domain.access import Role
from domain.actors import Actor
from domain.errors import Invalid
from domain.rollout.people import LOCAL, VENDOR, Function
from domain.rollout.program import Slug
from domain.rollout.telemetry import CRITICAL, CRITICAL_KINDS
from domain.rollout.triggers import IncidentKind, TelemetryNews
from domain.rollout.triggers import MessageIncident as IncidentNews

router = APIRouter(prefix="/locations/{location_id}", tags=["telemetry"])
PROBLEMS = responses(401, 403, 404, 409, 422)

CENTRAL = (Function.IT_LEAD, Function.PROJECT_MANAGER, Function.COMPLIANCE, Function.REGIONAL_MANAGER)
ON_SITE = tuple(sorted(LOCAL))
CONFIRMERS = (Function.OFFICE_MANAGER, Function.CHAMPION, Function.BACKUP_CHAMPION, *CENTRAL)

Submitter = Annotated[
    Member,
    member(Role.SYSTEM_ADMIN, Role.REGIONAL_ADMIN, Role.LOCATION_ADMIN, Role.STANDARD_USER, Role.VENDOR),
]
Staff = Annotated[Member, member(*STAFF_ROLES)]
Anybody = Annotated[Member, member(*ROLLOUT_ROLES)]


@router.post("/telemetry", status_code=202, summary="Report telemetry", responses=PROBLEMS)
async def report_telemetry(
    location_id: Slug, batch: NewBatch, act: RolloutActsOfRequest, who: Submitter
) -> BatchReceipt:
    """A batch is taken once, however often it is sent, and whole or not at all. Entries may come late, in any order.

    422 `request.invalid` lists everything that is wrong, each with its entry and a code as `type`; 403
    `rollout.function_missing`, `telemetry.source_not_yours`; 404 `location.unknown`; 409 `telemetry.batch_reused`.
    """
    location = await act.location(location_id, who)
    actor = taking.submitter(who, location, batch)
    now = act.services.clock()
    async with act.services.database.transaction() as session:
        policy = await policy_of(session, location.program_id)
        taking.check(batch, now, policy.baseline)
        stored = await telemetry.store(session, location, batch, actor, now)
    if stored.report_id is not None:
        await taking.deliver(act.services, stored.report_id)
    outcome = "accepted" if stored.new else "duplicate"
    return BatchReceipt(batch_id=batch.batch_id, outcome=outcome, entries=len(batch.entries))


@router.post("/incidents", status_code=201, summary="Report a wrong message", responses=PROBLEMS)
async def report_incident(
    location_id: Slug, body: NewIncident, act: RolloutActsOfRequest, who: Anybody
) -> IncidentView:
    """X-02. It has no consequence until somebody confirms it. 404 `location.unknown`; 422 `incident.in_future`."""
    location = await act.location(location_id, who)
    actor = _actor(who, location, (*ON_SITE, *CENTRAL, *VENDOR))
    now = act.services.clock()
    if body.occurred_at > now:
        raise Invalid("incident.in_future", "it has not happened yet")
    row = MessageIncident(
        id=act.record_id(who),
        location_id=location_id,
        reported_role=actor.role,
        reported_by=actor.id,
        reported_at=now,
        **body.model_dump(),
    )
    async with act.services.database.transaction() as session:
        return _incident(await issues.keep(session, row))


@router.post("/incidents/{incident_id}/confirm", summary="Confirm a wrong message", responses=PROBLEMS)
async def confirm_incident(
    location_id: Slug, incident_id: RecordId, act: RolloutActsOfRequest, who: Staff
) -> IncidentView:
    """One confirmed message is enough for a rollback (X-02): sending is switched off at once. Again changes nothing.

    403 `rollout.function_missing`; 404 `location.unknown`, `incident.unknown`.
    """
    location = await act.location(location_id, who)
    actor = _actor(who, location, CONFIRMERS)
    async with act.services.database.transaction() as session:
        row = await issues.confirm(session, location_id, incident_id, actor, act.services.clock())
        report_id = await telemetry.report(session, location, _news(row))
    await taking.deliver(act.services, report_id)
    return _incident(row)


@router.get("/incidents", summary="Wrong messages", responses=responses(401, 403, 404, 422))
async def list_incidents(
    location_id: Slug, act: RolloutActsOfRequest, who: Staff, cursor: Cursor = None, limit: Limit = 50
) -> Page[IncidentView]:
    """Newest first. 404 `location.unknown`."""
    await act.location(location_id, who)
    async with act.services.database.transaction() as session:
        found = await issues.incidents(session, location_id, before=cursor, limit=limit + 1)
    items = [_incident(row) for row in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.post("/issues", status_code=201, summary="Open an issue", responses=PROBLEMS)
async def open_issue(location_id: Slug, body: NewIssue, act: RolloutActsOfRequest, who: Anybody) -> IssueView:
    """GG-06, decision 32. 404 `location.unknown`; 422 `issue.severity_too_low` for a kind that is always critical."""
    location = await act.location(location_id, who)
    actor = _actor(who, location, (*ON_SITE, *CENTRAL, *VENDOR))
    if body.kind in CRITICAL_KINDS and body.severity != CRITICAL:
        raise Invalid("issue.severity_too_low", "an issue of this kind has severity 1")
    row = RolloutIssue(
        id=act.record_id(who),
        location_id=location_id,
        opened_role=actor.role,
        opened_by=actor.id,
        opened_at=act.services.clock(),
        **body.model_dump(),
    )
    async with act.services.database.transaction() as session:
        return _issue(await issues.keep(session, row))


@router.post("/issues/{issue_id}/resolve", summary="Resolve an issue", responses=PROBLEMS)
async def resolve_issue(location_id: Slug, issue_id: RecordId, act: RolloutActsOfRequest, who: Staff) -> IssueView:
    """403 `rollout.function_missing`; 404 `location.unknown`, `issue.unknown`; 409 `issue.resolved`."""
    location = await act.location(location_id, who)
    actor = _actor(who, location, CENTRAL)
    async with act.services.database.transaction() as session:
        return _issue(await issues.resolve(session, location_id, issue_id, actor, act.services.clock()))


@router.get("/issues", summary="Issues of a location", responses=responses(401, 403, 404, 422))
async def list_issues(
    location_id: Slug,
    act: RolloutActsOfRequest,
    who: Anybody,
    open_only: Annotated[bool, Query(alias="open", description="Only those that nobody has resolved.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[IssueView]:
    """Newest first. 404 `location.unknown`."""
    await act.location(location_id, who)
    async with act.services.database.transaction() as session:
        found = await issues.issues(session, location_id, open_only=open_only, before=cursor, limit=limit + 1)
    items = [_issue(row) for row in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.post("/confidence", status_code=201, summary="A champion rates the readiness", responses=PROBLEMS)
async def rate_confidence(
    location_id: Slug, body: NewConfidence, act: RolloutActsOfRequest, who: Staff
) -> ConfidenceView:
    """GG-07: the latest rating of each champion counts. 403 `rollout.function_missing`; 404 `location.unknown`."""
    location = await act.location(location_id, who)
    actor = _actor(who, location, (Function.CHAMPION,))
    row = ConfidenceAnswer(
        id=act.record_id(who),
        location_id=location_id,
        member_id=actor.id,
        score=body.score,
        answered_at=act.services.clock(),
    )
    async with act.services.database.transaction() as session:
        return ConfidenceView.model_validate(await issues.keep(session, row))


def _actor(who: Member, location: RolloutLocation, functions: tuple[Function, ...]) -> Actor:
    return who.actor(location.program_id, functions, region=location.region, location_id=location.location_id)


def _news(row: MessageIncident) -> TelemetryNews:
    assert row.confirmed_at is not None
    told = IncidentNews(incident_id=row.id, kind=IncidentKind(row.kind), confirmed_at=row.confirmed_at)
    return TelemetryNews(batch_id=f"incident:{row.id}", incidents=(told,))


def _incident(row: MessageIncident) -> IncidentView:
    return IncidentView(
        **row.model_dump(
            include={"id", "location_id", "kind", "occurred_at", "description", "reported_at", "confirmed_at"}
        ),
        reported_by=Actor(role=row.reported_role, id=row.reported_by),
        confirmed_by=_who(row.confirmed_role, row.confirmed_by),
    )


def _issue(row: RolloutIssue) -> IssueView:
    return IssueView(
        **row.model_dump(include={"id", "location_id", "severity", "kind", "description", "opened_at", "resolved_at"}),
        opened_by=Actor(role=row.opened_role, id=row.opened_by),
        resolved_by=_who(row.resolved_role, row.resolved_by),
    )


def _who(role: str | None, member_id: str | None) -> Actor | None:
    return Actor(role=role, id=member_id) if role and member_id else None
