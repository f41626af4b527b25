"""A small programme behind the API, with somebody of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from domain.access import Role
from domain.rollout.people import Function
from tests.api.front import Front
from tests.domain.rollout.groups import location
from tests.rollout_rows import Group


@dataclass
class Staffed:
    group: Group
    front: Front
    vendor: httpx.AsyncClient
    it: httpx.AsyncClient
    vp: httpx.AsyncClient
    regional: httpx.AsyncClient
    """Of the north: downtown and uptown."""
    champion: httpx.AsyncClient
    """Of downtown."""
    desk: httpx.AsyncClient
    """Of downtown."""
    members: dict[str, str]


@pytest.fixture
async def staffed(front: Front) -> Staffed:
    group = await Group.found(front.database)
    hired: tuple[tuple[Function, str, dict[str, str]], ...] = (
        (Function.VENDOR_TECHNICAL_SPECIALIST, "vendor", {}),
        (Function.IT_LEAD, "it", {}),
        (Function.VP_OPERATIONS, "vp", {}),
        (Function.REGIONAL_MANAGER, "regional", {"region": "north"}),
        (Function.CHAMPION, "champion", {"location_id": "downtown"}),
        (Function.FRONT_DESK, "desk", {"location_id": "downtown"}),
    )
    members = {subject: await group.hire(function, subject, **where) for function, subject, where in hired}
    return Staffed(
        group,
        front,
        front.as_("vendor", Role.VENDOR),
        front.as_("it", Role.SYSTEM_ADMIN),
        front.as_("vp", Role.EXECUTIVE),
        front.as_("regional", Role.REGIONAL_ADMIN),
        front.as_("champion", Role.LOCATION_ADMIN),
        front.as_("desk", Role.STANDARD_USER),
        members,
    )


@pytest.fixture
def facts() -> dict[str, Any]:
    """Of downtown, as surveyed; in Denver."""
    return location(time_zone="America/Denver").model_dump(mode="json")
