"""What people do with a running programme. Each answers with the programme after the act."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter
from sqlmodel import col, select
from temporalio.workflow import UpdateMethodMultiParam

from api.problems import responses
from api.rollout_acting import CENTRAL_ROLES, ROLLOUT_ROLES, Member, RolloutActs, RolloutActsOfRequest, member
from api.rollout_planning import planning_of, suppose
from api.rollout_views import programme_view
from api.schemas.programme_acts import (
    ApprovalDecision,
    Approver,
    Attested,
    HoldReason,
    LocationMove,
    NewHold,
    NewHosting,
    NewPlan,
    NewWaiver,
    PilotSelection,
    PointId,
    ProgrammeCancellation,
    ProgrammeEscalation,
    Resumption,
    TaskDone,
    TaskId,
    TaskWaived,
)
from api.schemas.rollout_planning import WhatIf
from api.schemas.rollouts import LocationId, ProgramId, ProgrammeView
from db import programs
from db.tables import RolloutProgram
from domain import names
from domain.access import Role
from domain.actors import Actor
from domain.errors import Refused
from domain.rollout.people import Function
from domain.rollout.programme import acts, rules
from domain.rollout.programme.policy import Power, ProgrammePolicy
from domain.rollout.tasks import CompleteTask, WaiveTask, spec_of
from workflows.rollout.programme import Rollout

router = APIRouter(
    prefix="/rollouts/{program_id}", tags=["rollouts"], responses=responses(401, 403, 404, 409, 422, 503)
)

ACTING_ROLES = tuple(role for role in ROLLOUT_ROLES if role is not Role.READ_ONLY)
Acting = Annotated[Member, member(*ACTING_ROLES)]
Central = Annotated[Member, member(*CENTRAL_ROLES)]
ESCALATED_TO = (
    Function.PROJECT_MANAGER,
    Function.VP_OPERATIONS,
    Function.CEO_COO,
    Function.IT_LEAD,
    Function.COMPLIANCE,
    Function.GENERAL_COUNSEL,
    Function.VENDOR_ACCOUNT_MANAGER,
)
"""Who is told of what is late."""
Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Running:
    """A programme that somebody acts on."""

    program_id: str
    policy: ProgrammePolicy
    """That it was placed with."""
    act: RolloutActs
    who: Member

    def actor(self, *functions: str) -> Actor:
        """Raises `Forbidden` (`rollout.function_missing`)."""
        return self.who.actor(self.program_id, [one for one in Function if one in functions])

    def with_power(self, power: Power) -> Actor:
        return self.actor(*self.policy.authority[power])

    async def kept(self, stack: AsyncExitStack, about: str, text: str | None) -> str | None:
        """Id of what the caller wrote; it goes again when the act is refused."""
        if text is None:
            return None
        return await stack.enter_async_context(self.act.evidence(self.program_id, None, about, text, self.who))

    async def ask(self, update: UpdateMethodMultiParam[[Any, Asked], Any], asked: Asked) -> ProgrammeView:
        """Raises what `Cases.ask` raises."""
        await self.act.update(names.rollout_case(self.program_id), self.who, update, asked)
        async with self.act.services.database.transaction() as session:
            (standing,) = await programs.programmes(session, (self.program_id,), after=None, limit=1)
        reach = await self.act.reach(self.program_id, self.who)
        return programme_view(standing, whole=reach.whole)


async def running(program_id: str, act: RolloutActs, who: Member) -> Running:
    """Raises `NotFound` (`programme.unknown`) for what is not the caller's."""
    await act.programme(program_id, who)
    pinned = select(col(RolloutProgram.order)["policy"]["programme"]).where(col(RolloutProgram.id) == program_id)
    async with act.services.database.transaction() as session:
        policy = (await session.exec(pinned)).one()
    return Running(program_id, ProgrammePolicy.model_validate(policy), act, who)


@router.post("/tasks/{task_id}/complete", summary="A task of the checklist is done")
async def complete_task(
    program_id: ProgramId, task_id: TaskId, body: TaskDone, act: RolloutActsOfRequest, who: Acting
) -> ProgrammeView:
    """By its owner, the project manager or IT.

    404 `task.unknown`, `location.unknown`; 409 `task.over`, `task.blocked` with what comes first,
    `task.evidence_missing`, `task.location_count`, `task.too_early`, `programme.over`.
    """
    case = await running(program_id, act, who)
    owner = spec_of(case.policy.all_tasks, task_id).owner
    in_charge = case.policy.authority[Power.COMPLETE_ANY_TASK]
    actor = who.actor(program_id, (owner, *(one for one in Function if one in in_charge)))
    async with AsyncExitStack() as stack:
        evidence_id = await case.kept(stack, f"task_{task_id}", body.evidence)
        asked = CompleteTask(
            actor=actor, task_id=task_id, evidence_id=evidence_id, location_ids=tuple(body.location_ids)
        )
        return await case.ask(Rollout.complete_task, asked)


