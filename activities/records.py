"""Recording what happened: one step of a case with everything that belongs to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.contracts import ChooseSpecialistInput, ChooseSpecialistResult, RecordStepInput
from activities.ports import CaseRecords, SpecialistNetwork


class RecordActivities:
    def __init__(self, records: CaseRecords, network: SpecialistNetwork, *, real_time: bool = True) -> None:
        """Without `real_time` a workflow's time moves only when it is told to, and nothing takes any."""
        self._real_time = real_time
        self._records = records
        self._network = network

    @activity.defn
    async def record_step(self, step: RecordStepInput) -> int | None:
        """Write the step, once: a repeat of (case, sequence) changes nothing.

        The answer is how many milliseconds that took, the waiting included; None on simulated time.
        """
        await self._records.record(step)
        if not self._real_time:
            return None
        return (datetime.now(UTC) - activity.info().scheduled_time) // timedelta(milliseconds=1)

    @activity.defn
    async def choose_specialist(self, case: ChooseSpecialistInput) -> ChooseSpecialistResult:
        """Find a specialist for the case; none is an answer."""
        return ChooseSpecialistResult(specialist_id=await self._network.choose(case))
