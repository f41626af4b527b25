"""The one SLA clock, by examples: what it says when, and what it owns up to after an outage."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from domain.actors import Actor, Audience, Notice
from domain.clock import (
    LATE_AFTER,
    Clock,
    ClockPolicy,
    Fired,
    Milestone,
    MilestoneKind,
    Outcome,
    SlaState,
    acknowledge,
    arm,
    deadline,
    due_at,
    elapsed,
    end,
    explain,
    fire,
    next_due,
    pause,
    resume,
    sla_state,
)
from tests.domain.builders import PERSON, POLICY, START, after, hours

TURNAROUND = POLICY.turnaround
"""A warning at 24 hours, the breach at 48, an escalation at 72."""
TOGETHER = ClockPolicy(
    name="ladder",
    milestones=(
        Milestone(
            name="remind",
            kind=MilestoneKind.REMIND,
            after=hours(1),
            notices=(Notice(audience=Audience.CLINICIAN, template="soon"),),
        ),
        Milestone(
            name="breach",
            kind=MilestoneKind.BREACH,
            after=hours(2),
            notices=(
                Notice(audience=Audience.OPERATIONS, template="late"),
                Notice(audience=Audience.SUPPORT, template="late"),
            ),
        ),
        Milestone(
            name="escalate",
            kind=MilestoneKind.ESCALATE,
            after=hours(3),
            notices=(Notice(audience=Audience.OPERATIONS, template="very_late"),),
        ),
    ),
)


def told(fired: tuple[Fired, ...]) -> list[tuple[str, str]]:
    return [(notice.audience, notice.template) for each in fired for notice in each.notices]


def names(fired: tuple[Fired, ...]) -> list[str]:
    return [each.name for each in fired]


def stretches(clock: Clock, now: datetime) -> list[tuple[str, float]]:
    return [(each.kind, (each.end - each.start) / hours(1)) for each in explain(clock, now)]


@pytest.mark.parametrize(
    ("at", "passed", "state"),
    [
        (23.9, [], SlaState.ON_TIME),
        (24, ["reply_target"], SlaState.AT_RISK),
        (48, ["reply_target", "reply_late"], SlaState.BREACHED),
        (72, ["reply_target", "reply_late", "reassignment_offered"], SlaState.BREACHED),
    ],
)
def test_passes_each_milestone_when_it_is_due(at: float, passed: list[str], state: SlaState) -> None:
    clock, fired = fire(arm(TURNAROUND, START), after(at))
    assert (names(fired), sla_state(clock)) == (passed, state)


def test_a_milestone_noticed_at_once_is_not_late_and_tells_its_audiences() -> None:
    _, fired = fire(arm(TURNAROUND, START), after(24) + LATE_AFTER)
    assert [(f.due, f.detected_late, f.suppressed) for f in fired] == [(after(24), False, None)]
    assert told(fired) == [("specialist", "reply_due")]


def test_after_an_outage_the_true_due_time_stands_and_is_called_detected_late() -> None:
    clock, fired = fire(arm(TURNAROUND, START), after(60))
    assert [(f.name, f.due, f.noticed, f.detected_late) for f in fired] == [
        ("reply_target", after(24), after(60), True),
        ("reply_late", after(48), after(60), True),
    ]
    assert clock.breached_at == after(48)


def test_after_an_outage_a_reminder_overtaken_by_a_later_step_is_suppressed_as_stale() -> None:
    _, fired = fire(arm(TURNAROUND, START), after(60))
    assert [f.suppressed for f in fired] == ["stale", None]
    assert "reply_due" not in [template for _, template in told(fired)]


def test_a_late_reminder_that_nothing_overtook_is_still_sent() -> None:
    _, fired = fire(arm(TURNAROUND, START), after(40))
    assert [(f.detected_late, f.suppressed) for f in fired] == [(True, None)]
    assert told(fired) == [("specialist", "reply_due")]


def test_each_audience_is_told_once_by_the_highest_step() -> None:
    _, fired = fire(arm(TOGETHER, START), after(3))
    assert told(fired) == [("support", "late"), ("operations", "very_late")]
    _, first = fire(arm(TOGETHER, START), after(2))
    assert told(first) == [("operations", "late"), ("support", "late")]


def test_nothing_fires_twice() -> None:
    clock, _ = fire(arm(TURNAROUND, START), after(49))
    again, fired = fire(clock, after(49))
    assert (again, fired) == (clock, ())


def test_next_due_goes_from_step_to_step_and_ends() -> None:
    clock = arm(TURNAROUND, START)
    seen = []
    while found := next_due(clock):
        due, milestone = found
        seen.append((milestone.name, due))
        clock, _ = fire(clock, due)
    assert seen == [("reply_target", after(24)), ("reply_late", after(48)), ("reassignment_offered", after(72))]


def test_a_pause_moves_what_is_not_due_yet_and_nothing_else() -> None:
    clock = resume(pause(arm(TURNAROUND, START), after(30), "asked"), after(40))
    due = [due_at(clock, milestone) for milestone in TURNAROUND.milestones]
    assert due == [after(24), after(58), after(82)]
    assert deadline(clock) == after(58)


def test_a_pause_that_begins_as_a_milestone_falls_due_does_not_move_it() -> None:
    clock = resume(pause(arm(TURNAROUND, START), after(48), "asked"), after(60))
    assert deadline(clock) == after(48)
    assert fire(clock, after(60))[0].breached_at == after(48)


def test_a_paused_clock_waits_for_nothing() -> None:
    clock = pause(arm(TURNAROUND, START), after(10), "asked")
    assert (clock.paused, clock.running) == (True, False)
    assert (next_due(clock), deadline(clock), sla_state(clock)) == (None, None, SlaState.PAUSED)
    assert fire(clock, after(1_000)) == (clock, ())
    assert elapsed(clock, after(1_000)) == hours(10)


def test_pausing_and_resuming_twice_changes_nothing() -> None:
    paused = pause(arm(TURNAROUND, START), after(1), "asked")
    assert pause(paused, after(2), "again") == paused
    running = resume(paused, after(3))
    assert resume(running, after(4)) == running


def test_an_ended_clock_is_over_for_good() -> None:
    met = end(arm(TURNAROUND, START), after(10), Outcome.MET, PERSON)
    assert (met.running, met.paused, next_due(met), deadline(met)) == (False, False, None, None)
    assert pause(met, after(11), "asked") == met
    assert resume(met, after(11)) == met
    assert end(met, after(12), Outcome.CANCELLED) == met
    assert fire(met, after(1_000)) == (met, ())
    assert elapsed(met, after(1_000)) == hours(10)


def test_ending_a_paused_clock_ends_its_pause() -> None:
    clock = end(pause(arm(TURNAROUND, START), after(10), "asked"), after(15), Outcome.MET)
    assert clock.pauses[-1].until == after(15)
    assert stretches(clock, after(99)) == [("running", 10), ("paused", 5)]


def test_an_answer_after_the_warning_and_before_the_breach_is_on_time() -> None:
    warned, _ = fire(arm(TURNAROUND, START), after(30))
    assert sla_state(end(warned, after(40), Outcome.MET)) is SlaState.ON_TIME


def test_a_waiver_says_who_waived_and_why() -> None:
    clock = end(arm(TURNAROUND, START), after(1), Outcome.WAIVED, PERSON, "agreed with the patient")
    assert (clock.outcome, clock.ended_by, clock.why) == (Outcome.WAIVED, PERSON, "agreed with the patient")


@pytest.mark.parametrize(("answered", "breached"), [(47, None), (48, None), (50, after(48))])
def test_an_answer_that_comes_before_its_breach_was_noticed_is_late_all_the_same(
    answered: float, breached: datetime | None
) -> None:
    clock = end(arm(TURNAROUND, START), after(answered), Outcome.MET)
    assert clock.breached_at == breached
    assert told(clock.fired) == []
    assert (sla_state(clock) is SlaState.BREACHED) is (breached is not None)


def test_a_breach_found_at_the_end_is_reported_late_and_tells_nobody() -> None:
    (breach,) = end(arm(TURNAROUND, START), after(50), Outcome.MET).fired
    assert (breach.name, breach.noticed, breach.detected_late) == ("reply_late", after(50), True)
    assert (breach.suppressed, breach.notices) == ("ended", ())


def test_an_acknowledged_ladder_is_climbed_no_further() -> None:
    late, _ = fire(arm(TURNAROUND, START), after(48))
    clock = acknowledge(late, after(50), PERSON)
    assert next_due(clock) is None
    later, fired = fire(clock, after(80))
    assert [(f.name, f.suppressed, f.notices) for f in fired] == [("reassignment_offered", "acknowledged", ())]
    assert (late.escalation_level, later.escalation_level) == (1, 1)


def test_an_unacknowledged_ladder_climbs_a_level_with_each_step() -> None:
    levels = [fire(arm(TURNAROUND, START), after(at))[0].escalation_level for at in (24, 48, 72)]
    assert levels == [0, 1, 2]


def test_acknowledging_leaves_other_milestones_alone() -> None:
    clock = acknowledge(arm(TURNAROUND, START), after(1), PERSON)
    assert next_due(clock) == (after(24), TURNAROUND.milestones[0])


def test_the_first_acknowledgement_stands() -> None:
    clock = acknowledge(arm(TURNAROUND, START), after(1), PERSON)
    assert acknowledge(clock, after(2), Actor(role="support", id="person-2")) == clock


def test_explains_a_life_with_a_pause_and_a_breach() -> None:
    clock = resume(pause(arm(TURNAROUND, START), after(10), "asked"), after(22))
    clock, _ = fire(clock, after(61))
    clock = end(clock, after(65), Outcome.MET)
    assert stretches(clock, after(99)) == [("running", 10), ("paused", 12), ("running", 38), ("overdue", 5)]
    assert [each.reason for each in explain(clock, after(99))] == [None, "asked", None, None]


def test_explains_a_pause_after_the_breach() -> None:
    clock, _ = fire(arm(TURNAROUND, START), after(48))
    clock = pause(clock, after(50), "asked")
    assert stretches(clock, after(53)) == [("running", 48), ("overdue", 2), ("paused", 3)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (POLICY.turnaround, hours(48)),  # the breach
        (POLICY.payment, timedelta(days=7)),  # the end
        (POLICY.booking, timedelta(days=7)),  # neither: the last reminder
    ],
    ids=lambda value: value.name if isinstance(value, ClockPolicy) else "",
)
def test_the_deadline_is_the_breach_or_the_end(policy: ClockPolicy, expected: timedelta) -> None:
    assert policy.deadline == expected
    assert deadline(arm(policy, START)) == START + expected


@pytest.mark.parametrize(
    ("milestones", "fault"),
    [
        ([], "at least one"),
        ([("a", 2), ("b", 1)], "in the order"),
        ([("a", 1), ("a", 2)], "must differ"),
    ],
)
def test_refuses_a_policy_that_makes_no_sense(milestones: list[tuple[str, float]], fault: str) -> None:
    steps = tuple(Milestone(name=n, kind=MilestoneKind.WARN, after=hours(at)) for n, at in milestones)
    with pytest.raises(ValidationError, match=fault):
        ClockPolicy(name="odd", milestones=steps)
