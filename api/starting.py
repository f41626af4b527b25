"""Starting the workflow of an order that is kept already."""

from __future__ import annotations

import asyncio

import structlog
from temporalio.service import RPCError

from api.dependencies import Services
from db import econsults
from db.tables import EConsult
from domain import names
from domain.econsult.state import EConsultOrder

START_WITHIN_SECONDS = 10

log = structlog.get_logger(__name__)


async def start(services: Services, order: EConsult) -> None:
    """Start it once. When Temporal does not answer nothing is lost: the sweep starts what is not started."""
    try:
        async with asyncio.timeout(START_WITHIN_SECONDS):
            await services.cases.start_econsult(EConsultOrder.model_validate(order.order))
    except (RPCError, RuntimeError, TimeoutError) as error:
        # A lazy client's first connection fails with a RuntimeError.
        log.warning("econsult_start_put_off", workflow_id=names.econsult_case(order.id), error=type(error).__name__)
        return
    async with services.database.transaction() as session:
        await econsults.mark_started(session, order.id)
