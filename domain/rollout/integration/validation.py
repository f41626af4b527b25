"""The nine validation cases against a location's TEST twin, and what a run of them says (C-04 to C-13, P-12)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from domain.errors import Refused
from domain.model import Value


class ValidationCase(StrEnum):
    NEW_APPOINTMENT = "new_appointment"
    APPOINTMENT_MODIFIED = "appointment_modified"
    APPOINTMENT_CANCELLED = "appointment_cancelled"
    PHONE_CHANGED = "phone_changed"
    OPT_OUT = "opt_out"
    REMINDER = "reminder"
    CONFIRMATION = "confirmation"
    CALLBACK = "callback"
    CONVERSATION = "conversation"


class ValidationCaseSpec(Value):
    case: ValidationCase
    requirement: str
    title: str
    expected: str


class ValidationPolicy(Value):
    cases: tuple[ValidationCaseSpec, ...]
    latency_limit: timedelta
    """A change must have arrived after so long; exactly so long is in time."""
    poll_every: timedelta = Field(gt=timedelta())
    appointment_ahead: timedelta = Field(gt=timedelta())
    """How far ahead the made-up appointments lie, so that no reminder is due by itself meanwhile."""
    test_name_prefix: str = Field(min_length=1)
    """Of the name of every test location (C-04)."""
    fictional_numbers: str
    """Regular expression: the only numbers that a test location may write to."""
    phone: str
    """Fictional number of the patients that the cases make up; `changed_phone` is the one that it changes to."""
    changed_phone: str

    @model_validator(mode="after")
    def _made_up(self) -> Self:
        if not all(re.fullmatch(self.fictional_numbers, phone) for phone in (self.phone, self.changed_phone)):
            raise ValueError("the patients of the cases have fictional numbers")
        return self


class ValidationResult(Value):
    case: ValidationCase
    passed: bool
    latency_ms: int | None = None
    """From the change in the one system to its arrival in the other; None where nothing arrived or nothing is timed."""
    evidence: tuple[str, ...]
    """Stable codes of what was seen, in order; the last one says why it failed. No patient data."""


class ValidationReport(Value):
    key: str
    """Of the run."""
    began_at: datetime
    ended_at: datetime
    """By the twin's clock, aware UTC."""
    results: tuple[ValidationResult, ...]


def failed_cases(policy: ValidationPolicy, report: ValidationReport) -> tuple[ValidationCase, ...]:
    """Those that did not pass or were not run, in the order of the list."""
    passed = {result.case for result in report.results if result.passed}
    return tuple(spec.case for spec in policy.cases if spec.case not in passed)


def all_passed(policy: ValidationPolicy, report: ValidationReport | None) -> bool:
    return report is not None and not failed_cases(policy, report)


def is_test_name(policy: ValidationPolicy, name: str) -> bool:
    return name.startswith(policy.test_name_prefix) and len(name) > len(policy.test_name_prefix)


def require_test_name(policy: ValidationPolicy, name: str) -> None:
    """C-04. Raises `Refused` (`test_location.name`)."""
    if not is_test_name(policy, name):
        raise Refused(
            "test_location.name",
            f'the name of a test location begins with "{policy.test_name_prefix}"',
            missing=("test_location.prefix",),
        )


def may_message(policy: ValidationPolicy, location_name: str, phone: str) -> None:
    """A test location never reaches a person (C-04). Raises `Refused` (`test_location.real_number`)."""
    if is_test_name(policy, location_name) and not re.fullmatch(policy.fictional_numbers, phone):
        raise Refused("test_location.real_number", "a test location writes to fictional numbers only")