@router.post("/tasks/{task_id}/waive", summary="A task of the checklist is not needed")
async def waive_task(
    program_id: ProgramId, task_id: TaskId, body: TaskWaived, act: RolloutActsOfRequest, who: Central
) -> ProgrammeView:
    """By the VP of Operations. 404 `task.unknown`; 409 `task.critical`, `task.over`, `programme.over`."""
    case = await running(program_id, act, who)
    asked = WaiveTask(actor=case.with_power(Power.WAIVE_TASK), task_id=task_id, reason=body.reason)
    return await case.ask(Rollout.waive_task, asked)


@router.post("/hosting", summary="Decide on the hosting")
async def decide_hosting(
    program_id: ProgramId, body: NewHosting, act: RolloutActsOfRequest, who: Central
) -> ProgrammeView:
    """Centralized is the default (H-01). 409 `wave.started`, `programme.over`."""
    case = await running(program_id, act, who)
    actor = case.with_power(Power.DECIDE_HOSTING)
    async with AsyncExitStack() as stack:
        evidence_id = await case.kept(stack, "hosting", body.rationale)
        asked = acts.DecideHosting(actor=actor, hosting=body.hosting, evidence_id=evidence_id)
        return await case.ask(Rollout.decide_hosting, asked)


@router.post("/compliance/{point_id}", summary="Attest a point of the compliance list")
async def attest_compliance(
    program_id: ProgramId, point_id: PointId, body: Attested, act: RolloutActsOfRequest, who: Acting
) -> ProgrammeView:
    """By an owner of the point (P-01 to P-10). Nobody goes live before all ten pass.

    404 `compliance.unknown`; 409 `compliance.task_open`, `compliance.evidence_missing`, `programme.over`.
    """
    case = await running(program_id, act, who)
    actor = case.actor(*rules.point_of(case.policy, point_id).owners)
    async with AsyncExitStack() as stack:
        evidence_id = await case.kept(stack, f"compliance_{point_id}", body.evidence)
        asked = acts.AttestCompliance(actor=actor, point_id=point_id, passed=body.passed, evidence_id=evidence_id)
        return await case.ask(Rollout.attest_compliance, asked)


@router.post("/approvals/{function}", summary="Approve the rollout, or reject it")
async def decide_approval(
    program_id: ProgramId, function: Approver, body: ApprovalDecision, act: RolloutActsOfRequest, who: Central
) -> ProgrammeView:
    """By who has the function (A-01). A rejection blocks until the same function approves.

    403 `approval.not_an_approver`; 409 `approval.wave_started`, `programme.over`.
    """
    case = await running(program_id, act, who)
    actor = case.actor(function)
    async with AsyncExitStack() as stack:
        note_id = await case.kept(stack, f"approval_{function}", body.note)
        asked = acts.DecideApproval(actor=actor, note_id=note_id)
        return await case.ask(Rollout.approve if body.approve else Rollout.reject, asked)


@router.post("/pilot-approval", summary="Approve the selection of pilots")
async def approve_pilot(
    program_id: ProgramId, body: PilotSelection, act: RolloutActsOfRequest, who: Central
) -> ProgrammeView:
    """By the VP of Operations (S-11). 409 `pilot.selection_changed` with the pilots now, `wave.started`."""
    case = await running(program_id, act, who)
    actor = case.with_power(Power.APPROVE_PILOT)
    return await case.ask(Rollout.approve_pilot, acts.ApprovePilot(actor=actor, locations=frozenset(body.locations)))


@router.post("/locations/{location_id}/move", summary="Move a location to another wave, or out of all")
async def move_location(
    program_id: ProgramId, location_id: LocationId, body: LocationMove, act: RolloutActsOfRequest, who: Central
) -> ProgrammeView:
    """While neither wave has started; dates stay. Only hard rules are checked: the planner makes better plans.

    404 `location.unknown`, `wave.unknown`; 409 `wave.started`, `wave.full`, `wave.too_small`,
    `wave.outdated_hardware`, `location.deployed`, `programme.optimizing`, `programme.over`.
    """
    case = await running(program_id, act, who)
    asked = acts.MoveLocation(
        actor=case.with_power(Power.CHANGE_PLAN), location_id=location_id, to_wave=body.to_wave, reason=body.reason
    )
    return await case.ask(Rollout.move_location, asked)


