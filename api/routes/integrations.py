"""Connecting a location's practice system: its steps, its nine validation cases, its migration (I, C, D)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from api.location_acting import LocationActsOfRequest, Place
from api.problems import responses
from api.rollout_acting import ROLLOUT_ROLES, Member, member
from api.schemas.integrations import (
    ImportTime,
    IntegrationStart,
    IntegrationView,
    MigrationDecision,
    NewTestLocation,
    QualityChecked,
    SampleTaken,
    StageReached,
    StepCompletion,
    StepPath,
    StepSignature,
    StepView,
)
from api.schemas.rollouts import LocationId
from db import members
from domain.access import Role
from domain.rollout.integration import acts, rules
from domain.rollout.integration.migration import require_low_activity
from domain.rollout.integration.validation import failed_cases, require_test_name
from domain.rollout.integration.versions import at_least
from domain.rollout.people import VENDOR, Function
from domain.rollout.program import LocationFacts
from domain.rollout.tasks import CompleteTask
from workflows.rollout.location.workflow import Location

router = APIRouter(prefix="/locations/{location_id}", tags=["integrations"])

OWNERS = (Function.IT_LEAD, *VENDOR, Function.OFFICE_MANAGER)
"""Who may own a step; the process decides who owns which."""
MIGRATORS = (Function.IT_LEAD, *VENDOR)
ACTS = responses(401, 403, 404, 409, 422, 503)

Anyone = Annotated[Member, member(*ROLLOUT_ROLES)]
Owner = Annotated[Member, member(Role.SYSTEM_ADMIN, Role.LOCATION_ADMIN, Role.VENDOR)]
Central = Annotated[Member, member(Role.SYSTEM_ADMIN)]
Migrator = Annotated[Member, member(Role.SYSTEM_ADMIN, Role.VENDOR)]


@router.get("/integration", summary="Where an integration stands", responses=ACTS)
async def read_integration(location_id: LocationId, act: LocationActsOfRequest, who: Anyone) -> IntegrationView:
    """Each step with its owners, its estimate and what was done. 409 `location.not_opened`."""
    return await _view(await act.at(location_id, who))


@router.post("/integration/start", summary="Begin an integration", responses=ACTS)
async def start_integration(
    location_id: LocationId, body: IntegrationStart, act: LocationActsOfRequest, who: Central
) -> IntegrationView:
    """When agreement and credentials are there, the version suffices and every prerequisite is confirmed.

    409 `integration.not_ready` with all that is missing, `integration.unsupported`, `integration.started`;
    `integration.too_early` with the earliest time.
    """
    place = await act.at(location_id, who)
    actor = place.actor((Function.IT_LEAD,))
    async with place.evidence("integration:start", body.evidence) as kept:
        asked = acts.StartIntegration(actor=actor, confirmed=frozenset(body.confirmed), evidence_id=kept)
        await place.ask(Location.start_integration, asked)
    return await _view(place)


@router.post("/integration/steps/{step_id}/complete", summary="Complete a step", responses=ACTS)
async def complete_step(
    location_id: LocationId, step_id: StepPath, body: StepCompletion, act: LocationActsOfRequest, who: Owner
) -> IntegrationView:
    """In order, by an owner. Of the step that watches the sync it begins the 24 hours.

    403 `integration.not_owner`; 404 `integration.step_unknown`; 409 `integration.out_of_order` with the step that comes
    first, `integration.step_done`, `integration.evidence_missing`, `integration.monitoring`,
    `integration.sample_needed`, `integration.signatures_needed`, `integration.not_started`.
    """
    place = await act.at(location_id, who)
    actor = place.actor(OWNERS)
    async with place.evidence(f"integration:{step_id}", body.evidence) as kept:
        asked = acts.CompleteIntegrationStep(actor=actor, step_id=step_id, evidence_id=kept)
        await place.ask(Location.complete_integration_step, asked)
    return await _view(place)


@router.post("/integration/steps/{step_id}/sample", summary="Record a sample", responses=ACTS)
async def record_sample(
    location_id: LocationId, step_id: StepPath, body: SampleTaken, act: LocationActsOfRequest, who: Owner
) -> IntegrationView:
    """Counts only. When all match, the step is done; otherwise the counts are kept and the sample is repeated.

    409 as for completing a step, and `integration.sample_too_small`, `integration.sample_impossible`,
    `integration.not_a_sample`.
    """
    place = await act.at(location_id, who)
    actor = place.actor(OWNERS)
    async with place.evidence(f"integration:{step_id}", body.evidence) as kept:
        asked = acts.RecordSample(
            actor=actor,
            step_id=step_id,
            checked=body.checked,
            matched=body.matched,
            operations=frozenset(body.operations),
            evidence_id=kept,
        )
        await place.ask(Location.record_sample, asked)
    return await _view(place)


@router.post("/integration/steps/{step_id}/sign-off", summary="Sign an integration off", responses=ACTS)
async def sign_off(
    location_id: LocationId, step_id: StepPath, body: StepSignature, act: LocationActsOfRequest, who: Owner
) -> IntegrationView:
    """The IT lead and the office manager, two people; the step is done with the second signature.

    403 `integration.not_owner`; 409 `integration.same_person`, `integration.signed`, `integration.not_a_sign_off`, and
    as for completing a step.
    """
    place = await act.at(location_id, who)
    actor = place.actor((body.function,))
    async with act.services.database.transaction() as session:
        person_id = await members.person_of(session, actor.id)
    async with place.evidence(f"integration:{step_id}:{body.function}", body.evidence) as kept:
        asked = acts.SignOff(actor=actor, step_id=step_id, person_id=person_id, evidence_id=kept)
        await place.ask(Location.sign_off, asked)
    return await _view(place)


@router.post("/test-location", summary="Name the test location", responses=ACTS)
async def name_test_location(
    location_id: LocationId, body: NewTestLocation, act: LocationActsOfRequest, who: Central
) -> IntegrationView:
    """Its name begins with `TEST - ` (C-04): that completes the task. 409 `test_location.name`, `task.over`,
    `task.blocked`."""
    place = await act.at(location_id, who)
    actor, policy = place.actor((Function.IT_LEAD,)), (await place.policy()).integration
    require_test_name(policy.validation, body.name)
    async with place.evidence(f"task:{policy.naming_task}", body.name) as kept:
        asked = CompleteTask(actor=actor, task_id=policy.naming_task, evidence_id=kept)
        await place.ask(Location.complete_task, asked)
    return await _view(place)


@router.post("/validation-runs", summary="Run the nine validation cases", status_code=202, responses=ACTS)
async def run_validation(location_id: LocationId, act: LocationActsOfRequest, who: Central) -> IntegrationView:
    """Against the location's TEST twin. The report is in the location's integration when the run is over.

    409 `validation.running`, `integration.not_started`; `validation.test_environment_missing` with the open tasks.
    """
    place = await act.at(location_id, who)
    asked = acts.RunValidation(actor=place.actor((Function.IT_LEAD,)))
    await place.ask(Location.run_validation, asked)
    return await _view(place)


@router.post("/migration/decide", summary="Decide on a migration", responses=ACTS)
async def decide_migration(
    location_id: LocationId, body: MigrationDecision, act: LocationActsOfRequest, who: Central
) -> IntegrationView:
    """Two years of patients and one of appointments are recommended (D-01). 409 `migration.begun`."""
    place = await act.at(location_id, who)
    asked = acts.DecideMigration(actor=place.actor((Function.IT_LEAD,)), applicable=body.applicable)
    await place.ask(Location.decide_migration, asked)
    return await _view(place)


@router.post("/migration/stages", summary="Reach the next stage of a migration", responses=ACTS)
async def advance_migration(
    location_id: LocationId, body: StageReached, act: LocationActsOfRequest, who: Migrator
) -> IntegrationView:
    """In order (D-02); the quality check and the schedule have their own operations.

    409 `migration.out_of_order` with the stage that comes first, `migration.not_applicable`,
    `migration.evidence_missing`, `migration.quality_needed`, `migration.schedule_needed`, `migration.too_early`,
    `integration.not_started`.
    """
    place = await act.at(location_id, who)
    actor = place.actor(MIGRATORS)
    async with place.evidence(f"migration:{body.stage}", body.evidence) as kept:
        asked = acts.AdvanceMigration(actor=actor, to=body.stage, evidence_id=kept)
        await place.ask(Location.advance_migration, asked)
    return await _view(place)


@router.post("/migration/quality", summary="Record the quality of an export", responses=ACTS)
async def record_quality(
    location_id: LocationId, body: QualityChecked, act: LocationActsOfRequest, who: Migrator
) -> IntegrationView:
    """Nothing is imported with faults: their counts are kept, and the check is repeated. 409 as for a stage."""
    place = await act.at(location_id, who)
    actor = place.actor(MIGRATORS)
    async with place.evidence("migration:quality", body.evidence) as kept:
        counts = body.model_dump(exclude={"evidence"})
        await place.ask(Location.record_quality, acts.RecordQuality(actor=actor, evidence_id=kept, **counts))
    return await _view(place)


@router.post("/migration/schedule", summary="Schedule the production import", responses=ACTS)
async def schedule_import(
    location_id: LocationId, body: ImportTime, act: LocationActsOfRequest, who: Central
) -> IntegrationView:
    """409 `migration.busy_period` with the next quiet time, `migration.in_the_past`, and as for a stage."""
    place = await act.at(location_id, who)
    actor = place.actor((Function.IT_LEAD,))
    calendar = LocationFacts.model_validate(place.row.facts).calendar
    pinned = await place.policy()
    require_low_activity(body.at, calendar, pinned.integration.migration.low_activity)
    await place.ask(Location.schedule_import, acts.ScheduleImport(actor=actor, at=body.at))
    return await _view(place)


async def _view(place: Place) -> IntegrationView:
    found, policy = await place.preparation(), (await place.policy()).integration
    state, system = found.integration, found.practice_system
    machine = policy.machines.get(system.name)
    due = rules.next_step(state, machine) if machine and state.started_at else None
    return IntegrationView(
        location_id=place.row.location_id,
        practice_system=system,
        supported=machine is not None,
        minimum_version=machine.minimum_version if machine else None,
        version_suffices=machine is not None and at_least(system.version, machine.minimum_version),
        prerequisites=sorted(machine.prerequisites) if machine else [],
        optional_prerequisites=sorted(machine.optional_prerequisites) if machine else [],
        confirmed=sorted(state.confirmed),
        steps=[
            StepView(spec=spec, state=state.step(spec.step_id), due=spec == due)
            for spec in (machine.steps if machine else ())
        ],
        failed_cases=list(failed_cases(policy.validation, state.validation)) if state.validation else [],
        missing=list(rules.missing(state, policy, system)),
        **{
            name: getattr(state, name)
            for name in (
                "started_at",
                "validating",
                "validation_runs",
                "validation",
                "validation_error",
                "migration",
            )
        },
    )
