"""What planning in requests goes by: the programme as it is known now, what it follows, and what has started."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

import wave_planner
from api.rollout_acting import RolloutActs
from api.schemas.rollout_planning import AssessmentView, Difference, LocationChange, PlanAnswer, WhatIf
from db import members, programs, readiness
from db.tables import ReadinessEntry, RolloutLocation
from domain import names
from domain.errors import NotFound, Refused
from domain.model import Value
from domain.rollout.orders import RolloutOrder
from domain.rollout.plan import Plan, PlannedWave
from domain.rollout.planning.answers import Move
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import LocationFacts, Programme, Waiver
from domain.rollout.readiness import Assessment, shown
from domain.rollout.readiness_matrix import matrix
from domain.rollout.resurvey import Resurvey, resurveyed

SUPPOSED = "what-if"
"""Author of what nobody has found or granted."""


class _Wave(Value):
    """Of a `ProgrammeSnapshot`."""

    number: int
    started_at: datetime | None = None
    forecast_from: date
    forecast_to: date


class _Progress(Value):
    plan: Plan
    waivers: tuple[Waiver, ...] = ()
    waves: tuple[_Wave, ...] = ()


@dataclass(frozen=True)
class Planning:
    """A programme that was placed."""

    programme: Programme
    """With its locations as they are known now, and the waivers that are granted now."""
    policy: RolloutPolicy
    """That it was placed with."""
    following: Plan
    settled: tuple[PlannedWave, ...]
    """Waves that have started, as they are forecast."""

    @property
    def readiness(self) -> tuple[Assessment, ...]:
        return matrix(self.programme.locations, self.policy.readiness)


async def planning_of(session: AsyncSession, program_id: str) -> Planning:
    """Raises `NotFound` (`programme.unknown`)."""
    row = await members.placed(session, program_id)
    programme = await readiness.programme_now(session, row)
    order = RolloutOrder.model_validate(row.order)
    case = await programs.case(session, names.rollout_case(program_id))
    if case is None:
        return Planning(programme=programme, policy=order.policy, following=order.plan, settled=())
    progress = _Progress.model_validate(case.snapshot)
    return Planning(
        programme=programme.model_copy(update={"waivers": progress.waivers}),
        policy=order.policy,
        following=progress.plan,
        settled=_settled(progress),
    )


def _settled(progress: _Progress) -> tuple[PlannedWave, ...]:
    seen = {wave.number: wave for wave in progress.waves if wave.started_at is not None}
    return tuple(
        wave.model_copy(update={"starts_on": seen[wave.number].forecast_from, "ends_on": seen[wave.number].forecast_to})
        for wave in progress.plan.waves
        if wave.number in seen
    )


async def assess(act: RolloutActs, row: RolloutLocation, found: Resurvey, *, entry_id: str, author: str) -> None:
    """Keep what was found out about a location, once.

    Raises `NotFound` (`location.unknown`), `Invalid` (`request.idempotency_key_reused`).
    """
    async with act.services.database.transaction() as session:
        others = await readiness.lock(session, row.program_id, row.location_id)
        policy = RolloutOrder.model_validate((await members.placed(session, row.program_id)).order).policy.readiness
        this = next(one for one in others if one.location_id == row.location_id)
        facts = resurveyed(LocationFacts.model_validate(this.facts), found, author, policy.workstation)
        group = [facts if one is this else LocationFacts.model_validate(one.facts) for one in others]
        assessment = next(one for one in matrix(tuple(group), policy) if one.location_id == row.location_id)
        entry = ReadinessEntry(
            id=entry_id,
            program_id=row.program_id,
            location_id=row.location_id,
            found=found.model_dump(mode="json", exclude_unset=True),
            author=author,
            composite=assessment.composite,
            band=assessment.band,
            entered_at=act.services.clock(),
        )
        if not await readiness.earlier(session, entry):
            session.add(entry)
            this.facts = facts.model_dump(mode="json")


async def answer(
    programme: Programme,
    policy: RolloutPolicy,
    *,
    moves: tuple[Move, ...] = (),
    settled: tuple[PlannedWave, ...] = (),
    following: Plan | None = None,
) -> PlanAnswer:
    """Raises `NotFound` (`location.unknown`), `Invalid` (`plan.wave_unknown`, `calendar.never_open`)."""
    assessed = list(matrix(programme.locations, policy.readiness))
    try:
        made = await asyncio.to_thread(wave_planner.plan, programme, policy, moved=moves, settled=settled)
    except Refused:
        why = await asyncio.to_thread(wave_planner.explain, programme, policy, moved=moves, settled=settled)
        return PlanAnswer(possible=False, plan=None, explanation=why, readiness=assessed)
    if following is not None:
        made = made.model_copy(update={"version": following.version + 1})
    return PlanAnswer(
        possible=True, plan=made, explanation=None, readiness=assessed, differences=_differences(following, made)
    )


async def suppose(planning: Planning, what: WhatIf) -> PlanAnswer:
    """Raises as `answer` does."""
    programme = planning.programme
    known = {one.location_id: one for one in programme.locations}
    for change in what.changes:
        if change.location_id not in known:
            raise NotFound("location.unknown", "the programme has no such location")
        known[change.location_id] = _changed(known[change.location_id], change, planning.policy)
    granted = tuple(
        Waiver(rule=one.rule, location_id=one.location_id, granted_by=SUPPOSED, reason=SUPPOSED) for one in what.waivers
    )
    supposed = programme.model_copy(
        update={
            "locations": tuple(known.values()),
            "waivers": (*programme.waivers, *granted),
            "extra_waves": programme.extra_waves if what.extra_waves is None else what.extra_waves,
        }
    )
    return await answer(
        supposed,
        planning.policy,
        moves=tuple(what.moves),
        settled=planning.settled,
        following=planning.following,
    )


def _changed(facts: LocationFacts, change: LocationChange, policy: RolloutPolicy) -> LocationFacts:
    return resurveyed(facts, change, SUPPOSED, policy.readiness.workstation)


def _differences(following: Plan | None, made: Plan) -> list[Difference]:
    if following is None:
        return []
    places = {one: wave.number for wave in following.waves for one in wave.locations}
    now = {one: wave.number for wave in made.waves for one in wave.locations}
    return [
        Difference(location_id=one, from_wave=places.get(one), to_wave=now.get(one))
        for one in sorted(places.keys() | now.keys())
        if places.get(one) != now.get(one)
    ]


def assessment_view(found: Assessment, region: str, following: Plan) -> AssessmentView:
    wave = following.wave_of(found.location_id)
    return AssessmentView(
        location_id=found.location_id,
        region=region,
        scores=list(found.scores),
        volume_percentile=shown(found.percentile),
        composite=found.shown,
        band=found.band,
        recommended_wave=found.recommended_wave,
        planned_wave=wave.number if wave else None,
    )
