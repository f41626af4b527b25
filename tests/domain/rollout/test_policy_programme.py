"""Every number of a programme is the one decided."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from domain import policy
from domain.rollout.news import Clearance
from domain.rollout.people import Function
from domain.rollout.planning.policy import PlanningPolicy
from domain.rollout.programme.policy import Power, ProgrammePolicy
from domain.rollout.tasks import Party

ROLLOUT = policy.load().rollout
RULES: ProgrammePolicy = ROLLOUT.programme
PLANNING: PlanningPolicy = ROLLOUT.planning
TASKS = {spec.task_id: spec for spec in RULES.all_tasks}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("task_id", "party", "first", "last"),
    [
        ("n_06", Party.INTERNAL, None, 1),
        ("n_01", Party.EXECUTIVE, 1, 3),
        ("n_02", Party.EXECUTIVE, 1, 3),
        ("n_03", Party.VENDOR, None, 3),
        ("n_04", Party.VENDOR, None, 5),
        ("n_05", Party.VENDOR, 5, 7),
    ],
)
def test_vendor_onboarding_has_the_days_of_the_playbook(
    task_id: str, party: Party, first: int | None, last: int
) -> None:
    spec = TASKS[task_id]
    assert (spec.party, spec.from_business_day, spec.due_business_day) == (party, first, last)


def test_the_lists_are_whole() -> None:
    numbers = {spec.requirement for spec in RULES.tasks}
    assert {f"N-0{number}" for number in range(1, 8)} <= numbers
    assert {f"H-0{number}" for number in range(1, 10)} <= numbers
    assert {"N-10", "N-11", "T-10"} <= numbers
    assert [point.requirement for point in RULES.compliance] == [f"P-{number:02}" for number in range(1, 11)]
    assert {spec.requirement for spec in RULES.optimization_tasks} == {"Z-04"}


def test_two_or_three_sample_datasets_are_exported() -> None:
    wanted = TASKS["n_10"].locations
    assert wanted is not None
    assert (wanted.least, wanted.most) == (2, 3)


def test_five_approve_always_and_the_board_when_the_spend_is_material() -> None:
    assert [one.function for one in RULES.approvers_for(0)] == [
        Function.CEO_COO,
        Function.CFO,
        Function.CHIEF_DENTAL_OFFICER,
        Function.VP_OPERATIONS,
        Function.GENERAL_COUNSEL,
    ]
    assert RULES.material_spend_cents == 50_000_000
    assert len(RULES.approvers_for(49_999_999)) == 5
    assert RULES.approvers_for(50_000_000)[-1].function is Function.BOARD


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("approvals_due_business_day", 10),
        ("compliance_due_business_day", 10),
        ("pilot_due_business_day", 10),
        ("start_grace", 9 * HOUR),
        ("history_limit", 4000),
        ("kept_act_ids", 100),
        ("reforecasts_kept", 30),
    ],
)
def test_other_numbers(name: str, value: object) -> None:
    assert getattr(RULES, name) == value


def test_a_programme_takes_16_to_20_weeks_and_baselines_8_to_12_hours() -> None:
    assert PLANNING.programme_weeks == (16, 20)
    assert PLANNING.buffer == 7 * DAY
    assert (RULES.baseline_effort_hours.least, RULES.baseline_effort_hours.most) == (8, 12)


def test_clearances_come_from_the_tasks_that_are_named_and_a_wave_needs_all() -> None:
    granted = {spec.task_id: spec.grants for spec in RULES.all_tasks if spec.grants}
    assert granted == {"n_02": Clearance.BAA, "n_05": Clearance.CREDENTIALS, "n_11": Clearance.CONSENT}
    assert all(TASKS[task_id].critical for task_id in granted)
    assert RULES.wave_clearances == frozenset(Clearance)


def milestones(name: str) -> dict[str, timedelta]:
    """After or before the due moment."""
    chase = {
        **{party.value: chase for party, chase in RULES.chases.items()},
        "approval": RULES.approval_chase,
        "compliance": RULES.compliance_chase,
        "pilot": RULES.pilot_chase,
    }[name]
    return {step.name: step.after - chase.lead for step in chase.clock.milestones}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("internal", {"task_due": -DAY, "task_late": 0 * DAY, "task_escalated": 2 * DAY}),
        (
            "vendor",
            {"task_due": -DAY, "task_late": 0 * DAY, "task_escalated_vendor": DAY, "task_escalated": 2 * DAY},
        ),
        ("executive", {"task_due": -DAY, "task_late": 0 * DAY, "task_escalated": DAY}),
        (
            "approval",
            {"approval_wanted": -5 * DAY, "approval_due": -DAY, "approval_late": 0 * DAY, "approval_escalated": DAY},
        ),
        ("compliance", {"compliance_due": -2 * DAY, "compliance_late": 0 * DAY, "compliance_escalated": DAY}),
        (
            "pilot",
            {"pilot_approval_due": -DAY, "pilot_approval_late": 0 * DAY, "pilot_approval_escalated": DAY},
        ),
    ],
)
def test_what_is_owed_is_asked_for_in_steps(name: str, expected: dict[str, timedelta]) -> None:
    assert milestones(name) == expected


def test_only_the_vp_and_the_ceo_resume_or_cancel() -> None:
    executives = {Function.VP_OPERATIONS, Function.CEO_COO}
    assert RULES.authority[Power.RESUME] == RULES.authority[Power.CANCEL] == executives
    assert RULES.authority[Power.HOLD] == RULES.authority[Power.APPROVE_PILOT] == {Function.VP_OPERATIONS}


def test_a_task_may_not_need_one_that_does_not_exist() -> None:
    spoiled = RULES.model_dump()
    spoiled["tasks"][0]["needs"] = ("n_99",)
    with pytest.raises(ValidationError, match="tasks that exist"):
        ProgrammePolicy.model_validate(spoiled)
