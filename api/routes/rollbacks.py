"""Rollbacks: asking for one, its steps, its resolution, its re-enabling (spec/rollout.md, process X)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter
from temporalio.workflow import UpdateMethodMultiParam

from api.problems import responses
from api.rollout_acting import ROLLOUT_ROLES, Member, RolloutActs, RolloutActsOfRequest, member
from api.rollout_scope import visible_locations
from api.schemas.acts import EscalatingClock
from api.schemas.rollbacks import (
    FixTest,
    NewFix,
    NewRollbackRequest,
    OnlyOpen,
    RollbackCursor,
    RollbackRequested,
    RootCause,
    StepDone,
    StepId,
)
from api.schemas.rollouts import LocationId, ProgramId, RollbackNumber, RollbackView
from api.values import Limit, Page
from db import programs, rollbacks
from db.tables import CaseState, RolloutLocation
from domain import names
from domain.access import Role
from domain.actors import Actor
from domain.rollout.location.acts import RequestRollback
from domain.rollout.people import Function
from domain.rollout.rollback import acts
from domain.rollout.rollback.view import RollbackSnapshot
from workflows.rollout.location import Location
from workflows.rollout.rollback import Rollback

router = APIRouter(tags=["rollouts"])

ACTING_ROLES = tuple(role for role in ROLLOUT_ROLES if role is not Role.READ_ONLY)
Anyone = Annotated[Member, member(*ROLLOUT_ROLES)]
Acting = Annotated[Member, member(*ACTING_ROLES)]
PROBLEMS = responses(401, 403, 404, 409, 422, 503)
OF_ONE = "/locations/{location_id}/rollbacks/{number}"
Asked = TypeVar("Asked", bound=acts.RollbackAct)


@dataclass(frozen=True)
class Case:
    """A rollback that somebody acts on."""

    act: RolloutActs
    who: Member
    row: RolloutLocation
    shown: RollbackSnapshot

    @property
    def case_id(self) -> str:
        return names.rollback_case(self.row.program_id, self.row.location_id, self.shown.number)

    def actor(self, owners: tuple[Function, ...]) -> Actor:
        """Raises `Forbidden` (`rollout.function_missing`)."""
        return self.who.actor(self.row.program_id, owners, region=self.row.region, location_id=self.row.location_id)

    async def ask(self, update: UpdateMethodMultiParam[[Any, Asked], Any], asked: Asked) -> RollbackView:
        """Raises what `Cases.ask` raises."""
        await self.act.update(self.case_id, self.who, update, asked)
        return await _view(self.act, self.case_id)

    async def evidence(self, stack: AsyncExitStack, about: str, text: str) -> str:
        kept = self.act.evidence(self.row.program_id, self.row.location_id, f"rollback_{about}", text, self.who)
        return await stack.enter_async_context(kept)


@router.post(
    "/locations/{location_id}/rollback-requests",
    summary="Ask for a location's rollback",
    status_code=201,
    responses=PROBLEMS,
)
async def request_rollback(
    location_id: LocationId, body: NewRollbackRequest, act: RolloutActsOfRequest, who: Acting
) -> RollbackRequested:
    """By a provider or the office manager of the location, for clinical or operational impact (X-04).

    Sending is switched off at once, whatever state the location is in. While a rollback is open it is one more cause
    of that one. 403 `rollout.function_missing`; 404 `location.unknown`.
    """
    row = await act.location(location_id, who)
    requesters = act.services.policy.rollout.triggers.requesters
    actor = who.actor(row.program_id, requesters, region=row.region, location_id=location_id)
    async with act.evidence(row.program_id, location_id, "rollback_request", body.impact, who) as evidence_id:
        asked = RequestRollback(actor=actor, reason=body.reason, evidence_id=evidence_id)
        case_id = names.location_case(row.program_id, location_id)
        receipt = await act.update(case_id, who, Location.request_rollback, asked)
    return RollbackRequested(location_id=location_id, rollback=receipt.rollback, state=receipt.phase)


@router.get("/rollouts/{program_id}/rollbacks", summary="Its rollbacks", responses=responses(401, 403, 404, 422))
async def list_rollbacks(
    program_id: ProgramId,
    act: RolloutActsOfRequest,
    who: Anyone,
    only_open: OnlyOpen = False,
    cursor: RollbackCursor = None,
    limit: Limit = 50,
) -> Page[RollbackView]:
    """Of the caller's locations, by location and number. 404 `programme.unknown`."""
    await act.reach(program_id, who)
    async with act.services.database.transaction() as session:
        ids = [location.location_id for location in await visible_locations(session, program_id, who)]
        found = await rollbacks.of_program(session, program_id, ids, only_open=only_open, after=cursor, limit=limit + 1)
    page = found[:limit]
    return Page(items=[_shown(row) for row in page], next_cursor=page[-1].case_id if len(found) > limit else None)


