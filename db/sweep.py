"""What the sweep reads: orders without a case, and cases that are not over."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, literal, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.ports import PendingWebhook, UnstartedCase
from db import econsults, rates, threads, webhook_inbox
from db.session import Database
from db.tables import CaseState, EConsult, MessageThreadRow, RateRequestRow, WebhookEvent
from domain import names
from domain.econsult.payment_events import PaymentEvent
from domain.econsult.state import EConsultOrder
from domain.econsult.states import ENDED, Stage
from domain.rates import RateRequestOrder, RateStage
from domain.threads import ThreadOrder, ThreadStage
from domain.visit_calls import CallEvent

GRACE = timedelta(seconds=30)
"""Whoever placed the order is still at it."""

LOOK_BACK = timedelta(days=7)
"""How long an order without any step is looked for, although it was marked as started."""

OVER = (*ENDED, Stage.PAYMENT_EXPIRED, RateStage.APPROVED, RateStage.REJECTED, ThreadStage.CLOSED)
"""Business states in which a workflow may have ended. An expired order's workflow ends without another step."""


WAIT_FOR_CASE = timedelta(days=7)
"""How long a webhook waits for its case to run."""


class SqlSweep:
    """The port `SweepRecords` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unstarted(self, limit: int) -> list[UnstartedCase]:
        """Orders not marked as started, or without a step, oldest first."""
        async with self._database.transaction() as session:
            return [
                *await _econsults(session, limit),
                *await _rate_requests(session, limit),
                *await _threads(session, limit),
            ]

    async def mark_started(self, case: UnstartedCase) -> None:
        async with self._database.transaction() as session:
            if isinstance(case.order, EConsultOrder):
                await econsults.mark_started(session, case.order.econsult_id)
            elif isinstance(case.order, ThreadOrder):
                await threads.mark_started(session, case.order.thread_id)
            else:
                await rates.mark_started(session, case.order.request_id)

    async def open_cases(self, after: str, limit: int) -> list[str]:
        statement = (
            select(CaseState.case_id)
            .where(col(CaseState.case_id) > after, col(CaseState.business_state).not_in(OVER))
            .order_by(col(CaseState.case_id))
            .limit(limit)
        )
        async with self._database.transaction() as session:
            return list((await session.exec(statement)).all())

    async def is_open(self, case_id: str) -> bool:
        async with self._database.transaction() as session:
            case = await session.get(CaseState, case_id)
            return case is not None and case.business_state not in OVER


class SqlWebhookInbox:
    """The port `WebhookInbox` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, limit: int) -> list[PendingWebhook]:
        """Those tried least often first, so that events without a case do not keep others waiting."""
        expired = func.now() - col(WebhookEvent.received_at) > WAIT_FOR_CASE
        statement = (
            select(WebhookEvent, expired)
            .where(
                col(WebhookEvent.status) == "received",
                col(WebhookEvent.event).is_not(None),
                func.now() - col(WebhookEvent.received_at) > GRACE,
            )
            .order_by(col(WebhookEvent.attempts), col(WebhookEvent.received_at))
            .limit(limit)
        )
        async with self._database.transaction() as session:
            rows = (await session.exec(statement)).all()
            return [await _pending(session, row, expired=is_expired) for row, is_expired in rows]

    async def mark_delivered(self, webhook: PendingWebhook) -> None:
        async with self._database.transaction() as session:
            await webhook_inbox.tried(session, webhook.provider, webhook.event_id, "delivered", webhook.econsult_id)

    async def mark_undelivered(self, webhook: PendingWebhook) -> None:
        async with self._database.transaction() as session:
            if webhook.expired:
                await webhook_inbox.give_up(session, webhook.provider, webhook.event_id, webhook.econsult_id)
            else:
                await webhook_inbox.tried(session, webhook.provider, webhook.event_id, "received", webhook.econsult_id)


async def _pending(session: AsyncSession, row: WebhookEvent, *, expired: bool) -> PendingWebhook:
    if row.provider == webhook_inbox.TWILIO:
        call = CallEvent.model_validate(row.event)
        return PendingWebhook(
            provider=row.provider, event_id=row.event_id, econsult_id=None, event=call, expired=expired
        )
    event = PaymentEvent.model_validate(row.event)
    econsult_id = row.econsult_id or event.case_id
    if econsult_id is None and event.payment_id is not None:
        econsult_id = await econsults.of_payment(session, event.payment_id)
    return PendingWebhook(
        provider=row.provider, event_id=row.event_id, econsult_id=econsult_id, event=event, expired=expired
    )


async def _econsults(session: AsyncSession, limit: int) -> list[UnstartedCase]:
    statement = (
        select(EConsult.order).where(_lost(EConsult, names.econsult_case(""))).order_by(col(EConsult.id)).limit(limit)
    )
    orders = [EConsultOrder.model_validate(order) for order in (await session.exec(statement)).all()]
    return [UnstartedCase(case_id=names.econsult_case(order.econsult_id), order=order) for order in orders]


async def _rate_requests(session: AsyncSession, limit: int) -> list[UnstartedCase]:
    statement = (
        select(RateRequestRow.order)
        .where(_lost(RateRequestRow, names.rate_request_case("")))
        .order_by(col(RateRequestRow.id))
        .limit(limit)
    )
    orders = [RateRequestOrder.model_validate(order) for order in (await session.exec(statement)).all()]
    return [UnstartedCase(case_id=names.rate_request_case(order.request_id), order=order) for order in orders]


async def _threads(session: AsyncSession, limit: int) -> list[UnstartedCase]:
    statement = (
        select(MessageThreadRow.order)
        .where(_lost(MessageThreadRow, names.message_thread_case("")))
        .order_by(col(MessageThreadRow.id))
        .limit(limit)
    )
    orders = [ThreadOrder.model_validate(order) for order in (await session.exec(statement)).all()]
    return [UnstartedCase(case_id=names.message_thread_case(order.thread_id), order=order) for order in orders]


def _lost(table: type[EConsult | MessageThreadRow | RateRequestRow], prefix: str) -> ColumnElement[bool]:
    age = func.now() - col(table.created_at)
    recorded = select(CaseState.case_id).where(col(CaseState.case_id) == literal(prefix).concat(col(table.id)))
    stepless = and_(age < LOOK_BACK, ~recorded.exists())
    return and_(age > GRACE, or_(~col(table.started), stepless))
