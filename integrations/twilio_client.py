"""What texts and calls share: Twilio's SDK on an httpx client of ours, and Twilio's errors in our words."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]

from domain.errors import GatewayRejected, GatewayUnavailable

TOO_MANY_REQUESTS = 429
UNAUTHORIZED = 401


@dataclass(frozen=True)
class Wording:
    """The codes of one service. `refusals` maps Twilio's error code to our code and its meaning."""

    rejected: str
    unavailable: str
    refusals: Mapping[int, tuple[str, str]]

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise what Twilio answers as ours."""
        # `from None` throughout: what Twilio says quotes the number.
        try:
            yield
        except TwilioException as error:
            raise self.failure(getattr(error, "status", 0), getattr(error, "code", None)) from None
        except httpx.HTTPError as error:
            raise GatewayUnavailable(self.unavailable, f"no answer ({type(error).__name__})") from None
        except ValueError:
            raise GatewayUnavailable(self.unavailable, "the answer is not JSON") from None

    def failure(self, status: int, code: int | None) -> GatewayRejected | GatewayUnavailable:
        """Our own credentials and too many requests are matters of time, not of the number."""
        about_us = status in (UNAUTHORIZED, TOO_MANY_REQUESTS)
        if about_us or not 400 <= status < 500:
            return GatewayUnavailable(self.unavailable, f"Twilio cannot take it now ({status}, error {code})")
        if code is not None and code in self.refusals:
            return GatewayRejected(*self.refusals[code])
        return GatewayRejected(self.rejected, f"Twilio refused it (error {code})")


class Transport(AsyncHttpClient):  # type: ignore[misc]
    """Twilio's SDK on httpx: a limit on time, pooled connections, and another server when one is named."""

    def __init__(self, api_base: str | None, timeout: float, http: httpx.AsyncClient | None = None) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True, timeout=timeout)
        self._api_base = httpx.URL(api_base) if api_base else None
        # A server that is named is reached directly, not through the proxy meant for the internet.
        self._http = http or httpx.AsyncClient(timeout=timeout, trust_env=self._api_base is None)

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
