"""What the sweep reads: orders without a case, and cases that are not over."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.ports import PendingWebhook, UnstartedCase
from db import econsults, unstarted, webhook_inbox
from db.session import Database
from db.tables import CaseState, WebhookEvent
from db.unstarted import GRACE
from domain.econsult.payment_events import PaymentEvent
from domain.econsult.states import ENDED, Stage
from domain.licences import LicenceStatus
from domain.rates import RateStage
from domain.review import ReviewStage
from domain.rollout import phases
from domain.threads import ThreadStage
from domain.visit.states import CLOSED, VisitStage
from domain.visit_calls import CallEvent

OVER = (
    *ENDED,
    Stage.PAYMENT_EXPIRED,
    RateStage.APPROVED,
    RateStage.REJECTED,
    ThreadStage.CLOSED,
    LicenceStatus.REVOKED,
    ReviewStage.RESOLVED,
    *CLOSED,
    VisitStage.PATIENT_NO_SHOW,
    VisitStage.CLINICIAN_NO_SHOW,
    *phases.OVER,
)
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
            return await unstarted.find(session, limit)

    async def mark_started(self, case: UnstartedCase) -> None:
        async with self._database.transaction() as session:
            await unstarted.mark_started(session, case.case_id)

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
