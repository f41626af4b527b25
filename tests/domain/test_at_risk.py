"""What of a case is at risk, by its clocks."""

from __future__ import annotations

from typing import Any

import pytest

from domain.at_risk import next_breach, open_breach, standing
from domain.case import ClockView, clock_view
from domain.clock import Clock, Outcome, SlaState, acknowledge, arm, end, fire, pause
from domain.econsult.states import Stage
from domain.econsult.view import snapshot
from tests.domain.builders import PERSON, POLICY, START, a_state, a_turnaround, after, an_order

ON_TIME = a_turnaround()
BREACHED = a_turnaround(after(49))
ACKNOWLEDGED = acknowledge(BREACHED, after(50), PERSON)
PAUSED = pause(a_turnaround(after(10)), after(10), "information")
PAUSED_LATE = pause(BREACHED, after(50), "information")
ANSWERED_LATE = end(BREACHED, after(50), Outcome.MET, PERSON)
WINDOW = arm(POLICY.follow_up_window, START)
WINDOW_OVER = fire(WINDOW, after(300))[0]
REMINDERS_ONLY = fire(arm(POLICY.booking, START), after(300))[0]
INFORMATION = arm(POLICY.information, START)
"""Due after 72 hours."""


def names(found: ClockView | None) -> str | None:
    return found.name if found else None


def views(clocks: dict[str, Clock]) -> list[ClockView]:
    return [clock_view(name, clock) for name, clock in clocks.items()]


@pytest.mark.parametrize(
    ("clocks", "ahead", "breached"),
    [
        ({}, None, None),
        ({"a": ON_TIME}, "a", None),
        ({"later": INFORMATION, "a": ON_TIME}, "a", None),
        ({"a": BREACHED}, None, "a"),
        ({"a": BREACHED, "later": INFORMATION}, "later", "a"),
        ({"a": PAUSED}, None, None),
        ({"a": PAUSED_LATE}, None, "a"),
        ({"a": ANSWERED_LATE}, None, None),
        ({"a": ACKNOWLEDGED}, None, "a"),
        ({"a": ACKNOWLEDGED, "z": BREACHED}, None, "z"),
        ({"z": BREACHED, "b": BREACHED}, None, "b"),
        ({"window": WINDOW}, None, None),
        ({"window": WINDOW_OVER}, None, None),
        ({"booking": REMINDERS_ONLY}, None, None),
        ({"window": WINDOW, "later": INFORMATION}, "later", None),
    ],
)
def test_finds_the_next_breach_and_the_one_to_take_on(
    clocks: dict[str, Clock], ahead: str | None, breached: str | None
) -> None:
    assert (names(next_breach(views(clocks))), names(open_breach(views(clocks)))) == (ahead, breached)


def test_of_two_breaches_the_earlier_comes_first() -> None:
    late_information = fire(INFORMATION, after(80))[0]
    assert names(open_breach(views({"a": late_information, "b": BREACHED}))) == "b"


def test_a_breach_that_nobody_noticed_yet_is_still_ahead() -> None:
    """The clock was last looked at before an outage: its deadline lies in the past."""
    found = next_breach(views({"a": ON_TIME}))
    assert found is not None
    assert (found.deadline, found.state) == (after(48), SlaState.ON_TIME)


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        ({"turnaround": ON_TIME}, {"breach_due": after(48), "next_clock": "turnaround", "breached_at": None}),
        (
            {"turnaround": BREACHED, "information": INFORMATION},
            {
                "breach_due": after(72),
                "next_clock": "information",
                "breached_at": after(48),
                "breached_clock": "turnaround",
                "unacknowledged": True,
            },
        ),
        ({"turnaround": ACKNOWLEDGED}, {"breached_at": after(48), "unacknowledged": False, "next_clock": None}),
        ({"turnaround": ANSWERED_LATE}, {"breached_at": None, "breached_clock": None, "unacknowledged": False}),
    ],
)
def test_a_case_stands_as_its_clocks_do(clocks: dict[str, Clock], expected: dict[str, Any]) -> None:
    view = snapshot(an_order(), a_state(Stage.WITH_SPECIALIST, clocks=clocks), START)
    found = standing(view).model_dump()
    assert found | expected == found
    assert (found["owner"], found["clinician_id"]) == ("specialist", "clinician-1")


def test_a_case_that_waits_for_nobody_has_no_owner() -> None:
    assert standing(snapshot(an_order(), a_state(Stage.CLOSED), START)).owner is None
