"""The production processes on simulated time: real workflows, real database, sandbox gateways, one clock for all.

The demo and the tests drive it; time moves only when they say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TypedDict, Unpack

import httpx
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Interceptor

from activities.cadences import CadenceActivities
from activities.calls import CallActivities
from activities.ports import CaseRecords
from activities.rollout_ports import GateEvidence
from activities.validation import ValidationActivities
from api.webhooks.twilio_events import voice_report
from cases import Cases
from crypto import Keyring, generate_key
from db import calls
from db.cadences import SqlCadences
from db.calls import SqlCallRecords
from db.case_records import SqlCaseRecords
from db.gate_evidence import SqlGateEvidence
from db.panel import SqlSpecialistPanel
from db.session import Database
from db.types import vault
from domain import policy
from domain.names import TaskQueue
from embedded.practice_system import SimulatedTwins
from embedded.stripe_sandbox.app import create_app as stripe_app
from embedded.stripe_sandbox.state import StripeSandbox
from embedded.stripe_sandbox.webhooks import Deliver
from embedded.temporal_servers import test_server_path
from embedded.twilio_sandbox import TwilioSandbox, twilio_app
from embedded.twilio_sandbox.delivery import Deliver as DeliverCalls
from integrations.stripe_gateway import StripeGateway
from integrations.twilio_voice import TwilioVoice
from links import PaymentLinks
from temporal_client import data_converter, register_search_attributes
from worker import Adapters, Workers, build_workers

STEP = timedelta(hours=6)
"""Long stretches of time pass in steps, so that the sandboxes' clocks follow."""

PATIENCE_SECONDS = 20
"""How long work that needs no simulated time may take in real time, on a busy machine."""
POLL_SECONDS = 0.01
SLEEP_TRIES = 3
HELD_SECONDS = 1.0
"""Simulated time that has not passed after so long is held up."""

STRIPE_URL = "http://stripe.sandbox"
STRIPE_KEY = "sk_test_rehearsal"
WEBHOOK_SECRET = "whsec_rehearsal"
TWILIO_URL = "http://twilio.sandbox"
TWILIO_ACCOUNT = "AC00000000000000000000000000000001"
TWILIO_TOKEN = "rehearsal"
OUR_NUMBER = "+12025550100"
PUBLIC_URL = "http://carewave.test"


@dataclass
class Clock:
    """The simulated time as the sandboxes see it, aware UTC."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Rehearsal:
    env: WorkflowEnvironment
    database: Database
    cases: Cases
    stripe: StripeSandbox
    twilio: TwilioSandbox
    adapters: Adapters
    keyring: Keyring
    links: PaymentLinks
    clock: Clock
    twins: SimulatedTwins
    """The test twins of every location."""
    hire: Callable[[], Workers] | None = None
    """None where the workers are others' business."""
    _shift: AsyncExitStack = field(default_factory=AsyncExitStack)
    _holds: int | None = None
    """During an outage: how many holds on the server's time were lifted."""

    @property
    def client(self) -> Client:
        return self.env.client

    async def advance(self, duration: timedelta) -> None:
        """Let simulated time pass. Every timer in it fires in its order, at its time."""
        left = duration
        while left > timedelta():
            step = min(left, STEP)
            await self._sleep(step)
            left -= step
            await self.synchronise()

    async def _sleep(self, duration: timedelta) -> None:
        """This server breaks a connection now and then (`h2 protocol error`): then sleep on to the same moment."""
        awake = await self.env.get_current_time() + duration
        for tries_left in reversed(range(SLEEP_TRIES)):
            try:
                await self._sleep_once(duration)
            except RPCError:
                duration = awake - await self.env.get_current_time()
                if duration <= timedelta():
                    return
                if not tries_left:
                    raise
            else:
                return

    async def _sleep_once(self, duration: timedelta) -> None:
        asleep = asyncio.create_task(self.env.sleep(duration))
        while self._holds is not None and not (await asyncio.wait({asleep}, timeout=HELD_SECONDS))[0]:
            # This server lets no time pass while work waits for a worker: one hold for each task.
            await self.client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
            self._holds += 1
        await asleep

    async def synchronise(self) -> None:
        """Bring the sandboxes to the simulated time, and let their webhooks arrive and calls take their course."""
        self.clock.now = await self.env.get_current_time()
        self.stripe.expire_due()
        await self.stripe.webhooks.settled()
        await self.twilio.settled()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        await self._begin_work()
        try:
            yield
        finally:
            await self._shift.aclose()

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """No worker runs in this block. What falls due meanwhile is noticed afterwards.

        Only where no workflow is cached: this server keeps a task for ever for the worker that has it in its cache.
        """
        await self._shift.aclose()
        self._holds = 0
        try:
            yield
        finally:
            for _ in range(self._holds):
                await self.client.test_service.lock_time_skipping(LockTimeSkippingRequest())
            self._holds = None
            await self._begin_work()

    async def _begin_work(self) -> None:
        if self.hire is not None:
            await self._shift.enter_async_context(self.hire())

    async def has_ended(self, case_id: str) -> bool:
        """Whether the execution is over, or comes to its end without time passing."""
        for _ in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
            if await self._is_over(case_id):
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _is_over(self, case_id: str) -> bool:
        # The plain call: the client cannot read a search attribute that this server reports as unset.
        asked = DescribeWorkflowExecutionRequest(
            namespace=self.client.namespace, execution=WorkflowExecution(workflow_id=case_id)
        )
        found = await self.client.workflow_service.describe_workflow_execution(asked)
        return found.workflow_execution_info.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING


