"""The step machine of an integration: in order, with samples, a watch and two signatures (I-01 to I-08).

`may_...` raises `Refused`, `Forbidden` or `NotFound` with a stable code; the others return the new state and expect
that the act is allowed.
"""

from __future__ import annotations

from datetime import datetime

from domain.access import Role
from domain.actors import SYSTEM, Actor
from domain.errors import Forbidden, NotFound, Refused
from domain.rollout.integration.acts import (
    CompleteIntegrationStep,
    RecordSample,
    RunValidation,
    SignOff,
    StartIntegration,
)
from domain.rollout.integration.policy import IntegrationPolicy, Machine, SampleSpec, StepKind, StepSpec
from domain.rollout.integration.state import IntegrationState, MigrationStage, Sample, Signature, StepState
from domain.rollout.integration.validation import ValidationReport, all_passed
from domain.rollout.integration.versions import at_least
from domain.rollout.news import Clearance
from domain.rollout.people import VENDOR, Function
from domain.rollout.program import PracticeSystem

HARD_GATE = (Clearance.BAA, Clearance.CREDENTIALS)
"""N-02, N-05: nothing of an integration happens before both."""


def may_start(
    state: IntegrationState,
    policy: IntegrationPolicy,
    system: PracticeSystem,
    clearances: frozenset[Clearance],
    opens_at: datetime | None,
    asked: StartIntegration,
    now: datetime,
) -> None:
    """`opens_at`: a week before the location's wave (decision 38); None while it is in none.

    Raises `Refused` (`integration.started`, `integration.unsupported`, `integration.too_early`,
    `integration.not_ready` with all that is missing).
    """
    if state.started_at is not None:
        raise Refused("integration.started", "the integration has begun already")
    if missing := not_ready(policy, system, clearances, asked.confirmed):
        raise Refused("integration.not_ready", "prerequisites are not met", missing=missing)
    if opens_at is None or now < opens_at:
        raise Refused(
            "integration.too_early", "it is not this location's turn yet", missing=("wave.turn",), earliest=opens_at
        )


def not_ready(
    policy: IntegrationPolicy, system: PracticeSystem, clearances: frozenset[Clearance], confirmed: frozenset[str]
) -> tuple[str, ...]:
    """What is missing for the first step, as stable codes. Raises `Refused` (`integration.unsupported`)."""
    machine = policy.machine(system.name)
    gates = tuple(f"clearance.{clearance}" for clearance in HARD_GATE if clearance not in clearances)
    version = () if at_least(system.version, machine.minimum_version) else ("practice_system.version",)
    open_ones = tuple(f"prerequisite.{each}" for each in sorted(machine.prerequisites - confirmed))
    return (*gates, *version, *open_ones)


def start(state: IntegrationState, asked: StartIntegration, now: datetime) -> IntegrationState:
    return state.model_copy(
        update={"started_at": now, "started_by": asked.actor, "confirmed": asked.confirmed},
    )


def may_complete_step(state: IntegrationState, machine: Machine, asked: CompleteIntegrationStep) -> None:
    """Raises besides what every step may raise: `Refused` (`integration.sample_needed`, `integration.monitoring`,
    `integration.signatures_needed`, `integration.evidence_missing`)."""
    spec = _turn(state, machine, asked.step_id)
    _owned(spec, asked.actor)
    if spec.kind is StepKind.SAMPLE:
        raise Refused("integration.sample_needed", "record the sample: its counts decide", missing=("sample",))
    if spec.kind is StepKind.SIGN_OFF:
        raise Refused("integration.signatures_needed", "this step is signed", missing=_unsigned(state, spec))
    if state.step(spec.step_id).monitored_since is not None:
        raise Refused("integration.monitoring", "the sync is being watched; the step is done when that ends")
    _proven(spec, asked.evidence_id)


def complete_step(
    state: IntegrationState, machine: Machine, asked: CompleteIntegrationStep, now: datetime
) -> IntegrationState:
    spec = step_of(machine, asked.step_id)
    reached = "monitored_since" if spec.kind is StepKind.MONITOR else "done_at"
    update = {"by": asked.actor, "evidence_id": asked.evidence_id, reached: now}
    return _with(state, spec, state.step(spec.step_id).model_copy(update=update))


