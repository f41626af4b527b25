"""The numbers and lists of the training as decided (L, Z-03, decisions 20, 29, 40; parameters)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from domain import policy
from domain.clock import ClockPolicy
from domain.rollout.training.policy import CertificationStep, Criterion, RoleGroup

POLICY = policy.load().rollout.training
DAY = timedelta(days=1)


def test_the_weights_of_the_champion() -> None:
    assert POLICY.champion.weights == {
        Criterion.TECHNICAL_COMFORT: 25,
        Criterion.PEER_INFLUENCE: 25,
        Criterion.AVAILABILITY: 20,
        Criterion.COMMUNICATION: 15,
        Criterion.TENURE: 15,
    }


def test_the_scale_of_the_champion() -> None:
    champion = POLICY.champion
    assert (champion.lowest, champion.highest, champion.advised_minimum) == (1, 5, Decimal("3.0"))
    assert champion.preferred_tenure_months == 6


def test_the_steps_of_the_certification() -> None:
    assert [(spec.step, spec.minutes) for spec in POLICY.certification.steps] == [
        (CertificationStep.E_LEARNING, 60),
        (CertificationStep.LIVE_TRAINING, 60),
        (CertificationStep.PRACTICE, 30),
        (CertificationStep.QUIZ, 15),
        (CertificationStep.RESOURCE_KIT, None),
    ]
    assert POLICY.certification.quiz_pass_above_percent == 80


def test_two_hours_of_it_are_led_by_the_vendor_and_all_of_it_fits_into_the_block() -> None:
    steps = POLICY.certification.steps
    assert sum(spec.minutes or 0 for spec in steps if spec.vendor_led) == 120
    assert sum(spec.minutes or 0 for spec in steps) == 165
    assert POLICY.champion_block == timedelta(hours=4)
    assert POLICY.staff_block == timedelta(hours=2)


@pytest.mark.parametrize(
    ("group", "minutes", "total"),
    [
        (RoleGroup.FRONT_DESK, [15, 20, 25, 15, 10, 5], 90),
        (RoleGroup.PROVIDERS, [10, 15, 10, 10], 45),
        (RoleGroup.CLINICAL_STAFF, [10, 10, 10, 5], 35),
        (RoleGroup.OFFICE_MANAGERS, [15, 25, 20, 15, 15], 90),
    ],
)
def test_the_modules_of_each_role_group(group: RoleGroup, minutes: list[int], total: int) -> None:
    course = POLICY.course(group)
    assert [module.minutes for module in course.modules] == minutes
    assert course.minutes == total


def test_each_role_group_has_a_course() -> None:
    assert [course.group for course in POLICY.courses] == list(RoleGroup)


def milestones(clock: ClockPolicy) -> dict[str, tuple[timedelta, set[str]]]:
    return {step.name: (step.after, {str(notice.audience) for notice in step.notices}) for step in clock.milestones}


def test_a_new_hire_is_trained_within_a_week() -> None:
    assert POLICY.new_hire.deadline == 7 * DAY
    assert POLICY.new_hire.may_breach
    assert milestones(POLICY.new_hire) == {
        "new_hire_due": (5 * DAY, {"champion"}),
        "new_hire_late": (7 * DAY, {"champion", "office_manager"}),
        "new_hire_late_region": (9 * DAY, {"regional_manager"}),
    }


def test_adoption_is_reported_weekly_and_a_silent_champion_is_relieved() -> None:
    assert POLICY.adoption_report.deadline == 7 * DAY
    assert milestones(POLICY.adoption_report) == {
        "adoption_report_due": (6 * DAY, {"champion"}),
        "adoption_report_late": (7 * DAY, {"champion", "backup_champion"}),
        "champion_silent": (9 * DAY, {"backup_champion", "regional_manager"}),
    }
    assert POLICY.takeover == "champion_silent"


def test_clocks_go_by_the_names_that_the_process_looks_them_up_by() -> None:
    assert (POLICY.new_hire.name, POLICY.adoption_report.name) == ("new_hire", "adoption_report")


def test_what_staff_and_providers_are_told() -> None:
    assert len(POLICY.resistance) == 3
    assert POLICY.provider_messages[-1] == "No-shows and last-minute cancellations should fall"
