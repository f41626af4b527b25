"""Threads of messages, with where each stands, and their texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from db.econsults import Scope
from db.tables import CaseState, MessageThreadRow, ThreadMessage
from domain import names
from domain.errors import Invalid, NotFound
from domain.threads import ThreadKind, ThreadSnapshot, ThreadStage


@dataclass(frozen=True)
class Filters:
    kind: str | None = None
    state: str | None = None
    sla_state: str | None = None
    clinician_id: str | None = None


class ThreadCase(NamedTuple):
    thread: MessageThreadRow
    state: CaseState | None

    @property
    def snapshot(self) -> ThreadSnapshot | None:
        """Where the thread stands after its latest step; None until the first one."""
        return ThreadSnapshot.model_validate(self.state.snapshot) if self.state else None


async def place(session: AsyncSession, thread: MessageThreadRow, message: ThreadMessage) -> MessageThreadRow:
    """Keep the thread with its first message, or find the one opened with the same key before.

    Raises `Invalid` (`request.idempotency_key_reused`) when that one was opened with another request.
    """
    row = thread.model_dump(exclude={"created_at"})
    opened = insert(MessageThreadRow).values(row).on_conflict_do_nothing(index_elements=["opening_key"])
    written = await session.exec(opened.returning(col(MessageThreadRow.id)))
    if written.first() is not None:
        session.add(message)
        await session.flush()
    found = select(MessageThreadRow).where(col(MessageThreadRow.opening_key) == thread.opening_key)
    placed = (await session.exec(found)).one()
    if placed.id != thread.id:
        await _check_same(session, placed, thread, message)
    return placed


async def _check_same(
    session: AsyncSession, placed: MessageThreadRow, thread: MessageThreadRow, message: ThreadMessage
) -> None:
    first = await session.get_one(ThreadMessage, placed.order["opening"]["message_id"])
    asked = {"kind", "source", "clinician_id", "patient_id", "visit_id"}
    if first.body != message.body or placed.model_dump(include=asked) != thread.model_dump(include=asked):
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")


async def mark_started(session: AsyncSession, thread_id: str) -> None:
    (await session.get_one(MessageThreadRow, thread_id)).started = True


async def get(session: AsyncSession, thread_id: str, scope: Scope) -> ThreadCase:
    """Raises `NotFound` (`thread.unknown`), also for what is outside the scope."""
    statement = _cases().where(col(MessageThreadRow.id) == thread_id, _visible(scope))
    found = (await session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound("thread.unknown", "there is no such thread of messages")
    return ThreadCase(*found)


async def page(
    session: AsyncSession, scope: Scope, filters: Filters, *, before: str | None, limit: int
) -> list[ThreadCase]:
    """Up to `limit` threads opened before the one named, newest first."""
    statement = _cases().where(_visible(scope), *_chosen(filters))
    if before is not None:
        statement = statement.where(col(MessageThreadRow.id) < before)
    found = await session.exec(statement.order_by(col(MessageThreadRow.id).desc()).limit(limit))
    return [ThreadCase(*row) for row in found]


async def texts(session: AsyncSession, thread_id: str, *, after: int, limit: int) -> list[ThreadMessage]:
    """Up to `limit` messages that the workflow has accepted, in their order, from after that step."""
    statement = (
        select(ThreadMessage)
        .where(col(ThreadMessage.thread_id) == thread_id, col(ThreadMessage.sequence) > after)
        .order_by(col(ThreadMessage.sequence))
        .limit(limit)
    )
    return list((await session.exec(statement)).all())


async def is_accepted(session: AsyncSession, message_id: str) -> bool:
    return (await session.get_one(ThreadMessage, message_id)).accepted_at is not None


def _cases() -> Select[MessageThreadRow, CaseState]:
    case_id = literal(names.message_thread_case("")) + col(MessageThreadRow.id)
    return select(MessageThreadRow, CaseState).join(CaseState, col(CaseState.case_id) == case_id, isouter=True)


def _visible(scope: Scope) -> ColumnElement[bool]:
    """A patient sees what they wrote themselves, not what support writes about them."""
    if scope.everything:
        return true()
    ways = []
    if scope.clinician_id:
        ways.append(col(MessageThreadRow.clinician_id) == scope.clinician_id)
    if scope.patient_id:
        theirs = col(MessageThreadRow.patient_id) == scope.patient_id
        ways.append(and_(theirs, col(MessageThreadRow.kind) == ThreadKind.PATIENT))
    return or_(false(), *ways)


def _chosen(filters: Filters) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if filters.kind:
        chosen.append(col(MessageThreadRow.kind) == filters.kind)
    if filters.clinician_id:
        chosen.append(col(MessageThreadRow.clinician_id) == filters.clinician_id)
    if filters.state:
        # A thread whose workflow has recorded nothing yet waits for its answer.
        stage = func.coalesce(col(CaseState.business_state), ThreadStage.AWAITING_REPLY.value)
        chosen.append(stage == filters.state)
    if filters.sla_state:
        chosen.append(col(CaseState.sla_state) == filters.sla_state)
    return chosen
