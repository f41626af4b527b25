"""Text messages through Twilio: the `Texting` port.

Twilio's Messages API takes no idempotency keys. Sending is therefore at least once: an answer that is lost on the way
makes a repeat send the text again. The caller's outbox, unique on `TextMessage.key`, keeps a known success from being
repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from activities.ports import TextMessage, TextReceipt
from domain.errors import GatewayRejected, GatewayUnavailable

TOO_MANY_REQUESTS = 429
UNAUTHORIZED = 401
_REFUSALS = {
    21610: ("text.opted_out", "the number has opted out of texts"),
    21211: ("text.number_invalid", "the number is not valid"),
    21614: ("text.number_invalid", "the number cannot receive texts"),
}


class TwilioTexting:
    """Sends texts from one number.

    `api_base` names another server that speaks Twilio's API; `status_callback` is the URL to which Twilio reports
    delivery; `timeout` is in seconds. `aclose` ends its connections.
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
        self._transport = _Transport(api_base, timeout)
        self._client = Client(account_sid, auth_token, http_client=self._transport)

    async def send(self, message: TextMessage) -> TextReceipt:
        """Hand one text to Twilio; `status` of the receipt is Twilio's, usually `queued`.

        Raises `GatewayRejected` with `text.opted_out`, `text.number_invalid` or `text.rejected` when a repeat would be
        refused again, and `GatewayUnavailable` with `text.unavailable` when it may pass later, our own credentials
        included.
        """
        options = {"status_callback": self._status_callback} if self._status_callback else {}
        with _twilio_errors():
            sent = await self._client.messages.create_async(
                to=message.to, from_=self._from_number, body=message.body, **options
            )
        if sent.error_code:
            raise _failure(400, int(sent.error_code))
        return TextReceipt(message_sid=sent.sid, status=sent.status)

    async def ping(self) -> None:
        """Read our account. Raises as `send` does when Twilio cannot be reached or refuses our credentials."""
        with _twilio_errors():
            await self._client.api.v2010.accounts(self._account_sid).fetch_async()

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Transport(AsyncHttpClient):  # type: ignore[misc]
    """Twilio's SDK on httpx: a limit on time, pooled connections, and another server when one is named."""

    def __init__(self, api_base: str | None, timeout: float) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True, timeout=timeout)
        self._api_base = httpx.URL(api_base) if api_base else None
        # A server that is named is reached directly, not through the proxy meant for the internet.
        self._http = httpx.AsyncClient(timeout=timeout, trust_env=self._api_base is None)

    async def request(
        self,
        method: str,
        uri: str,
        *,
        params: dict[str, str] | None = None,
        data: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_: object,
    ) -> Response:
        url = httpx.URL(uri)
        if self._api_base:
            url = url.copy_with(
                scheme=self._api_base.scheme,
                netloc=self._api_base.netloc,
                raw_path=self._api_base.raw_path.rstrip(b"/") + url.raw_path,
            )
        answer = await self._http.request(
            method,
            url,
            params=params or None,
            data=data,
            headers=headers,
            auth=auth,
        )
        return Response(answer.status_code, answer.text, answer.headers)

    async def aclose(self) -> None:
        await self._http.aclose()


@contextmanager
def _twilio_errors() -> Iterator[None]:
    # `from None` throughout: what Twilio says quotes the number.
    try:
        yield
    except TwilioException as error:
        raise _failure(getattr(error, "status", 0), getattr(error, "code", None)) from None
    except httpx.HTTPError as error:
        raise GatewayUnavailable("text.unavailable", f"no answer ({type(error).__name__})") from None
    except ValueError:
        raise GatewayUnavailable("text.unavailable", "the answer is not JSON") from None


def _failure(status: int, code: int | None) -> GatewayRejected | GatewayUnavailable:
    about_us = status in (UNAUTHORIZED, TOO_MANY_REQUESTS)
    if about_us or not 400 <= status < 500:
        return GatewayUnavailable("text.unavailable", f"Twilio cannot take the text now ({status}, error {code})")
    if code in _REFUSALS:
        return GatewayRejected(*_REFUSALS[code])
    return GatewayRejected("text.rejected", f"Twilio refused the text (error {code})")
