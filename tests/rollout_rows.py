"""A small programme in the database, for tests of what is measured at its locations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from db.session import Database
from db.tables import CaseState, RolloutLocation, RolloutMember, RolloutProgram, Staff
from domain import names, policy
from domain.actors import Actor
from domain.names import Process
from domain.rollout.people import Function

PROGRAM = "smile"
REGIONS = {"downtown": "north", "uptown": "north", "harbour": "south"}
STARTS_ON = "2026-03-02"
LIVE_AT = datetime(2026, 3, 19, 15, tzinfo=UTC)


@dataclass
class Group:
    """Three locations, everybody of whom is told: nothing runs."""

    database: Database

    @classmethod
    async def found(cls, database: Database, program_id: str = PROGRAM, suffix: str = "") -> Group:
        group = cls(database)
        baseline = policy.load().rollout.baseline.model_dump(mode="json")
        order = {
            "policy": {"version": "test", "baseline": baseline},
            "starts_on": STARTS_ON,
            "spend_cents": 5_000_000,
            "calendar": {"time_zone": "America/Denver"},
        }
        async with database.transaction() as session:
            session.add(
                RolloutProgram(
                    id=program_id, name="Smile", file={}, order=order, ordered_by="it-1", opening_key=program_id
                )
            )
            await session.flush()
            for location_id, region in REGIONS.items():
                session.add(
                    RolloutLocation(
                        location_id=location_id + suffix,
                        program_id=program_id,
                        region=region,
                        time_zone="America/Denver",
                        name=location_id,
                        facts={},
                    )
                )
        return group

    async def hire(
        self, function: Function, subject: str, *, region: str | None = None, location_id: str | None = None
    ) -> str:
        """Id of the member."""
        async with self.database.transaction() as session:
            person = Staff(subject=subject, name=subject, email=f"{subject}@smile.test", time_zone="America/Denver")
            session.add(person)
            await session.flush()
            seat = RolloutMember(
                program_id=PROGRAM,
                staff_id=person.id,
                function=function,
                region=region,
                location_id=location_id,
                changed_by="it-1",
            )
            session.add(seat)
            return seat.id

    async def location(self, location_id: str) -> RolloutLocation:
        async with self.database.transaction() as session:
            return await session.get_one(RolloutLocation, location_id)

    async def stands(self, process: Process, case_id: str, program_id: str = PROGRAM, **snapshot: Any) -> None:
        """Where a process is by the records; only what reports read of it is there."""
        row = CaseState(
            case_id=case_id,
            process=process,
            business_state=str(snapshot.get("business_state", "ANY")),
            sequence=1,
            sla_state="on_time",
            escalation_level=0,
            snapshot={"process": process, "program_id": program_id, **snapshot},
            updated_at=LIVE_AT,
        )
        async with self.database.transaction() as session:
            await session.merge(row)

    async def is_live(self, location_id: str, at: datetime = LIVE_AT, **snapshot: Any) -> None:
        await self.stands(
            Process.LOCATION,
            names.location_case(PROGRAM, location_id),
            **{"location_id": location_id, "live_at": at.isoformat(), "rollbacks": [], **snapshot},
        )


IT = Actor(role="it_lead", id="member-it")

FORECAST: dict[str, Any] = {
    "as_of": "2026-03-20",
    "waves": [],
    "shifts": [],
    "optimization_starts_on": "2026-06-22",
    "optimization_weeks": 4,
    "ends_on": "2026-07-17",
    "weeks_planned": 20,
    "weeks_forecast": 20,
    "overrun": False,
}
"""As the programme's snapshot holds it."""
