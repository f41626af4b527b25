"""Clocks that count from the start of a visit, however late they are armed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import Clock, ClockPolicy, MilestoneKind, arm_for, deadline, fire, next_due
from tests.domain.visit.builders import POLICY, START, after

HOUR = timedelta(hours=1)


def reminders(scheduled_at: datetime) -> Clock:
    return arm_for(POLICY.reminders, START - POLICY.reminders_lead, scheduled_at)


def join(scheduled_at: datetime) -> Clock:
    return arm_for(POLICY.join, START - POLICY.join_lead, scheduled_at)


def heard(clock: Clock, now: datetime) -> list[str]:
    """What is said from now on, until the ladder is at its end, each at its time."""
    said = []
    clock, fired = fire(clock, now)
    said += [each.name for each in fired if not each.suppressed]
    while (found := next_due(clock)) is not None:
        clock, fired = fire(clock, found[0])
        said += [each.name for each in fired if not each.suppressed]
    return said


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (72 * HOUR, ["visit_tomorrow", "visit_soon", "visit_begins"]),
        (24 * HOUR, ["visit_tomorrow", "visit_soon", "visit_begins"]),
        (23 * HOUR, ["visit_soon", "visit_begins"]),
        (3 * HOUR, ["visit_soon", "visit_begins"]),
        (HOUR / 2, ["visit_begins"]),
    ],
)
def test_a_visit_scheduled_at_short_notice_gets_no_stale_reminder(ahead: timedelta, said: list[str]) -> None:
    assert heard(reminders(START - ahead), START - ahead) == said


def test_a_reminder_that_comes_after_the_start_is_not_sent() -> None:
    _, fired = fire(reminders(START - 30 * HOUR), after(180))
    assert [(each.name, each.suppressed) for each in fired] == [
        ("visit_tomorrow", "stale"),
        ("visit_soon", "stale"),
        ("visit_begins", None),
    ]


@pytest.mark.parametrize(
    ("armed", "silent"),
    [(-10, []), (-2, []), (0, ["join_soon"]), (4, ["join_soon", "join_at_risk"])],
)
def test_what_was_due_before_a_clock_was_armed_is_passed_unheard(armed: float, silent: list[str]) -> None:
    clock = join(after(armed))
    assert [(each.name, each.suppressed) for each in clock.fired] == [(name, "before_arming") for name in silent]
    assert not set(silent) & set(heard(clock, after(armed)))


def test_a_clock_armed_after_its_breach_owns_up_to_it() -> None:
    """The start was lost in an outage: nobody came, and somebody has to hear of it."""
    clock = join(after(180))
    clock, fired = fire(clock, after(180))
    assert [(each.name, each.due, each.detected_late) for each in fired] == [
        ("clinician_late", after(5), True),
        ("clinician_late_operations", after(10), True),
        ("clinician_late_again", after(20), True),
        ("clinician_no_show", after(30), True),
    ]
    told = [audience for each in fired for audience in {notice.audience for notice in each.notices}]
    assert sorted(told) == sorted(set(told)), "one escalation for each audience"


@given(st.integers(-4000, 4000), st.sampled_from([POLICY.reminders, POLICY.join, POLICY.waiting, POLICY.wrap_up]))
def test_arming_late_skips_reminders_and_nothing_else(minute: int, policy: ClockPolicy) -> None:
    clock = arm_for(policy, START, after(minute))
    assert all(each.due < after(minute) for each in clock.fired)
    assert {each.kind for each in clock.fired} <= {MilestoneKind.REMIND, MilestoneKind.WARN}
    assert clock.breached_at is None
    assert deadline(clock) == START + policy.deadline


def test_the_ladders_are_those_that_are_promised() -> None:
    """V-01, V-03: at T-2 and T+3 minutes, the breach at T+5, then somebody else at T+10 and T+20, the end at T+30."""
    ladder = {each.name: (each.after - POLICY.join_lead) / timedelta(minutes=1) for each in POLICY.join.milestones}
    assert list(ladder.values()) == [-2, 3, 5, 10, 20, 30]
    assert ladder["clinician_late"] == POLICY.join_allowance / timedelta(minutes=1)
