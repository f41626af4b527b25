"""One location under test, with everybody who acts on it. The test plays its programme and its wave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import Worker

from db.tables import LocationComms, new_id
from domain import names, policy
from domain.actors import Actor
from domain.errors import CarewaveError
from domain.names import Process, TaskQueue
from domain.rollout.holds import Hold, Holds
from domain.rollout.integration import acts as integration
from domain.rollout.integration.policy import StepKind, StepSpec
from domain.rollout.location import acts
from domain.rollout.location.state import LocationRollback
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.news import Clearance, GoLiveDue, LocationNews, ProgrammeNews, RollbackNews, WavePlanned
from domain.rollout.orders import LocationOrder
from domain.rollout.people import Function
from domain.rollout.phases import RollbackPhase
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import PracticeSystem
from domain.rollout.rollback.view import RollbackSnapshot
from domain.rollout.tasks import CompleteTask, TaskStatus, WaiveTask
from domain.rollout.training import acts as training
from domain.rollout.training.policy import CertificationStep
from domain.rollout.training.state import Slot
from domain.rollout.triggers import IncidentKind, MessageIncident, Outage, SyncSample, TelemetryNews
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal
from tests.domain.rollout.locations import (
    CHAMPION,
    DENTRIX,
    EVERYTHING,
    IT,
    MANAGER,
    PROGRAM,
    REGION,
    TRAINER,
    actor,
    location_order,
    ready,
)
from tests.workflows.rollout.ear import EARS, Ear
from tests.workflows.sighting import CaseSighting
from workflows.rollout.location import Location

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GRANTED = ProgrammeNews(sequence=1, clearances=EVERYTHING)
VENDOR = actor(Function.VENDOR_TECHNICAL_SPECIALIST)
PROVIDER = actor(Function.PROVIDER)
VP = actor(Function.VP_OPERATIONS)


@asynccontextmanager
async def listening(world: Rehearsal) -> AsyncIterator[None]:
    """A programme and its first wave that hear what is told."""
    async with Worker(world.client, task_queue=EARS, workflows=[Ear]):
        for case_id in (names.rollout_case(PROGRAM), names.wave_case(PROGRAM, 1)):
            await world.client.start_workflow(Ear.run, id=case_id, task_queue=EARS)
        yield


@dataclass
class Site(CaseSighting):
    """What people do and what the others tell it."""

    _: KW_ONLY
    location_id: str = "downtown"
    outdated: bool = False
    system: PracticeSystem = DENTRIX
    policy: RolloutPolicy = field(default_factory=lambda: policy.load().rollout)
    news: ProgrammeNews = GRANTED
    planned: WavePlanned | None = None
    _sequence: int = 1

    @property
    def case_id(self) -> str:
        return names.location_case(PROGRAM, self.location_id)

    async def now(self) -> datetime:
        return await self.world.env.get_current_time()

    def next(self) -> int:
        self._sequence += 1
        return self._sequence

    # -- its life

    async def open(self, **changes: Any) -> None:
        order = await self.order(**changes)
        await self.begin(order)
        await self.happened("location_opened")

    async def order(self, **changes: Any) -> LocationOrder:
        order = location_order(
            await self.now(),
            location_id=self.location_id,
            outdated=self.outdated,
            system=self.system,
            rules_of=self.policy,
            **{"news": self.news, **changes},
        )
        self.planned, self.news = order.planned, order.news
        return order

    async def begin(self, order: LocationOrder) -> None:
        await self.world.client.start_workflow(Process.LOCATION, order, id=self.case_id, task_queue=TaskQueue.ROLLOUTS)

    async def open_ready(self, **changes: Any) -> None:
        """With everything that its launch needs."""
        order = await self.order()
        state = ready(order, await self.now()).model_copy(update=changes)
        await self.begin(order.model_copy(update={"carried": state}))

    async def live(self) -> None:
        await self.open_ready()
        await self.call_for_launch()
        await self.happened("went_live")

    async def do_tasks(self) -> None:
        await self.measure()
        open_ones = [task_id for task_id, task in (await self.status()).tasks.items() if task.status is TaskStatus.OPEN]
        for task_id in open_ones:
            await self.complete(task_id)

    async def do_baseline(self) -> None:
        await self.validate_baseline()

    async def do_integration(self) -> None:
        await self.happened("preparation_begun")
        await self.start_integration()
        for step in self.policy.integration.machines[self.system.name].steps:
            await self.take(step)

    async def start_integration(self) -> acts.LocationReceipt:
        confirmed = self.policy.integration.machines[self.system.name].prerequisites
        asked = integration.StartIntegration(actor=IT, confirmed=confirmed)
        return await self.act(Location.start_integration, asked)

    async def take(self, step: StepSpec, *, watch: bool = True) -> None:
        """One step of the integration, whatever it takes."""
        owner = Actor(role=step.owners[0], id=f"{step.owners[0]}-1")
        common: dict[str, Any] = {"step_id": step.step_id, "evidence_id": "evidence-1"}
        if step.sample:
            counts = {"checked": step.sample.size, "matched": step.sample.size, "operations": step.sample.operations}
            await self.act(Location.record_sample, integration.RecordSample(actor=owner, **counts, **common))
        elif step.kind is StepKind.SIGN_OFF:
            for function in step.owners:
                asked = integration.SignOff(actor=actor(function), person_id=f"staff-{function}", **common)
                await self.act(Location.sign_off, asked)
        else:
            asked_step = integration.CompleteIntegrationStep(actor=owner, **common)
            await self.act(Location.complete_integration_step, asked_step)
        if step.kind is StepKind.MONITOR and watch:
            await self.world.advance(self.policy.integration.monitor.deadline + MINUTE)

    async def do_validation(self) -> None:
        await self.act(Location.run_validation, integration.RunValidation(actor=IT))
        await self.happened("validation_ended")

    async def do_champions(self) -> None:
        for slot, function in ((Slot.PRIMARY, Function.CHAMPION), (Slot.BACKUP, Function.BACKUP_CHAMPION)):
            await self.nominate(slot, actor(function))
        for step in CertificationStep:
            await self.certify(step)

    async def nominate(self, slot: Slot, person: Actor) -> None:
        scores = dict.fromkeys(self.policy.training.champion.weights, 4)
        asked = training.NominateChampion(
            actor=MANAGER, slot=slot, member_id=person.id, scores=scores, tenure_months=12
        )
        await self.act(Location.nominate_champion, asked)

    async def certify(self, step: CertificationStep) -> None:
        if step is CertificationStep.QUIZ:
            await self.act(
                Location.record_quiz, training.RecordQuiz(actor=TRAINER, slot=Slot.PRIMARY, percent=Decimal(90))
            )
        else:
            asked = training.RecordCertificationStep(actor=TRAINER, slot=Slot.PRIMARY, step=step)
            await self.act(Location.record_certification_step, asked)

    async def do_staff(self) -> None:
        for course in self.policy.training.courses:
            asked = training.RecordTraining(actor=CHAMPION, group=course.group, trained=3, total=3)
            await self.act(Location.record_training, asked)

    # -- what people do

    async def act(self, update: Any, asked: Any, update_id: str | None = None) -> acts.LocationReceipt:
        receipt: acts.LocationReceipt = await self.world.cases.ask(self.case_id, update, asked, update_id or new_id())
        return receipt

    async def complete(self, task_id: str, update_id: str | None = None) -> acts.LocationReceipt:
        asked = CompleteTask(actor=IT, task_id=task_id, evidence_id="evidence-1")
        return await self.act(Location.complete_task, asked, update_id)

    async def waive(self, task_id: str) -> acts.LocationReceipt:
        return await self.act(Location.waive_task, WaiveTask(actor=IT, task_id=task_id, reason="not_applicable"))

    async def measure(self, down: int = 100, up: int = 20) -> acts.LocationReceipt:
        asked = acts.MeasureNetwork(actor=IT, down_mbps=Decimal(down), up_mbps=Decimal(up), evidence_id="evidence-1")
        return await self.act(Location.measure_network, asked)

    async def validate_baseline(
        self, by: Actor = REGION, *, accurate: bool = True, update_id: str | None = None
    ) -> acts.LocationReceipt:
        return await self.act(Location.validate_baseline, acts.ValidateBaseline(actor=by, accurate=accurate), update_id)

    async def request_rollback(
        self, evidence_id: str = "evidence-1", by: Actor = PROVIDER, update_id: str | None = None
    ) -> acts.LocationReceipt:
        asked = acts.RequestRollback(actor=by, reason=acts.RequestReason.CLINICAL_IMPACT, evidence_id=evidence_id)
        return await self.act(Location.request_rollback, asked, update_id)

    async def acknowledge(self, clock: str) -> acts.LocationReceipt:
        return await self.act(Location.acknowledge_escalation, acts.AcknowledgeEscalation(actor=IT, clock=clock))

    # -- what others tell

    async def tell(self, signal: str, news: object) -> None:
        """And wait until it was dealt with: a refused act comes after it."""
        await self.world.client.get_workflow_handle(self.case_id).signal(signal, news)
        with contextlib.suppress(WorkflowUpdateFailedError, CarewaveError):
            await self.acknowledge("none")

    async def programme(
        self, *, clearances: frozenset[Clearance] | None = None, holds: Holds = (), ended: bool = False
    ) -> None:
        granted = self.news.clearances if clearances is None else clearances
        self.news = ProgrammeNews(sequence=self.next(), clearances=granted, holds=holds, ended=ended)
        await self.tell("programme_reported", self.news)

    async def hold(self, reason: str = "systemic:sync_failure") -> None:
        await self.programme(holds=(Hold(reason=reason, since=await self.now(), by=VP),))

    async def plan(self, **changes: Any) -> None:
        assert self.planned is not None
        self.planned = self.planned.model_copy(update={"sequence": self.next(), **changes})
        await self.tell("wave_planned", self.planned)

    async def call_for_launch(self, wave: int = 1) -> None:
        await self.tell("go_live_due", GoLiveDue(sequence=self.next(), wave=wave, at=await self.now()))

    async def rollback_news(
        self, phase: RollbackPhase, percent: int = 0, *, number: int = 1, sequence: int | None = None
    ) -> None:
        news = RollbackNews(
            sequence=sequence or 1000 + self.next(), number=number, phase=phase, enabled_percent=percent, by=IT
        )
        await self.tell("rollback_reported", news)

    async def telemetry(self, **news: Any) -> None:
        await self.tell("telemetry_reported", TelemetryNews(batch_id=new_id(), **news))

    async def samples(self, begin: datetime, hours: int, failed: int = 10) -> None:
        """Of so many hours from then on, each hour with so many failures of 100."""
        found = tuple(
            SyncSample(from_at=begin + n * HOUR, until_at=begin + (n + 1) * HOUR, total=100, failed=failed)
            for n in range(hours)
        )
        await self.telemetry(samples=found)

    async def failing_for(self, hours: int, failed: int = 10) -> None:
        """Time passes, with telemetry each hour."""
        for _ in range(hours):
            begin = await self.now()
            await self.world.advance(HOUR)
            await self.samples(begin, 1, failed)

    async def outage(self, began_at: datetime, ended_at: datetime | None = None, outage_id: str = "outage-1") -> None:
        await self.telemetry(outages=(Outage(outage_id=outage_id, began_at=began_at, ended_at=ended_at),))

    async def wrong_message(self, incident_id: str = "incident-1") -> None:
        at = await self.now()
        kind = IncidentKind.WRONG_PATIENT
        await self.telemetry(incidents=(MessageIncident(incident_id=incident_id, kind=kind, confirmed_at=at),))

    # -- what can be seen

    async def status(self) -> LocationSnapshot:
        return await self.world.cases.status(self.case_id, LocationSnapshot)

    async def recorded(self) -> LocationSnapshot:
        return LocationSnapshot.model_validate((await self.row()).snapshot)

    async def rollback(self) -> LocationRollback:
        return (await self.status()).rollbacks[-1]

    async def comms(self) -> LocationComms | None:
        async with self.world.database.transaction() as session:
            return await session.get(LocationComms, self.location_id)

    async def percent(self) -> int:
        """What whoever sends would find."""
        found = await self.comms()
        return found.enabled_percent if found else 0

    async def heard(self, case_id: str | None = None) -> list[LocationNews]:
        """By the programme, or by another who listens."""
        handle = self.world.client.get_workflow_handle(case_id or names.rollout_case(PROGRAM))
        return await handle.query(Ear.heard)

    async def hears(self, case_id: str | None = None, **fields: object) -> LocationNews:
        """Wait, without letting time pass, until the latest news has these values."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                news = await self.heard(case_id)
                if news and fields.items() <= dict(news[-1]).items():
                    return news[-1]
                await asyncio.sleep(POLL_SECONDS)

    async def child(self, number: int = 1) -> RollbackSnapshot:
        """The rollback itself, once it runs."""
        case_id = names.rollback_case(PROGRAM, self.location_id, number)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(Exception):
                    return await self.world.cases.status(case_id, RollbackSnapshot)
                await asyncio.sleep(POLL_SECONDS)
