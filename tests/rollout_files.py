"""A programme file of a dental group in which nothing is wrong, for tests to spoil or to place."""

from __future__ import annotations

from typing import Any

from db import programs
from db.programs import Placing
from db.session import Database
from domain.actors import Actor
from domain.rollout.orders import RolloutOrder
from domain.rollout.people import VENDOR, Function
from domain.rollout.plan import Plan
from domain.rollout.program import LocationFacts, Programme
from tests.domain.rollout.groups import POLICY, group, programme

CENTRAL = (
    Function.PROJECT_MANAGER,
    Function.CEO_COO,
    Function.CFO,
    Function.CHIEF_DENTAL_OFFICER,
    Function.VP_OPERATIONS,
    Function.GENERAL_COUNSEL,
    Function.BOARD,
    Function.COMPLIANCE,
    Function.IT_LEAD,
    *VENDOR,
)
LOCAL = (Function.OFFICE_MANAGER, Function.CHAMPION, Function.BACKUP_CHAMPION, Function.PROVIDER)


def subject(function: Function, place: str = "") -> str:
    """`sub` of their tokens."""
    return f"oidc|{key(function, place)}"


def key(function: Function, place: str = "") -> str:
    return "-".join(part.replace("_", "-") for part in (function.value, place) if part)


def person(function: Function, **place: str) -> dict[str, Any]:
    name = key(function, "".join(place.values()))
    return {
        "key": name,
        "function": function.value,
        "name": f"Marked {name}",
        "email": f"{name}@group.example",
        "subject": f"oidc|{name}",
        **place,
    }


def people(*locations: LocationFacts) -> list[dict[str, Any]]:
    regions = sorted({one.region for one in locations})
    return [
        *(person(function) for function in CENTRAL),
        *(person(Function.REGIONAL_MANAGER, region=region) for region in regions),
        *(person(function, location_id=one.location_id) for one in locations for function in LOCAL),
    ]


def file(number: int = 15, program_id: str = "bright", prefix: str = "", **changed: Any) -> dict[str, Any]:
    """The file as JSON. `prefix` makes ids of locations that no other programme has."""
    places = tuple(one.model_copy(update={"location_id": prefix + one.location_id}) for one in group(number))
    data = programme(*places, program_id=program_id).model_dump(mode="json")
    return data | {"people": people(*places)} | changed


async def place(database: Database, placed: Programme) -> None:
    """With all its people and locations, but without waves; its process does not start."""
    day = placed.starts_on
    order = RolloutOrder(
        program_id=placed.program_id,
        starts_on=day,
        calendar=placed.calendar,
        spend_cents=placed.spend_cents,
        locations=(),
        plan=Plan(waves=(), optimization_starts_on=day, ends_on=day, last_week=20),
        policy=POLICY,
        ordered_by=Actor(role="executive", id="e"),
    )
    async with database.transaction() as session:
        await programs.place(session, placed, order, Placing("e", placed.program_id))
