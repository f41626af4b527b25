"""The composition root of the worker: builds the adapters, registers workflows and activities, stops gracefully."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Interceptor, PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.cadences import CadenceActivities
from activities.calendars import business_days, moments, opening_hours
from activities.calls import CallActivities
from activities.gates import GateActivities
from activities.interceptor import StableErrors
from activities.payments import PaymentActivities
from activities.ports import CaseRecords, PaymentGateway, PaymentPages, SpecialistNetwork
from activities.records import RecordActivities
from activities.rollout_ports import GateEvidence
from activities.sweep import SweepActivities
from activities.validation import ValidationActivities
from config import Settings, settings
from domain import policy
from domain.names import CARE_QUEUE, SERVED_QUEUES, TaskQueue
from leaving import leave
from observability import LogContextInterceptor, configure_logging
from schedules import ensure_cadences, ensure_schedule
from temporal_client import connect
from workflows.econsult.workflow import EConsult
from workflows.licence import Licence
from workflows.message_thread import MessageThread
from workflows.rate_request import RateRequest
from workflows.reconcile import Reconcile
from workflows.review import ConductReport, CredentialEvent
from workflows.rollout.cadence import Cadence
from workflows.rollout.location import Location
from workflows.rollout.programme import Rollout
from workflows.rollout.rollback import Rollback
from workflows.rollout.wave import Wave
from workflows.visit.workflow import Visit

BUILD = "carewave-1"

PASSED_THROUGH = (
    "activities",
    "domain",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "workflows.case",
    "workflows.clerk",
    "workflows.clock",
    "workflows.options",
    "workflows.rollout.children",
    "workflows.search_attributes",
    "workflows.signals",
)
"""Modules without state of their own: workflows share them instead of importing them anew for each run."""

WORKFLOWS: dict[TaskQueue, tuple[type, ...]] = {
    TaskQueue.ECONSULTS: (EConsult, RateRequest, Reconcile),
    CARE_QUEUE: (Visit, MessageThread, Licence, CredentialEvent, ConductReport),
    TaskQueue.ROLLOUTS: (Rollout, Wave, Location, Rollback, Cadence),
}

CACHED_WORKFLOW_BYTES = 75_000
CONCURRENT_TASKS = 16
"""A task includes the recording of its steps, and a timer that it sets begins with its end: better few short tasks than
a hundred at once that each take as long as all together."""

FEWEST_CACHED, MOST_CACHED = 100, 20_000

logger = logging.getLogger("worker")


@dataclass(frozen=True)
class Adapters:
    """What the activities of this worker talk to."""

    records: CaseRecords
    network: SpecialistNetwork
    gateway: PaymentGateway
    pages: PaymentPages
    sweep: SweepActivities | None = None
    """None where nothing is swept: without a schedule nobody asks for it."""
    real_time: bool = True
    """Whether time passes while things are done."""
    calls: CallActivities | None = None
    """None where no visit runs."""
    practice: ValidationActivities | None = None
    """None where no location runs."""
    evidence: GateEvidence | None = None
    """None where no wave runs."""
    cadences: CadenceActivities | None = None
    """None where no regular report is sent."""


class CheckedOnce(SandboxedWorkflowRunner):
    """Checks each workflow once a process: that imports all of its modules in a sandbox of its own."""

    _checked: ClassVar[set[type]] = set()

    def prepare_workflow(self, defn: workflow._Definition) -> None:
        if defn.cls not in self._checked:
            super().prepare_workflow(defn)
            self._checked.add(defn.cls)


def sandbox() -> SandboxedWorkflowRunner:
    return CheckedOnce(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


class Workers:
    """One worker for each task queue, started and stopped together."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Workers:
        for worker in self._workers:
            await self._running.enter_async_context(worker)
        return self

    async def __aexit__(self, *error: object) -> None:
        """All at once: a graceful stop takes its time."""
        await asyncio.gather(*(worker.shutdown() for worker in self._workers))
        await self._running.aclose()


