"""Signed webhooks, delivered in the background, repeated a bounded number of times until the endpoint answers 2xx."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime

import httpx
import structlog

from embedded.stripe_sandbox.objects import seconds
from embedded.stripe_sandbox.store import Store

Deliver = Callable[[bytes, str], Awaitable[int]]
"""Body and Stripe-Signature header to the endpoint's HTTP status."""

RETRY_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)

log = structlog.get_logger(__name__)


def sign(body: bytes, secret: str, moment: datetime) -> str:
    """The Stripe-Signature header."""
    signed_at = seconds(moment)
    digest = hmac.new(secret.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={signed_at},v1={digest}"


def deliver_to(url: str, client: httpx.AsyncClient) -> Deliver:
    """Deliver over HTTP."""

    async def deliver(body: bytes, signature: str) -> int:
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
        return (await client.post(url, content=body, headers=headers)).status_code

    return deliver


class WebhookSender:
    """Sends each stored event to one endpoint. Like Stripe it promises no order.

    Tests make it lose events with `dropping`, or send each several times with `copies`.
    """

    def __init__(
        self,
        store: Store,
        *,
        secret: str,
        deliver: Deliver | None,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.dropping = False
        self.copies = 1
        self._store = store
        self._secret = secret
        self._deliver = deliver
        self._clock = clock
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, event_id: str) -> None:
        """Start delivering; needs a running event loop unless there is nowhere to deliver to."""
        if self.dropping or self._deliver is None:
            self._done(event_id)
            return
        for _ in range(self.copies):
            self._start(self._deliver_until_taken(event_id, self._deliver))

    def resume(self) -> None:
        """Take up what an earlier process had not delivered."""
        for event in reversed(self._store.find("event", "pending_webhooks", 1)):
            self.send(event["id"])

    async def settled(self) -> None:
        """Wait until every delivery has been taken or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.settled()

    def _start(self, delivery: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(delivery)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_until_taken(self, event_id: str, deliver: Deliver) -> None:
        event = self._store.get(event_id)
        assert event is not None
        body = json.dumps(event, indent=2).encode()
        for delay in (*RETRY_SECONDS, None):
            if await self._taken(body, deliver, event_id):
                break
            if delay is not None:
                await self._sleep(delay)
        self._done(event_id)

    async def _taken(self, body: bytes, deliver: Deliver, event_id: str) -> bool:
        try:
            status = await deliver(body, sign(body, self._secret, self._clock()))
        except Exception as error:  # noqa: BLE001 - whatever the endpoint does, the event is sent again
            log.warning("webhook_not_delivered", event_id=event_id, error=type(error).__name__)
            return False
        return 200 <= status < 300

    def _done(self, event_id: str) -> None:
        event = self._store.get(event_id)
        assert event is not None
        self._store.put({**event, "pending_webhooks": 0})
