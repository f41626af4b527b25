"""Bridged calls through Twilio: the `Voice` port (V-07).

Twilio rings the clinician first, and when they pick up dials the patient; both see our number alone. The Calls API
takes no idempotency keys: whoever asks keeps the SID with the attempt and looks there first.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx
from twilio.rest import Client  # type: ignore[import-untyped]
from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]

from activities.ports import BridgeCall, CallReceipt
from integrations.twilio_client import Transport, Wording

WORDING = Wording(
    rejected="call.rejected",
    unavailable="call.unavailable",
    refusals={
        21211: ("call.number_invalid", "the clinician's number is not valid"),
        21214: ("call.number_invalid", "the clinician's number cannot be reached"),
        21217: ("call.number_invalid", "the clinician's number is not valid"),
    },
)
TIMEOUT_SECONDS = 15.0
CLINICIAN_RINGS_SECONDS = 20
"""Short of the clinician's voicemail, into whose greeting the patient would be put through."""
PATIENT_RINGS_SECONDS = 30
CLINICIAN_EVENTS = ["initiated", "completed"]
PATIENT_EVENTS = "initiated ringing answered completed"
GREETING = "Connecting you with your patient."


class TwilioVoice:
    """Bridges calls from one number.

    `status_callback` is the URL to which Twilio reports, with `attempt` and for the clinician's leg `leg=clinician`;
    `machine_detection` lets Twilio tell a voicemail from a person, which it charges for. `api_base` names another
    server that speaks Twilio's API, `http` other connections than its own. `aclose` ends them.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        from_number: str,
        status_callback: str,
        machine_detection: bool = False,
        api_base: str | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._from_number = from_number
        self._status_callback = status_callback
        self._machine_detection = machine_detection
        self._transport = Transport(api_base, TIMEOUT_SECONDS, http)
        self._client = Client(account_sid, auth_token, http_client=self._transport)

    async def bridge(self, call: BridgeCall) -> CallReceipt:
        """Start one call; `status` of the receipt is Twilio's, usually `queued`.

        Raises `GatewayRejected` with `call.number_invalid` or `call.rejected` when a repeat would be refused again,
        and `GatewayUnavailable` with `call.unavailable` when it may pass later, our own credentials included. A
        patient's number that is not valid shows later, in a callback.
        """
        with WORDING.errors():
            placed = await self._client.calls.create_async(
                to=call.clinician_phone,
                from_=self._from_number,
                twiml=self._twiml(call),
                timeout=CLINICIAN_RINGS_SECONDS,
                status_callback=self._callback(attempt=call.attempt_id, leg="clinician"),
                status_callback_event=CLINICIAN_EVENTS,
            )
        return CallReceipt(call_sid=placed.sid, status=placed.status)

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _twiml(self, call: BridgeCall) -> str:
        callback = self._callback(attempt=call.attempt_id)
        detection: dict[str, Any] = {}
        if self._machine_detection:
            detection = {"machine_detection": "Enable", "amd_status_callback": callback}
        response = VoiceResponse()
        response.say(GREETING)
        dial = response.dial(caller_id=self._from_number, timeout=PATIENT_RINGS_SECONDS)
        dial.number(call.patient_phone, status_callback=callback, status_callback_event=PATIENT_EVENTS, **detection)
        return str(response)

    def _callback(self, **query: str) -> str:
        return f"{self._status_callback}?{urlencode(query)}"
