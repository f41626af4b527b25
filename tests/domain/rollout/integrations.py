"""Integrations at every stage, for tests of their rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain import policy
from domain.actors import Actor
from domain.errors import CarewaveError
from domain.rollout.integration import rules
from domain.rollout.integration.acts import CompleteIntegrationStep, RecordSample, SignOff, StartIntegration
from domain.rollout.integration.policy import Machine, Operation, StepKind, StepSpec
from domain.rollout.integration.state import IntegrationState
from domain.rollout.news import Clearance
from domain.rollout.people import Function
from domain.rollout.program import PracticeSystem, PracticeSystemName

POLICY = policy.load().rollout.integration
NOW = datetime(2026, 1, 12, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLEARED = frozenset({Clearance.BAA, Clearance.CREDENTIALS})
DENTRIX = PracticeSystem(name=PracticeSystemName.DENTRIX, version="G7.3")
OTHER = PracticeSystem(name=PracticeSystemName.OTHER, version="1")
MACHINE = POLICY.machine(PracticeSystemName.DENTRIX)

IT = Actor(role=Function.IT_LEAD, id="m-it")
MANAGER = Actor(role=Function.OFFICE_MANAGER, id="m-om")
VENDOR = Actor(role=Function.VENDOR_TECHNICAL_SPECIALIST, id="m-v")


def starting(machine: Machine = MACHINE) -> StartIntegration:
    return StartIntegration(actor=IT, confirmed=machine.prerequisites)


def started() -> IntegrationState:
    return rules.start(IntegrationState(), starting(), NOW)


def owner(spec: StepSpec) -> Actor:
    return Actor(role=spec.owners[0], id=f"m-{spec.owners[0]}")


def do(state: IntegrationState, machine: Machine, spec: StepSpec, now: datetime = NOW) -> IntegrationState:
    """The step, as it is meant to be done."""
    if spec.kind is StepKind.SAMPLE:
        assert spec.sample is not None
        taken = sample(spec, matched=spec.sample.size)
        rules.may_record_sample(state, machine, taken)
        return rules.record_sample(state, machine, taken, now)
    if spec.kind is StepKind.SIGN_OFF:
        for function in spec.owners:
            signing = sign(function, spec)
            rules.may_sign_off(state, machine, signing)
            state = rules.sign_off(state, machine, signing, now)
        return state
    asked = CompleteIntegrationStep(actor=owner(spec), step_id=spec.step_id, evidence_id="e-1")
    rules.may_complete_step(state, machine, asked)
    state = rules.complete_step(state, machine, asked, now)
    return rules.monitor_ended(state, machine, now + 24 * HOUR) if spec.kind is StepKind.MONITOR else state


def reach(machine: Machine, step_id: str | None = None) -> IntegrationState:
    """Everything before this step is done; everything, without one."""
    state = started()
    for spec in machine.steps:
        if spec.step_id == step_id:
            break
        state = do(state, machine, spec)
    return state


def sample(
    spec: StepSpec, *, matched: int, checked: int | None = None, operations: frozenset[Operation] | None = None
) -> RecordSample:
    assert spec.sample is not None
    return RecordSample(
        actor=owner(spec),
        step_id=spec.step_id,
        checked=spec.sample.size if checked is None else checked,
        matched=matched,
        operations=spec.sample.operations if operations is None else operations,
        evidence_id="e-1",
    )


def sign(function: str, spec: StepSpec, person: str | None = None) -> SignOff:
    return SignOff(
        actor=Actor(role=function, id=f"m-{function}"), step_id=spec.step_id, person_id=person or f"p-{function}"
    )


def code(error: BaseException) -> str:
    assert isinstance(error, CarewaveError)
    return error.code
