"""One programme under test, with everybody who acts on it; its waves and locations are played."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.calendars import business_days, moments, opening_hours
from activities.records import RecordActivities
from crypto import Keyring
from db.session import Database
from db.tables import new_id
from domain import names
from domain.actors import Actor
from domain.names import Process, TaskQueue
from domain.rollout.news import LocationNews, ProgrammeNews, WaveNews, WavePlanned
from domain.rollout.orders import RolloutOrder
from domain.rollout.phases import LocationPhase, WavePhase
from domain.rollout.programme import acts
from domain.rollout.programme.acts import ProgrammeReceipt
from domain.rollout.programme.view import ProgrammeSnapshot
from domain.rollout.tasks import CompleteTask, TaskSpec
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal, rehearse
from tests.domain.rollout.programmes import VP, member, rollout
from tests.workflows.rollout.cast import FakeLocation, FakeWave
from tests.workflows.sighting import CaseSighting
from worker import sandbox
from workflows.rollout.programme import Rollout

Seen = TypeVar("Seen")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@asynccontextmanager
async def on_stage(database: Database, keyring: Keyring, *, cached: int = 200) -> AsyncIterator[Rehearsal]:
    """The programme's workflow is the real one, waves and locations are not."""
    async with rehearse(database, keyring=keyring, queues=()) as world:
        records = RecordActivities(world.adapters.records, world.adapters.network, real_time=False)
        async with Worker(
            world.client,
            task_queue=TaskQueue.ROLLOUTS,
            workflows=[Rollout, FakeWave, FakeLocation],
            activities=[records.record_step, opening_hours, moments, business_days],
            workflow_runner=sandbox(),
            max_cached_workflows=cached,
            max_concurrent_workflow_tasks=16,
        ):
            yield world


def next_monday(now: datetime) -> date:
    return now.date() + (7 - now.weekday()) * DAY


