"""The numbers and lists of the integration as decided (I, C, D; parameters)."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from domain.clock import MilestoneKind
from domain.rollout.integration.policy import Operation, StepKind
from domain.rollout.program import PracticeSystemName
from domain.rollout.tasks import Party
from tests.domain.rollout.integrations import POLICY

DENTRIX, EAGLESOFT, OPEN_DENTAL = (
    PracticeSystemName.DENTRIX,
    PracticeSystemName.EAGLESOFT,
    PracticeSystemName.OPEN_DENTAL,
)
IT, IT_AND_VENDOR = ("it_lead",), ("it_lead", "vendor_technical_specialist")
VENDOR = ("vendor_account_manager", "vendor_technical_specialist")

STEPS = {
    DENTRIX: [
        ("request_package", Party.VENDOR, None, VENDOR, False),
        ("install_connector", Party.INTERNAL, 30, IT_AND_VENDOR, False),
        ("configure_credentials", Party.INTERNAL, 15, IT, False),
        ("map_fields", Party.INTERNAL, 45, IT_AND_VENDOR, False),
        ("validate_two_way_sync", Party.INTERNAL, 30, IT, True),
        ("validate_patient_data", Party.INTERNAL, 60, IT, True),
        ("enable_and_monitor", Party.INTERNAL, 24 * 60, IT, False),
        ("sign_off", Party.INTERNAL, 15, ("it_lead", "office_manager"), False),
    ],
    EAGLESOFT: [
        ("confirm_api_licence", Party.VENDOR, None, IT, False),
        ("request_credentials", Party.VENDOR, None, VENDOR, False),
        ("configure_odbc", Party.INTERNAL, 45, IT, False),
        ("test_connection", Party.INTERNAL, 30, IT, True),
        ("map_fields", Party.INTERNAL, 45, IT_AND_VENDOR, False),
        ("test_batch", Party.INTERNAL, 30, IT, False),
        ("validate_appointments", Party.INTERNAL, 60, IT, False),
        ("enable_sync", Party.INTERNAL, 15, IT, False),
    ],
    OPEN_DENTAL: [
        ("generate_api_key", Party.INTERNAL, 15, IT, False),
        ("enter_api_key", Party.INTERNAL, 10, IT, False),
        ("validate_connection", Party.VENDOR, None, VENDOR, False),
        ("map_fields", Party.INTERNAL, 30, IT_AND_VENDOR, False),
        ("test_appointments", Party.INTERNAL, 45, IT, False),
        ("test_patients", Party.INTERNAL, 30, IT, False),
        ("enable_sync", Party.INTERNAL, 15, IT, False),
    ],
}


@pytest.mark.parametrize("system", STEPS)
def test_each_practice_system_has_the_steps_of_the_playbook(system: PracticeSystemName) -> None:
    found = [
        (step.step_id, step.party, step.minutes, step.owners, step.critical) for step in POLICY.machine(system).steps
    ]
    assert found == STEPS[system]


def test_no_other_system_has_any() -> None:
    assert set(POLICY.machines) == set(STEPS)


@pytest.mark.parametrize(
    ("system", "version", "prerequisites", "optional"),
    [
        (DENTRIX, "G7.3", {"server_reachable", "administrative_credentials"}, set()),
        (EAGLESOFT, "21", {"sql_server_access", "api_licence"}, set()),
        (OPEN_DENTAL, "22.1", set(), {"mysql_access"}),
    ],
)
def test_versions_and_prerequisites(
    system: PracticeSystemName, version: str, prerequisites: set[str], optional: set[str]
) -> None:
    machine = POLICY.machine(system)
    assert machine.minimum_version == version
    assert machine.prerequisites == prerequisites
    assert machine.optional_prerequisites == optional


@pytest.mark.parametrize(
    ("system", "step_id", "size", "operations"),
    [
        (DENTRIX, "validate_patient_data", 50, set()),
        (EAGLESOFT, "test_batch", 100, set()),
        (OPEN_DENTAL, "test_appointments", 3, set(Operation)),
    ],
)
def test_samples(system: PracticeSystemName, step_id: str, size: int, operations: set[Operation]) -> None:
    samples = {step.step_id: step.sample for step in POLICY.machine(system).steps if step.sample}
    assert set(samples) == {step_id}
    assert samples[step_id].size == size
    assert samples[step_id].operations == operations


def test_one_step_is_watched_and_one_is_signed() -> None:
    special = {
        (system, step.step_id): step.kind
        for system, machine in POLICY.machines.items()
        for step in machine.steps
        if step.kind in (StepKind.MONITOR, StepKind.SIGN_OFF)
    }
    assert special == {
        (DENTRIX, "enable_and_monitor"): StepKind.MONITOR,
        (DENTRIX, "sign_off"): StepKind.SIGN_OFF,
    }


def test_the_sync_is_watched_for_24_hours() -> None:
    (ends,) = POLICY.monitor.milestones
    assert (POLICY.monitor.name, ends.kind, ends.after) == (
        "integration_monitor",
        MilestoneKind.END,
        timedelta(hours=24),
    )


def test_the_nine_cases_are_c_05_to_c_13() -> None:
    assert [(spec.requirement, spec.case) for spec in POLICY.validation.cases] == [
        ("C-05", "new_appointment"),
        ("C-06", "appointment_modified"),
        ("C-07", "appointment_cancelled"),
        ("C-08", "phone_changed"),
        ("C-09", "opt_out"),
        ("C-10", "reminder"),
        ("C-11", "confirmation"),
        ("C-12", "callback"),
        ("C-13", "conversation"),
    ]


def test_the_numbers_of_the_validation() -> None:
    validation = POLICY.validation
    assert validation.latency_limit == timedelta(minutes=5)
    assert validation.poll_every == timedelta(seconds=5)
    assert validation.appointment_ahead == timedelta(days=7)
    assert validation.test_name_prefix == "TEST - "
    assert POLICY.validation_patience == timedelta(hours=2)


def test_the_test_environment_is_c_01_to_c_04() -> None:
    assert [(task.requirement, task.task_id, task.party, task.needs) for task in POLICY.test_environment] == [
        ("C-01", "test_instance", Party.VENDOR, ()),
        ("C-02", "test_clone", Party.INTERNAL, ("test_instance",)),
        ("C-03", "test_anonymised", Party.INTERNAL, ("test_clone",)),
        ("C-04", "test_named", Party.INTERNAL, ("test_instance",)),
    ]
    assert POLICY.naming_task == "test_named"


def test_the_numbers_of_the_migration() -> None:
    migration = POLICY.migration
    assert (migration.patients_years, migration.appointments_years) == (2, 1)
    assert (migration.hours_from, migration.hours_to) == (4, 8)
    assert migration.allowed_faults == 0
    low = migration.low_activity
    assert low.weekend == {6, 7}
    assert (low.evening_from, low.evening_until) == (time(18), time(6))
