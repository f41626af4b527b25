"""A programme for tests: its order and a plan, with as many locations as wanted."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain import policy
from domain.actors import Actor
from domain.rollout.orders import ProgramLocation, RolloutOrder
from domain.rollout.people import Function
from domain.rollout.planning.dates import whole
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import PracticeSystem, PracticeSystemName
from domain.work_calendar import WorkCalendar
from tests.domain.rollout.groups import CALENDAR, HOURS

ZONES = ("America/Chicago", "America/Denver", "America/New_York")
REGIONS = ("middle", "mountain", "coast")
SIZES = (3, 8, 12)
PROGRAM = "smile"


def member(function: Function | str, number: int = 1) -> Actor:
    return Actor(role=str(function), id=f"{function}-{number}")


VP = member(Function.VP_OPERATIONS)
PM = member(Function.PROJECT_MANAGER)
CEO = member(Function.CEO_COO)


def place(number: int, **changed: Any) -> ProgramLocation:
    fields: dict[str, Any] = {
        "location_id": f"l-{number:02}",
        "region": REGIONS[number % 3],
        "calendar": WorkCalendar(time_zone=ZONES[number % 3], hours=HOURS),
        "practice_system": PracticeSystem(name=PracticeSystemName.DENTRIX, version="G7.5"),
        "outdated_hardware": False,
    }
    return ProgramLocation(**fields | changed)


def groups(ids: tuple[str, ...], sizes: tuple[int, ...] = SIZES) -> tuple[tuple[str, ...], ...]:
    """Filled from the first wave on; what is left is the last wave's."""
    found, left = [], ids
    for size in sizes:
        if left:
            found.append(left[:size])
            left = left[size:]
    return (*found, left) if left else tuple(found)


def rollout(
    locations: int = 30,
    starts_on: date = date(2026, 1, 5),
    *,
    rules: RolloutPolicy | None = None,
    calendar: WorkCalendar = CALENDAR,
    **changed: Any,
) -> RolloutOrder:
    """Thirty of them end in week 20 (decision 21)."""
    rules = rules or policy.load().rollout
    places = tuple(place(number) for number in range(1, locations + 1))
    ids = tuple(one.location_id for one in places)
    fields: dict[str, Any] = {
        "program_id": PROGRAM,
        "starts_on": starts_on,
        "calendar": calendar,
        "spend_cents": 10_000_000,
        "locations": places,
        "plan": whole(groups(ids), starts_on, calendar, rules.planning),
        "policy": rules,
        "ordered_by": PM,
    }
    return RolloutOrder(**fields | changed)
