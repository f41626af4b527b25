"""Which act is allowed when; the cases of each rule are in `rule_cases`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.access import Role
from domain.clock import Outcome, arm, end, fire
from domain.errors import Refused
from domain.visit import rules
from domain.visit.state import VisitState
from domain.visit.states import BEFORE, RECORD_STATUS, Fulfilment, NoteStatus, Obligation, VisitStage, VisitType
from tests.domain.rule_checks import Case, allowing, codes_in, name_of, refusal_of, refusing, without_a_case
from tests.domain.visit.builders import (
    CLINICIAN,
    POLICY,
    a_state,
    after,
    an_order,
    completed,
    in_progress,
    settled,
    waiting,
)
from tests.domain.visit.rule_cases import CASES, ORDER

ALLOWED, REFUSED = allowing(CASES), refusing(CASES)


@pytest.mark.parametrize(("case", "state"), ALLOWED, ids=name_of)
def test_allows(case: Case, state: VisitState) -> None:
    case.rule(state, *case.args)


@pytest.mark.parametrize(("case", "code", "state"), REFUSED, ids=name_of)
def test_refuses(case: Case, code: str, state: VisitState) -> None:
    assert refusal_of(case, state).code == code


def test_every_refusal_of_every_rule_has_a_case() -> None:
    assert not without_a_case(rules, CASES, {"_still_owed": {"may_settle", "may_waive"}})


def test_every_rule_has_a_state_that_allows_its_act() -> None:
    rules_with_refusals = {name for name in codes_in(rules) if name.startswith("may_")}
    assert {case.rule.__name__ for case, _ in ALLOWED} >= rules_with_refusals | {"may_waive"}


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("visit.not_scheduled", ("visit.scheduled",)),
        ("visit.wait_not_over", ("visit.minimum_wait",)),
        ("visit.clinician_absent", ("visit.clinician_joined",)),
        ("visit.not_in_progress", ("visit.in_progress",)),
        ("visit.not_completed", ("visit.completed",)),
    ],
)
def test_a_refusal_says_what_is_missing(code: str, missing: tuple[str, ...]) -> None:
    for case, _, state in (each for each in REFUSED if each[1] == code):
        assert refusal_of(case, state).missing == missing


def test_a_visit_in_the_past_says_from_when_it_is_possible() -> None:
    with pytest.raises(Refused) as refusal:
        rules.may_schedule(POLICY, after(-1), after(0))
    assert refusal.value.earliest == after(0)


@pytest.mark.parametrize(("joined", "earliest"), [(-30, 5), (0, 5), (3, 8)])
def test_a_clinician_who_waits_hears_when_they_may_cancel(joined: float, earliest: float) -> None:
    with pytest.raises(Refused) as refusal:
        rules.may_cancel(waiting(joined=joined), ORDER, Role.CLINICIAN, after(0))
    assert refusal.value.earliest == after(earliest)


@pytest.mark.parametrize(
    ("state", "now", "missing", "earliest"),
    [
        (a_state(), 0, ("visit.clinician_joined", "visit.minimum_wait", "visit.call_attempts"), 5),
        (a_state(), 3, ("visit.clinician_joined", "visit.minimum_wait", "visit.call_attempts"), 8),
        (a_state(), -60, ("visit.clinician_joined", "visit.minimum_wait", "visit.call_attempts"), 5),
        (waiting(), 4, ("visit.minimum_wait", "visit.call_attempts"), 5),
        (waiting(), 4.5, ("visit.minimum_wait", "visit.call_attempts"), 5.5),
        (waiting(), 9, ("visit.call_attempts",), 10),
        (waiting(8.5), 9, ("visit.call_attempts",), 9.5),
        (waiting(2), 9, ("visit.call_attempts",), 9),
        (waiting(0, 1), 2, ("visit.minimum_wait",), 5),
        (waiting(12, 13, joined=12), 13, ("visit.minimum_wait",), 17),
    ],
)
def test_a_refused_no_show_names_all_that_is_missing_and_when_it_could_be_flagged(
    state: VisitState, now: float, missing: tuple[str, ...], earliest: float
) -> None:
    with pytest.raises(Refused) as refusal:
        rules.may_flag_no_show(state, ORDER, after(now))
    assert (refusal.value.missing, refusal.value.earliest) == (missing, after(earliest))


@pytest.mark.parametrize(
    ("duration", "wait"), [(5, 5), (15, 5), (20, 5), (29, 5), (30, 10), (45, 10), (60, 10), (240, 10)]
)
def test_the_minimum_wait_goes_by_the_length(duration: int, wait: float) -> None:
    assert rules.wait_is_over_at(waiting(), an_order(duration)) == after(wait)


def test_nobody_waits_while_the_clinician_is_not_there() -> None:
    assert rules.wait_is_over_at(a_state(), ORDER) is None


@pytest.mark.parametrize("visit_type", VisitType)
@pytest.mark.parametrize("asked_for", NoteStatus)
def test_a_draft_satisfies_the_clock_where_a_draft_is_asked_for(visit_type: VisitType, asked_for: NoteStatus) -> None:
    policy = POLICY.model_copy(update={"note_requires": dict.fromkeys(VisitType, asked_for)})
    order = an_order(visit_type=visit_type, policy=policy)
    assert rules.note_suffices(order, NoteStatus.COMPLETE)
    assert rules.note_suffices(order, NoteStatus.DRAFT) is (asked_for is NoteStatus.DRAFT)


def owed_until(minute: float, outcome: Outcome) -> VisitState:
    """The prescriptions came, or were waived, so many minutes after completion."""
    completed_at = after(20)
    name = Obligation.PRESCRIPTIONS
    clock, _ = fire(arm(POLICY.obligations[name], completed_at), completed_at)
    return completed(clocks={name: end(clock, after(20 + minute), outcome, CLINICIAN)})


@pytest.mark.parametrize(
    ("state", "breach"),
    [
        (completed(), False),
        (owed_until(240, Outcome.MET), False),
        (owed_until(241, Outcome.MET), True),
        (owed_until(241, Outcome.WAIVED), False),
        (owed_until(241, Outcome.CANCELLED), True),
        (completed(settled={Obligation.LABS: settled(Fulfilment.BREACHED)}), True),
        (completed(settled={Obligation.LABS: settled(Fulfilment.WAIVED)}), False),
    ],
)
def test_what_came_late_or_never_is_a_breach_unless_it_was_waived(state: VisitState, breach: bool) -> None:
    assert rules.has_breach(state) is breach


@pytest.mark.parametrize(
    ("fields", "owed"),
    [
        ({}, ()),
        ({"completed_at": after(20)}, tuple(Obligation)),
        ({"completed_at": after(20), "settled": {Obligation.LABS: settled()}}, ("prescriptions", "imaging", "note")),
        ({"completed_at": after(20), "settled": dict.fromkeys(Obligation, settled())}, ()),
    ],
)
def test_owes_after_completion_what_is_not_settled(fields: dict[str, Any], owed: tuple[str, ...]) -> None:
    assert in_progress().model_copy(update=fields).owed == owed


@pytest.mark.parametrize("stage", VisitStage)
def test_every_stage_has_its_status_in_the_record(stage: VisitStage) -> None:
    assert (RECORD_STATUS[stage] == "scheduled") is (stage in BEFORE)


@pytest.mark.parametrize(("joined", "waited_from"), [(None, None), (-10, after(0)), (0, after(0)), (4, after(4))])
def test_the_patients_grace_begins_with_the_start_or_a_late_clinician(
    joined: float | None, waited_from: datetime | None
) -> None:
    state = a_state(clinician_joined_at=None if joined is None else after(joined))
    assert state.waited_from == waited_from
