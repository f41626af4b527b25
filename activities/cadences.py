"""Sending the regular reports of every programme."""

from __future__ import annotations

from temporalio import activity

from activities.rollout_contracts import CadenceInput, CadenceResult
from activities.rollout_ports import CadenceReports


class CadenceActivities:
    def __init__(self, reports: CadenceReports) -> None:
        self._reports = reports

    @activity.defn
    async def publish_reports(self, asked: CadenceInput) -> CadenceResult:
        """One transaction for each programme. A repeat publishes nothing again."""
        published: list[str] = []
        for program_id in await self._reports.programmes():
            published += await self._reports.publish(program_id, asked.cadence, asked.at)
        return CadenceResult(published=tuple(published))
