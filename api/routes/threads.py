"""Messages to clinicians, from patients and from support, each answered within 24 hours (M-01, M-02)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api import threads as flow
from api.acting import ActsOfRequest
from api.callers import Caller, caller
from api.dependencies import AppServices
from api.problems import responses
from api.schemas.acts import EscalatingClock
from api.schemas.threads import (
    MessageText,
    NewThread,
    ThreadMessagePage,
    ThreadView,
    Waiver,
    message_page,
    thread_view,
)
from api.starting import start_thread
from api.values import Limit, Page, RecordId
from db import threads
from db.disclosures import disclose
from db.threads import Filters
from domain.access import Role
from domain.clock import SlaState
from domain.threads import AcknowledgeThread, ThreadAct, ThreadKind, ThreadStage, WaiveReply
from workflows.message_thread import MessageThread

router = APIRouter(prefix="/message-threads", tags=["messages"])
PROBLEMS = responses(401, 403, 404, 409, 422, 503)

Anybody = Annotated[Caller, caller(Role.PATIENT, Role.CLINICIAN, Role.SUPPORT, Role.OPERATIONS)]
Staff = Annotated[Caller, caller(Role.SUPPORT, Role.OPERATIONS)]


class Wanted(BaseModel):
    """Which threads, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    kind: ThreadKind | None = None
    state: ThreadStage | None = None
    sla_state: SlaState | None = None
    clinician_id: RecordId | None = None
    cursor: RecordId | None = Field(default=None, description="`next_cursor` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="Most items on a page.")


@router.post("", status_code=201, summary="Write to a clinician", responses=responses(401, 403, 404, 409, 422))
async def open_thread(
    new: NewThread,
    services: AppServices,
    act: ActsOfRequest,
    who: Annotated[Caller, caller(Role.PATIENT, Role.SUPPORT, Role.OPERATIONS)],
) -> ThreadView:
    """Patients write to clinicians whom they have a visit with, support to any, naming its `source`.

    403 `thread.clinician_not_yours`, `thread.source_not_yours`; 404 `clinician.unknown`, `visit.unknown`;
    422 `thread.source_missing`.
    """
    async with services.database.transaction() as session:
        thread = await flow.place(session, services, act, who, new)
    if not thread.started:
        await start_thread(services, thread)
    async with services.database.transaction() as session:
        return thread_view(await threads.get(session, thread.id, who.scope))


@router.get("", summary="Threads of messages", responses=responses(401, 403, 422))
async def list_threads(services: AppServices, who: Anybody, wanted: Annotated[Wanted, Query()]) -> Page[ThreadView]:
    """Newest first: patients and clinicians see their own, support and operations all."""
    filters = Filters(**wanted.model_dump(exclude={"cursor", "limit"}))
    limit = wanted.limit
    async with services.database.transaction() as session:
        found = await threads.page(session, who.scope, filters, before=wanted.cursor, limit=limit + 1)
    items = [thread_view(case) for case in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/{thread_id}", summary="Where a thread stands", responses=responses(401, 403, 404, 422))
async def read_thread(thread_id: RecordId, services: AppServices, who: Anybody) -> ThreadView:
    """With its clock. From its recorded steps: an act's answer is never newer."""
    async with services.database.transaction() as session:
        return thread_view(await threads.get(session, thread_id, who.scope))


@router.get("/{thread_id}/messages", summary="What was written", responses=responses(401, 403, 404, 422))
async def read_messages(
    thread_id: RecordId,
    services: AppServices,
    who: Annotated[Caller, caller(Role.PATIENT, Role.CLINICIAN, Role.SUPPORT)],
    cursor: Annotated[int, Query(ge=0, le=1_000_000, description="`next_cursor` of the page before.")] = 0,
    limit: Limit = 100,
) -> ThreadMessagePage:
    """In order, for those who take part; whoever is shown a patient's texts is written down (G-03).

    403 `thread.not_taking_part`.
    """
    async with services.database.transaction() as session:
        thread = (await threads.get(session, thread_id, who.scope)).thread
        reader = flow.taking_part(thread, who)
        found = await threads.texts(session, thread_id, after=cursor, limit=limit + 1)
        if found and thread.patient_id:
            await disclose(session, thread.patient_id, reader.role, reader.id, f"thread.messages:{thread_id}")
    return message_page(found, limit)


@router.post("/{thread_id}/messages", status_code=201, summary="Write into a thread", responses=PROBLEMS)
async def write_message(thread_id: RecordId, body: MessageText, act: ActsOfRequest, who: Anybody) -> ThreadView:
    """What the clinician writes answers everything that came before. A message opens a closed thread again.

    403 `thread.not_taking_part`.
    """
    case = await flow.find(act, thread_id, who)
    return await flow.write(act, case, who, body.body)


@router.post("/{thread_id}/close", summary="Close a thread", responses=PROBLEMS)
async def close_thread(thread_id: RecordId, act: ActsOfRequest, who: Anybody) -> ThreadView:
    """Whoever wrote to the clinician, which stops the clock; the clinician once nothing waits for an answer.

    403 `thread.not_taking_part`; 409 `thread.closed`, `thread.unanswered`, `case.not_running`.
    """
    case = await flow.find(act, thread_id, who)
    asked = ThreadAct(actor=flow.taking_part(case.thread, who))
    return await flow.ask(act, case, who, MessageThread.close, asked)


@router.post("/{thread_id}/reopen", summary="Open a closed thread again", responses=PROBLEMS)
async def reopen_thread(thread_id: RecordId, act: ActsOfRequest, who: Anybody) -> ThreadView:
    """A message that was never answered waits again. A thread that has been silent for long takes a message instead.

    403 `thread.not_taking_part`; 409 `thread.not_closed`, `case.not_running`.
    """
    case = await flow.find(act, thread_id, who)
    asked = ThreadAct(actor=flow.taking_part(case.thread, who))
    return await flow.ask(act, case, who, MessageThread.reopen, asked)


@router.post("/{thread_id}/waive", summary="Owe no answer", responses=PROBLEMS)
async def waive_reply(thread_id: RecordId, body: Waiver, act: ActsOfRequest, who: Staff) -> ThreadView:
    """Of any thread, with the reason. 409 `thread.nothing_awaited`."""
    case = await flow.find(act, thread_id, who)
    asked = WaiveReply(actor=flow.staff_actor(who), reason=body.reason)
    return await flow.ask(act, case, who, MessageThread.waive, asked)


@router.post("/{thread_id}/escalations/{clock}/acknowledge", summary="Take a late answer on", responses=PROBLEMS)
async def acknowledge_escalation(
    thread_id: RecordId, clock: EscalatingClock, act: ActsOfRequest, who: Staff
) -> ThreadView:
    """Its ladder is climbed no further. `clock` is a name out of `clocks`. 409 `escalation.none`."""
    case = await flow.find(act, thread_id, who)
    asked = AcknowledgeThread(actor=flow.staff_actor(who), clock=clock)
    return await flow.ask(act, case, who, MessageThread.acknowledge_escalation, asked)
