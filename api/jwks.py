"""The identity provider's public keys: fetched over HTTP, cached, fetched again when an unknown key id turns up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from domain.errors import GatewayUnavailable, Unauthenticated

log = structlog.get_logger(__name__)

MAX_AGE_SECONDS = 600.0
MIN_INTERVAL_SECONDS = 10.0


class KeySource:
    """Keys by id. Fetches at most every `min_interval`, so that made-up key ids cannot flood the provider.

    Keys older than `max_age` are fetched again; while the provider fails, the known ones stay in use.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        issuer: str,
        jwks_url: str | None = None,
        max_age: float = MAX_AGE_SECONDS,
        min_interval: float = MIN_INTERVAL_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without `jwks_url` it is read from the issuer's OpenID configuration. `now` is in seconds."""
        self._http = http
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._max_age = max_age
        self._min_interval = min_interval
        self._now = now
        self._keys: dict[str | None, Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._failing = False
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> Key:
        """The key a token names; a token that names none gets the only key there is.

        Raises `auth.key_unknown`, or `auth.keys_unavailable` when the provider cannot be asked.
        """
        if self._stale() and not (self._keys and self._lock.locked()):
            await self._refresh()  # one request pays for a slow provider, the others go on with the known keys
        key = self._match(key_id)
        if key is None:
            await self._refresh()
            key = self._match(key_id)
        if key is not None:
            return key
        if self._failing:
            raise GatewayUnavailable("auth.keys_unavailable", "The identity provider's keys cannot be read now.")
        raise Unauthenticated("auth.key_unknown", "The token is signed with a key that the issuer does not publish.")

    def _match(self, key_id: str | None) -> Key | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def _stale(self) -> bool:
        return self._fetched_at is None or self._now() - self._fetched_at > self._max_age

    async def _refresh(self) -> None:
        async with self._lock:
            if self._tried_at is not None and self._now() - self._tried_at < self._min_interval:
                return
            self._tried_at = self._now()
            try:
                self._keys = await self._fetch()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
                log.warning("jwks_fetch_failed", error=error)
                self._failing = True
                return
            self._failing = False
            self._fetched_at = self._tried_at

    async def _fetch(self) -> dict[str | None, Key]:
        if self._jwks_url is None:
            discovery = await self._get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            self._jwks_url = str(discovery["jwks_uri"])
        document = await self._get(self._jwks_url)
        return dict(filter(None, map(_public_key, document["keys"])))

    async def _get(self, url: str) -> Any:
        response = await self._http.get(url, headers={"Accept": "application/json"})
        response.raise_for_status()
        return response.json()


def _public_key(data: Mapping[str, Any]) -> tuple[str | None, Key] | None:
    # A set may hold keys for encryption, or of kinds yet to be invented: those are skipped.
    try:
        key = import_key(dict(data))
    except (JoseError, ValueError):
        return None
    if not isinstance(key, RSAKey | ECKey | OKPKey) or data.get("use", "sig") != "sig":
        return None
    return data.get("kid"), key
