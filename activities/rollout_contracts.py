"""Typed inputs, results and effects of a rollout's processes; contracts.py has what all processes share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from domain.model import Value
from domain.rollout.moments import LocalMoment
from domain.work_calendar import WorkCalendar


class SwitchComms(Value):
    """How much of a location's communication with patients is switched on: checked before each send (P-01, X-05)."""

    kind: Literal["switch_comms"] = "switch_comms"
    location_id: str
    enabled_percent: int
    reason: str
    """A stable code."""


class MomentsInput(Value):
    local: tuple[LocalMoment, ...]


class MomentsResult(Value):
    moments: tuple[datetime, ...]
    """Aware UTC, in the order asked."""


class BusinessDaysInput(Value):
    """When days of a programme end, by their numbers; the first is 1."""

    starts_on: date
    calendar: WorkCalendar
    numbers: tuple[int, ...]


class BusinessDaysResult(Value):
    ends: tuple[datetime, ...]
    """Aware UTC, in the order asked."""
