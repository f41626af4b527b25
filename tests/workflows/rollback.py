"""One rollback under test, with everybody who acts in it and a location that hears of it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from db.tables import new_id
from domain import names, policy
from domain.actors import SYSTEM, Actor
from domain.clock.times import FOREVER
from domain.names import Process, TaskQueue
from domain.rollout.news import IssueClass, Relapse, RollbackNews
from domain.rollout.orders import RollbackOrder
from domain.rollout.people import Function
from domain.rollout.rollback import acts
from domain.rollout.rollback.policy import RollbackPolicy
from domain.rollout.rollback.state import FixKind
from domain.rollout.rollback.view import RollbackSnapshot
from embedded.rehearsal import Rehearsal
from tests.workflows.sighting import CaseSighting
from workflows import signals
from workflows.rollout.rollback import Rollback as Workflow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PLAYED = "played"
"""The queue of the workflows that tests play."""


def person(function: Function) -> Actor:
    return Actor(role=function.value, id=f"member-{function}")


CHAMPION, OFFICE_MANAGER = person(Function.CHAMPION), person(Function.OFFICE_MANAGER)
IT_LEAD, VENDOR = person(Function.IT_LEAD), person(Function.VENDOR_SUPPORT)
VICE_PRESIDENT = person(Function.VP_OPERATIONS)

STEPS = {
    "central_contacted": CHAMPION,
    "manual_workflows": OFFICE_MANAGER,
    "vendor_notified": IT_LEAD,
    "analysis_started": IT_LEAD,
    "messages_verified": OFFICE_MANAGER,
    "staff_notified": OFFICE_MANAGER,
}
"""Each by its owner."""


@workflow.defn(name=Process.LOCATION)
class PlayedLocation:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self._heard: list[RollbackNews] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal(name=signals.ROLLBACK_REPORTED)
    def rollback_reported(self, news: RollbackNews) -> None:
        self._heard.append(news)

    @workflow.query
    def heard(self) -> list[RollbackNews]:
        return self._heard


@dataclass
class RolledBack(CaseSighting):
    """What people do. Times are counted from the trigger."""

    _: KW_ONLY
    program_id: str = field(default_factory=lambda: f"p-{new_id()[-8:]}")
    location_id: str = "north-1"
    issue: IssueClass = IssueClass.SYNC_FAILURE
    policy: RollbackPolicy = field(default_factory=lambda: policy.load().rollout.rollback)
    triggered_at: datetime = FOREVER

    @property
    def case_id(self) -> str:
        return names.rollback_case(self.program_id, self.location_id, 1)

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.world.client.get_workflow_handle(self.case_id)

    @property
    def location(self) -> WorkflowHandle[Any, Any]:
        return self.world.client.get_workflow_handle(names.location_case(self.program_id, self.location_id))

    async def begin(self, ago: timedelta = timedelta()) -> None:
        """The location learns so long after it was met that a trigger is."""
        now = await self.now()
        self.triggered_at = now - ago
        await self.world.client.start_workflow(PlayedLocation.run, id=self.location.id, task_queue=PLAYED)
        order = RollbackOrder(
            program_id=self.program_id,
            location_id=self.location_id,
            region="north",
            wave=1,
            number=1,
            issue=self.issue,
            triggered_at=self.triggered_at,
            triggered_by=SYSTEM,
            disabled_at=now,
            policy_version="test",
            policy=self.policy,
        )
        await self.world.client.start_workflow(Workflow.run, order, id=self.case_id, task_queue=TaskQueue.ROLLOUTS)
        await self.happened("rollback_begun")

    # -- what people do

    async def act(self, update: Any, request: acts.RollbackAct, update_id: str | None = None) -> acts.RollbackReceipt:
        receipt: acts.RollbackReceipt = await self.world.cases.ask(self.case_id, update, request, update_id or new_id())
        return receipt

    async def acknowledge(self, *steps: str, by: Actor | None = None) -> acts.RollbackReceipt:
        for step in steps:
            request = acts.AcknowledgeStep(actor=by or STEPS[step], step_id=step)
            receipt = await self.act(Workflow.acknowledge_step, request)
        return receipt

    async def provide(self, by: Actor = VENDOR, update_id: str | None = None) -> acts.RollbackReceipt:
        request = acts.ProvideFix(actor=by, kind=FixKind.FIX, evidence_id="e-fix")
        return await self.act(Workflow.provide_fix, request, update_id)

    async def validate(self, *, passed: bool = True, by: Actor = IT_LEAD) -> acts.RollbackReceipt:
        request = acts.ValidateFix(actor=by, passed=passed, evidence_id="e-test")
        return await self.act(Workflow.validate_fix, request)

    async def confirm(self, by: Actor = IT_LEAD) -> acts.RollbackReceipt:
        return await self.act(Workflow.confirm_root_cause, acts.ConfirmRootCause(actor=by, evidence_id="e-cause"))

    async def re_enable(self, by: Actor = IT_LEAD, update_id: str | None = None) -> acts.RollbackReceipt:
        return await self.act(Workflow.re_enable, acts.ReEnable(actor=by), update_id)

    async def take_on(self, clock: str, by: Actor = VICE_PRESIDENT) -> acts.RollbackReceipt:
        return await self.act(Workflow.acknowledge_escalation, acts.AcknowledgeEscalation(actor=by, clock=clock))

    async def relapse(self, issue: IssueClass = IssueClass.SYNC_FAILURE, sequence: int = 10) -> None:
        """The location hears of a trigger once more, and says so."""
        news = Relapse(sequence=sequence, issue=issue, at=await self.now(), by=SYSTEM)
        await self.handle.signal(signals.RELAPSED, news)

    async def made_safe(self) -> None:
        """All steps of both ladders."""
        await self.acknowledge(*STEPS)

    async def cleared(self) -> None:
        """The fix is there, validated, and the root cause is confirmed."""
        await self.provide()
        await self.validate()
        await self.confirm()

    async def to(self, after: timedelta) -> None:
        """Let time pass until so long after the trigger; what is due then is done."""
        await self.world.advance(self.triggered_at + after + timedelta(seconds=1) - await self.now())

    # -- what can be seen

    async def now(self) -> datetime:
        return await self.world.env.get_current_time()

    async def status(self) -> RollbackSnapshot:
        return await self.world.cases.status(self.case_id, RollbackSnapshot)

    async def recorded(self) -> RollbackSnapshot:
        return RollbackSnapshot.model_validate((await self.row()).snapshot)

    async def heard(self) -> list[tuple[str, int]]:
        """Phases and percentages, as the location was told them."""
        found: list[RollbackNews] = await self.location.query(PlayedLocation.heard)
        assert [one.sequence for one in found] == sorted({one.sequence for one in found})
        return [(one.phase.value, one.enabled_percent) for one in found]

    async def told(self) -> list[tuple[str, str, int]]:
        """Audience and template of every letter, and how many minutes after the trigger it was called for."""
        return [
            (row.audience, row.template, round((row.queued_at - self.triggered_at) / MINUTE))
            for row in await self.letters()
        ]


def player(world: Rehearsal) -> Worker:
    """The worker for what tests play."""
    return Worker(
        world.client, task_queue=PLAYED, workflows=[PlayedLocation], workflow_runner=UnsandboxedWorkflowRunner()
    )
