"""Arranging in-person care that a specialist recommended (E-17, decision 10)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.auth import require
from api.dependencies import AppServices
from api.problems import responses
from api.values import Limit, Page
from db import coordination
from domain.access import Principal, Role

router = APIRouter(prefix="/coordination-tasks", tags=["coordination"])

Coordinator = Annotated[Principal, require(Role.SUPPORT, Role.OPERATIONS)]
TaskKey = Annotated[str, StringConstraints(pattern=r"^econsult:[0-9a-f-]{1,60}(:[a-z0-9_-]{1,60}){1,3}$")]


class CoordinationTaskView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    key: str
    econsult_id: str
    reason: str
    fee_credited: bool = Field(description="Always false: the fee is not taken off the in-person visit.")
    opened_at: datetime
    done_at: datetime | None
    done_by: str | None


@router.get("", summary="In-person care to be arranged", responses=responses(401, 403, 422))
async def list_tasks(
    services: AppServices,
    _: Coordinator,
    done: Annotated[bool | None, Query(description="Only those done, or only those open.")] = None,
    cursor: Annotated[TaskKey | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Limit = 50,
) -> Page[CoordinationTaskView]:
    """In the order in which the eConsults were ordered."""
    async with services.database.transaction() as session:
        found = await coordination.page(session, done=done, after=cursor, limit=limit + 1)
    items = [CoordinationTaskView.model_validate(task) for task in found[:limit]]
    return Page(items=items, next_cursor=items[-1].key if len(found) > limit else None)


@router.post("/{key}/done", summary="In-person care is arranged", responses=responses(401, 403, 404, 422))
async def finish_task(key: TaskKey, services: AppServices, principal: Coordinator) -> CoordinationTaskView:
    """Done before, it changes nothing. 404 `coordination_task.unknown`."""
    async with services.database.transaction() as session:
        return CoordinationTaskView.model_validate(await coordination.finish(session, key, principal.subject))