class Hiring(TypedDict, total=False):
    """How the workers are built, where not as usual."""

    interceptors: tuple[Interceptor, ...]
    max_cached_workflows: int
    queues: Collection[TaskQueue]


@asynccontextmanager
async def rehearse(
    database: Database,
    *,
    keyring: Keyring | None = None,
    deliver: Deliver | None = None,
    deliver_calls: DeliverCalls | None = None,
    records: CaseRecords | None = None,
    evidence: GateEvidence | None = None,
    **hiring: Unpack[Hiring],
) -> AsyncIterator[Rehearsal]:
    """Everything running, on a fresh simulated clock.

    `deliver` takes the payment processor's webhooks, `deliver_calls` what the telephone company reports; without it
    visits are told of their calls directly.
    """
    ring = keyring or Keyring.parse(generate_key("rehearsal"))
    vault.open(ring)
    starting = await WorkflowEnvironment.start_time_skipping(
        data_converter=data_converter(ring), runtime=_quiet(), test_server_existing_path=str(test_server_path())
    )
    async with starting as env, _prepared(env, database, ring, deliver, deliver_calls) as rehearsal:
        await register_search_attributes(env.client)
        rehearsal.hire = partial(
            build_workers,
            env.client,
            replace(
                rehearsal.adapters,
                records=records or rehearsal.adapters.records,
                evidence=evidence or rehearsal.adapters.evidence,
                real_time=False,
            ),
            graceful_shutdown=timedelta(0),
            **hiring,
        )
        async with rehearsal.at_work():
            yield rehearsal


@cache
def _quiet() -> Runtime:
    """Without the SDK's warning that this test server is not the newest of servers."""
    errors = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    return Runtime(telemetry=TelemetryConfig(logging=errors))


@asynccontextmanager
async def real_time(client: Client, database: Database, keyring: Keyring, deliver: Deliver) -> AsyncIterator[Rehearsal]:
    """The same beside a real server, whose time is everybody's, and without a worker."""
    env = WorkflowEnvironment.from_client(client)
    async with _prepared(env, database, keyring, deliver) as rehearsal:
        yield rehearsal


@asynccontextmanager
async def _prepared(
    env: WorkflowEnvironment,
    database: Database,
    keyring: Keyring,
    deliver: Deliver | None,
    deliver_calls: DeliverCalls | None = None,
) -> AsyncIterator[Rehearsal]:
    clock = Clock(await env.get_current_time())
    cases = Cases(env.client)
    stripe = StripeSandbox(
        api_key=STRIPE_KEY, webhook_secret=WEBHOOK_SECRET, base_url=STRIPE_URL, deliver=deliver, clock=clock
    )
    twilio = TwilioSandbox(
        account_sid=TWILIO_ACCOUNT,
        auth_token=TWILIO_TOKEN,
        deliver=deliver_calls or _to_visits(database, cases),
        clock=clock,
    )
    links = PaymentLinks(keyring, PUBLIC_URL)
    twins = SimulatedTwins(policy.load().rollout.integration.validation)
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(stripe_app(stripe))) as http,
        httpx.AsyncClient(transport=httpx.ASGITransport(twilio_app(twilio))) as telephone,
    ):
        adapters = Adapters(
            records=SqlCaseRecords(database),
            network=SqlSpecialistPanel(database),
            gateway=StripeGateway(STRIPE_KEY, api_base=STRIPE_URL, http_client=http),
            pages=links,
            calls=CallActivities(_voice(telephone), SqlCallRecords(database)),
            practice=ValidationActivities(twins),
            evidence=SqlGateEvidence(database),
            cadences=CadenceActivities(SqlCadences(database)),
        )
        try:
            yield Rehearsal(env, database, cases, stripe, twilio, adapters, keyring, links, clock, twins)
        finally:
            await twilio.settled()
            await stripe.close()


def _voice(http: httpx.AsyncClient) -> TwilioVoice:
    return TwilioVoice(
        account_sid=TWILIO_ACCOUNT,
        auth_token=TWILIO_TOKEN,
        from_number=OUR_NUMBER,
        status_callback=f"{PUBLIC_URL}/webhooks/twilio/voice",
        machine_detection=True,
        api_base=TWILIO_URL,
        http=http,
    )


def _to_visits(database: Database, cases: Cases) -> DeliverCalls:
    """What the API does with a callback, where there is none."""

    async def deliver(url: str, form: Mapping[str, str], _: str) -> int:
        query = httpx.URL(url).params
        report = voice_report(list(form.items()), query["attempt"], query.get("leg", ""))
        async with database.transaction() as session:
            event = await calls.record(session, report)
        if event is not None and event.outcome is not None:
            await cases.report_call(event.visit_id, event)
        return 202

    return deliver
