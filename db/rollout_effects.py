"""What steps of a rollout bring with them."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import RecordStepInput
from activities.rollout_contracts import SwitchComms
from db.tables import LocationComms
from domain.rollout.snapshot import RolloutCaseSnapshot


async def switch_comms(session: AsyncSession, step: RecordStepInput, effect: SwitchComms) -> None:
    """The settings of the location's single capabilities and channels stay as they are."""
    if not isinstance(step.snapshot, RolloutCaseSnapshot):
        raise TypeError(f"a step of {step.process} switches no communication")
    switch = {"enabled_percent": effect.enabled_percent, "reason": effect.reason, "since": step.at}
    row = {"location_id": effect.location_id, "program_id": step.snapshot.program_id, **switch}
    await session.exec(
        insert(LocationComms).values(row).on_conflict_do_update(index_elements=["location_id"], set_=switch)
    )
