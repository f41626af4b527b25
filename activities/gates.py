"""Collecting the facts that a gate is decided on."""

from __future__ import annotations

from temporalio import activity

from activities.rollout_contracts import CollectEvidenceInput, CollectEvidenceResult
from activities.rollout_ports import GateEvidence


class GateActivities:
    def __init__(self, evidence: GateEvidence) -> None:
        self._evidence = evidence

    @activity.defn
    async def collect_evidence(self, asked: CollectEvidenceInput) -> CollectEvidenceResult:
        """Reads only: a repeat answers what is known by then."""
        return await self._evidence.collect(asked)
