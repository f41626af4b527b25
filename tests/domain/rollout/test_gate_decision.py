"""Who advises, who decides, and on what (GG-08, decision 33)."""

from __future__ import annotations

import pytest

from domain.actors import SYSTEM, Actor
from domain.errors import CarewaveError, Forbidden, Invalid, Refused
from domain.rollout.gate import rules
from domain.rollout.gate.evidence import Metric
from domain.rollout.gate.results import Result
from domain.rollout.gate.state import Advice, Decision, Gate, GiveInput
from domain.rollout.people import Function
from tests.domain.rollout.gates import CRITERIA, NOON, VP, but, count, decision, good, opened, share

CDO = Actor(role="chief_dental_officer", id="cdo")
IT = Actor(role="it_lead", id="it")


def advised(gate: Gate) -> Gate:
    for actor in (CDO, IT):
        gate = rules.advise(gate, GiveInput(actor=actor, advice=Advice.GO), NOON)
    return gate


def refusal(gate: Gate | None, *, held: bool = False, **changes: object) -> CarewaveError | None:
    asked = decision(gate or opened(), **changes)  # type: ignore[arg-type]
    try:
        rules.may_decide(gate, CRITERIA, asked, wave=1, held=held)
    except CarewaveError as error:
        return error
    return None


def code(gate: Gate | None, **changes: object) -> str | None:
    error = refusal(gate, **changes)  # type: ignore[arg-type]
    return error.code if error else None


def test_the_vp_of_operations_decides_when_both_have_advised() -> None:
    assert code(advised(opened())) is None


def test_nothing_is_decided_while_no_gate_is_open() -> None:
    assert code(None) == "gate.not_open"


@pytest.mark.parametrize("role", [role for role in Function if role is not Function.VP_OPERATIONS] + ["system_admin"])
def test_nobody_else_decides(role: str) -> None:
    error = refusal(advised(opened()), actor=Actor(role=role, id="x"))
    assert isinstance(error, Forbidden)
    assert error.code == "gate.decider_only"


@pytest.mark.parametrize("changes", [{"actor": VP.model_copy(update={"id": "m-9"})}, {"known_as": ("m-1", "m-9")}])
def test_who_submitted_evidence_does_not_decide_under_any_of_their_ids(changes: dict[str, object]) -> None:
    gate = advised(opened(*but(count(Metric.CHAMPION_CONFIDENCE, "5", "loc-1", "m-9"))))
    error = refusal(gate, **changes)  # type: ignore[arg-type]
    assert isinstance(error, Forbidden)
    assert error.code == "gate.decider_submitted_evidence"


def test_a_decision_is_about_its_wave_and_its_evidence() -> None:
    assert code(advised(opened()), wave=2) == "gate.other_wave"
    gate = advised(opened())
    error = refusal(gate, evidence_hash="0" * 64)
    assert error is not None
    assert (error.code, gate.snapshot.hash in error.detail) == ("gate.evidence_changed", True)


def test_it_waits_for_input_until_that_is_given_or_its_time_is_up() -> None:
    gate = rules.advise(opened(), GiveInput(actor=CDO, advice=Advice.NO_GO), NOON)
    error = refusal(gate)
    assert isinstance(error, Refused)
    assert (error.code, error.missing, error.earliest) == ("gate.input_awaited", ("it_lead",), gate.inputs_due)

    silent = rules.pass_without_input(gate, CRITERIA, NOON)
    assert silent.inputs[Function.IT_LEAD].advice is Advice.NO_INPUT
    assert silent.inputs[Function.IT_LEAD].by == SYSTEM
    assert silent.inputs[Function.CHIEF_DENTAL_OFFICER].advice is Advice.NO_GO
    assert code(silent) is None


def test_input_that_comes_late_still_counts() -> None:
    silent = rules.pass_without_input(opened(), CRITERIA, NOON)
    assert (
        rules.advise(silent, GiveInput(actor=IT, advice=Advice.GO), NOON).inputs[Function.IT_LEAD].advice is Advice.GO
    )


@pytest.mark.parametrize("role", ["vp_operations", "champion", "system_admin"])
def test_only_advisers_give_input(role: str) -> None:
    with pytest.raises(Forbidden, match="chief_dental_officer, it_lead"):
        rules.may_advise(opened(), CRITERIA, GiveInput(actor=Actor(role=role, id="x"), advice=Advice.GO))


def test_nobody_gives_no_input_and_nobody_lets_a_decision_expire() -> None:
    with pytest.raises(Invalid) as caught:
        rules.may_advise(opened(), CRITERIA, GiveInput(actor=CDO, advice=Advice.NO_INPUT))
    assert caught.value.code == "gate.advice_invalid"
    assert code(advised(opened()), chosen=Decision.EXPIRED) == "gate.decision_invalid"


def test_nobody_passes_a_criterion_that_fails_not_even_with_a_reason() -> None:
    gate = advised(opened(*but(share(Metric.DELIVERY, 90, 100))))
    for override in (None, "reason-1"):
        error = refusal(gate, override_id=override)
        assert isinstance(error, Refused)
        assert (error.code, error.missing) == ("gate.criteria_failed", ("delivery",))
    assert code(gate, chosen=Decision.NO_GO) is None


def test_what_is_in_doubt_is_passed_with_a_reason_only() -> None:
    gate = advised(opened(*[one for one in good() if one.metric is not Metric.CRITICAL_ISSUES]))
    error = refusal(gate)
    assert isinstance(error, Refused)
    assert (error.code, error.missing) == ("gate.override_needed", ("critical_issues",))
    assert code(gate, override_id="reason-1") is None

    taken = rules.decided(gate, Decision.GO, NOON, VP, decision(gate, override_id="reason-1"))
    assert (taken.result, taken.inconclusive, taken.override_id) == (
        Result.INCONCLUSIVE,
        ("critical_issues",),
        "reason-1",
    )


def test_a_hold_stops_a_go_and_not_a_no_go() -> None:
    assert code(advised(opened()), held=True) == "wave.on_hold"
    assert code(advised(opened()), held=True, chosen=Decision.NO_GO) is None


def test_an_override_that_was_not_needed_is_not_on_record() -> None:
    gate = advised(opened())
    taken = rules.decided(gate, Decision.GO, NOON, VP, decision(gate, override_id="reason-1", reason_id="why"))
    assert (taken.override_id, taken.reason_id, taken.result) == (None, "why", Result.PASS)
