"""Starting the workflow of an order that is kept already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import structlog
from temporalio.service import RPCError

from api.dependencies import Services
from db import econsults, threads
from db.tables import EConsult, MessageThreadRow
from domain import names
from domain.econsult.state import EConsultOrder
from domain.threads import ThreadOrder

START_WITHIN_SECONDS = 10

log = structlog.get_logger(__name__)


async def start(services: Services, order: EConsult) -> None:
    """Start it once. When Temporal does not answer nothing is lost: the sweep starts what is not started."""
    starting = services.cases.start_econsult(EConsultOrder.model_validate(order.order))
    if await started(starting, names.econsult_case(order.id), "econsult_start_put_off"):
        async with services.database.transaction() as session:
            await econsults.mark_started(session, order.id)


async def start_thread(services: Services, thread: MessageThreadRow) -> None:
    """The same for a thread of messages."""
    starting = services.cases.start_thread(ThreadOrder.model_validate(thread.order))
    if await started(starting, names.message_thread_case(thread.id), "thread_start_put_off"):
        async with services.database.transaction() as session:
            await threads.mark_started(session, thread.id)


async def started(starting: Awaitable[None], case_id: str, put_off: str) -> bool:
    """Whether it was; when Temporal does not answer, the sweep starts it later."""
    try:
        async with asyncio.timeout(START_WITHIN_SECONDS):
            await starting
    except (RPCError, RuntimeError, TimeoutError) as error:
        # A lazy client's first connection fails with a RuntimeError.
        log.warning(put_off, workflow_id=case_id, error=type(error).__name__)
        return False
    return True