@dataclass
class Production(CaseSighting):
    _: KW_ONLY
    order: RolloutOrder
    told: dict[str, int] = field(default_factory=dict)
    """Sequences of the played waves and locations."""

    @classmethod
    async def open(cls, world: Rehearsal, locations: int = 10, **changed: Any) -> Production:
        order = rollout(locations, next_monday(await world.env.get_current_time()), **changed)
        production = cls(world, order=order)
        await world.client.start_workflow(
            Process.ROLLOUT,
            order,
            id=production.case_id,
            task_queue=TaskQueue.ROLLOUTS,
            search_attributes=TypedSearchAttributes([]),
        )
        await production.happened("locations_started")
        return production

    @property
    def case_id(self) -> str:
        return names.rollout_case(self.order.program_id)

    async def now(self) -> datetime:
        return await self.world.env.get_current_time()

    async def status(self) -> ProgrammeSnapshot:
        found: ProgrammeSnapshot = await self.world.client.get_workflow_handle(self.case_id).query(Rollout.status)
        return found

    async def shows(self, what: Callable[[ProgrammeSnapshot], bool]) -> ProgrammeSnapshot:
        """Wait, without letting time pass, until the programme shows it."""
        return await until(self.status, what)

    async def ask(self, update: Any, asked: Any, update_id: str | None = None) -> ProgrammeReceipt:
        receipt: ProgrammeReceipt = await self.world.cases.ask(self.case_id, update, asked, update_id or new_id())
        return receipt

    async def refused(self, update: Any, asked: Any) -> str:
        """The code of the refusal."""
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await self.ask(update, asked)
        assert isinstance(refusal.value.cause, ApplicationError)
        return refusal.value.cause.type or ""

    # -- what people do

    async def complete(self, *task_ids: str) -> None:
        specs = {spec.task_id: spec for spec in self.order.policy.programme.all_tasks}
        for task_id in task_ids:
            await self.ask(Rollout.complete_task, self.completion(specs[task_id]))

    def completion(self, spec: TaskSpec) -> CompleteTask:
        wanted = spec.locations.least if spec.locations else 0
        return CompleteTask(
            actor=member(spec.owner),
            task_id=spec.task_id,
            evidence_id="evidence-1",
            location_ids=tuple(one.location_id for one in self.order.locations[:wanted]),
        )

    async def prepare(self, *, but: str = "") -> None:
        """Everything that the first wave needs, but one part of it."""
        parts: dict[str, Callable[[], Any]] = {
            "tasks": self.complete_all,
            "compliance": self.attest_all,
            "approvals": self.approve_all,
            "baselines": self.validate_baselines,
            "pilot": self.approve_pilot,
        }
        for name, act in parts.items():
            if name != but:
                await act()

    async def complete_all(self) -> None:
        """What is still open."""
        left = {task.task_id for task in (await self.status()).tasks if task.status == "open"}
        specs = in_order(self.order.policy.programme.tasks)
        await self.complete(*(spec.task_id for spec in specs if spec.task_id in left))

    async def attest_all(self, *, but: str = "") -> None:
        for point in self.order.policy.programme.compliance:
            if point.point_id != but:
                await self.attest(point.point_id, member(point.owners[0]))

    async def attest(self, point_id: str, actor: Actor, *, passed: bool = True) -> None:
        asked = acts.AttestCompliance(actor=actor, point_id=point_id, passed=passed, evidence_id="evidence-1")
        await self.ask(Rollout.attest_compliance, asked)

    async def approve_all(self, *, but: str = "") -> None:
        for one in self.order.policy.programme.approvers_for(self.order.spend_cents):
            if one.function != but:
                await self.ask(Rollout.approve, acts.DecideApproval(actor=member(one.function)))

    async def approve_pilot(self) -> None:
        pilots = frozenset((await self.status()).waves[0].locations)
        await self.ask(Rollout.approve_pilot, acts.ApprovePilot(actor=VP, locations=pilots))

    async def validate_baselines(self) -> None:
        for location_id in (await self.status()).waves[0].locations:
            await self.location(location_id, LocationPhase.PREPARING, deployed=False)

    # -- what waves and locations tell

    async def location(
        self, location_id: str, phase: LocationPhase = LocationPhase.LIVE, *, deployed: bool = True, **more: Any
    ) -> LocationNews:
        news = LocationNews(
            sequence=self._next(location_id),
            location_id=location_id,
            phase=phase,
            deployed=deployed,
            **{"baseline_validated": True, **more},
        )
        await self.signal("location_reported", news)
        return news

    async def wave(self, number: int, phase: WavePhase, **more: Any) -> WaveNews:
        news = WaveNews(sequence=self._next(f"wave-{number}"), number=number, phase=phase, **more)
        await self.signal("wave_reported", news)
        return news

    async def close_wave(self, number: int) -> None:
        await self.wave(number, WavePhase.CLOSED, closed_at=await self.now())
        await self.shows(lambda shown: shown.waves[number - 1].closed_at is not None)

    async def signal(self, name: str, news: object) -> None:
        await self.world.client.get_workflow_handle(self.case_id).signal(name, news)

    def _next(self, who: str) -> int:
        self.told[who] = self.told.get(who, 0) + 1
        return self.told[who]

    # -- what they heard

    async def heard(self, location_id: str) -> list[ProgrammeNews]:
        case_id = names.location_case(self.order.program_id, location_id)
        handle = self.world.client.get_workflow_handle(case_id)
        found: list[ProgrammeNews] = await handle.query("heard", result_type=list[ProgrammeNews])
        return found

    async def heard_by_wave(self, number: int) -> list[ProgrammeNews]:
        case_id = names.wave_case(self.order.program_id, number)
        handle = self.world.client.get_workflow_handle(case_id)
        found: list[ProgrammeNews] = await handle.query("heard", result_type=list[ProgrammeNews])
        return found

    async def plans(self, location_id: str) -> list[WavePlanned]:
        case_id = names.location_case(self.order.program_id, location_id)
        handle = self.world.client.get_workflow_handle(case_id)
        found: list[WavePlanned] = await handle.query("planned", result_type=list[WavePlanned])
        return found

    async def until_heard(self, location_id: str, what: Callable[[ProgrammeNews], bool]) -> ProgrammeNews:
        return (await until(lambda: self.heard(location_id), lambda news: what(news[-1])))[-1]

    async def until_planned(self, location_id: str, what: Callable[[WavePlanned], bool]) -> WavePlanned:
        return (await until(lambda: self.plans(location_id), lambda plans: what(plans[-1])))[-1]

    # -- history

    async def runs(self) -> int:
        """How many executions there were."""
        return len(await self.histories())

    # -- time

    async def advance_to_wave(self, number: int, *, past: timedelta = 12 * HOUR) -> ProgrammeSnapshot:
        """Into the Monday on which it is forecast to start."""
        monday = (await self.status()).waves[number - 1].forecast_from
        await self.advance_to(monday, past)
        return await self.status()

    async def advance_to(self, day: date, past: timedelta = timedelta()) -> None:
        now = await self.now()
        wanted = datetime(day.year, day.month, day.day, tzinfo=now.tzinfo) + past
        await self.world.advance(wanted - now)
        await self.status()


async def until(look: Callable[[], Awaitable[Seen]], what: Callable[[Seen], bool]) -> Seen:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if what(seen := await look()):
                return seen
            await asyncio.sleep(POLL_SECONDS)


def in_order(specs: tuple[TaskSpec, ...]) -> list[TaskSpec]:
    """What a task needs comes before it."""
    done: list[TaskSpec] = []
    left = list(specs)
    while left:
        ready = [spec for spec in left if set(spec.needs) <= {one.task_id for one in done}]
        done += ready
        left = [spec for spec in left if spec not in ready]
    return done
