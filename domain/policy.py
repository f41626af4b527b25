"""Policy is data: durations, ladders, prices and limits come from versioned files and are pinned into each process.

An edit never changes a running process: the resolved policy travels in the workflow's input.
"""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from domain.clock import ClockPolicy
from domain.errors import Invalid
from domain.licences import LicencePolicy
from domain.model import Value
from domain.rates import RateRequestPolicy
from domain.review import ReviewPolicy
from domain.rollout.policy import RolloutPolicy
from domain.threads import ThreadPolicy
from domain.visit.policy import VisitPolicy

Cents = Annotated[int, Field(ge=0)]
Percent = Annotated[int, Field(ge=0, le=100)]


class LatePayment(StrEnum):
    """What becomes of a payment that arrives after the link has expired."""

    REFUND = "refund"
    REOPEN = "reopen"


class SpecialistSearch(Value):
    """How a specialist is looked for while none is free: with growing waits, and not for ever (decision 19)."""

    first_wait: timedelta
    longest_wait: timedelta
    patience: timedelta
    """After so long without one the case is given up and refunded."""

    def wait_before(self, tries: int) -> timedelta:
        doublings = min(tries - 1, 16)
        return min(self.first_wait * (1 << doublings), self.longest_wait)


class EConsultPolicy(Value):
    """Every number of an eConsult (spec: parameters, decisions 12 to 19)."""

    version: str
    currency: str = Field(pattern="^[a-z]{3}$")
    network_fee_cents: Cents
    clinician_portion_cents: Cents
    """Default and least portion of the clinician (E-20, decision 16)."""
    payment: ClockPolicy
    turnaround: ClockPolicy
    information: ClockPolicy
    answer: ClockPolicy
    follow_up_window: ClockPolicy
    booking: ClockPolicy
    refund_decision: ClockPolicy
    late_payment: LatePayment
    checkout_lifetime: timedelta
    """At most 24 hours: longer than that no Checkout Session lives."""
    checkout_checks: tuple[timedelta, ...]
    """When the processor is asked about an open session, in case its webhook was lost."""
    max_assignments: int = Field(ge=1)
    search: SpecialistSearch
    state_licence_required: bool
    """Whether only specialists licensed in the patient's state are asked, or they are merely asked first."""
    settlement: ClockPolicy
    """What happens when a payment that is on its way does not arrive."""
    settlement_check_interval: timedelta
    """How often the processor is asked about such a payment."""
    follow_up_horizon: timedelta
    """How far ahead the included visit may be booked."""
    follow_up_patience: timedelta
    """How long after its start a booked follow-up visit is waited for."""
    money_watch: timedelta
    """How long a closed case that was paid stays open for refunds and disputes."""
    unpaid_watch: timedelta
    """How long a case that was never paid stays open for a late payment."""
    old_visit_advice: timedelta
    """Ordering for a visit older than this is allowed with advice (decision 17)."""


class Benchmarks(Value):
    """What outcomes are measured against (E-09), in percent. Reports read them; no process does."""

    improved_care_plan_percent: Percent
    avoided_in_person_percent: Percent


class Policy(Value):
    """All policies in force for processes that start now."""

    econsult: EConsultPolicy
    rate_request: RateRequestPolicy
    visit: VisitPolicy
    message_thread: ThreadPolicy
    licence: LicencePolicy
    credential_event: ReviewPolicy
    conduct_report: ReviewPolicy
    benchmarks: Benchmarks
    rollout: RolloutPolicy


@cache
def load(path: str = "") -> Policy:
    """Read the policy file, or the built-in one.

    Raises `Invalid` (`policy.unreadable`, `policy.invalid`) naming every fault.
    """
    try:
        text = Path(path).read_bytes() if path else _built_in()
    except OSError as error:
        raise Invalid("policy.unreadable", f"the policy file cannot be read: {error.strerror}") from error
    try:
        return Policy.model_validate_json(text, extra="forbid")
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Invalid("policy.invalid", f"the policy file is not valid: {faults}") from error


def _built_in() -> bytes:
    folder = resources.files("domain").joinpath("data/policies")
    sections: dict[str, object] = {}
    for file in folder.iterdir():
        sections |= json.loads(file.read_bytes())
    return json.dumps(sections).encode()
