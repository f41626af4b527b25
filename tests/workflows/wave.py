"""One wave under test, with the programme and the locations around it played by small workflows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.rollout_contracts import CollectEvidenceInput, CollectEvidenceResult
from crypto import Keyring
from db.session import Database
from domain import names
from domain.actors import SYSTEM, Actor
from domain.case import Explanation
from domain.names import Process, TaskQueue
from domain.rollout.gate.evidence import Evidence
from domain.rollout.gate.state import Advice, CollectEvidence, DecideGate, Decision, GiveInput
from domain.rollout.holds import Hold
from domain.rollout.news import GoLiveDue, LocationNews, ProgrammeNews, WaveNews
from domain.rollout.orders import WaveOrder
from domain.rollout.phases import LocationPhase
from domain.rollout.wave.acts import AcknowledgeEscalation, CheckIn, FileArtefact, WaveReceipt
from domain.rollout.wave.policy import Artefact
from domain.rollout.wave.view import GateView, WaveLocation, WaveSnapshot
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal, rehearse
from tests.domain.rollout.gates import good
from tests.workflows.sighting import CaseSighting
from workflows.rollout.wave import Wave

NEW_YORK = ZoneInfo("America/New_York")
VP = Actor(role="vp_operations", id="vp")
CDO = Actor(role="chief_dental_officer", id="cdo")
IT = Actor(role="it_lead", id="it")
MANAGER = Actor(role="project_manager", id="pm")
HOLD = Hold(reason="systemic:sync_failure", since=datetime(2027, 1, 1, tzinfo=UTC), by=SYSTEM)
OTHERS = "others"


class ScriptedEvidence:
    """What is known, as the test says; fresh whenever it is asked for."""

    def __init__(self) -> None:
        self.evidence: tuple[Evidence, ...] = good()
        self.asked: list[CollectEvidenceInput] = []

    async def collect(self, asked: CollectEvidenceInput) -> CollectEvidenceResult:
        self.asked.append(asked)
        return CollectEvidenceResult(
            evidence=tuple(one.model_copy(update={"as_of": asked.until}) for one in self.evidence)
        )


@workflow.defn
class PlayedProgramme:
    """Hears of its waves."""

    def __init__(self) -> None:
        self._heard: list[WaveNews] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def wave_reported(self, news: WaveNews) -> None:
        self._heard.append(news)

    @workflow.query
    def heard(self) -> list[WaveNews]:
        return self._heard


@workflow.defn
class PlayedLocation:
    """Goes live when its wave says so, if it is ready."""

    def __init__(self) -> None:
        self._due: list[GoLiveDue] = []

    @workflow.run
    async def run(self, location_id: str, wave_case: str, ready: bool) -> None:
        await workflow.wait_condition(lambda: bool(self._due))
        news = LocationNews(
            sequence=5,
            location_id=location_id,
            phase=LocationPhase.LIVE if ready else LocationPhase.PREPARING,
            deployed=ready,
            baseline_validated=ready,
            missing=() if ready else ("baseline",),
        )
        await workflow.get_external_workflow_handle(wave_case).signal("location_reported", news)
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def go_live_due(self, news: GoLiveDue) -> None:
        self._due.append(news)

    @workflow.query
    def due(self) -> list[GoLiveDue]:
        return self._due


@asynccontextmanager
async def playing(database: Database, keyring: Keyring, evidence: ScriptedEvidence) -> AsyncIterator[Rehearsal]:
    async with (
        rehearse(database, keyring=keyring, evidence=evidence, queues=(TaskQueue.ROLLOUTS,)) as world,
        Worker(
            world.client,
            task_queue=OTHERS,
            workflows=[PlayedProgramme, PlayedLocation],
            workflow_runner=UnsandboxedWorkflowRunner(),
            graceful_shutdown_timeout=timedelta(0),
        ),
    ):
        yield world


def january_monday(now: datetime) -> date:
    """The second Monday of the next January that is to come: no clocks are put forward or back for a while."""
    return next(day for day in _mondays(now) if day.month == 1 and 8 <= day.day <= 14)


def monday_before_clocks_go_forward(now: datetime) -> date:
    """In New York that is on the second Sunday of March."""
    return next(day for day in _mondays(now) if day.month == 3 and 8 <= (day + timedelta(days=6)).day <= 14)


def _mondays(now: datetime) -> Iterable[date]:
    first = now.date() + timedelta(days=21 - now.weekday())
    return (first + week * timedelta(weeks=1) for week in count())


def local(day: date, at: time, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


@dataclass
class PilotWave(CaseSighting):
    """What people do in a wave. Days are counted from its first Monday, which is 0."""

    order: WaveOrder
    evidence: ScriptedEvidence
    _: KW_ONLY
    ready: frozenset[str] = frozenset({"loc-1", "loc-2"})
    _news: Any = field(default_factory=lambda: count(10))

    @property
    def case_id(self) -> str:
        return names.wave_case(self.order.program_id, self.order.planned.number)

    @property
    def handle(self) -> WorkflowHandle[Wave, WaveReceipt]:
        return self.world.client.get_workflow_handle_for(Wave.run, self.case_id)

    async def start(self) -> None:
        """On the morning of the first Monday."""
        await self.to(0, time(7))
        await self.start_now()

    async def start_now(self) -> None:
        client, program = self.world.client, self.order.program_id
        await client.start_workflow(PlayedProgramme.run, id=names.rollout_case(program), task_queue=OTHERS)
        for one in self.order.planned.locations:
            await client.start_workflow(
                PlayedLocation.run,
                args=[one, self.case_id, one in self.ready],
                id=names.location_case(program, one),
                task_queue=OTHERS,
            )
        await client.start_workflow(Process.WAVE, self.order, id=self.case_id, task_queue=TaskQueue.ROLLOUTS)

    async def now(self) -> datetime:
        return await self.world.env.get_current_time()

    def at(self, day: int, clock: time) -> datetime:
        return local(self.order.planned.starts_on + timedelta(days=day), clock)

    async def to(self, day: int, clock: time) -> None:
        """Let time pass until then, New York time."""
        left = self.at(day, clock) - await self.now()
        assert left > timedelta()
        if left > timedelta(days=35):
            await self.world.env.sleep(left - timedelta(days=1))
            left = timedelta(days=1)
        await self.world.advance(left)

    async def status(self) -> WaveSnapshot:
        return await self.handle.query(Wave.status)

    async def clocks(self) -> dict[str, Explanation]:
        return {one.clock.name: one for one in await self.handle.query(Wave.explain)}

    async def gate(self) -> GateView:
        found = (await self.status()).gate
        assert found is not None
        return found

    async def location(self, location_id: str) -> WaveLocation:
        return next(one for one in (await self.status()).locations if one.location_id == location_id)

    async def heard(self) -> list[WaveNews]:
        """By the programme."""
        handle = self.world.client.get_workflow_handle(names.rollout_case(self.order.program_id))
        found: list[WaveNews] = await handle.query(PlayedProgramme.heard)
        return found

    async def told_to_go_live(self, location_id: str) -> list[GoLiveDue]:
        case_id = names.location_case(self.order.program_id, location_id)
        return await self.world.client.get_workflow_handle(case_id).query(PlayedLocation.due)

    async def launch_of(self, location_id: str) -> GoLiveDue:
        """Wait, without letting time pass."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (told := await self.told_to_go_live(location_id)):
                await self.world.synchronise()
                await asyncio.sleep(POLL_SECONDS)
        return told[0]

    async def report(self, location_id: str, phase: LocationPhase = LocationPhase.LIVE, **changes: Any) -> None:
        facts = {"deployed": True, "baseline_validated": True, "sequence": next(self._news)} | changes
        await self.handle.signal(Wave.location_reported, LocationNews(location_id=location_id, phase=phase, **facts))

    async def hear(self, *holds: Hold, **changes: Any) -> None:
        """From the programme."""
        news = ProgrammeNews.model_validate({"sequence": next(self._news), "holds": holds} | changes)
        await self.handle.signal(Wave.programme_reported, news)

    def check_in(
        self, location_id: str, role: str = "champion", update_id: str | None = None
    ) -> Awaitable[WaveReceipt]:
        asked = CheckIn(actor=Actor(role=role, id=f"{role}-{location_id}"), location_id=location_id, note_id="note-1")
        return self.handle.execute_update(Wave.check_in, asked, id=update_id)

    def advise(self, actor: Actor, advice: Advice = Advice.GO) -> Awaitable[WaveReceipt]:
        return self.handle.execute_update(Wave.gate_input, GiveInput(actor=actor, advice=advice, note_id="note-2"))

    async def decide(
        self,
        chosen: Decision = Decision.GO,
        *,
        evidence_hash: str | None = None,
        update_id: str | None = None,
        **asked: Any,
    ) -> WaveReceipt:
        if evidence_hash is None:
            evidence_hash = (await self.gate()).evidence_hash
        facts = {"actor": VP, "wave": self.order.planned.number} | asked
        request = DecideGate(decision=chosen, evidence_hash=evidence_hash, **facts)
        return await self.handle.execute_update(Wave.decide_gate, request, id=update_id)

    def refresh(self) -> Awaitable[WaveReceipt]:
        return self.handle.execute_update(Wave.collect_evidence, CollectEvidence(actor=MANAGER))

    def file(self, artefact: Artefact) -> Awaitable[WaveReceipt]:
        asked = FileArtefact(actor=MANAGER, artefact=artefact, evidence_id=f"evidence-{artefact}")
        return self.handle.execute_update(Wave.file_artefact, asked)

    def acknowledge(self, clock: str) -> Awaitable[WaveReceipt]:
        asked = AcknowledgeEscalation(actor=MANAGER, clock=clock)
        return self.handle.execute_update(Wave.acknowledge_escalation, asked)

    async def becomes(self, phase: str) -> None:
        """Wait, without letting time pass."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.status()).phase != phase:
                await self.world.synchronise()
                await asyncio.sleep(POLL_SECONDS)

    async def go_through(self) -> None:
        """To the evaluation, with every check-in held."""
        await self.to(3, time(13, 45))
        for day in (3, 4, 7, 8, 9, 10, 11, 14, 16):
            if day > 3:
                await self.to(day, time(13, 45))
            await self.check_in("loc-1")
            await self.world.advance(timedelta(hours=1))  # it is an hour earlier in Chicago
            await self.check_in("loc-2")
            if day == 11:
                await self.world.advance(timedelta(hours=1))
                await self.file(Artefact.RETROSPECTIVE)
                await self.file(Artefact.METRICS_REVIEW)
        await self.to(18, time(9, 30))
