"""Baselines: collected by each location with one template, compared across all (B-01 to B-16)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.exceptions import RequestValidationError

from api.csv_answers import CSV_TOO, Format, csv_answer
from api.problems import responses
from api.rollout_acting import STAFF_ROLES, Member, RolloutActsOfRequest, member
from api.rollout_policy import policy_of
from api.rollout_scope import visible_locations
from api.schemas.baselines import (
    BaselineComparison,
    BaselineLine,
    BaselineView,
    Collection,
    MetricView,
    NewBaseline,
    TemplateLine,
)
from db import baselines
from db.rollout_reports import standing_of
from db.tables import RolloutBaseline, RolloutLocation, new_id
from domain.access import Role
from domain.actors import Actor
from domain.local_time import zone_of
from domain.rollout import baseline
from domain.rollout.baseline import BaselinePolicy, MetricSpec
from domain.rollout.people import Function
from domain.rollout.program import Slug

router = APIRouter(tags=["baselines"])
PROBLEMS = responses(401, 403, 404, 409, 422)

COLLECTORS = (
    Function.OFFICE_MANAGER,
    Function.CHAMPION,
    Function.BACKUP_CHAMPION,
    Function.REGIONAL_MANAGER,
    Function.PROJECT_MANAGER,
    Function.IT_LEAD,
)
Collector = Annotated[Member, member(Role.SYSTEM_ADMIN, Role.REGIONAL_ADMIN, Role.LOCATION_ADMIN, Role.STANDARD_USER)]
Staff = Annotated[Member, member(*STAFF_ROLES)]


@router.post("/locations/{location_id}/baselines", status_code=201, summary="Collect a baseline", responses=PROBLEMS)
async def collect_baseline(
    location_id: Slug, body: NewBaseline, act: RolloutActsOfRequest, who: Collector
) -> BaselineView:
    """All of it is kept, or nothing. What was collected before stays on record; the latest of each metric counts.

    422 `request.invalid` lists everything that is wrong, each with a code as `type`; 403 `rollout.function_missing`;
    404 `location.unknown`; 409 `baseline.validated`.
    """
    location = await act.location(location_id, who)
    actor = who.actor(location.program_id, COLLECTORS, region=location.region, location_id=location_id)
    now = act.services.clock()
    async with act.services.database.transaction() as session:
        policy = (await policy_of(session, location.program_id)).baseline
        _check(policy, body, location, now)
        await baselines.check_open(session, location.program_id, location_id)
        session.add_all(_row(policy, one, location_id, actor, now) for one in body.metrics)
    return await _view(act, location, policy)


@router.get(
    "/locations/{location_id}/baselines", summary="The baseline of a location", responses=responses(401, 403, 404, 422)
)
async def read_baseline(location_id: Slug, act: RolloutActsOfRequest, who: Staff) -> BaselineView:
    """Every metric of the registry, with what there is of it. 404 `location.unknown`."""
    location = await act.location(location_id, who)
    async with act.services.database.transaction() as session:
        policy = (await policy_of(session, location.program_id)).baseline
    return await _view(act, location, policy)


@router.get(
    "/rollouts/{program_id}/baselines",
    summary="Baselines across locations",
    response_model=BaselineComparison,
    responses={**responses(401, 403, 404, 422), **CSV_TOO},
)
async def compare_baselines(
    program_id: Slug,
    act: RolloutActsOfRequest,
    who: Staff,
    format: Format = "json",  # noqa: A002 - the name in the query
) -> BaselineComparison | Response:
    """B-14: every location that the caller may see. 404 `programme.unknown`."""
    await act.programme(program_id, who)
    async with act.services.database.transaction() as session:
        policy = (await policy_of(session, program_id)).baseline
        locations = await visible_locations(session, program_id, who)
        ids = [location.location_id for location in locations]
        rows = await baselines.latest(session, ids)
        validated = await baselines.validations(session, program_id, ids)
    incomplete = {location_id for location_id in ids if _missing(policy, rows[location_id])}
    lines = [
        _line(spec, location, _of(spec, rows[location.location_id])).model_copy(
            update={
                "location_complete": location.location_id not in incomplete,
                "validated": location.location_id in validated and validated[location.location_id].accurate,
            }
        )
        for location in locations
        for spec in policy.metrics
    ]
    if format == "csv":
        return csv_answer(BaselineLine, lines, f"baselines-{program_id}.csv")
    effort = policy.effort
    return BaselineComparison(
        items=lines, incomplete=sorted(incomplete), effort_hours=(effort.least_hours, effort.most_hours)
    )


@router.get(
    "/rollouts/{program_id}/baselines/template",
    summary="The reporting template",
    response_class=Response,
    responses={**responses(401, 403, 404, 422), **CSV_TOO},
)
async def baseline_template(program_id: Slug, act: RolloutActsOfRequest, who: Staff) -> Response:
    """B-11: one template for all locations, as CSV with a line for each count. 404 `programme.unknown`."""
    await act.programme(program_id, who)
    async with act.services.database.transaction() as session:
        policy = (await policy_of(session, program_id)).baseline
        locations = await visible_locations(session, program_id, who)
    lines = [
        TemplateLine(
            location_id=location.location_id, **_defined(spec), first_day="", last_day="", count=count, value=""
        )
        for location in locations
        for spec in policy.metrics
        for count in sorted(spec.counts)
    ]
    return csv_answer(TemplateLine, lines, f"baseline-template-{program_id}.csv")


def _check(policy: BaselinePolicy, body: NewBaseline, location: RolloutLocation, now: datetime) -> None:
    """Raises RequestValidationError with everything that is wrong."""
    today = now.astimezone(zone_of(location.time_zone)).date()
    found = [(number, code) for number, one in enumerate(body.metrics) for code in _codes(policy, one, today)]
    seen = [one.metric for one in body.metrics]
    found += [(number, "metric.twice") for number, metric in enumerate(seen) if metric in seen[:number]]
    if found:
        raise RequestValidationError(
            [{"loc": ("body", "metrics", number), "type": code, "msg": "", "input": None} for number, code in found]
        )


def _codes(policy: BaselinePolicy, one: Collection, today: Any) -> tuple[str, ...]:
    spec = policy.spec(one.metric)
    return (*baseline.faults(spec, one.counts), *baseline.period_faults(spec, one.first_day, one.last_day, today))


def _row(policy: BaselinePolicy, one: Collection, location_id: str, actor: Actor, now: datetime) -> RolloutBaseline:
    measured = baseline.measure(policy.spec(one.metric), one.counts, policy.decimals)
    return RolloutBaseline(
        id=new_id(),
        location_id=location_id,
        counts={name: str(count) for name, count in one.counts.items()},
        numerator=measured.bucketed.numerator,
        denominator=measured.bucketed.denominator,
        bucketed=measured.bucketed.value,
        playbook_literal=measured.playbook_literal.value,
        collected_role=actor.role,
        collected_by=actor.id,
        collected_at=now,
        **one.model_dump(include={"metric", "first_day", "last_day", "reliable", "method"}),
    )


async def _view(act: RolloutActsOfRequest, location: RolloutLocation, policy: BaselinePolicy) -> BaselineView:
    location_id = location.location_id
    async with act.services.database.transaction() as session:
        rows = (await baselines.latest(session, [location_id]))[location_id]
        standing = await standing_of(session, location.program_id, location_id)
    missing = _missing(policy, rows)
    said = standing.baseline if standing and standing.baseline and standing.baseline.accurate else None
    return BaselineView(
        location_id=location_id,
        metrics=[_metric(spec, _of(spec, rows)) for spec in policy.metrics],
        complete=not missing,
        missing=list(missing),
        due=standing.baseline_due if standing else None,
        validated_by=said.by if said else None,
        validated_at=said.at if said else None,
    )


def _missing(policy: BaselinePolicy, rows: list[RolloutBaseline]) -> tuple[str, ...]:
    unreliable = {row.metric for row in rows if not row.reliable}
    return baseline.missing(policy, {row.metric for row in rows}, unreliable)


def _of(spec: MetricSpec, rows: list[RolloutBaseline]) -> RolloutBaseline | None:
    return next((row for row in rows if row.metric == spec.metric), None)


def _defined(spec: MetricSpec) -> dict[str, Any]:
    return {
        **spec.model_dump(include={"metric", "definition", "optional"}),
        "collection_method": spec.method,
        "window": spec.window.kind,
        "window_length": spec.window.length,
    }


_SHOWN = ("first_day", "last_day", "bucketed", "playbook_literal", "reliable")


def _metric(spec: MetricSpec, row: RolloutBaseline | None) -> MetricView:
    return MetricView(
        **_defined(spec),
        requirement=spec.requirement,
        unit=spec.unit,
        **{name: getattr(row, name, None) for name in (*_SHOWN, "method", "collected_at")},
        counts=baselines.counts_of(row) if row else None,
        collected_by=Actor(role=row.collected_role, id=row.collected_by) if row else None,
    )


def _line(spec: MetricSpec, location: RolloutLocation, row: RolloutBaseline | None) -> BaselineLine:
    return BaselineLine(
        location_id=location.location_id,
        region=location.region,
        metric=spec.metric,
        unit=spec.unit,
        **{name: getattr(row, name, None) for name in _SHOWN},
        location_complete=True,
        validated=False,
    )