def may_record_sample(state: IntegrationState, machine: Machine, asked: RecordSample) -> None:
    """Raises besides: `Refused` (`integration.not_a_sample`, `integration.sample_too_small`,
    `integration.sample_impossible`)."""
    spec = _turn(state, machine, asked.step_id)
    _owned(spec, asked.actor)
    if spec.sample is None:
        raise Refused("integration.not_a_sample", "no sample is taken in this step")
    if asked.matched > asked.checked:
        raise Refused("integration.sample_impossible", "more records match than were checked")
    if asked.checked < spec.sample.size:
        raise Refused(
            "integration.sample_too_small", f"the sample has at least {spec.sample.size}", missing=("sample.size",)
        )
    _proven(spec, asked.evidence_id)


def record_sample(state: IntegrationState, machine: Machine, asked: RecordSample, now: datetime) -> IntegrationState:
    """The step is done when all matched; otherwise the counts are kept and it stays open."""
    spec = step_of(machine, asked.step_id)
    assert spec.sample is not None
    passed = sample_passes(spec.sample, asked)
    taken = Sample(
        at=now,
        by=asked.actor,
        checked=asked.checked,
        matched=asked.matched,
        operations=asked.operations,
        passed=passed,
        evidence_id=asked.evidence_id,
    )
    before = state.step(spec.step_id)
    update: dict[str, object] = {"tries": before.tries + 1, "sample": taken}
    if passed:
        update |= {"done_at": now, "by": asked.actor, "evidence_id": asked.evidence_id}
    return _with(state, spec, before.model_copy(update=update))


def sample_passes(spec: SampleSpec, asked: RecordSample) -> bool:
    return asked.checked >= spec.size and asked.matched == asked.checked and spec.operations <= asked.operations


def may_sign_off(state: IntegrationState, machine: Machine, asked: SignOff) -> None:
    """Raises besides: `Refused` (`integration.not_a_sign_off`, `integration.signed`, `integration.same_person`)."""
    spec = _turn(state, machine, asked.step_id)
    if spec.kind is not StepKind.SIGN_OFF:
        raise Refused("integration.not_a_sign_off", "this step is not signed")
    if asked.actor.role not in spec.owners:
        raise _not_owner(spec)
    signatures = state.step(spec.step_id).signatures
    if asked.actor.role in signatures:
        raise Refused("integration.signed", "this signature is there already", missing=_unsigned(state, spec))
    if any(signature.person_id == asked.person_id for signature in signatures.values()):
        raise Refused(
            "integration.same_person", "the other signature is another person's", missing=_unsigned(state, spec)
        )
    _proven(spec, asked.evidence_id)


def sign_off(state: IntegrationState, machine: Machine, asked: SignOff, now: datetime) -> IntegrationState:
    """The step is done with the last signature."""
    spec = step_of(machine, asked.step_id)
    before = state.step(spec.step_id)
    signature = Signature(at=now, by=asked.actor, person_id=asked.person_id)
    signatures = {**before.signatures, Function(asked.actor.role): signature}
    update: dict[str, object] = {"signatures": signatures}
    if signatures.keys() >= set(spec.owners):
        update |= {"done_at": now, "by": asked.actor}
    return _with(state, spec, before.model_copy(update=update))


def monitored_step(state: IntegrationState, machine: Machine | None) -> StepSpec | None:
    """The step whose watch is on; its clock is `IntegrationPolicy.monitor`."""
    steps = machine.steps if machine else ()
    return next((spec for spec in steps if _is_watched(state.step(spec.step_id))), None)


def monitor_failed(state: IntegrationState, machine: Machine, now: datetime) -> IntegrationState:
    """A sync failure while the watch was on: it begins anew. Arm the clock again."""
    spec = monitored_step(state, machine)
    if spec is None:
        return state
    before = state.step(spec.step_id)
    again = before.model_copy(update={"monitored_since": now, "restarts": before.restarts + 1})
    return _with(state, spec, again)


def monitor_ended(state: IntegrationState, machine: Machine, now: datetime) -> IntegrationState:
    """The watch is over without a failure: the step is done."""
    spec = monitored_step(state, machine)
    if spec is None:
        return state
    return _with(state, spec, state.step(spec.step_id).model_copy(update={"done_at": now}))


def may_run_validation(state: IntegrationState, open_test_tasks: tuple[str, ...]) -> None:
    """`open_test_tasks`: of C-01 to C-04 (`tasks.open_tasks`), by id. A run that failed may be repeated.

    Raises `Refused` (`integration.not_started`, `validation.running`, `validation.test_environment_missing`).
    """
    _started(state)
    if state.validating:
        raise Refused("validation.running", "the cases are being run")
    if open_test_tasks:
        raise Refused(
            "validation.test_environment_missing", "the test environment is not there yet", missing=open_test_tasks
        )


