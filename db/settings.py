"""Settings of a rollout: what is wanted centrally and locally, and what was found in use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import RolloutSetting, new_id

State = Literal["wanted", "observed"]


class OfLocation(NamedTuple):
    wanted: dict[str, Any]
    observed: dict[str, Any]
    observed_at: dict[str, datetime]


class Kept(NamedTuple):
    """All settings of a programme, by key."""

    central: dict[str, Any]
    locations: dict[str, OfLocation]

    def of(self, location_id: str) -> OfLocation:
        return self.locations.get(location_id, OfLocation({}, {}, {}))


class Change(NamedTuple):
    program_id: str
    location_id: str | None
    state: State
    by: str
    at: datetime


async def kept(session: AsyncSession, program_id: str) -> Kept:
    found = Kept({}, {})
    for row in await session.exec(select(RolloutSetting).where(col(RolloutSetting.program_id) == program_id)):
        if row.location_id is None:
            found.central[row.key] = row.value
            continue
        place = found.locations.setdefault(row.location_id, OfLocation({}, {}, {}))
        if row.state == "observed":
            place.observed[row.key] = row.value
            place.observed_at[row.key] = row.changed_at
        else:
            place.wanted[row.key] = row.value
    return found


async def put(session: AsyncSession, change: Change, values: Mapping[str, Any]) -> None:
    for key, value in sorted(values.items()):
        changed = {"value": value, "changed_by": change.by, "changed_at": change.at}
        row = {
            "id": new_id(),
            "program_id": change.program_id,
            "location_id": change.location_id,
            "key": key,
            "state": change.state,
            **changed,
        }
        statement = insert(RolloutSetting).values(row)
        await session.exec(statement.on_conflict_do_update(constraint="rollout_setting_once", set_=changed))


async def clear(session: AsyncSession, program_id: str, location_id: str, key: str) -> None:
    """What the location had set; the central value holds again."""
    row = RolloutSetting
    await session.exec(
        delete(row).where(
            col(row.program_id) == program_id,
            col(row.location_id) == location_id,
            col(row.state) == "wanted",
            col(row.key) == key,
        )
    )
