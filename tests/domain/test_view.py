"""What people see of an eConsult: where it stands and what it waits for, and nothing of the patient's health."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from domain.actors import SYSTEM
from domain.case import card
from domain.clock import Outcome as ClockOutcome
from domain.clock import SlaState, arm, end, pause
from domain.econsult.state import (
    Dispute,
    EConsultOrder,
    EConsultState,
    FollowUpVisit,
    OpenCheckout,
    Outcome,
    Question,
)
from domain.econsult.states import AssignmentStatus, FollowUp, RefundStatus, Stage
from domain.econsult.view import EConsultSnapshot, snapshot, waits_for, warnings
from tests.domain.builders import (
    PERSON,
    POLICY,
    PRICE,
    START,
    a_payment,
    a_question,
    a_refund,
    a_state,
    a_turnaround,
    after,
    an_assignment,
    an_order,
    paid,
)

ORDER = an_order()


def a_rich_state() -> EConsultState:
    """A state in which everything that can be there is there."""
    return a_state(
        Stage.FOLLOW_UP_WINDOW,
        sequence=17,
        link_expires_at=after(168),
        checkouts_opened=1,
        checkout=OpenCheckout(session_id="s", url="https://pay.example", expires_at=START, number=1, opened_at=START),
        payments=paid(a_payment(fee_cents=436), a_payment("payment-2", reason="payment.duplicate")),
        seen_events=["event-1"],
        disputes={
            "dispute-1": Dispute(dispute_id="dispute-1", payment_id="payment-1", amount_cents=14_000, opened_at=START)
        },
        assignments=[an_assignment(AssignmentStatus.DECLINED), an_assignment(AssignmentStatus.REPLIED, number=2)],
        replied_at=after(30),
        in_person_recommended=True,
        questions=[a_question(), Question(question_id="q", asked_at=START, answer_id="a", answered_at=after(40))],
        follow_up=FollowUp.BOOKED,
        follow_up_visit=FollowUpVisit(visit_id="visit-2", starts_at=after(400), after_window=True),
        refunds=[a_refund(RefundStatus.APPROVED, 500)],
        outcome=Outcome(improved_care_plan=True, avoided_in_person=False, captured_at=after(50)),
        document_version=2,
        clocks={
            "turnaround": end(pause(a_turnaround(after(60)), after(61), "asked"), after(62), ClockOutcome.MET, PERSON),
            "follow_up_window": arm(POLICY.follow_up_window, after(30)),
        },
    )


WAITS: dict[Stage, list[str]] = {
    Stage.AWAITING_PAYMENT: ["patient"],
    Stage.PAYMENT_EXPIRED: ["clinician"],
    Stage.PAID: ["network_desk"],
    Stage.WITH_SPECIALIST: ["specialist"],
    Stage.INFO_REQUESTED: ["clinician"],
    Stage.CANCELLED: [],
    Stage.RESPONSE_READY: [],
    Stage.FOLLOW_UP_WINDOW: [],
    Stage.AWAITING_FOLLOW_UP: [],
    Stage.SPECIALIST_UNAVAILABLE: [],
    Stage.REFUNDED: [],
    Stage.CLOSED: [],
}


def waited_for(stage: Stage, **fields: Any) -> list[str]:
    return [wait.who for wait in waits_for(a_state(stage, **fields))]


@pytest.mark.parametrize("stage", Stage)
def test_each_stage_waits_for_its_own_people(stage: Stage) -> None:
    assert waited_for(stage) == WAITS[stage]


@pytest.mark.parametrize(
    ("fields", "who"),
    [
        ({"questions": [a_question()]}, ["specialist"]),
        ({"questions": [a_question(answered=True)]}, []),
        ({"follow_up": FollowUp.PROMPTED}, ["patient"]),
        ({"follow_up": FollowUp.BOOKED}, ["clinician"]),
        *(({"follow_up": status}, []) for status in (FollowUp.COMPLETED, FollowUp.DECLINED, FollowUp.NOT_BOOKED)),
        ({"refunds": [a_refund(RefundStatus.REQUESTED)]}, ["support"]),
        ({"refunds": [a_refund(RefundStatus.APPROVED)]}, []),
        (
            {"questions": [a_question()], "follow_up": FollowUp.PROMPTED, "refunds": [a_refund()]},
            ["specialist", "patient", "support"],
        ),
    ],
)
def test_what_was_begun_waits_beside_the_stage(fields: dict[str, Any], who: list[str]) -> None:
    assert waited_for(Stage.FOLLOW_UP_WINDOW, **fields) == who
    assert waited_for(Stage.PAID, **fields) == ["network_desk", *who]


def test_warns_of_a_visit_after_the_window_only() -> None:
    assert warnings(a_rich_state()) == ("follow_up_visit.after_window",)
    in_time = FollowUpVisit(visit_id="visit-2", starts_at=after(100), after_window=False)
    assert warnings(a_state(Stage.FOLLOW_UP_WINDOW, follow_up_visit=in_time)) == ()
    assert warnings(a_state(Stage.FOLLOW_UP_WINDOW)) == ()


def test_shows_the_order_and_the_state_as_they_are() -> None:
    state = a_rich_state()
    seen = snapshot(ORDER, state, START)
    for name in EConsultSnapshot.model_fields.keys() & EConsultOrder.model_fields.keys():
        assert getattr(seen, name) == getattr(ORDER, name)
    for name in EConsultSnapshot.model_fields.keys() & EConsultState.model_fields.keys() - {"clocks"}:
        kept = getattr(state, name)
        kept = tuple(kept.values()) if isinstance(kept, dict) else tuple(kept) if isinstance(kept, list) else kept
        assert getattr(seen, name) == kept
    assert (seen.business_state, seen.policy_version) == ("FOLLOW_UP_WINDOW", POLICY.version)
    assert (seen.price, seen.window_ends_at) == (PRICE, after(30 + 240))


def test_shows_the_deadline_and_the_worst_of_the_clocks_that_run() -> None:
    over = snapshot(ORDER, a_rich_state(), START)
    assert (over.next_deadline, over.sla_state, over.escalation_level) == (after(270), SlaState.ON_TIME, 0)
    clocks = {"payment": arm(POLICY.payment, START), "turnaround": a_turnaround(after(72))}
    late = snapshot(ORDER, a_state(Stage.WITH_SPECIALIST, clocks=clocks), START)
    assert (late.next_deadline, late.sla_state, late.escalation_level) == (after(48), SlaState.BREACHED, 2)


def test_a_paused_clock_has_no_deadline() -> None:
    clocks = {"turnaround": pause(a_turnaround(), after(5), "asked")}
    seen = snapshot(ORDER, a_state(Stage.INFO_REQUESTED, clocks=clocks), START)
    assert (seen.next_deadline, seen.sla_state) == (None, SlaState.PAUSED)
    assert seen.clocks[0].deadline is None


def texts_in(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """The paths of all plain strings in a model: enumerations and literals cannot hold free text."""
    for name, field in model.model_fields.items():
        for leaf in leaves(field.annotation):
            if leaf is str:
                yield f"{path}{name}"
            elif isinstance(leaf, type) and issubclass(leaf, BaseModel):
                yield from texts_in(leaf, f"{path}{name}.")


def leaves(annotation: Any) -> Iterator[Any]:
    inner = get_args(annotation)
    if not inner:
        yield annotation
    for each in inner:
        yield from leaves(each)


CODES = {
    "business_state",
    "policy_version",
    "waits_for.who",
    "waits_for.what",
    "clocks.name",
    "clocks.outcome",
    "specialty_code",
    "purpose",
    "price.currency",
    "payments.currency",
    "payments.reason",
    "disputes.outcome",
    "assignments.reason",
    "refunds.requested_by.role",
    "refunds.decided_by.role",
    "warnings",
}
"""Strings that our own code chooses, or stable codes; all others must be opaque ids."""


def test_a_snapshot_has_no_place_for_free_text() -> None:
    texts = set(texts_in(EConsultSnapshot))
    assert texts >= CODES
    assert {path for path in texts - CODES if not path.endswith(("_id", ".id"))} == set()


def test_the_card_of_the_temporal_ui_tells_state_waits_clocks_and_remarks() -> None:
    clocks = {
        "turnaround": pause(a_turnaround(), after(5), "asked"),
        "information": arm(POLICY.information, after(5)),
    }
    shown = card(snapshot(ORDER, a_state(Stage.INFO_REQUESTED, sequence=6, clocks=clocks), START), "a remark")
    assert shown.splitlines() == [
        "**INFO_REQUESTED** · step 6 · paused",
        "- waits for **clinician**: the information that the specialist asked for",
        "- clock `information` due 2026-03-05 14:00 UTC",
        "- clock `turnaround` is paused",
        "- a remark",
    ]


moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
states = st.builds(
    EConsultState,
    stage=st.sampled_from(Stage),
    sequence=st.integers(0),
    ordered_at=moments,
    link_expires_at=st.none() | moments,
    payments=st.sampled_from([{}, paid()]),
    seen_events=st.lists(st.text()),
    disputes=st.just({}),
    assignments=st.lists(st.sampled_from(AssignmentStatus).map(an_assignment), max_size=2),
    replied_at=st.none() | moments,
    questions=st.lists(st.booleans().map(a_question), max_size=2),
    follow_up=st.sampled_from(FollowUp),
    refunds=st.lists(st.builds(a_refund, st.sampled_from(RefundStatus), st.integers(0)), max_size=2),
    closed_at=st.none() | moments,
    clocks=st.dictionaries(st.text(), moments.map(lambda at: arm(POLICY.turnaround, at)), max_size=2),
    checkout=st.none(),
    follow_up_visit=st.none(),
    outcome=st.none(),
)


@given(states | st.builds(a_rich_state))
def test_state_and_snapshot_survive_their_journey_as_json(state: EConsultState) -> None:
    assert EConsultState.model_validate_json(state.model_dump_json()) == state
    seen = snapshot(ORDER, state, START)
    assert EConsultSnapshot.model_validate_json(seen.model_dump_json()) == seen


def test_an_order_survives_its_journey_as_json() -> None:
    order = ORDER.model_copy(update={"ordered_by": SYSTEM})
    assert EConsultOrder.model_validate_json(order.model_dump_json()) == order
