"""Signed status callbacks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

import httpx
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

Deliver = Callable[[str, Mapping[str, str], str], Awaitable[int]]
"""URL, form and X-Twilio-Signature header to the endpoint's HTTP status."""

_log = logging.getLogger(__name__)


def deliver_over(client: httpx.AsyncClient) -> Deliver:
    """Deliver over this client."""

    async def deliver(url: str, form: Mapping[str, str], signature: str) -> int:
        headers = {"X-Twilio-Signature": signature}
        return (await client.post(url, data=dict(form), headers=headers)).status_code

    return deliver


async def deliver_over_http(url: str, form: Mapping[str, str], signature: str) -> int:
    """Deliver over the network, each time on a connection of its own."""
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        return await deliver_over(client)(url, form, signature)


class Callbacks:
    """Signs and delivers. Like Twilio's, a callback that nobody takes is lost."""

    def __init__(self, auth_token: str, deliver: Deliver) -> None:
        self._validator = RequestValidator(auth_token)
        self._deliver = deliver

    async def send(self, url: str | None, form: Mapping[str, str]) -> None:
        if not url:
            return
        signature = self._validator.compute_signature(url, dict(form))
        try:
            await self._deliver(url, form, signature)
        except httpx.HTTPError as error:
            _log.warning("status callback failed: %s", type(error).__name__)
