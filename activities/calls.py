"""Calling patients (V-07)."""

from __future__ import annotations

from temporalio import activity

from activities.contracts import PlaceCallInput, PlaceCallResult
from activities.ports import BridgeCall, CallParties, CallReceipt, CallRecords, Voice
from domain.errors import Refused


class CallActivities:
    def __init__(self, voice: Voice | None, records: CallRecords) -> None:
        """Without `voice` nobody is called."""
        self._voice = voice
        self._records = records

    @activity.defn
    async def place_call(self, order: PlaceCallInput) -> PlaceCallResult:
        """Ring the clinician of a visit, then its patient. One call for an attempt, however often this runs.

        Raises `Refused` (`call.no_number`, `call.not_configured`), `NotFound` (`visit.unknown`), and as `Voice` does.
        """
        voice = self._voice
        if voice is None:
            raise Refused("call.not_configured", "no telephone service is configured")

        async def bridge(parties: CallParties) -> CallReceipt:
            return await voice.bridge(
                BridgeCall(key=order.key, visit_id=order.visit_id, attempt_id=order.attempt_id, **parties.model_dump())
            )

        return PlaceCallResult(call_sid=await self._records.place_once(order, bridge))
