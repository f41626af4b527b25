"""What a location has to do and prove before its launch, and what of its communication is on (T, N, B, P-01)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter
from sqlmodel import col, select

from api.location_acting import LocationActsOfRequest, Place
from api.problems import responses
from api.rollout_acting import ROLLOUT_ROLES, STAFF_ROLES, Member, member
from api.rollout_policy import policy_of
from api.schemas.rollout_locations import (
    BaselineVerdict,
    ChecklistItem,
    CommsSwitches,
    CommsView,
    Installed,
    LateClock,
    LaunchView,
    NetworkMeasurement,
    TaskDone,
    TaskId,
    TasksDone,
    TaskWaiver,
)
from api.schemas.rollouts import LocationId
from db import baselines, location_comms
from db.tables import CaseState, LocationComms, RolloutProgram
from domain.access import Role
from domain.errors import Refused
from domain.rollout import baseline
from domain.rollout.location import acts
from domain.rollout.location.policy import LocationPolicy
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.people import OPERATIONS, VENDOR, Function
from domain.rollout.program import PracticeSystem
from domain.rollout.tasks import CompleteTask, CompleteTasks, Party, TaskSpec, WaiveTask, spec_of
from workflows.rollout.location import Location

router = APIRouter(tags=["locations"])

ACTING_ROLES = tuple(role for role in ROLLOUT_ROLES if role is not Role.READ_ONLY)
Anyone = Annotated[Member, member(*ROLLOUT_ROLES)]
Acting = Annotated[Member, member(*ACTING_ROLES)]
Staff = Annotated[Member, member(*(role for role in STAFF_ROLES if role is not Role.READ_ONLY))]
Regional = Annotated[Member, member(Role.REGIONAL_ADMIN)]
Managers = Annotated[Member, member(Role.SYSTEM_ADMIN, Role.LOCATION_ADMIN)]

CENTRAL = tuple(function for function in Function if function in OPERATIONS)
"""May do for a location what another owns, and waive it."""
ESCALATED_TO = (*CENTRAL, Function.VP_OPERATIONS, Function.REGIONAL_MANAGER, Function.OFFICE_MANAGER, *VENDOR)
AT = "/locations/{location_id}"
PROBLEMS = responses(401, 403, 404, 409, 422, 503)


@router.get(f"{AT}/checklist", summary="What a location has to do before its launch", responses=PROBLEMS)
async def read_checklist(location_id: LocationId, act: LocationActsOfRequest, who: Anyone) -> LaunchView:
    """Each item with its owner and its day, and everything else that the launch lacks. 409 `location.not_opened`."""
    return await _view(await act.at(location_id, who))


@router.post(f"{AT}/checklist/complete", summary="Say that several items are done", responses=PROBLEMS)
async def complete_tasks(
    location_id: LocationId, body: TasksDone, act: LocationActsOfRequest, who: Acting
) -> LaunchView:
    """All of them, on the same evidence, or none; each by its owner, or by central operations.

    The refusals are those of a single item.
    """
    place = await act.at(location_id, who)
    specs = await _specs(place)
    doers = [set(_doers(spec_of(specs, task_id))) for task_id in body.task_ids]
    actor = place.actor(sorted(set.intersection(*doers)))
    async with place.evidence("tasks", body.evidence) as kept:
        asked = CompleteTasks(actor=actor, task_ids=tuple(body.task_ids), evidence_id=kept)
        await place.ask(Location.complete_tasks, asked)
    return await _view(place)


@router.post(f"{AT}/checklist/{{task_id}}/complete", summary="Say that an item is done", responses=PROBLEMS)
async def complete_task(
    location_id: LocationId, task_id: TaskId, body: TaskDone, act: LocationActsOfRequest, who: Acting
) -> LaunchView:
    """By its owner, or by central operations.

    403 `rollout.function_missing`; 404 `task.unknown`; 409 `task.over`, `task.blocked` with what comes first,
    `task.evidence_missing`, `task.measurement_needed`, `practice_system.outdated`, `location.closed`.
    """
    place = await act.at(location_id, who)
    actor = place.actor(_doers(await _spec(place, task_id)))
    async with place.evidence(f"task:{task_id}", body.evidence) as kept:
        await place.ask(Location.complete_task, CompleteTask(actor=actor, task_id=task_id, evidence_id=kept))
    return await _view(place)


@router.post(f"{AT}/checklist/{{task_id}}/waive", summary="Do without an item", responses=PROBLEMS)
async def waive_task(
    location_id: LocationId, task_id: TaskId, body: TaskWaiver, act: LocationActsOfRequest, who: Staff
) -> LaunchView:
    """By central operations; by whom and why stays on record. 404 `task.unknown`; 409 `task.critical`, `task.over`."""
    place = await act.at(location_id, who)
    asked = WaiveTask(actor=place.actor(CENTRAL), task_id=task_id, reason=body.reason)
    await place.ask(Location.waive_task, asked)
    return await _view(place)


@router.post(f"{AT}/network-measurements", summary="Record how fast the internet is", responses=PROBLEMS)
async def measure_network(
    location_id: LocationId, body: NetworkMeasurement, act: LocationActsOfRequest, who: Staff
) -> LaunchView:
    """What meets the minimum does the item; what does not stays on record, and IT is told (T-03). 409 `task.over`."""
    place = await act.at(location_id, who)
    actor = place.actor((*CENTRAL, Function.OFFICE_MANAGER))
    async with place.evidence("network_measurement", body.evidence) as kept:
        assert kept is not None
        speed = {"down_mbps": body.down_mbps, "up_mbps": body.up_mbps}
        await place.ask(Location.measure_network, acts.MeasureNetwork(actor=actor, evidence_id=kept, **speed))
    return await _view(place)


@router.post(f"{AT}/practice-system", summary="Record what practice system is installed", responses=PROBLEMS)
async def record_practice_system(
    location_id: LocationId, body: Installed, act: LocationActsOfRequest, who: Staff
) -> LaunchView:
    """After an upgrade (T-05, T-06). 409 `integration.started` for another system than the one being integrated."""
    place = await act.at(location_id, who)
    actor = place.actor((*CENTRAL, Function.OFFICE_MANAGER))
    installed = PracticeSystem(**body.model_dump(exclude={"evidence"}))
    async with place.evidence("practice_system", body.evidence) as kept:
        asked = acts.RecordPracticeSystem(actor=actor, practice_system=installed, evidence_id=kept)
        await place.ask(Location.record_practice_system, asked)
    return await _view(place)


@router.post(f"{AT}/baseline/validation", summary="Vouch for a location's baseline, or not", responses=PROBLEMS)
async def validate_baseline(
    location_id: LocationId, body: BaselineVerdict, act: LocationActsOfRequest, who: Regional
) -> LaunchView:
    """By the regional manager (B-12). One that is not accurate is collected again.

    409 `baseline.incomplete` with the metrics that are missing or unreliable, `baseline.validated`.
    """
    place = await act.at(location_id, who)
    actor = place.actor((Function.REGIONAL_MANAGER,))
    if body.accurate:
        await _require_complete(place)
    async with place.evidence("baseline", body.note) as kept:
        asked = acts.ValidateBaseline(actor=actor, accurate=body.accurate, evidence_id=kept)
        await place.ask(Location.validate_baseline, asked)
    return await _view(place)


@router.post(f"{AT}/escalations/{{clock}}/acknowledge", summary="Take a late matter on", responses=PROBLEMS)
async def acknowledge_escalation(
    location_id: LocationId, clock: LateClock, act: LocationActsOfRequest, who: Acting
) -> LaunchView:
    """Its ladder is climbed no further. `clock` is a name out of the location's clocks. 409 `escalation.none`."""
    place = await act.at(location_id, who)
    asked = acts.AcknowledgeEscalation(actor=place.actor(ESCALATED_TO), clock=clock)
    await place.ask(Location.acknowledge_escalation, asked)
    return await _view(place)


