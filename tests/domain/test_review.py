"""The review that credential events and conduct reports go through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import policy, review
from domain.actors import Actor
from domain.case import may_acknowledge
from domain.clock import Outcome, arm, end, fire
from domain.errors import Refused
from domain.review import (
    OUTCOMES,
    SUSPENDING,
    ConductOutcome,
    CredentialOutcome,
    Resolve,
    ReviewOrder,
    ReviewSnapshot,
    ReviewStage,
    ReviewState,
    Severity,
    Triage,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
CARE = policy.load()
OPERATIONS = Actor(role="operations", id="operations-1")


def an_order(process: str = "CredentialEvent", **changes: object) -> ReviewOrder:
    credential = process == "CredentialEvent"
    whole: dict[str, Any] = {
        "process": process,
        "report_id": "report-1",
        "clinician_id": "clinician-1",
        "kind": "board_action" if credential else "conduct",
        "reported_by": {"role": "patient", "id": "patient-1"},
        "reported_at": NOW,
        "aware_at": NOW if credential else None,
        "policy": CARE.credential_event if credential else CARE.conduct_report,
    }
    return ReviewOrder.model_validate(whole | changes)


def refused(rule: object, *args: object) -> str | None:
    assert callable(rule)
    try:
        rule(*args)
    except Refused as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize(("hours", "late"), [(0, False), (24, False), (24.01, True), (1000, True)])
def test_a_report_is_late_24_hours_after_the_clinician_knew(hours: float, late: bool) -> None:
    order = an_order(aware_at=NOW - hours * HOUR)
    clock = review.promptness(order)
    assert clock is not None
    assert (clock.breached_at == order.aware_at + 24 * HOUR) == late  # type: ignore[operator]
    assert clock.outcome == "met"
    seen = review.snapshot(order, ReviewState(clocks={"promptly": clock}))
    assert seen.late_report == late
    assert not any(fired.notices for fired in clock.fired)


def test_promptness_is_asked_of_credential_events_alone() -> None:
    assert review.promptness(an_order("ConductReport")) is None


def test_a_conduct_report_is_on_no_clinicians_board_and_names_no_reporter() -> None:
    conduct = review.snapshot(an_order("ConductReport"), ReviewState())
    credential = review.snapshot(an_order(), ReviewState())
    assert (conduct.clinician_id, conduct.subject_id) == (None, "clinician-1")
    assert credential.clinician_id == "clinician-1"
    assert "patient-1" not in conduct.model_dump_json()
    assert ReviewSnapshot.model_validate_json(conduct.model_dump_json()) == conduct


@pytest.mark.parametrize("process", ["CredentialEvent", "ConductReport"])
def test_outcomes_belong_to_their_process(process: str) -> None:
    triaged = ReviewState(stage=ReviewStage.TRIAGED)
    for outcome in (*CredentialOutcome, *ConductOutcome):
        asked = Resolve(actor=OPERATIONS, outcome=outcome, licence_ids=("licence-1",))
        fits = outcome in OUTCOMES[process]
        assert refused(review.may_resolve, an_order(process), triaged, asked) == (
            None if fits else "review.outcome_unfit"
        )


def test_a_suspending_outcome_needs_a_licence() -> None:
    for outcome in SUSPENDING:
        asked = Resolve(actor=OPERATIONS, outcome=outcome)
        assert refused(review.may_resolve, an_order(), ReviewState(stage=ReviewStage.TRIAGED), asked) == (
            "review.no_licence"
        )


def test_only_what_escalated_and_is_not_over_is_acknowledged() -> None:
    policies = CARE.conduct_report
    running = fire(arm(policies.triage, NOW), NOW + 23 * HOUR)[0]
    late = fire(running, NOW + 25 * HOUR)[0]
    over = end(late, NOW + 26 * HOUR, Outcome.MET)
    for clock, code in ((running, "escalation.none"), (late, None), (over, "escalation.none")):
        assert refused(may_acknowledge, ReviewState(clocks={"triage": clock}), "triage") == code
    assert refused(may_acknowledge, ReviewState(), "resolution") == "escalation.none"


acts = st.lists(
    st.sampled_from([*Severity]) | st.sampled_from([*CredentialOutcome, *ConductOutcome]), min_size=1, max_size=8
)


@given(st.sampled_from(["CredentialEvent", "ConductReport"]), acts)
def test_whatever_is_asked_the_stages_come_in_order_and_once(process: str, asked: list[Severity | str]) -> None:
    order, state = an_order(process), ReviewState()
    stages = [state.stage]
    for act in asked:
        if isinstance(act, Severity):
            if refused(review.may_triage, state) is None:
                review.triage(state, Triage(actor=OPERATIONS, severity=act, assigned_to="o"), NOW)
                stages.append(state.stage)
            continue
        resolve = Resolve(actor=OPERATIONS, outcome=act, licence_ids=("licence-1",))
        if refused(review.may_resolve, order, state, resolve) is None:
            review.resolve(state, resolve, NOW)
            stages.append(state.stage)
    assert stages == [ReviewStage.REPORTED, ReviewStage.TRIAGED, ReviewStage.RESOLVED][: len(stages)]
    assert (state.outcome is None) == (state.stage is not ReviewStage.RESOLVED)
    assert state.outcome is None or state.outcome in OUTCOMES[process]
