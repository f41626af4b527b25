"""The policy that a programme was started with: its reports go by the same numbers as its processes."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.members import unknown_programme
from db.tables import RolloutProgram
from domain.rollout.baseline import BaselinePolicy


class Pinned(NamedTuple):
    """Of a programme's order, what telemetry and reports need."""

    baseline: BaselinePolicy
    starts_on: date
    spend_cents: int
    time_zone: str
    """Of the central team."""


async def policy_of(session: AsyncSession, program_id: str) -> Pinned:
    """Raises `NotFound` (`programme.unknown`)."""
    order = col(RolloutProgram.order)
    columns = (
        order["policy"]["baseline"],
        order["starts_on"].astext,
        order["spend_cents"].as_integer(),
        order["calendar"]["time_zone"].astext,
    )
    found = (await session.exec(select(*columns).where(col(RolloutProgram.id) == program_id))).first()
    if found is None:
        raise unknown_programme()
    baseline, starts_on, spend_cents, time_zone = found
    return Pinned(BaselinePolicy.model_validate(baseline), date.fromisoformat(starts_on), spend_cents, time_zone)
