"""Asking a running workflow, and what it means when it does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.service import RPCError, RPCStatusCode

from domain.errors import GatewayUnavailable, Refused

ANSWER_WITHIN_SECONDS = 10


@asynccontextmanager
async def asking() -> AsyncIterator[None]:
    """Raises `Refused` (`case.not_running`) and `GatewayUnavailable` (`temporal.no_answer`)."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            yield
    except TimeoutError:
        raise GatewayUnavailable("temporal.no_answer", "no worker answered in time") from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Refused("case.not_running", "the case is over, or has not begun") from None
        if error.status is RPCStatusCode.FAILED_PRECONDITION:  # no worker has polled for a while
            raise GatewayUnavailable("temporal.no_answer", "no worker is there to answer") from None
        raise
