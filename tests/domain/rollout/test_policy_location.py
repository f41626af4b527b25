"""Every number of a location is the one decided."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from domain import policy
from domain.clock import ClockPolicy
from domain.rollout.news import Clearance
from domain.rollout.people import Function
from domain.rollout.tasks import Party

LOCATION = policy.load().rollout.location
DAY = timedelta(days=1)


def test_the_minimums_are_those_of_the_playbook() -> None:
    """T-02, T-03."""
    minimums = LOCATION.minimums
    assert (minimums.down_mbps, minimums.up_mbps, minimums.memory_gb) == (Decimal(25), Decimal(10), 8)
    assert (minimums.windows, minimums.macos) == (("10", "11"), "10.15")


def test_the_checklist_is_that_of_the_playbook() -> None:
    found = {spec.requirement: (spec.task_id, spec.due_business_day, spec.critical) for spec in LOCATION.tasks}
    assert found == {
        "T-02": ("workstations", 5, False),
        "T-03": ("internet", 5, True),
        "T-05": ("practice_system", 3, False),
        "T-06": ("practice_system_version", 5, True),
        "T-07": ("browsers", 8, False),
        "T-08": ("firewall", 8, False),
        "T-09": ("vendor_addresses", 10, False),
        "N-08": ("practice_system_credentials", 8, False),
        "N-09": ("data_schema", 10, True),
        "N-12": ("data_hygiene", 10, False),
        "H-02": ("private_network", 10, False),
        "H-03": ("dns", 10, False),
    }
    assert (LOCATION.hardware_upgrade.requirement, LOCATION.hardware_upgrade.critical) == ("T-04", True)
    assert LOCATION.measured_task == "internet"
    assert LOCATION.version_task == "practice_system_version"


def test_every_clearance_of_the_programme_is_needed() -> None:
    assert set(LOCATION.go_live_clearances) == set(Clearance)


@pytest.mark.parametrize(
    ("clock", "days"),
    [
        (LOCATION.chases[Party.INTERNAL].clock, [0, 2, 5]),
        (LOCATION.chases[Party.VENDOR].clock, [0, 2, 5]),
        (LOCATION.chases[Party.EXECUTIVE].clock, [0, 2, 5]),
        (LOCATION.integration_step, [1, 3, 5]),
        (LOCATION.baseline, [0, 6, 7, 9]),
        (LOCATION.go_live, [0, 1]),
    ],
)
def test_the_clocks(clock: ClockPolicy, days: list[int]) -> None:
    assert [milestone.after for milestone in clock.milestones] == [each * DAY for each in days]


def test_the_durations() -> None:
    assert {chase.lead for chase in LOCATION.chases.values()} == {2 * DAY}
    assert LOCATION.baseline_lead == 7 * DAY
    assert LOCATION.baseline_before_go_live == 7 * DAY, "B-13"
    assert LOCATION.undated_before_go_live == 7 * DAY
    assert LOCATION.history_limit == 1500
    assert LOCATION.kept_ids == 50


def test_the_breach_of_a_chase_is_the_due_day() -> None:
    for chase in LOCATION.chases.values():
        assert chase.clock.deadline == chase.lead
    assert LOCATION.baseline.deadline == LOCATION.baseline_lead


def test_the_owner_hears_of_every_milestone_of_their_task() -> None:
    clock = LOCATION.chases[Party.VENDOR].of("task:x", Function.VENDOR_SUPPORT)
    assert clock.name == "task:x"
    assert all(milestone.notices[0].audience == "vendor_support" for milestone in clock.milestones)
    assert ("vendor_account_manager", "rollout_vendor_task_late") in {
        (notice.audience, notice.template) for notice in clock.milestones[1].notices
    }
