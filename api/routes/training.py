"""Training at a location: champions and their certification, role groups, new hires, adoption (L)."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from fastapi import APIRouter

from api.location_acting import LocationActsOfRequest, Place
from api.problems import responses
from api.rollout_acting import ROLLOUT_ROLES, STAFF_ROLES, Member, member
from api.schemas.rollouts import LocationId, ProgramId
from api.schemas.training import (
    AdoptionReport,
    CertificationDone,
    Curriculum,
    GroupPath,
    GroupTrained,
    GroupView,
    HireId,
    NewHireRegistration,
    Nomination,
    QuizResult,
    Replacement,
    SlotPath,
    TrainingView,
)
from db import members
from domain.access import Role
from domain.local_time import instant, zone_of
from domain.rollout.people import VENDOR, Function
from domain.rollout.training import acts, rules
from workflows.rollout.location.workflow import Location

router = APIRouter(tags=["training"])

CHAMPIONS = (Function.CHAMPION, Function.BACKUP_CHAMPION)
NOMINATORS = (Function.REGIONAL_MANAGER, Function.OFFICE_MANAGER, Function.PROJECT_MANAGER)
"""L-02: assessed by managers."""
LEADERS = (*CHAMPIONS, Function.CHIEF_DENTAL_OFFICER, Function.REGIONAL_MANAGER)
CERTIFIERS = (*VENDOR, Function.PROJECT_MANAGER)
HIRERS = (*CHAMPIONS, Function.OFFICE_MANAGER)
AT = "/locations/{location_id}/training"
ACTS = responses(401, 403, 404, 409, 422, 503)

Anyone = Annotated[Member, member(*ROLLOUT_ROLES)]
Local = Annotated[Member, member(Role.LOCATION_ADMIN, Role.STANDARD_USER)]
Staff = Annotated[Member, member(*(role for role in STAFF_ROLES if role is not Role.READ_ONLY))]
Manager = Annotated[Member, member(Role.SYSTEM_ADMIN, Role.REGIONAL_ADMIN, Role.LOCATION_ADMIN)]
Certifier = Annotated[Member, member(Role.SYSTEM_ADMIN, Role.VENDOR)]
Learner = Annotated[Member, member(Role.VENDOR, Role.LOCATION_ADMIN, Role.STANDARD_USER)]


@router.get("/rollouts/{program_id}/curriculum", summary="What is taught", responses=responses(401, 403, 404, 422))
async def read_curriculum(program_id: ProgramId, act: LocationActsOfRequest, who: Anyone) -> Curriculum:
    """The course of each role group with its modules and minutes, the certification, the criteria of a champion."""
    await act.programme(program_id, who)
    return Curriculum.model_validate((await act.policy(program_id)).training, from_attributes=True)


@router.get(AT, summary="Where the training stands", responses=ACTS)
async def read_training(location_id: LocationId, act: LocationActsOfRequest, who: Anyone) -> TrainingView:
    """409 `location.not_opened`."""
    return await _view(await act.at(location_id, who))


@router.post(f"{AT}/champions", summary="Nominate a champion", responses=ACTS)
async def nominate_champion(
    location_id: LocationId, body: Nomination, act: LocationActsOfRequest, who: Manager
) -> TrainingView:
    """With a score for each criterion. What speaks against them is in `advice`; it refuses nobody (decision 40).

    409 `champion.slot_taken`, `champion.both_slots`, `champion.not_a_member`; 422 `champion.scores_incomplete`,
    `champion.score_out_of_scale`.
    """
    place = await act.at(location_id, who)
    actor = place.actor(NOMINATORS)
    async with act.services.database.transaction() as session:
        await members.require_champion(session, body.member_id, place.row)
    await place.ask(Location.nominate_champion, acts.NominateChampion(actor=actor, **body.model_dump()))
    return await _view(place)


@router.post(f"{AT}/champions/{{slot}}/replace", summary="Replace a champion", responses=ACTS)
async def replace_champion(
    location_id: LocationId, slot: SlotPath, body: Replacement, act: LocationActsOfRequest, who: Manager
) -> TrainingView:
    """In the place of a primary champion comes the backup, if there is one. 409 `champion.none`."""
    place = await act.at(location_id, who)
    asked = acts.ReplaceChampion(actor=place.actor(NOMINATORS), slot=slot, reason=body.reason)
    await place.ask(Location.replace_champion, asked)
    return await _view(place)


@router.post(f"{AT}/champions/{{slot}}/certification", summary="Record a step of a certification", responses=ACTS)
async def record_certification_step(
    location_id: LocationId, slot: SlotPath, body: CertificationDone, act: LocationActsOfRequest, who: Learner
) -> TrainingView:
    """In order; the resource kit after the quiz was passed (L-05).

    403 `certification.not_owner`; 409 `certification.out_of_order` with the step that comes first,
    `certification.step_done`, `certification.quiz_needed`, `champion.none`.
    """
    place = await act.at(location_id, who)
    asked = acts.RecordCertificationStep(actor=place.actor((*CHAMPIONS, *VENDOR)), slot=slot, step=body.step)
    await place.ask(Location.record_certification_step, asked)
    return await _view(place)


@router.post(f"{AT}/champions/{{slot}}/quiz", summary="Record a certification quiz", responses=ACTS)
async def record_quiz(
    location_id: LocationId, slot: SlotPath, body: QuizResult, act: LocationActsOfRequest, who: Certifier
) -> TrainingView:
    """Passed above 80 percent; taken again until then. Not recorded by the champion. 409 as for a step."""
    place = await act.at(location_id, who)
    asked = acts.RecordQuiz(actor=place.actor(CERTIFIERS), slot=slot, percent=body.percent)
    await place.ask(Location.record_quiz, asked)
    return await _view(place)


@router.put(f"{AT}/groups/{{group}}", summary="Record how many of a role group are trained", responses=ACTS)
async def record_training(
    location_id: LocationId, group: GroupPath, body: GroupTrained, act: LocationActsOfRequest, who: Staff
) -> TrainingView:
    """By whoever leads the course; champions once they are certified. A group of nobody is complete.

    403 `training.not_leader`, `training.not_champion`; 409 `training.not_certified`, `training.counts_impossible`.
    """
    place = await act.at(location_id, who)
    actor = place.actor(LEADERS)
    async with place.evidence(f"training:{group}", body.evidence) as kept:
        asked = acts.RecordTraining(actor=actor, group=group, trained=body.trained, total=body.total, evidence_id=kept)
        await place.ask(Location.record_training, asked)
    return await _view(place)


@router.post(f"{AT}/new-hires", summary="Register a new hire", status_code=201, responses=ACTS)
async def register_new_hire(
    location_id: LocationId, body: NewHireRegistration, act: LocationActsOfRequest, who: Local
) -> TrainingView:
    """They are trained within a week of their first day. No name: the id in the answer stands for them."""
    place = await act.at(location_id, who)
    starts_at = instant(body.starts_on, time(), zone_of(place.row.time_zone))
    asked = acts.RegisterNewHire(
        actor=place.actor(HIRERS), hire_id=act.record_id(who, "hire"), group=body.group, starts_at=starts_at
    )
    await place.ask(Location.register_new_hire, asked)
    return await _view(place)


@router.post(f"{AT}/new-hires/{{hire_id}}/trained", summary="A new hire is trained", responses=ACTS)
async def train_new_hire(
    location_id: LocationId, hire_id: HireId, act: LocationActsOfRequest, who: Staff
) -> TrainingView:
    """404 `new_hire.unknown`; 409 `new_hire.trained`; `new_hire.not_there_yet` with their first day."""
    place = await act.at(location_id, who)
    asked = acts.TrainNewHire(actor=place.actor(LEADERS), hire_id=hire_id)
    await place.ask(Location.train_new_hire, asked)
    return await _view(place)


@router.post(f"{AT}/adoption-reports", summary="Report adoption", status_code=201, responses=ACTS)
async def report_adoption(
    location_id: LocationId, body: AdoptionReport, act: LocationActsOfRequest, who: Local
) -> TrainingView:
    """Weekly, by the champion or the backup (L-04).

    403 `training.not_champion`; 409 `adoption.not_live`, `adoption.nobody_trained`, `adoption.counts_impossible`.
    """
    place = await act.at(location_id, who)
    actor = place.actor(CHAMPIONS)
    async with place.evidence("adoption:report", body.feedback) as kept:
        await place.ask(Location.report_adoption, acts.ReportAdoption(actor=actor, using=body.using, evidence_id=kept))
    return await _view(place)


@router.post(f"{AT}/adoption-attestations", summary="Attest adoption", status_code=201, responses=ACTS)
async def attest_adoption(
    location_id: LocationId, body: AdoptionReport, act: LocationActsOfRequest, who: Local
) -> TrainingView:
    """By the champion; evidence for the gate, which asks for all of those trained (GG-04). Errors as for a report."""
    place = await act.at(location_id, who)
    actor = place.actor(CHAMPIONS)
    async with place.evidence("adoption:attestation", body.feedback) as kept:
        await place.ask(Location.attest_adoption, acts.AttestAdoption(actor=actor, using=body.using, evidence_id=kept))
    return await _view(place)


async def _view(place: Place) -> TrainingView:
    state, policy = (await place.preparation()).training, (await place.policy()).training
    recorded = {course.group: state.groups.get(course.group) for course in policy.courses}
    return TrainingView(
        location_id=place.row.location_id,
        takeovers=list(state.takeovers),
        groups=[
            GroupView(
                group=course.group,
                minutes=course.minutes,
                recorded=recorded[course.group],
                complete=(found := recorded[course.group]) is not None and found.complete,
            )
            for course in policy.courses
        ],
        new_hires=sorted(state.new_hires.values(), key=lambda hire: hire.registered_at),
        missing=list(rules.missing(state, policy)),
        **{
            name: getattr(state, name) for name in ("champions", "trained", "total", "reports", "report", "attestation")
        },
    )