@router.post("/plan/follow", summary="Make a new plan and follow it")
async def follow_plan(program_id: ProgramId, body: NewPlan, act: RolloutActsOfRequest, who: Central) -> ProgrammeView:
    """By the facts and waivers as they are now; waves that have started stay as they are.

    404 `location.unknown`; 422 `plan.wave_unknown`; 409 `plan.impossible` with the rules that conflict, `plan.stale`
    when another plan came between, `plan.changes_started_wave`, `programme.optimizing`, `programme.over`.
    """
    case = await running(program_id, act, who)
    actor = case.with_power(Power.CHANGE_PLAN)
    async with act.services.database.transaction() as session:
        planning = await planning_of(session, program_id)
    found = await suppose(planning, WhatIf(moves=body.moves, extra_waves=body.extra_waves))
    if found.plan is None:
        conflicts = found.explanation.conflicts if found.explanation else ()
        raise Refused("plan.impossible", "no plan keeps all rules", missing=tuple(one.rule for one in conflicts))
    return await case.ask(Rollout.follow_plan, acts.FollowPlan(actor=actor, plan=found.plan))


@router.post("/holds", summary="Hold the programme")
async def hold(program_id: ProgramId, body: NewHold, act: RolloutActsOfRequest, who: Central) -> ProgrammeView:
    """By the VP of Operations. Monitors, rollbacks and clocks go on. Held twice is held once. 409 `programme.over`."""
    case = await running(program_id, act, who)
    actor = case.with_power(Power.HOLD)
    async with AsyncExitStack() as stack:
        evidence_id = await case.kept(stack, f"hold_{body.reason}", body.note)
        asked = acts.HoldProgramme(actor=actor, reason=body.reason, evidence_id=evidence_id)
        return await case.ask(Rollout.hold, asked)


@router.post("/holds/{reason}/release", summary="Lift a hold")
async def release(program_id: ProgramId, reason: HoldReason, act: RolloutActsOfRequest, who: Central) -> ProgrammeView:
    """Others stand. What the system paused is lifted by resuming. 409 `hold.none`, `programme.over`."""
    case = await running(program_id, act, who)
    return await case.ask(Rollout.release, acts.ReleaseProgramme(actor=case.with_power(Power.HOLD), reason=reason))


@router.post("/resume", summary="Resume after a systemic issue")
async def resume(program_id: ProgramId, body: Resumption, act: RolloutActsOfRequest, who: Central) -> ProgrammeView:
    """By an executive (X-10); resuming twice is harmless.

    409 `programme.still_systemic` with the locations that are affected, unless a reason to override is given;
    `programme.not_paused`, `programme.over`.
    """
    case = await running(program_id, act, who)
    actor = case.with_power(Power.RESUME)
    async with AsyncExitStack() as stack:
        evidence_id = await case.kept(stack, "resume", body.note)
        asked = acts.ResumeProgramme(actor=actor, override=body.override, evidence_id=evidence_id)
        return await case.ask(Rollout.resume_program, asked)


@router.post("/waivers", summary="Waive a rule of the planner")
async def grant_waiver(
    program_id: ProgramId, body: NewWaiver, act: RolloutActsOfRequest, who: Central
) -> ProgrammeView:
    """By the VP of Operations (decision 27); plans made from now on go by it. 404 `location.unknown`."""
    case = await running(program_id, act, who)
    actor = case.with_power(Power.GRANT_WAIVER)
    async with AsyncExitStack() as stack:
        reason = await case.kept(stack, f"waiver_{body.rule}", body.reason)
        assert reason is not None
        asked = acts.GrantWaiver(actor=actor, rule=body.rule, location_id=body.location_id, reason=reason)
        return await case.ask(Rollout.grant_waiver, asked)


@router.post("/cancel", summary="Cancel the programme")
async def cancel(
    program_id: ProgramId, body: ProgrammeCancellation, act: RolloutActsOfRequest, who: Central
) -> ProgrammeView:
    """For good: no location goes forward any more. 409 `programme.over`."""
    case = await running(program_id, act, who)
    actor = case.with_power(Power.CANCEL)
    async with AsyncExitStack() as stack:
        evidence_id = await case.kept(stack, "cancel", body.note)
        asked = acts.CancelProgramme(actor=actor, reason=body.reason, evidence_id=evidence_id)
        return await case.ask(Rollout.cancel_program, asked)


@router.post("/acknowledge-escalation", summary="Take on what is late")
async def acknowledge(
    program_id: ProgramId, body: ProgrammeEscalation, act: RolloutActsOfRequest, who: Acting
) -> ProgrammeView:
    """Nobody further up is told of it then. By any member of the group's central team. 409 `escalation.none`."""
    case = await running(program_id, act, who)
    actor = case.actor(*ESCALATED_TO)
    return await case.ask(Rollout.acknowledge_escalation, acts.AcknowledgeEscalation(actor=actor, clock=body.clock))
