"""Text messages through Twilio: the `Texting` port.

Twilio's Messages API takes no idempotency keys. Sending is therefore at least once: an answer that is lost on the way
makes a repeat send the text again, unless a status callback comes first and tells the outbox that the text went out.
"""

from __future__ import annotations

from urllib.parse import urlencode

from twilio.rest import Client  # type: ignore[import-untyped]

from activities.ports import TextMessage, TextReceipt
from integrations.twilio_client import Transport, Wording

WORDING = Wording(
    rejected="text.rejected",
    unavailable="text.unavailable",
    refusals={
        21610: ("text.opted_out", "the number has opted out of texts"),
        21211: ("text.number_invalid", "the number is not valid"),
        21614: ("text.number_invalid", "the number cannot receive texts"),
    },
)


class TwilioTexting:
    """Sends texts from one number.

    `api_base` names another server that speaks Twilio's API; `status_callback` is the URL to which Twilio reports
    delivery, with the text's key as `notice`; `timeout` is in seconds. `aclose` ends its connections.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        from_number: str,
        api_base: str | None = None,
        status_callback: str | None = None,
        timeout: float = 15.0,
    ) -> None:
        self._account_sid = account_sid
        self._from_number = from_number
        self._status_callback = status_callback
        self._transport = Transport(api_base, timeout)
        self._client = Client(account_sid, auth_token, http_client=self._transport)

    async def send(self, message: TextMessage) -> TextReceipt:
        """Hand one text to Twilio; `status` of the receipt is Twilio's, usually `queued`.

        Raises `GatewayRejected` with `text.opted_out`, `text.number_invalid` or `text.rejected` when a repeat would be
        refused again, and `GatewayUnavailable` with `text.unavailable` when it may pass later, our own credentials
        included.
        """
        options = {}
        if self._status_callback:
            options["status_callback"] = f"{self._status_callback}?{urlencode({'notice': message.key})}"
        with WORDING.errors():
            sent = await self._client.messages.create_async(
                to=message.to, from_=self._from_number, body=message.body, **options
            )
        if sent.error_code:
            raise WORDING.failure(400, int(sent.error_code))
        return TextReceipt(message_sid=sent.sid, status=sent.status)

    async def ping(self) -> None:
        """Read our account. Raises as `send` does when Twilio cannot be reached or refuses our credentials."""
        with WORDING.errors():
            await self._client.api.v2010.accounts(self._account_sid).fetch_async()

    async def aclose(self) -> None:
        await self._transport.aclose()
