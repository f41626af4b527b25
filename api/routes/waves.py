"""Waves: how they stand, check-ins, what is written about them (spec/rollout.md, W-06 to W-09)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter

from api.problems import responses
from api.rollout_acting import CENTRAL_ROLES, ROLLOUT_ROLES, Member, RolloutActsOfRequest, member
from api.schemas.rollouts import ProgramId, WaveNumber, WaveView
from api.schemas.waves import NewArtefact, NewCheckIn, WaveClock, WaveSummary
from api.values import Page
from api.wave_acting import acted_wave
from db import waves
from domain.access import Role
from domain.case import ClockView
from domain.rollout.people import Function
from domain.rollout.wave.acts import AcknowledgeEscalation, CheckIn, FileArtefact
from domain.rollout.wave.view import WaveLocation, WaveSnapshot
from workflows.rollout.wave import Wave

router = APIRouter(prefix="/rollouts/{program_id}/waves", tags=["rollouts"])

Central = Annotated[Member, member(*CENTRAL_ROLES)]
Seeing = Annotated[Member, member(*ROLLOUT_ROLES)]
Locals = Annotated[Member, member(Role.LOCATION_ADMIN, Role.STANDARD_USER)]
Taking = Annotated[Member, member(*CENTRAL_ROLES, Role.REGIONAL_ADMIN)]
PROBLEMS = responses(401, 403, 404, 409, 422, 503)

CHAMPIONS = (Function.CHAMPION, Function.OFFICE_MANAGER, Function.BACKUP_CHAMPION)
WRITERS = (Function.PROJECT_MANAGER, Function.VP_OPERATIONS, Function.IT_LEAD)
ESCALATED_TO = (
    Function.VP_OPERATIONS,
    Function.PROJECT_MANAGER,
    Function.CEO_COO,
    Function.IT_LEAD,
    Function.REGIONAL_MANAGER,
)


@router.get("", summary="The waves that have begun", responses=responses(401, 403, 404, 422))
async def list_waves(program_id: ProgramId, act: RolloutActsOfRequest, who: Seeing) -> Page[WaveSummary]:
    """By number; those to come are in the programme's plan. 403 `rollout.part_only`; 404 `programme.unknown`."""
    await act.whole(program_id, who)
    async with act.services.database.transaction() as session:
        found = await waves.of_program(session, program_id)
    return Page(items=[_summary(one) for one in found], next_cursor=None)


@router.post("/{number}/check-ins", summary="Check in with the central team", responses=PROBLEMS)
async def check_in(
    program_id: ProgramId, number: WaveNumber, body: NewCheckIn, act: RolloutActsOfRequest, who: Locals
) -> WaveLocation:
    """By the champion of the location, and by the backup once the champion is silent (W-07, L-03).

    403 `rollout.function_missing`; 404 `location.unknown`, `wave.unknown`, `check_in.location_unknown`; 409
    `check_in.none_due` with when one is next, `check_in.primary_first` with from when on.
    """
    row = await act.location(body.location_id, who)
    wave = await acted_wave(program_id, number, act, who)
    actor = who.actor(program_id, CHAMPIONS, region=row.region, location_id=row.location_id)
    async with AsyncExitStack() as stack:
        note_id = await wave.kept(stack, "check_in", body.note, row.location_id)
        await wave.ask(Wave.check_in, CheckIn(actor=actor, location_id=row.location_id, note_id=note_id))
    return next(one for one in (await wave.shown()).locations if one.location_id == row.location_id)


@router.post("/{number}/artefacts", summary="File what was learned", responses=PROBLEMS)
async def file_artefact(
    program_id: ProgramId, number: WaveNumber, body: NewArtefact, act: RolloutActsOfRequest, who: Central
) -> WaveView:
    """A retrospective, a review of metrics, lessons or the update of the playbook. After a go the wave closes with
    the last of lessons and update (W-02). Filed again, the latest counts.

    403 `rollout.function_missing`; 404 `wave.unknown`; 409 `wave.not_launched`, `wave.over`.
    """
    wave = await acted_wave(program_id, number, act, who)
    actor = wave.actor(*WRITERS)
    async with AsyncExitStack() as stack:
        evidence_id = await wave.kept(stack, body.artefact, body.text)
        assert evidence_id is not None
        await wave.ask(Wave.file_artefact, FileArtefact(actor=actor, artefact=body.artefact, evidence_id=evidence_id))
    return await wave.view()


@router.post("/{number}/escalations/{clock}/acknowledge", summary="Take a late matter on", responses=PROBLEMS)
async def acknowledge_escalation(
    program_id: ProgramId, number: WaveNumber, clock: WaveClock, act: RolloutActsOfRequest, who: Taking
) -> ClockView:
    """Its ladder is climbed no further. Regional managers take on the check-ins of their region.

    403 `rollout.function_missing`; 404 `wave.unknown`, `location.unknown`; 409 `escalation.none`.
    """
    wave = await acted_wave(program_id, number, act, who)
    _, _, location_id = clock.partition(":")
    if location_id:
        row = await act.location(location_id, who)
        actor = who.actor(program_id, ESCALATED_TO, region=row.region, location_id=location_id)
    else:
        actor = wave.actor(*(one for one in ESCALATED_TO if one is not Function.REGIONAL_MANAGER))
    await wave.ask(Wave.acknowledge_escalation, AcknowledgeEscalation(actor=actor, clock=clock))
    return next(one for one in (await wave.shown()).clocks if one.name == clock)


def _summary(wave: WaveSnapshot) -> WaveSummary:
    assert wave.wave is not None
    return WaveSummary(
        number=wave.wave,
        state=wave.phase,
        starts_on=wave.starts_on,
        ends_on=wave.ends_on,
        locations=[one.location_id for one in wave.locations],
        live=[one.location_id for one in wave.locations if one.deployed],
        not_live=list(wave.not_live),
        evaluation_at=wave.evaluation_at,
        extended_weeks=wave.extended_weeks,
        slipped_weeks=wave.slipped_weeks,
        closed_at=wave.closed_at,
        waits_for=list(wave.waits_for),
    )
