"""A request for another portion: decided once, by operations (E-20 to E-22, decision 16)."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain import policy, rates
from domain.actors import Actor
from domain.clock import Clock, SlaState, arm, fire
from domain.errors import Refused
from domain.rates import RateRequestOrder, RateRequestSnapshot, RateRequestState, RateStage
from tests.domain.builders import START, after

RULES = policy.load().rate_request
CLINICIAN = Actor(role="clinician", id="clinician-1")
OPERATIONS = Actor(role="operations", id="operations-1")


def an_order(portion_cents: int = 3_500) -> RateRequestOrder:
    return RateRequestOrder(
        request_id="request-1",
        clinician_id="clinician-1",
        portion_cents=portion_cents,
        requested_by=CLINICIAN,
        policy=RULES,
    )


def undecided(noticed_hours: float = 0) -> RateRequestState:
    clock: Clock = fire(arm(RULES.decision, START), after(noticed_hours))[0]
    return RateRequestState(requested_at=START, sequence=1, clocks={"decision": clock})


def decided(stage: RateStage) -> RateRequestState:
    return RateRequestState(requested_at=START, stage=stage, sequence=2, decided_at=after(5), decided_by=OPERATIONS)


def test_a_new_request_may_be_decided() -> None:
    rates.may_decide(undecided())


@pytest.mark.parametrize("stage", [RateStage.APPROVED, RateStage.REJECTED])
def test_a_request_is_decided_once(stage: RateStage) -> None:
    with pytest.raises(Refused) as refusal:
        rates.may_decide(decided(stage))
    assert refusal.value.code == "rate.already_decided"


def test_a_portion_is_never_negative() -> None:
    assert an_order(0).portion_cents == 0
    with pytest.raises(ValidationError):
        an_order(-1)


def test_an_undecided_request_waits_for_operations_until_its_deadline() -> None:
    seen = rates.snapshot(an_order(), undecided())
    assert [(wait.who, wait.what) for wait in seen.waits_for] == [("operations", "a decision on the rate")]
    assert (seen.next_deadline, seen.sla_state) == (after(5 * 24), SlaState.ON_TIME)
    assert (seen.business_state, seen.stage) == ("REQUESTED", RateStage.REQUESTED)
    assert (seen.policy_version, seen.portion_cents) == (RULES.version, 3_500)


@pytest.mark.parametrize(
    ("hours", "state", "level"),
    [(47, SlaState.ON_TIME, 0), (48, SlaState.AT_RISK, 0), (120, SlaState.BREACHED, 1)],
)
def test_a_request_that_nobody_decides_escalates(hours: float, state: SlaState, level: int) -> None:
    seen = rates.snapshot(an_order(), undecided(hours))
    assert (seen.sla_state, seen.escalation_level) == (state, level)


@pytest.mark.parametrize("stage", [RateStage.APPROVED, RateStage.REJECTED])
def test_a_decided_request_waits_for_nobody(stage: RateStage) -> None:
    seen = rates.snapshot(an_order(), decided(stage))
    assert (seen.waits_for, seen.next_deadline) == ((), None)
    assert (seen.stage, seen.decided_at, seen.decided_by) == (stage, after(5), OPERATIONS)


@pytest.mark.parametrize("state", [undecided(60), decided(RateStage.APPROVED)], ids=["undecided", "decided"])
def test_survives_its_journey_as_json(state: RateRequestState) -> None:
    seen = rates.snapshot(an_order(), state)
    assert RateRequestSnapshot.model_validate_json(seen.model_dump_json()) == seen
    assert RateRequestState.model_validate_json(state.model_dump_json()) == state
