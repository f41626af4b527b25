"""Recording what happened: one step of a case with everything that belongs to it."""

from __future__ import annotations

from temporalio import activity

from activities.contracts import ChooseSpecialistInput, ChooseSpecialistResult, RecordStepInput
from activities.ports import CaseRecords, SpecialistNetwork


class RecordActivities:
    def __init__(self, records: CaseRecords, network: SpecialistNetwork) -> None:
        self._records = records
        self._network = network

    @activity.defn
    async def record_step(self, step: RecordStepInput) -> None:
        """Write the step, once: a repeat of (case, sequence) changes nothing."""
        await self._records.record(step)

    @activity.defn
    async def choose_specialist(self, case: ChooseSpecialistInput) -> ChooseSpecialistResult:
        """Find a specialist for the case; none is an answer."""
        return ChooseSpecialistResult(specialist_id=await self._network.choose(case))
