"""The dental group of the demo: its programme file, its people, and how they call the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from domain.access import Role
from domain.rollout.people import VENDOR, Function
from embedded.demo.people import Person
from embedded.stage import Stage

EXAMPLE = Path(__file__).parents[3] / "examples" / "dental-group.yaml"
PROGRAM = "example-dental-group"

ROLES = {
    Function.IT_LEAD: Role.SYSTEM_ADMIN,
    Function.COMPLIANCE: Role.SYSTEM_ADMIN,
    Function.PROJECT_MANAGER: Role.SYSTEM_ADMIN,
    Function.REGIONAL_MANAGER: Role.REGIONAL_ADMIN,
    Function.OFFICE_MANAGER: Role.LOCATION_ADMIN,
    Function.CHAMPION: Role.STANDARD_USER,
    Function.BACKUP_CHAMPION: Role.STANDARD_USER,
    Function.PROVIDER: Role.STANDARD_USER,
    Function.FRONT_DESK: Role.STANDARD_USER,
    **dict.fromkeys(VENDOR, Role.VENDOR),
}
"""Of their tokens; executives are the rest."""


@dataclass
class Group:
    """Everything goes through the API, as its people would do it."""

    stage: Stage
    file: dict[str, Any]
    members: dict[str, str] = field(default_factory=dict)
    """Ids of memberships, by the person's key."""
    reported: dict[str, datetime] = field(default_factory=dict)
    """When each location's champion last reported its adoption."""
    measured: dict[str, datetime] = field(default_factory=dict)
    """Up to when each location's telemetry was reported."""
    keys: count[int] = field(default_factory=count)

    @property
    def now(self) -> datetime:
        return self.stage.rehearsal.clock.now

    @property
    def monday(self) -> date:
        """Day 1."""
        return date.fromisoformat(self.file["starts_on"])

    @property
    def locations(self) -> dict[str, dict[str, Any]]:
        return {one["location_id"]: one for one in self.file["locations"]}

    def who(self, function: str, location_id: str | None = None) -> Person:
        """Whoever has this function, for the location where the function has a place."""
        region = self.locations[location_id]["region"] if location_id else None
        places: tuple[dict[str, str | None], ...] = ({}, {"region": region}, {"location_id": location_id})
        for person in self.file["people"]:
            place = {name: person[name] for name in ("region", "location_id") if name in person}
            if person["function"] == function and place in places:
                return Person(person["subject"], ROLES.get(Function(function), Role.EXECUTIVE))
        raise LookupError(f"nobody is {function} of {location_id}")

    async def call(self, person: Person, method: str, path: str, **request: Any) -> Any:
        """The answer's body. Raises RuntimeError for whatever is refused."""
        answer = await self.send(person, method, path, **request)
        if answer.is_error:
            raise RuntimeError(f"{method} {path} as {person.subject}: {answer.status_code} {answer.text}")
        return answer.json()

    async def post(self, person: Person, path: str, **body: Any) -> Any:
        return await self.call(person, "POST", path, json=body)

    async def read(self, path: str, person: Person | None = None) -> Any:
        return await self.call(person or self.who("vp_operations"), "GET", path)

    async def send(self, person: Person, method: str, path: str, **request: Any) -> Any:
        """Each request has a key of its own; nobody waits for letters."""
        token = self.stage.issuer.token(person.subject, [person.role])
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": f"demo-{next(self.keys)}",
            **request.pop("headers", {}),
        }
        return await self.stage.http.request(method, path, headers=headers, **request)

    async def until(self, moment: datetime) -> None:
        """Let time pass, and letters go out."""
        await self.stage.advance(max(moment - self.now, timedelta()))

    def day(self, week: int, weekday: int, hour: int = 18) -> datetime:
        """Of the programme: its first week is 1, Monday is 1; the hour is UTC."""
        on = self.monday + timedelta(weeks=week - 1, days=weekday - 1)
        return datetime(on.year, on.month, on.day, hour, tzinfo=UTC)


def programme_from(path: Path, now: datetime) -> dict[str, Any]:
    """The example file, with day 1 moved to the second Monday from now, and every other date with it."""
    file: dict[str, Any] = yaml.safe_load(path.read_text())
    monday = now.date() + timedelta(days=14 - now.weekday())
    moved_by = monday - file["starts_on"]
    calendars = [file["calendar"], *file["locations"]]
    for one in calendars:
        one["holidays"] = [(day + moved_by).isoformat() for day in one.get("holidays", [])]
    file["starts_on"] = monday.isoformat()
    return file
