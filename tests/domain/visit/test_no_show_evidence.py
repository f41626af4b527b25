"""A no-show stands on evidence, whatever people do when (V-05 to V-09, decisions 04 to 06)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.errors import Refused
from domain.visit import rules
from domain.visit.state import Call, VisitOrder, VisitState
from domain.visit.states import BEFORE, VisitStage
from domain.visit_calls import ATTEMPTS, CallOutcome
from tests.domain.visit.builders import START, a_state, an_order

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

moments = st.integers(-1800, 3600).map(lambda count: START + count * SECOND)
"""To the second, from half an hour before the start on."""
durations = st.integers(5, 240)
outcomes = st.none() | st.sampled_from(CallOutcome)


@st.composite
def call_lists(draw: st.DrawFn) -> dict[str, Call]:
    made = draw(st.lists(st.tuples(moments, outcomes), max_size=6))
    return {str(n): Call(attempt_id=str(n), at=at, outcome=outcome) for n, (at, outcome) in enumerate(made)}


@st.composite
def states(draw: st.DrawFn) -> VisitState:
    """Anything, also what no workflow comes to."""
    return a_state(
        draw(st.sampled_from(VisitStage)),
        clinician_joined_at=draw(st.none() | moments),
        patient_joined_at=draw(st.none() | moments) if draw(st.integers(0, 3)) == 0 else None,
        calls=draw(call_lists()),
    )


@st.composite
def waits(draw: st.DrawFn) -> VisitState:
    """The patient is not there, and nothing has ended."""
    clinician = draw(st.none() | moments)
    stage = VisitStage.SCHEDULED if clinician is None else VisitStage.WAITING_FOR_PATIENT
    return a_state(stage, clinician_joined_at=clinician, calls=draw(call_lists()) if clinician else {})


def refusal(state: VisitState, order: VisitOrder, now: datetime) -> Refused | None:
    try:
        rules.may_flag_no_show(state, order, now)
    except Refused as error:
        return error
    return None


def called_enough(calls: Iterable[Call]) -> bool:
    """Two attempts, from the start on and a minute apart: the first and the last are."""
    real = [call.at for call in calls if call.outcome in ATTEMPTS and call.at >= START]
    return bool(real) and max(real) - min(real) >= MINUTE


def with_calls(state: VisitState, *times: datetime) -> VisitState:
    made = {f"new-{n}": Call(attempt_id=f"new-{n}", at=at, outcome=CallOutcome.BUSY) for n, at in enumerate(times)}
    return state.model_copy(update={"calls": {**state.calls, **made}})


@given(states(), durations, moments)
def test_is_allowed_if_and_only_if_everything_is_proven(state: VisitState, duration: int, now: datetime) -> None:
    joined = state.clinician_joined_at
    wait = (10 if duration >= 30 else 5) * MINUTE
    proven = (
        state.stage in BEFORE
        and state.patient_joined_at is None
        and joined is not None
        and now >= max(START, joined) + wait
        and called_enough(state.calls.values())
    )
    assert (refusal(state, an_order(duration), now) is None) is proven


@given(waits(), durations, moments)
@example(a_state(), 15, START - 10 * MINUTE)
def test_flagging_at_the_earliest_time_succeeds_if_one_does_what_it_assumes(
    state: VisitState, duration: int, now: datetime
) -> None:
    order = an_order(duration)
    found = refusal(state, order, now)
    assume(found is not None)
    assert found is not None
    assert found.earliest is not None
    assert found.earliest >= now or "visit.call_attempts" not in found.missing
    attempts = state.attempts(order.policy.call_spacing)
    # They join now, call as soon as calls count, and again a minute later.
    state = state.model_copy(update={"clinician_joined_at": state.clinician_joined_at or now})
    first = max(now, START, *(at + MINUTE for at in attempts[-1:]))
    missing = order.policy.call_attempts - len(attempts)
    state = with_calls(state, *(first + n * MINUTE for n in range(max(missing, 0))))
    assert refusal(state, order, found.earliest) is None


@given(waits(), durations, moments, st.lists(st.integers(0, 3600), max_size=4), st.integers(0, 1800))
def test_nothing_that_one_does_makes_it_earlier_than_the_earliest_time(
    state: VisitState, duration: int, now: datetime, later_calls: list[int], joins_after: int
) -> None:
    """Whatever the clinician does from now on, before that time it is no no-show."""
    order = an_order(duration)
    # A call whose outcome is not known yet may count as soon as it is: so early nobody can say.
    assume(all(call.outcome is not None and call.at <= now for call in state.calls.values()))
    found = refusal(state, order, now)
    assume(found is not None)
    assert found is not None
    assert found.earliest is not None
    acted = with_calls(state, *(now + count * SECOND for count in later_calls))
    joined = state.clinician_joined_at or now + joins_after * SECOND
    acted = acted.model_copy(update={"clinician_joined_at": joined})
    before = found.earliest - SECOND
    made = {key: call for key, call in acted.calls.items() if call.at <= before}
    assert refusal(acted.model_copy(update={"calls": made}), order, before) is not None


@given(moments, moments, durations)
def test_a_late_clinician_never_shortens_the_wait(one: datetime, other: datetime, duration: int) -> None:
    order = an_order(duration)
    early, late = sorted((one, other))
    over = [rules.wait_is_over_at(a_state(clinician_joined_at=joined), order) for joined in (early, late)]
    assert over[0] is not None
    assert over[1] is not None
    assert over[0] <= over[1]
    assert over[1] - max(late, START) == over[0] - max(early, START) >= 5 * MINUTE


@given(call_lists(), st.integers(1, 600))
def test_attempts_are_real_apart_and_not_before_the_start(calls: dict[str, Call], spacing_seconds: int) -> None:
    spacing = spacing_seconds * SECOND
    found = a_state(calls=calls).attempts(spacing)
    real = {call.at for call in calls.values() if call.outcome in ATTEMPTS}
    assert set(found) <= real
    assert all(at >= START for at in found)
    assert all(later - earlier >= spacing for earlier, later in pairwise(found))


@given(call_lists(), moments)
def test_another_call_never_makes_the_evidence_less(calls: dict[str, Call], at: datetime) -> None:
    before = a_state(calls=calls)
    assert len(with_calls(before, at).attempts(MINUTE)) >= len(before.attempts(MINUTE))


@given(call_lists())
def test_the_order_in_which_calls_are_reported_does_not_matter(calls: dict[str, Call]) -> None:
    backwards = dict(reversed(calls.items()))
    assert a_state(calls=backwards).attempts(MINUTE) == a_state(calls=calls).attempts(MINUTE)
