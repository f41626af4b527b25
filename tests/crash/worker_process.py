"""A production worker in a process of its own, which kills itself with SIGKILL after a step.

The step is in the database then, and Temporal does not know of it: the worst moment there is.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.contracts import RecordStepInput
from crypto import Keyring
from db.case_records import SqlCaseRecords
from db.gate_evidence import SqlGateEvidence
from db.panel import SqlSpecialistPanel
from db.session import Database
from db.types import vault
from domain.names import CARE_QUEUES, TaskQueue
from integrations.stripe_gateway import StripeGateway
from links import PaymentLinks
from temporal_client import data_converter
from worker import Adapters, build_workers


@dataclass(frozen=True)
class WorkerSettings:
    """What the process needs; plain values, since it is not a fork of the test."""

    temporal_address: str
    database_url: str
    stripe_url: str
    stripe_key: str
    keys: str
    public_url: str
    marks: Path
    """A file here for each death already died."""
    queues: tuple[TaskQueue, ...] = CARE_QUEUES
    dies_at: tuple[str, ...] = ()
    """After the first step of each of these kinds; after every step where none is named."""


def run(settings: WorkerSettings) -> None:
    asyncio.run(_work(settings))


async def _work(settings: WorkerSettings) -> None:
    ring = Keyring.parse(settings.keys)
    vault.open(ring)
    database = Database(settings.database_url, pool_size=2)
    client = await Client.connect(settings.temporal_address, data_converter=data_converter(ring))
    adapters = Adapters(
        records=SqlCaseRecords(database),
        network=SqlSpecialistPanel(database),
        gateway=StripeGateway(settings.stripe_key, api_base=settings.stripe_url),
        pages=PaymentLinks(ring, settings.public_url),
        evidence=SqlGateEvidence(database),
    )
    workers = build_workers(
        client,
        adapters,
        interceptors=(DiesAtSteps(settings),),
        max_cached_workflows=0,  # or each successor waits until the server gives up the queue of the dead
        graceful_shutdown=timedelta(0),
        queues=settings.queues,
    )
    async with workers:
        await asyncio.Event().wait()


class DiesAtSteps(Interceptor):
    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _DiesAtSteps(next, self._settings)


class _DiesAtSteps(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, settings: WorkerSettings) -> None:
        super().__init__(following)
        self._settings = settings

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        result = await super().execute_activity(input)
        step = input.args[0]
        if isinstance(step, RecordStepInput):
            if not self._settings.dies_at:
                self._die_once(re.sub(r"\W", "-", f"{step.event}-{step.detail.subject or ''}")[:100])
            elif step.event in self._settings.dies_at:
                self._die_once(step.event)
        return result

    def _die_once(self, mark: str) -> None:
        try:
            (self._settings.marks / mark).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