@router.get(f"{AT}/comms", summary="What of a location's communication is on", responses=responses(401, 403, 404, 422))
async def read_comms(location_id: LocationId, act: LocationActsOfRequest, who: Anyone) -> CommsView:
    """P-01: asked again right before every send. Before the launch nothing is on."""
    place = await act.at(location_id, who)
    async with act.services.database.transaction() as session:
        return _comms(location_id, await session.get(LocationComms, place.row.location_id))


@router.patch(f"{AT}/comms", summary="Switch single capabilities and channels", responses=responses(401, 403, 404, 422))
async def switch_comms(
    location_id: LocationId, body: CommsSwitches, act: LocationActsOfRequest, who: Managers
) -> CommsView:
    """By central operations or the office manager. How much is on as a whole is not theirs to set.

    404 `comms.never_on` before the launch.
    """
    place = await act.at(location_id, who)
    place.actor((*CENTRAL, Function.OFFICE_MANAGER))
    async with act.services.database.transaction() as session:
        row = await location_comms.change(session, location_id, body.model_dump(exclude_none=True))
    return _comms(location_id, row)


def _doers(spec: TaskSpec) -> Iterable[Function]:
    """Any contact at the vendor for what is the vendor's."""
    return (*(VENDOR if spec.party is Party.VENDOR else (spec.owner,)), *CENTRAL)


