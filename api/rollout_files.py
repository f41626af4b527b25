"""Programme files in requests: read, checked, and placed with their plan."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

import program_files
import wave_planner
from api.dependencies import Services
from api.rollout_acting import Member, RolloutActs
from api.schemas.rollouts import PROGRAMME_FILE
from db import programs
from db.programs import Placing
from db.tables import RolloutProgram
from domain.actors import Actor
from domain.errors import Fault, Faulty, Invalid
from domain.rollout.orders import ProgramLocation, RolloutOrder
from domain.rollout.plan import Plan
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import LocationFacts, Programme
from domain.rollout.program_file import Checked
from domain.rollout.program_findings import error
from domain.rollout.workstations import outdated
from program_files import FileFormat

FORMATS = {
    "application/json": FileFormat.JSON,
    "application/yaml": FileFormat.YAML,
    "application/x-yaml": FileFormat.YAML,
    "text/yaml": FileFormat.YAML,
}
_EXAMPLE = {"program_id": "bright-2026", "name": "Bright Dental", "starts_on": "2026-01-05", "locations": []}
TAKES_A_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": PROGRAMME_FILE,
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": _EXAMPLE},
            "application/yaml": {"schema": {"type": "string"}, "example": "program_id: bright-2026\n"},
        },
    }
}
"""For the `openapi_extra=` of a route that reads a programme file."""


async def checked(request: Request, services: Services) -> Checked:
    """The file of a request, with all that is wrong with it, also with what is stored already."""
    found = program_files.read_program(await request.body(), _format(request), services.policy.rollout)
    if found.programme is None:
        return found
    async with services.database.transaction() as session:
        taken = await programs.taken_locations(session, found.programme)
    detail = "a location with this id is in another programme"
    paths = {one.location_id: index for index, one in enumerate(found.programme.locations)}
    codes = [error("program.location_taken", f"locations[{paths[one]}].location_id", detail) for one in sorted(taken)]
    return found.noting(*codes)


async def place(act: RolloutActs, who: Member, found: Checked) -> RolloutProgram:
    """Keep a programme with its plan and its order, once.

    Raises `Faulty` (`program.faulty`) when anything is wrong, `Invalid` (`request.idempotency_key_missing`,
    `request.idempotency_key_reused`), `Conflict` (`programme.exists`, `program.location_taken`) and what the planner
    raises.
    """
    if act.key is None:
        raise Invalid("request.idempotency_key_missing", "placing a programme needs an Idempotency-Key header")
    programme = found.programme
    if programme is None:
        faults = tuple(Fault(one.code, one.path, one.detail) for one in found.errors)
        raise Faulty("program.faulty", "The programme file has errors; nothing was stored.", faults)
    placing = Placing(subject=who.subject, key=act.update_id(who))
    async with act.services.database.transaction() as session:
        placed = await programs.find(session, programme.program_id)
    if placed is not None:
        programs.check_same(placed, programme, placing)
        return placed
    policy = act.services.policy.rollout
    plan = await asyncio.to_thread(wave_planner.plan, programme, policy)
    order = order_of(programme, plan, policy, Actor(role=who.role.value, id=who.subject))
    async with act.services.database.transaction() as session:
        return await programs.place(session, programme, order, placing)


WRITTEN_IN_THE_FILE = "programme_file"
"""Instead of what somebody wrote as a reason: the file is kept, encrypted."""


def order_of(programme: Programme, plan: Plan, policy: RolloutPolicy, ordered_by: Actor) -> RolloutOrder:
    """The workflow's input: without names, contact data and what people wrote."""
    return RolloutOrder(
        program_id=programme.program_id,
        starts_on=programme.starts_on,
        calendar=programme.calendar,
        spend_cents=programme.spend_cents,
        hosting=programme.hosting,
        waivers=tuple(one.model_copy(update={"reason": WRITTEN_IN_THE_FILE}) for one in programme.waivers),
        locations=tuple(_location(one) for one in programme.locations),
        plan=plan,
        policy=policy,
        ordered_by=ordered_by,
    )


def _location(facts: LocationFacts) -> ProgramLocation:
    return ProgramLocation(
        location_id=facts.location_id,
        region=facts.region,
        calendar=facts.calendar,
        practice_system=facts.practice_system,
        outdated_hardware=outdated(facts.workstations),
    )


def _format(request: Request) -> FileFormat:
    """Raises a 415 for another media type."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FORMATS:
        raise HTTPException(415)
    return FORMATS[media_type]
