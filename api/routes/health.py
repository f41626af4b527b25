"""Whether the process is up, and whether what it needs answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text

from api.auth import public
from api.dependencies import AppServices, Services
from api.problems import problem_response, responses

router = APIRouter(tags=["health"], dependencies=[public])

ANSWER_WITHIN = timedelta(seconds=3)

log = structlog.get_logger(__name__)


class Health(BaseModel):
    status: str = "ok"


@router.get("/healthz", summary="The process is up")
async def healthz() -> Health:
    return Health()


@router.get("/readyz", summary="The database and Temporal answer", response_model=Health, responses=responses(503))
async def readyz(request: Request, services: AppServices) -> Health | JSONResponse:
    """503 `service.not_ready`, whose `missing` names what does not answer."""
    missing = [name for name, check in _CHECKS.items() if not await _passes(name, check, services)]
    if missing:
        detail = "Something that the service needs does not answer."
        return problem_response(
            request.scope, 503, "service.not_ready", detail, headers={"Retry-After": "5"}, missing=missing
        )
    return Health()


async def _passes(name: str, check: Callable[[Services], Awaitable[None]], services: Services) -> bool:
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            await check(services)
    except Exception as error:  # noqa: BLE001  # whatever goes wrong, it does not answer
        log.warning("not_ready", check=name, error=type(error).__name__)
        return False
    return True


async def _database(services: Services) -> None:
    async with services.database.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def _temporal(services: Services) -> None:
    if not await services.cases.client.service_client.check_health(timeout=ANSWER_WITHIN):
        raise RuntimeError("Temporal says that it is not serving")


_CHECKS: Mapping[str, Callable[[Services], Awaitable[None]]] = {"database": _database, "temporal": _temporal}