def start_validation(state: IntegrationState, _: RunValidation) -> IntegrationState:
    """The run's key ends with `validation_runs`."""
    return state.model_copy(
        update={"validating": True, "validation_runs": state.validation_runs + 1, "validation_error": None}
    )


def validated(state: IntegrationState, report: ValidationReport) -> IntegrationState:
    return state.model_copy(update={"validating": False, "validation": report})


def validation_failed(state: IntegrationState, code: str) -> IntegrationState:
    """The run came to no report. What an earlier one says does not count any more."""
    return state.model_copy(update={"validating": False, "validation": None, "validation_error": code})


def step_of(machine: Machine, step_id: str) -> StepSpec:
    """Raises `NotFound` (`integration.step_unknown`)."""
    found = next((spec for spec in machine.steps if spec.step_id == step_id), None)
    if found is None:
        raise NotFound("integration.step_unknown", "there is no such step for this practice system")
    return found


def next_step(state: IntegrationState, machine: Machine) -> StepSpec | None:
    """The one to be done now; None when all are done."""
    return next((spec for spec in machine.steps if state.step(spec.step_id).done_at is None), None)


def steps_done(state: IntegrationState, machine: Machine) -> bool:
    return next_step(state, machine) is None


def missing(state: IntegrationState, policy: IntegrationPolicy, system: PracticeSystem) -> tuple[str, ...]:
    """What is missing for a go-live, as stable codes. Of a location that cannot be connected: that it cannot."""
    machine = policy.machines.get(system.name)
    if machine is None:
        return ("integration.unsupported",)
    return tuple(
        code
        for code, absent in (
            ("integration.steps", not steps_done(state, machine)),
            ("integration.validation", state.validating or not all_passed(policy.validation, state.validation)),
            ("integration.migration", _migration_open(state)),
        )
        if absent
    )


def owners_of(policy: IntegrationPolicy) -> tuple[Function, ...]:
    """Every function that owns a step of any practice system."""
    found = {owner for machine in policy.machines.values() for spec in machine.steps for owner in spec.owners}
    return tuple(function for function in Function if function in found)


def _turn(state: IntegrationState, machine: Machine, step_id: str) -> StepSpec:
    """Raises `NotFound`, `Refused` (`integration.not_started`, `integration.step_done`, `integration.out_of_order`)."""
    spec = step_of(machine, step_id)
    _started(state)
    if state.step(step_id).done_at is not None:
        raise Refused("integration.step_done", "this step is done already")
    due = next_step(state, machine)
    if due is not None and due != spec:
        raise Refused("integration.out_of_order", "another step comes first", missing=(due.step_id,))
    return spec


def _started(state: IntegrationState) -> None:
    if state.started_at is None:
        raise Refused("integration.not_started", "the integration has not begun", missing=("integration.started",))


def _owned(spec: StepSpec, actor: Actor) -> None:
    """Central IT acts for the IT lead, and any contact at the vendor for the vendor."""
    allowed = {str(owner) for owner in spec.owners} | {SYSTEM.role}
    if Function.IT_LEAD in spec.owners:
        allowed.add(Role.SYSTEM_ADMIN)
    if not allowed.isdisjoint(VENDOR):
        allowed.update(VENDOR)
    if actor.role not in allowed:
        raise _not_owner(spec)


def _not_owner(spec: StepSpec) -> Forbidden:
    return Forbidden("integration.not_owner", f"this step is for: {', '.join(spec.owners)}")


def _proven(spec: StepSpec, evidence_id: str | None) -> None:
    if spec.critical and evidence_id is None:
        raise Refused(
            "integration.evidence_missing", "an error-prone step is done when there is evidence", missing=("evidence",)
        )


def _unsigned(state: IntegrationState, spec: StepSpec) -> tuple[str, ...]:
    signatures = state.step(spec.step_id).signatures
    return tuple(f"signature.{owner}" for owner in spec.owners if owner not in signatures)


def _is_watched(step: StepState) -> bool:
    return step.monitored_since is not None and step.done_at is None


def _migration_open(state: IntegrationState) -> bool:
    return state.migration.applicable and state.migration.stage is not MigrationStage.DONE


def _with(state: IntegrationState, spec: StepSpec, step: StepState) -> IntegrationState:
    return state.model_copy(update={"steps": {**state.steps, spec.step_id: step}})