@router.post(OF_ONE + "/steps/{step_id}/acknowledge", summary="Say that a step is done", responses=PROBLEMS)
async def acknowledge_step(
    location_id: LocationId,
    number: RollbackNumber,
    step_id: StepId,
    body: StepDone,
    act: RolloutActsOfRequest,
    who: Acting,
) -> RollbackView:
    """By whoever owns the step, of the first two hours (X-05, in their order) or of the first day (X-06). The first
    acknowledgement stands.

    403 `rollback.not_the_owner`, `rollout.function_missing`; 404 `rollback.unknown`, `rollback.step_unknown`; 409
    `rollback.step_too_early` with the steps that come before it, `rollback.over`.
    """
    case = await _case(act, location_id, number, who)
    owners = next((step.owners for step in case.shown.steps if step.step_id == step_id), ())
    # Of a step that is nobody's, or that there is not, the process says so.
    actor = case.actor(owners or tuple(Function))
    async with AsyncExitStack() as stack:
        kept = await case.evidence(stack, f"step:{step_id}", body.note) if body.note else None
        asked = acts.AcknowledgeStep(actor=actor, step_id=step_id, evidence_id=kept)
        return await case.ask(Rollback.acknowledge_step, asked)


@router.post(OF_ONE + "/fixes", summary="Provide a fix or a workaround", responses=PROBLEMS)
async def provide_fix(
    location_id: LocationId, number: RollbackNumber, body: NewFix, act: RolloutActsOfRequest, who: Acting
) -> RollbackView:
    """By the vendor or IT (X-07.1). It takes the place of one that is not validated yet.

    409 `rollback.fix_validated`, `rollback.re_enabling`, `rollback.over`.
    """
    case = await _case(act, location_id, number, who)
    actor = case.actor(case.shown.owners.fix)
    async with AsyncExitStack() as stack:
        kept = await case.evidence(stack, "fix", body.description)
        return await case.ask(Rollback.provide_fix, acts.ProvideFix(actor=actor, kind=body.kind, evidence_id=kept))


@router.post(OF_ONE + "/fix-tests", summary="Say how a fix did in the test environment", responses=PROBLEMS)
async def validate_fix(
    location_id: LocationId, number: RollbackNumber, body: FixTest, act: RolloutActsOfRequest, who: Acting
) -> RollbackView:
    """By the IT lead (X-07.2). A fix that failed is awaited anew. 409 `rollback.no_fix`."""
    case = await _case(act, location_id, number, who)
    actor = case.actor(case.shown.owners.validation)
    async with AsyncExitStack() as stack:
        kept = await case.evidence(stack, "fix_test", body.evidence)
        asked = acts.ValidateFix(actor=actor, passed=body.passed, evidence_id=kept)
        return await case.ask(Rollback.validate_fix, asked)


@router.post(OF_ONE + "/root-cause", summary="Confirm that the root cause is resolved", responses=PROBLEMS)
async def confirm_root_cause(
    location_id: LocationId, number: RollbackNumber, body: RootCause, act: RolloutActsOfRequest, who: Acting
) -> RollbackView:
    """By the IT lead, after the fix passed its test (X-07.4, critical). 409 `rollback.fix_not_validated`."""
    case = await _case(act, location_id, number, who)
    actor = case.actor(case.shown.owners.root_cause)
    async with AsyncExitStack() as stack:
        kept = await case.evidence(stack, "root_cause", body.evidence)
        return await case.ask(Rollback.confirm_root_cause, acts.ConfirmRootCause(actor=actor, evidence_id=kept))


@router.post(OF_ONE + "/stages", summary="Begin the next stage of the re-enabling", responses=PROBLEMS)
async def re_enable(
    location_id: LocationId, number: RollbackNumber, act: RolloutActsOfRequest, who: Acting
) -> RollbackView:
    """By the IT lead (X-07.3). 409 `rollback.not_to_be_re_enabled` lists what is missing: steps, the fix, its
    validation, the confirmed root cause, or that the present stage has been watched long enough (`earliest`).
    """
    case = await _case(act, location_id, number, who)
    return await case.ask(Rollback.re_enable, acts.ReEnable(actor=case.actor(case.shown.owners.stage)))


@router.post(OF_ONE + "/escalations/{clock}/acknowledge", summary="Take a late rollback on", responses=PROBLEMS)
async def acknowledge_escalation(
    location_id: LocationId, number: RollbackNumber, clock: EscalatingClock, act: RolloutActsOfRequest, who: Acting
) -> RollbackView:
    """Its ladder is climbed no further. 409 `escalation.none`."""
    case = await _case(act, location_id, number, who)
    actor = case.actor(case.shown.owners.escalation)
    return await case.ask(Rollback.acknowledge_escalation, acts.AcknowledgeEscalation(actor=actor, clock=clock))


async def _case(act: RolloutActs, location_id: str, number: int, who: Member) -> Case:
    """Raises `NotFound` (`location.unknown`, `rollback.unknown`)."""
    row = await act.location(location_id, who)
    case_id = names.rollback_case(row.program_id, location_id, number)
    async with act.services.database.transaction() as session:
        found = await programs.known_case(session, case_id, "rollback.unknown")
    return Case(act, who, row, RollbackSnapshot.model_validate(found.snapshot))


async def _view(act: RolloutActs, case_id: str) -> RollbackView:
    async with act.services.database.transaction() as session:
        return _shown(await programs.known_case(session, case_id, "rollback.unknown"))


def _shown(row: CaseState) -> RollbackView:
    progress = RollbackSnapshot.model_validate(row.snapshot)
    return RollbackView(location_id=str(progress.location_id), number=progress.number, progress=progress)