def build_workers(
    client: Client,
    adapters: Adapters,
    *,
    interceptors: Sequence[Interceptor] = (),
    max_cached_workflows: int = 1000,
    graceful_shutdown: timedelta = timedelta(seconds=10),
    queues: Collection[TaskQueue] = SERVED_QUEUES,
) -> Workers:
    """What serves these queues; the cache is shared out between them."""
    records = RecordActivities(adapters.records, adapters.network, real_time=adapters.real_time)
    payments = PaymentActivities(adapters.gateway, adapters.pages)
    activities: dict[TaskQueue, list[Callable[..., Any]]] = {
        TaskQueue.ECONSULTS: [
            records.record_step,
            records.choose_specialist,
            opening_hours,
            payments.open_checkout,
            payments.read_checkout,
            payments.close_checkout,
            payments.refund,
            payments.read_fee,
            *_sweep_activities(adapters.sweep),
        ],
        CARE_QUEUE: [records.record_step, opening_hours, *([adapters.calls.place_call] if adapters.calls else [])],
        TaskQueue.ROLLOUTS: [
            records.record_step,
            opening_hours,
            moments,
            business_days,
            *([adapters.practice.run_validation] if adapters.practice else []),
            *([adapters.cadences.publish_reports] if adapters.cadences else []),
            *([GateActivities(adapters.evidence).collect_evidence] if adapters.evidence else []),
        ],
    }
    return Workers(
        [
            Worker(
                client,
                task_queue=queue,
                workflows=WORKFLOWS[queue],
                activities=activities[queue],
                interceptors=[StableErrors(), *interceptors],
                workflow_runner=sandbox(),
                max_cached_workflows=max_cached_workflows // len(queues),
                max_concurrent_workflow_tasks=CONCURRENT_TASKS,
                workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
                activity_task_poller_behavior=PollerBehaviorAutoscaling(),
                graceful_shutdown_timeout=graceful_shutdown,
                build_id=BUILD,
            )
            for queue in queues
        ]
    )


def _sweep_activities(sweep: SweepActivities | None) -> list[Callable[..., Any]]:
    if sweep is None:
        return []
    return [
        sweep.start_missing_cases,
        sweep.deliver_pending_webhooks,
        sweep.deliver_due_notices,
        sweep.find_stranded,
    ]


def cache_size(memory_bytes: int) -> int:
    """How many workflows to keep in memory: at most a quarter of it, within sensible bounds."""
    return max(FEWEST_CACHED, min(MOST_CACHED, memory_bytes // 4 // CACHED_WORKFLOW_BYTES))


async def run_worker(chosen: Settings) -> None:
    """Work until SIGTERM or SIGINT, then let running activities finish; notices are sent beside it.

    Raises RuntimeError when Temporal does not answer, `crypto.keys_invalid` without usable keys.
    """
    # Here, because it imports this module, and the libraries of Stripe and Twilio take their time.
    from wiring import wired  # noqa: PLC0415

    stopping = _stop_signals()
    client = await connect(chosen)
    async with wired(chosen, client) as parts:
        await ensure_schedule(client)
        await ensure_cadences(client, policy.load(chosen.policy_file).rollout.cadences)
        workers = build_workers(
            client,
            parts.adapters,
            interceptors=[LogContextInterceptor()],
            max_cached_workflows=chosen.worker_max_cached_workflows or cache_size(_memory_bytes()),
            graceful_shutdown=timedelta(seconds=chosen.worker_graceful_shutdown_seconds),
        )
        sending = asyncio.create_task(parts.notices.run_forever(parts.nudge))
        try:
            async with workers:
                logger.info("worker_started")
                await stopping.wait()
                logger.info("worker_stopping")
        finally:
            # Last: the steps of the activities that just finished call for notices too.
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


def _stop_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def main() -> None:
    """Run a worker as the settings describe it."""
    chosen = settings()
    configure_logging(chosen.log_level)
    try:
        asyncio.run(run_worker(chosen))
    except Exception:
        logger.exception("worker_failed")
        leave(1)
    leave()


if __name__ == "__main__":
    main()
