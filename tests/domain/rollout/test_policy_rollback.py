"""Every number of the triggers and of a rollback is the one decided."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import policy
from domain.clock import ClockPolicy, MilestoneKind
from domain.rollout.people import Function
from domain.rollout.rollback.policy import RollbackPolicy
from domain.rollout.triggers import sync_clock

TRIGGERS = policy.load().rollout.triggers
ROLLBACK = policy.load().rollout.rollback
HOUR = timedelta(hours=1)


def ladder(clock: ClockPolicy) -> dict[str, timedelta]:
    return {milestone.name: milestone.after for milestone in clock.milestones}


NUMBERS: dict[str, tuple[Any, Any]] = {
    # X-01, decision 35
    "share of appointments": (TRIGGERS.sync_failed_percent, Decimal(5)),
    "failing": (TRIGGERS.sync_failing_longer_than, 24 * HOUR),
    "failing, warned": (
        {m.name: m.after for m in TRIGGERS.sync_failing},
        {"sync_failing": 2 * HOUR, "sync_failing_long": 20 * HOUR},
    ),
    "silence": (TRIGGERS.silence_tolerated, 2 * HOUR),
    # X-03, decision 36
    "outage": (TRIGGERS.outage_longer_than, 4 * HOUR),
    "outage, warned": ({m.name: m.after for m in TRIGGERS.outage}, {"outage": HOUR / 2, "outage_long": 3 * HOUR}),
    "resolution": (TRIGGERS.resolution, timedelta(seconds=1)),
    "late telemetry": (TRIGGERS.late_accepted, timedelta(days=7)),
    "incidents kept": (TRIGGERS.incidents_kept, 500),
    #
    "requesters": (set(TRIGGERS.requesters), {Function.PROVIDER, Function.OFFICE_MANAGER}),
    # X-09, decision 37
    "systemic share": (TRIGGERS.systemic_percent, Decimal(25)),
    "systemic number": (TRIGGERS.systemic_locations, 2),
    #
    "immediate": (
        ladder(ROLLBACK.immediate.clock),
        {"immediate_due": HOUR, "immediate_late": 2 * HOUR, "immediate_escalated": 2.5 * HOUR},
    ),
    "short term": (
        ladder(ROLLBACK.short_term.clock),
        {"short_term_due": 18 * HOUR, "short_term_late": 24 * HOUR, "short_term_escalated": 26 * HOUR},
    ),
    "immediate, due": (ROLLBACK.immediate.clock.deadline, 2 * HOUR),
    "short term, due": (ROLLBACK.short_term.clock.deadline, 24 * HOUR),
    #
    "fix": (ladder(ROLLBACK.awaiting.fix), {"fix_reminder": 24 * HOUR, "fix_escalated": 72 * HOUR}),
    "validation": (
        ladder(ROLLBACK.awaiting.validation),
        {"validation_reminder": 24 * HOUR, "validation_escalated": 72 * HOUR},
    ),
    "root cause": (
        ladder(ROLLBACK.awaiting.root_cause),
        {"root_cause_reminder": 24 * HOUR, "root_cause_escalated": 72 * HOUR},
    ),
    "next stage": (ladder(ROLLBACK.awaiting.stage), {"stage_reminder": 24 * HOUR, "stage_escalated": 168 * HOUR}),
    "stages": (
        {stage.percent: stage.watched.deadline for stage in ROLLBACK.stages},
        {25: 24 * HOUR, 50: 24 * HOUR, 100: 48 * HOUR},
    ),
}


@pytest.mark.parametrize(("found", "decided"), NUMBERS.values(), ids=NUMBERS)
def test_is_the_number_decided(found: object, decided: object) -> None:
    assert found == decided


def test_the_steps_of_the_playbook_are_there_in_their_order() -> None:
    """X-05, X-06: what, and whose. Nobody's is the system's."""
    assert [(step.requirement, step.step_id, [str(owner) for owner in step.owners]) for step in ROLLBACK.steps] == [
        ("X-05.1", "central_contacted", ["champion", "backup_champion", "office_manager"]),
        ("X-05.2", "communications_disabled", []),
        ("X-05.3", "manual_workflows", ["office_manager", "champion", "backup_champion"]),
        ("X-05.4", "vendor_notified", ["it_lead", "project_manager"]),
        ("X-06.1", "analysis_started", ["it_lead", "project_manager"]),
        ("X-06.2", "messages_verified", ["office_manager", "champion", "backup_champion"]),
        ("X-06.3", "staff_notified", ["office_manager", "champion", "backup_champion"]),
    ]
    assert (ROLLBACK.immediate.in_order, ROLLBACK.short_term.in_order) == (True, False)


def test_late_steps_reach_the_it_lead_and_then_the_vice_president() -> None:
    for each in (ROLLBACK.immediate.clock, ROLLBACK.short_term.clock):
        told = {m.kind: {notice.audience.value for notice in m.notices} for m in each.milestones}
        assert Function.IT_LEAD in told[MilestoneKind.BREACH]
        assert Function.VP_OPERATIONS in told[MilestoneKind.ESCALATE]


def test_the_last_stage_is_watched_for_longer_than_a_failing_sync_takes_to_roll_back() -> None:
    assert ROLLBACK.stages[-1].watched.deadline > sync_clock(TRIGGERS).deadline


@pytest.mark.parametrize("percents", [[25, 50], [50, 25, 100], [50, 50, 100], []])
def test_refuses_stages_that_do_not_grow_to_the_whole(percents: list[int]) -> None:
    data = ROLLBACK.model_dump(mode="json")
    data["stages"] = [{**data["stages"][0], "percent": percent} for percent in percents]
    with pytest.raises(ValueError, match="stages"):
        RollbackPolicy.model_validate(data)


def test_refuses_two_steps_of_one_name() -> None:
    data = ROLLBACK.model_dump(mode="json")
    data["short_term"]["steps"][0]["step_id"] = "vendor_notified"
    with pytest.raises(ValueError, match="step ids must differ"):
        RollbackPolicy.model_validate(data)
