"""The composition root of the worker: builds the adapters, registers workflows and activities, stops gracefully."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Interceptor, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.interceptor import StableErrors
from activities.payments import PaymentActivities
from activities.ports import CaseRecords, PaymentGateway, PaymentPages, SpecialistNetwork
from activities.records import RecordActivities
from domain.names import TaskQueue
from workflows.econsult.workflow import EConsult
from workflows.rate_request import RateRequest

BUILD = "carewave-1"

PASSED_THROUGH = ("activities", "domain", "pydantic", "pydantic_core", "annotated_types")
"""Modules without state of their own: workflows share them instead of importing them anew for each run."""

WORKFLOWS = (EConsult, RateRequest)


@dataclass(frozen=True)
class Adapters:
    """What the activities of this worker talk to."""

    records: CaseRecords
    network: SpecialistNetwork
    gateway: PaymentGateway
    pages: PaymentPages


def sandbox() -> SandboxedWorkflowRunner:
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )


def build_worker(
    client: Client,
    adapters: Adapters,
    *,
    interceptors: Sequence[Interceptor] = (),
    max_cached_workflows: int = 1000,
    graceful_shutdown: timedelta = timedelta(seconds=10),
) -> Worker:
    records = RecordActivities(adapters.records, adapters.network)
    payments = PaymentActivities(adapters.gateway, adapters.pages)
    return Worker(
        client,
        task_queue=TaskQueue.ECONSULTS,
        workflows=WORKFLOWS,
        activities=[
            records.record_step,
            records.choose_specialist,
            payments.open_checkout,
            payments.read_checkout,
            payments.close_checkout,
            payments.refund,
            payments.read_fee,
        ],
        interceptors=[StableErrors(), *interceptors],
        workflow_runner=sandbox(),
        max_cached_workflows=max_cached_workflows,
        graceful_shutdown_timeout=graceful_shutdown,
        build_id=BUILD,
    )
