"""Starting the workflow of an order that is kept already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import structlog
from temporalio.service import RPCError

from api.dependencies import Services
from db import econsults, programs, threads, visits
from db.tables import EConsult, MessageThreadRow, RolloutProgram
from domain import names
from domain.econsult.state import EConsultOrder
from domain.rollout.orders import RolloutOrder
from domain.threads import ThreadOrder
from domain.visit.state import VisitOrder
from domain.visit.states import VisitStatus

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


async def start_rollout(services: Services, program: RolloutProgram) -> None:
    """The same for the programme of a rollout."""
    starting = services.cases.start_rollout(RolloutOrder.model_validate(program.order))
    if await started(starting, names.rollout_case(program.id), "rollout_start_put_off"):
        async with services.database.transaction() as session:
            await programs.mark_started(session, program.id)


async def start_visit(services: Services, visit_id: str) -> None:
    """The same for a visit. Its row stays locked, so that whoever calls it off meanwhile finds it running."""
    async with services.database.transaction() as session:
        visit = await visits.get_visit(session, visit_id, lock=True)
        if visit.started or visit.status != VisitStatus.SCHEDULED:
            return
        starting = services.cases.start_visit(VisitOrder.model_validate(visit.order))
        visit.started = await started(starting, names.visit_case(visit_id), "visit_start_put_off")


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
