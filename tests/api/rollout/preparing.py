"""A location that is being prepared over HTTP: it runs, and everybody who prepares it has a seat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.session import Database
from db.tables import RolloutLocation, RolloutProgram
from domain import names, policy
from domain.access import Role
from domain.names import TaskQueue
from domain.rollout.location import rules
from domain.rollout.location.state import LocationState
from domain.rollout.orders import LocationOrder
from domain.rollout.people import Function
from domain.rollout.tasks import TaskState, TaskStatus
from tests.domain.rollout.groups import location
from tests.domain.rollout.locations import IT as IT_ACTOR
from tests.domain.rollout.locations import location_order
from tests.house import House, Person, open_house
from tests.rollout_rows import PROGRAM, Group
from workflows.rollout.location import Location

IT_LEAD = Person("it-1", Role.SYSTEM_ADMIN)
VENDOR = Person("vendor-1", Role.VENDOR)
MANAGER = Person("manager-1", Role.LOCATION_ADMIN)
REGIONAL = Person("regional-1", Role.REGIONAL_ADMIN)
CHAMPION = Person("champion-1", Role.STANDARD_USER)
BACKUP = Person("backup-1", Role.STANDARD_USER)
DENTIST = Person("cdo-1", Role.EXECUTIVE)
ELSEWHERE = Person("manager-2", Role.LOCATION_ADMIN)
STRANGER = Person("stranger-1", Role.SYSTEM_ADMIN)

SEATS: tuple[tuple[Person, Function, dict[str, str]], ...] = (
    (IT_LEAD, Function.IT_LEAD, {}),
    (VENDOR, Function.VENDOR_CUSTOMER_SUCCESS, {}),
    (MANAGER, Function.OFFICE_MANAGER, {"location_id": "downtown"}),
    (REGIONAL, Function.REGIONAL_MANAGER, {"region": "north"}),
    (CHAMPION, Function.CHAMPION, {"location_id": "downtown"}),
    (BACKUP, Function.BACKUP_CHAMPION, {"location_id": "downtown"}),
    (DENTIST, Function.CHIEF_DENTAL_OFFICER, {}),
    (ELSEWHERE, Function.OFFICE_MANAGER, {"location_id": "harbour"}),
)
SCORES = {"technical_comfort": 4, "peer_influence": 5, "availability": 3, "communication": 4, "tenure": 5}


@dataclass
class Preparing:
    house: House
    members: dict[str, str] = field(default_factory=dict)
    """Ids, by subject."""

    async def nominate(self, slot: str = "primary", person: Person = CHAMPION, **changes: Any) -> dict[str, Any]:
        nomination: dict[str, Any] = {"scores": SCORES, "tenure_months": 30, **changes}
        member_id = self.members[person.subject]
        return await self.house.post(
            MANAGER, "/locations/downtown/training/champions", slot=slot, member_id=member_id, **nomination
        )

    async def certify(self, slot: str = "primary", person: Person = CHAMPION, percent: str = "90") -> dict[str, Any]:
        at = f"/locations/downtown/training/champions/{slot}"
        for step, by in (("e_learning", person), ("live_training", VENDOR), ("practice", person)):
            await self.house.post(by, f"{at}/certification", step=step)
        return await self.house.post(VENDOR, f"{at}/quiz", percent=percent)


@asynccontextmanager
async def preparing(
    database: Database, data_keys: str, tmp_path: Path, *, tested: bool = True, live: bool = False
) -> AsyncIterator[Preparing]:
    """`tested`: with its test environment; `live`: launched already."""
    async with open_house(database, data_keys, tmp_path) as house:
        group = await Group.found(database)
        found = Preparing(house)
        for person, function, place in SEATS:
            found.members[person.subject] = await group.hire(function, person.subject, **place)
        await _survey(database)
        world = house.stage.rehearsal
        now = await world.env.get_current_time()
        order = location_order(now, program_id=PROGRAM)
        state = LocationState(
            planned=order.planned,
            news=order.news,
            preparing_since=now,
            tasks=_tasks(order, tested=tested),
            live_at=now if live else None,
            comms_percent=100 if live else 0,
        )
        await world.client.start_workflow(
            Location.run,
            order.model_copy(update={"carried": state}),
            id=names.location_case(PROGRAM, "downtown"),
            task_queue=TaskQueue.ROLLOUTS,
        )
        yield found


def _tasks(order: LocationOrder, *, tested: bool) -> dict[str, TaskState]:
    done = TaskState(status=TaskStatus.DONE, by=IT_ACTOR, evidence_id="evidence-1")
    instance = order.integration.test_environment[0].task_id
    there = {spec.task_id for spec in order.integration.test_environment} if tested else {instance}
    return {spec.task_id: done if spec.task_id in there else TaskState() for spec in rules.checklist(order)}


async def _survey(database: Database) -> None:
    """The programme's policy, and the facts about the location."""
    async with database.transaction() as session:
        program = await session.get_one(RolloutProgram, PROGRAM)
        program.order = {**program.order, "policy": policy.load().rollout.model_dump(mode="json")}
        row = await session.get_one(RolloutLocation, "downtown")
        row.facts = location(time_zone="America/Denver").model_dump(mode="json")
