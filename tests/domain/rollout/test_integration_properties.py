"""Whatever is asked of the step machine, in whatever order: never out of order, never signed by one person alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.actors import Actor
from domain.errors import CarewaveError
from domain.rollout.integration import rules
from domain.rollout.integration.acts import CompleteIntegrationStep, RecordSample, SignOff
from domain.rollout.integration.policy import Machine, Operation, StepKind
from domain.rollout.integration.state import IntegrationState, StepState
from domain.rollout.people import Function
from tests.domain.rollout.integrations import NOW, POLICY, started

STEP_IDS = sorted({step.step_id for machine in POLICY.machines.values() for step in machine.steps})
PEOPLE = ("ann", "bob", "eve")
ACTORS = st.builds(
    Actor, role=st.sampled_from([*rules.owners_of(POLICY), Function.CHAMPION]), id=st.sampled_from(PEOPLE)
)
EVIDENCE = st.sampled_from([None, "e-1"])

COMPLETE = st.builds(CompleteIntegrationStep, actor=ACTORS, step_id=st.sampled_from(STEP_IDS), evidence_id=EVIDENCE)
SAMPLE = st.builds(
    RecordSample,
    actor=ACTORS,
    step_id=st.sampled_from(STEP_IDS),
    checked=st.sampled_from([0, 3, 49, 50, 100]),
    matched=st.sampled_from([0, 3, 49, 50, 100, 101]),
    operations=st.frozensets(st.sampled_from(Operation)),
    evidence_id=EVIDENCE,
)
SIGN = st.builds(
    SignOff, actor=ACTORS, step_id=st.just("sign_off"), person_id=st.sampled_from(PEOPLE), evidence_id=EVIDENCE
)
ACTS = COMPLETE | SAMPLE | SIGN | st.sampled_from(["failed", "ended"])


def asked(state: IntegrationState, machine: Machine, act: object, now: datetime) -> IntegrationState:
    """The state after it; unchanged when it is refused."""
    try:
        match act:
            case CompleteIntegrationStep():
                rules.may_complete_step(state, machine, act)
                return rules.complete_step(state, machine, act, now)
            case RecordSample():
                rules.may_record_sample(state, machine, act)
                return rules.record_sample(state, machine, act, now)
            case SignOff():
                rules.may_sign_off(state, machine, act)
                return rules.sign_off(state, machine, act, now)
            case "failed":
                return rules.monitor_failed(state, machine, now)
            case _:
                return rules.monitor_ended(state, machine, now)
    except CarewaveError:
        return state


def _aimed(state: IntegrationState, machine: Machine, act: object, data: st.DataObject) -> object:
    """Half of the acts are about the step that is due, so that the machine gets somewhere."""
    due = rules.next_step(state, machine)
    if due is None or not isinstance(act, CompleteIntegrationStep | RecordSample) or not data.draw(st.booleans()):
        return act
    return act.model_copy(update={"step_id": due.step_id})


@given(machine=st.sampled_from(list(POLICY.machines.values())), acts=st.lists(ACTS, max_size=60), data=st.data())
def test_is_done_in_order_and_never_loses_what_is_done(
    machine: Machine, acts: list[object], data: st.DataObject
) -> None:
    state = started()
    for number, act in enumerate(acts):
        after = asked(state, machine, _aimed(state, machine, act, data), NOW + timedelta(minutes=number))
        done = [after.step(step.step_id).done_at is not None for step in machine.steps]
        assert done == sorted(done, reverse=True)
        for step in machine.steps:
            before = state.step(step.step_id)
            assert before.done_at is None or after.step(step.step_id) == before
        state = after


@given(acts=st.lists(SIGN, max_size=12))
def test_is_never_signed_off_by_one_person_alone(acts: list[SignOff]) -> None:
    machine = POLICY.machines[next(iter(POLICY.machines))]
    last = machine.steps[-1]
    assert last.kind is StepKind.SIGN_OFF
    state = started().model_copy(
        update={"steps": {step.step_id: StepState(done_at=NOW) for step in machine.steps[:-1]}}
    )
    for act in acts:
        state = asked(state, machine, act, NOW)
    signatures = state.step(last.step_id).signatures
    people = {signature.person_id for signature in signatures.values()}
    assert len(people) == len(signatures)
    assert (state.step(last.step_id).done_at is not None) == (set(signatures) == set(last.owners))
    assert set(signatures) <= set(last.owners)


@given(acts=st.lists(ACTS, max_size=30))
def test_travels_through_json_unchanged(acts: list[object]) -> None:
    machine = POLICY.machines[next(iter(POLICY.machines))]
    state = started()
    for act in acts:
        state = asked(state, machine, act, NOW)
    assert IntegrationState.model_validate_json(state.model_dump_json()) == state
