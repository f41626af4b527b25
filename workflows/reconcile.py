"""The sweep of every minute: what got lost between the records and Temporal is found and repaired."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.contracts import (
    DeliveredNotices,
    DeliveredWebhooks,
    ReconcileReport,
    StartedCases,
    StrandedCases,
    SweepInput,
)
from activities.sweep import SweepActivities
from domain.names import Process
from workflows.options import SWEEP

Result = TypeVar("Result", StartedCases, DeliveredWebhooks, DeliveredNotices, StrandedCases)


@workflow.defn(name=Process.RECONCILE)
class Reconcile:
    """Runs on a schedule. Its result says what was repaired; a part that fails does not keep the others from work."""

    def __init__(self) -> None:
        self._failures: list[str] = []

    @workflow.run
    async def run(self, sweep: SweepInput) -> ReconcileReport:
        cases = await self._part(SweepActivities.start_missing_cases, sweep, StartedCases())
        webhooks = await self._part(SweepActivities.deliver_pending_webhooks, sweep, DeliveredWebhooks())
        notices = await self._part(SweepActivities.deliver_due_notices, sweep, DeliveredNotices())
        onward = sweep.model_copy(update={"after": _where_the_last_run_stopped()})
        stranded = await self._part(SweepActivities.find_stranded, onward, StrandedCases())
        return ReconcileReport(
            cases=cases, webhooks=webhooks, notices=notices, stranded=stranded, failures=tuple(self._failures)
        )

    async def _part(
        self,
        part: Callable[[SweepActivities, SweepInput], Awaitable[Result]],
        sweep: SweepInput,
        nothing: Result,
    ) -> Result:
        try:
            return await workflow.execute_activity_method(part, sweep, **SWEEP)
        except ActivityError as error:
            cause = error.cause
            code = cause.type if isinstance(cause, ApplicationError) else None
            self._failures.append(f"{error.activity_type}: {code or 'unknown'}")
            return nothing


def _where_the_last_run_stopped() -> str:
    """Each run looks at the next cases; the schedule hands on the result of the run before."""
    last = workflow.get_last_completion_result(ReconcileReport)
    return last.stranded.after if last else ""
