"""Every number of a wave and of the gate behind it is the one decided."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import policy
from domain.clock import ClockPolicy
from domain.rollout.gate.evidence import Metric
from domain.rollout.gate.policy import Comparison
from domain.rollout.people import Function
from domain.rollout.wave.policy import Artefact, DayItem

WAVE = policy.load().rollout.wave
GATE = policy.load().rollout.gate
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAST, MOST = Comparison.AT_LEAST, Comparison.AT_MOST


def ladder(clock: ClockPolicy) -> dict[str, timedelta]:
    return {milestone.name: milestone.after for milestone in clock.milestones}


def planned(items: tuple[DayItem, ...], prefix: str = "") -> dict[str, tuple[int, tuple[int, ...], time]]:
    return {item.item_id: (item.week, item.weekdays, item.at) for item in items if item.item_id.startswith(prefix)}


NUMBERS: dict[str, tuple[Any, Any]] = {
    # GG-02 to GG-07: 99 %, 98 %, 100 %, 95 %, none, at least 4 of all
    "gate 1 to 2": (
        {one.metric: (one.comparison, one.threshold) for one in GATE.criteria},
        {
            Metric.UPTIME: (LEAST, Decimal(99)),
            Metric.SYNC_SUCCESS: (LEAST, Decimal(98)),
            Metric.ADOPTION: (LEAST, Decimal(100)),
            Metric.DELIVERY: (LEAST, Decimal(95)),
            Metric.CRITICAL_ISSUES: (MOST, Decimal(0)),
            Metric.CHAMPION_CONFIDENCE: (LEAST, Decimal(4)),
        },
    ),
    # GG-09, decision 34
    "gate of later waves, on top": (
        {one.metric: (one.comparison, one.threshold) for one in GATE.later_criteria},
        {
            Metric.SYSTEMIC_ISSUES: (MOST, Decimal(0)),
            Metric.TRAINING_VALIDATED: (LEAST, Decimal(100)),
            Metric.ROLLBACKS: (MOST, Decimal(0)),
        },
    ),
    # decision 31
    "where uptime is looked at": ((GATE.criteria[0].each_location, GATE.criteria[0].overall), (True, True)),
    "where each is looked at": (
        {one.metric for one in GATE.criteria_of(pilot=False) if one.each_location},
        {
            Metric.UPTIME,
            Metric.ADOPTION,
            Metric.CHAMPION_CONFIDENCE,
            Metric.TRAINING_VALIDATED,
            Metric.ROLLBACKS,
        },
    ),
    "freshness": (
        {one.metric: one.fresh_for for one in GATE.criteria_of(pilot=False) if one.fresh_for != DAY},
        {Metric.ADOPTION: 7 * DAY, Metric.CHAMPION_CONFIDENCE: 7 * DAY, Metric.TRAINING_VALIDATED: 28 * DAY},
    ),
    # GG-08, decision 33
    "decider": (GATE.decider, Function.VP_OPERATIONS),
    "advisers": (GATE.advisers, (Function.CHIEF_DENTAL_OFFICER, Function.IT_LEAD)),
    "input": (GATE.input_business_days, 2),
    "input, reminded": (ladder(GATE.inputs), {"remind": DAY, "no_input": 2 * DAY}),
    "decision": (
        ladder(GATE.decision),
        {"remind": DAY, "warn": 3 * DAY, "overdue": 5 * DAY, "escalate": 5.5 * DAY, "expired": 6 * DAY},
    ),
    # W-06
    "pilot": (
        planned(WAVE.pilot_days),
        {
            "integration_complete": (1, (1,), time(9)),
            "configuration_review": (1, (1,), time(14)),
            "champion_training": (1, (2,), time(9)),
            "staff_training": (1, (3,), time(9)),
            "go_live": (1, (4,), time(8)),
            "stabilisation": (1, (4,), time(13)),
            "check_in_go_live": (1, (4, 5), time(13, 30)),
            "day_two": (1, (5,), time(9)),
            "check_in_daily": (2, (1, 2, 3, 4, 5), time(13, 30)),
            "retrospective": (2, (5,), time(15)),
            "metrics_review": (2, (5,), time(15)),
            "check_in_reduced": (3, (1, 3, 5), time(13, 30)),
            "evaluation": (3, (5,), time(9)),
        },
    ),
    # W-09
    "later waves": (
        planned(WAVE.later_days),
        {
            "champion_training": (1, (2,), time(9)),
            "staff_training": (1, (4,), time(9)),
            "go_live": (2, (2,), time(8)),
            "stabilisation": (2, (2,), time(13)),
            "check_in_daily": (2, (2, 3, 4, 5), time(13, 30)),
            "day_two": (2, (3,), time(9)),
            "check_in_reduced": (3, (1, 3, 5), time(13, 30)),
            "metrics_review": (3, (4,), time(15)),
            "evaluation": (3, (5,), time(9)),
        },
    ),
    # decision 29: champion 4 h, staff 2 h for each role; W-07: check-ins of 15 minutes
    "minutes": (
        {item.item_id: item.minutes for item in (*WAVE.pilot_days, *WAVE.later_days) if item.minutes},
        {
            "champion_training": 240,
            "staff_training": 120,
            "check_in_go_live": 15,
            "check_in_daily": 15,
            "check_in_reduced": 15,
        },
    ),
    "what recurs in an extension": (
        {item.item_id for item in (*WAVE.pilot_days, *WAVE.later_days) if item.recurs},
        {"check_in_reduced", "evaluation"},
    ),
    "check-in": (
        ladder(WAVE.check_in),
        {"remind": HOUR, "backup": 2 * HOUR, "missed": 3.5 * HOUR, "escalate": 20 * HOUR},
    ),
    "backup": (WAVE.backup_after, 2 * HOUR),
    "documents": (ladder(WAVE.document), {"remind": 3 * DAY, "overdue": 4 * DAY}),
    # W-02
    "closing needs": (WAVE.closing_needs, (Artefact.LESSONS_LEARNED, Artefact.PLAYBOOK_UPDATE)),
    "closing": (ladder(WAVE.closing), {"remind": 2 * DAY, "overdue": 4 * DAY, "escalate": 7 * DAY}),
    "a launch held up": (WAVE.launch_patience, 4 * HOUR),
    "search": (WAVE.search_weeks, 52),
    "ids kept": (WAVE.kept_ids, 50),
    "history": (WAVE.history_limit, 4000),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_is_as_decided(name: str) -> None:
    found, decided = NUMBERS[name]
    assert found == decided
