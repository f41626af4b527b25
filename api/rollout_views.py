"""Programmes and locations as the API shows them."""

from __future__ import annotations

from datetime import date

from api.schemas.rollouts import LocationSummary, LocationView, ProgrammeSummary, ProgrammeView, Survey
from db.programs import Standing
from db.tables import CaseState, RolloutLocation
from domain.access import Role
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.plan import Plan
from domain.rollout.program import LocationFacts
from domain.rollout.programme.view import ProgrammeSnapshot

SURVEYORS = frozenset({Role.SYSTEM_ADMIN, Role.EXECUTIVE, Role.REGIONAL_ADMIN})
"""See what was found out about the people of a location."""


def programme_summary(standing: Standing) -> ProgrammeSummary:
    program, case = standing
    return ProgrammeSummary(
        program_id=program.id,
        name=program.name,
        starts_on=date.fromisoformat(program.order["starts_on"]),
        state=case.business_state if case else None,
        created_at=program.created_at,
    )


def programme_view(standing: Standing, *, whole: bool, live: ProgrammeSnapshot | None = None) -> ProgrammeView:
    """`whole`: with what its process shows of all locations."""
    plan = Plan.model_validate(standing.program.order["plan"])
    progress = live or (ProgrammeSnapshot.model_validate(standing.case.snapshot) if standing.case else None)
    summary = programme_summary(standing).model_dump()
    if live:
        summary["state"] = live.business_state
    return ProgrammeView(**summary, plan=plan, progress=progress if whole else None)


def location_summary(row: RolloutLocation, case: CaseState | None) -> LocationSummary:
    facts = LocationFacts.model_validate(row.facts)
    return LocationSummary(
        location_id=row.location_id,
        program_id=row.program_id,
        region=row.region,
        name=row.name,
        time_zone=row.time_zone,
        practice_system=facts.practice_system,
        imaging=facts.imaging,
        state=case.business_state if case else None,
    )


def location_view(
    row: RolloutLocation, case: CaseState | None, role: Role, live: LocationSnapshot | None = None
) -> LocationView:
    facts = LocationFacts.model_validate(row.facts)
    progress = live or (LocationSnapshot.model_validate(case.snapshot) if case else None)
    summary = location_summary(row, case).model_dump()
    if live:
        summary["state"] = live.business_state
    return LocationView(
        **summary,
        monthly_visits=facts.monthly_visits,
        survey=Survey.model_validate(facts, from_attributes=True) if role in SURVEYORS else None,
        progress=progress,
    )
