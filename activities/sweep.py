"""The sweep that brings records and running cases together again, and says what it did. Safe to repeat."""

from __future__ import annotations

from temporalio import activity

from activities.contracts import (
    DeliveredNotices,
    DeliveredWebhooks,
    StartedCases,
    StrandedCases,
    SweepInput,
)
from activities.notices import NoticeDelivery
from activities.ports import CaseStarter, Execution, PendingWebhook, SweepRecords, TelemetryInbox, WebhookInbox
from domain.visit_calls import CallEvent


class SweepActivities:
    def __init__(
        self,
        records: SweepRecords,
        inbox: WebhookInbox,
        cases: CaseStarter,
        notices: NoticeDelivery,
        telemetry: TelemetryInbox | None = None,
    ) -> None:
        """Without `telemetry` there is no rollout."""
        self._records = records
        self._inbox = inbox
        self._cases = cases
        self._notices = notices
        self._telemetry = telemetry

    @activity.defn
    async def start_missing_cases(self, sweep: SweepInput) -> StartedCases:
        """Start the cases of orders whose start was lost between database and Temporal."""
        started: list[str] = []
        for case in await self._records.unstarted(sweep.limit):
            if await self._cases.execution(case.case_id) is Execution.MISSING:
                await self._cases.start(case.order)
                started.append(case.case_id)
            await self._records.mark_started(case)
        return StartedCases(started=tuple(started))

    @activity.defn
    async def deliver_pending_webhooks(self, sweep: SweepInput) -> DeliveredWebhooks:
        """Tell cases of the stored events that did not reach them; give up on those that no case ever claims."""
        delivered = undeliverable = 0
        pending = await self._inbox.pending(sweep.limit)
        for webhook in pending:
            if await self._report(webhook):
                await self._inbox.mark_delivered(webhook)
                delivered += 1
            else:
                await self._inbox.mark_undelivered(webhook)
                undeliverable += webhook.expired
        waiting = len(pending) - delivered - undeliverable
        told = await self._deliver_telemetry(sweep.limit)
        return DeliveredWebhooks(
            delivered=delivered + told.delivered,
            waiting=waiting + told.waiting,
            undeliverable=undeliverable + told.undeliverable,
        )

    @activity.defn
    async def deliver_due_notices(self, sweep: SweepInput) -> DeliveredNotices:
        """Send what the outbox holds, should no worker's own loop do so."""
        return DeliveredNotices(sent=await self._notices.deliver_due(sweep.limit))

    @activity.defn
    async def find_stranded(self, sweep: SweepInput) -> StrandedCases:
        """Look for cases that their records call open and that nothing runs. Only reported: a person decides."""
        case_ids = await self._records.open_cases(sweep.after, sweep.limit)
        stranded = [case_id for case_id in case_ids if await self._is_stranded(case_id)]
        if stranded:
            activity.logger.warning("reconcile.stranded count=%s", len(stranded))
        more = len(case_ids) == sweep.limit
        return StrandedCases(checked=len(case_ids), stranded=tuple(stranded), after=case_ids[-1] if more else "")

    async def _deliver_telemetry(self, limit: int) -> DeliveredWebhooks:
        if self._telemetry is None:
            return DeliveredWebhooks()
        delivered = undeliverable = 0
        pending = await self._telemetry.pending(limit)
        for report in pending:
            told = await self._cases.report_telemetry(report.program_id, report.location_id, report.news)
            await self._telemetry.mark(report, delivered=told)
            delivered += told
            undeliverable += report.expired and not told
        waiting = len(pending) - delivered - undeliverable
        return DeliveredWebhooks(delivered=delivered, waiting=waiting, undeliverable=undeliverable)

    async def _is_stranded(self, case_id: str) -> bool:
        """The records are read again afterwards: the case may have ended in between."""
        running = await self._cases.execution(case_id) is Execution.RUNNING
        return not running and await self._records.is_open(case_id)

    async def _report(self, webhook: PendingWebhook) -> bool:
        if isinstance(webhook.event, CallEvent):
            return await self._cases.report_call(webhook.event.visit_id, webhook.event)
        if webhook.econsult_id is None:
            return False
        return await self._cases.report_payment(webhook.econsult_id, webhook.event)
