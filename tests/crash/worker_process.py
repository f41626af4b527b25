"""A production worker in a process of its own, which kills itself with SIGKILL after each step.

The step is in the database then, and Temporal does not know of it: the worst moment there is.
"""

from __future__ import annotations

import asyncio
import os
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
from db.panel import SqlSpecialistPanel
from db.session import Database
from db.types import vault
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
    )
    workers = build_workers(
        client,
        adapters,
        interceptors=(DiesAtEveryStep(settings.marks),),
        max_cached_workflows=0,  # or each successor waits until the server gives up the queue of the dead
        graceful_shutdown=timedelta(0),
    )
    async with workers:
        await asyncio.Event().wait()


class DiesAtEveryStep(Interceptor):
    def __init__(self, marks: Path) -> None:
        self._marks = marks

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _DiesAtEveryStep(next, self._marks)


class _DiesAtEveryStep(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, marks: Path) -> None:
        super().__init__(following)
        self._marks = marks

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        result = await super().execute_activity(input)
        step = input.args[0]
        if isinstance(step, RecordStepInput):
            self._die_once(f"{step.event}-{step.detail.subject or ''}".replace(":", "-")[:100])
        return result

    def _die_once(self, mark: str) -> None:
        try:
            (self._marks / mark).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