async def _specs(place: Place) -> tuple[TaskSpec, ...]:
    """Of the policy that the programme was started with."""
    policy = col(RolloutProgram.order)["policy"]
    sections = select(policy["location"], policy["integration"]["test_environment"])
    async with place.act.services.database.transaction() as session:
        found = (await session.exec(sections.where(col(RolloutProgram.id) == place.row.program_id))).one()
    location = LocationPolicy.model_validate(found[0])
    environment = (TaskSpec.model_validate(spec) for spec in found[1])
    return (*location.tasks, location.hardware_upgrade, *environment)


async def _spec(place: Place, task_id: str) -> TaskSpec:
    """Raises `NotFound` (`task.unknown`)."""
    return spec_of(await _specs(place), task_id)


async def _require_complete(place: Place) -> None:
    async with place.act.services.database.transaction() as session:
        policy = (await policy_of(session, place.row.program_id)).baseline
        rows = (await baselines.latest(session, [place.row.location_id]))[place.row.location_id]
    unreliable = {row.metric for row in rows if not row.reliable}
    if missing := baseline.missing(policy, {row.metric for row in rows}, unreliable):
        raise Refused("baseline.incomplete", "the baseline is not complete, or not reliable", missing=missing)


async def _view(place: Place) -> LaunchView:
    """Raises `Refused` (`location.not_opened`) before the first step of the location's process."""
    async with place.act.services.database.transaction() as session:
        case = await session.get(CaseState, place.case_id)
    if case is None:
        raise Refused("location.not_opened", "the location's process has not taken its first step yet")
    shown = LocationSnapshot.model_validate(case.snapshot)
    return LaunchView(
        location_id=place.row.location_id,
        state=shown.phase,
        missing=list(shown.missing),
        network=shown.speed,
        items=[
            ChecklistItem(**spec.model_dump(), **shown.tasks[spec.task_id].model_dump())
            for spec in await _specs(place)
            if spec.task_id in shown.tasks
        ],
        **{
            name: getattr(shown, name)
            for name in ("wave", "planned_go_live_at", "live_at", "practice_system", "baseline", "baseline_due")
        },
    )


def _comms(location_id: str, row: LocationComms | None) -> CommsView:
    on = location_comms.comms_of(row)
    return CommsView(
        location_id=location_id,
        enabled_percent=on.enabled_percent,
        reason=row.reason if row else "not_live",
        since=row.since if row else None,
        capabilities=sorted(on.capabilities),
        channels=sorted(on.channels),
    )
