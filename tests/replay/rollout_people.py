"""Those who act in the rollouts whose histories are kept: nothing is under way any more when an act returns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.calendars import business_days, moments, opening_hours
from activities.records import RecordActivities
from crypto import Keyring
from db.session import Database
from db.tables import new_id
from domain import policy
from domain.names import Process, TaskQueue
from domain.rollout.location.acts import LocationReceipt
from domain.rollout.orders import WaveOrder
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase
from domain.rollout.planning.dates import whole
from domain.rollout.policy import RolloutPolicy
from domain.rollout.programme.acts import ProgrammeReceipt
from domain.rollout.rollback import acts as rollback
from domain.work_calendar import WorkCalendar
from embedded.rehearsal import Rehearsal, rehearse
from tests.domain.rollout.gates import wave_order
from tests.domain.rollout.groups import HOURS
from tests.domain.rollout.programmes import groups, place, rollout
from tests.replay.settling import settled
from tests.workflows import rollback as rollbacks
from tests.workflows import wave as waves
from tests.workflows.rollout.cast import FakeLocation, FakeWave
from tests.workflows.rollout.production import Production, next_monday
from tests.workflows.rollout.site import Site, listening
from tests.workflows.wave import ScriptedEvidence
from worker import sandbox
from workflows.rollout.programme import Rollout

NO_SUMMER_TIME = WorkCalendar(time_zone="America/Phoenix", hours=HOURS)
MORNING = time(6)
KEPT_DAYS = {"champion_training", "go_live", "check_in_go_live", "retrospective", "check_in_reduced", "evaluation"}
PROGRAMMES = "programmes"
"""The queue of programmes whose waves and locations are played."""


@dataclass
class Theatre:
    """One clock for all lives of rollouts, and somebody to hear of them."""

    world: Rehearsal
    evidence: ScriptedEvidence

    async def to_january(self) -> datetime:
        """Every life begins at the same time of the year and of the week: its commands depend on neither."""
        now = await self.world.env.get_current_time()
        begins = datetime.combine(waves.january_monday(now), MORNING, UTC)
        await self.world.env.sleep(begins - now)
        await self.world.synchronise()
        return begins

    async def site(self, location_id: str) -> SettlingSite:
        await self.to_january()
        return SettlingSite(self.world, location_id=location_id)

    async def rollback(self, location_id: str) -> SettlingRollback:
        await self.to_january()
        return SettlingRollback(self.world, location_id=location_id)

    async def wave(self, **changed: Any) -> SettlingWave:
        """Of a programme of its own, from the next Monday on; with few days of the plan: it is a short history."""
        order: WaveOrder = wave_order(starts_on=next_monday(await self.to_january()))
        days = [day for day in order.policy.pilot_days if day.item_id in KEPT_DAYS]
        few = [day.model_copy(update={"weekdays": day.weekdays[-1:]}) for day in days]
        rules = order.policy.model_copy(update={"pilot_days": tuple(few), **changed})
        order = order.model_copy(update={"program_id": f"p-{new_id()[-8:]}", "policy": rules})
        return SettlingWave(self.world, order, self.evidence)

    async def programme(self, rules: RolloutPolicy, *waves_of: int) -> SettlingProduction:
        """With so many locations in each wave."""
        starts_on = next_monday(await self.to_january())
        places = tuple(place(number, calendar=NO_SUMMER_TIME) for number in range(1, sum(waves_of) + 1))
        grouped = groups(tuple(one.location_id for one in places), waves_of)
        plan = whole(grouped, starts_on, NO_SUMMER_TIME, rules.planning)
        program_id = f"p-{new_id()[-8:]}"
        order = rollout(len(places), starts_on, rules=rules, calendar=NO_SUMMER_TIME, program_id=program_id, plan=plan)
        production = SettlingProduction(self.world, order=order.model_copy(update={"locations": places}))
        await self.world.client.start_workflow(
            Process.ROLLOUT, production.order, id=production.case_id, task_queue=PROGRAMMES
        )
        await production.happened("locations_started")
        await production.rests()
        return production


@asynccontextmanager
async def theatre(database: Database, keyring: Keyring) -> AsyncIterator[Theatre]:
    evidence = ScriptedEvidence()
    async with rehearse(database, keyring=keyring, evidence=evidence, queues=(TaskQueue.ROLLOUTS,)) as world:
        records = RecordActivities(world.adapters.records, world.adapters.network, real_time=False)
        programmes = Worker(
            world.client,
            task_queue=PROGRAMMES,
            workflows=[Rollout, FakeWave, FakeLocation],
            activities=[records.record_step, opening_hours, moments, business_days],
            workflow_runner=sandbox(),
        )
        others = Worker(
            world.client,
            task_queue=waves.OTHERS,
            workflows=[waves.PlayedProgramme, waves.PlayedLocation],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        async with programmes, others, rollbacks.player(world), listening(world):
            yield Theatre(world, evidence)


class SettlingSite(Site):
    async def act(self, update: Any, asked: Any, update_id: str | None = None) -> LocationReceipt:
        receipt = await super().act(update, asked, update_id)
        await settled(self.world, self.case_id)
        return receipt

    async def tell(self, signal: str, news: object) -> None:
        await self.world.client.get_workflow_handle(self.case_id).signal(signal, news)
        await settled(self.world, self.case_id)

    async def happened(self, event: str, times: int = 1) -> list[str]:
        events = await super().happened(event, times)
        await settled(self.world, self.case_id)
        return events

    async def pass_time(self, duration: timedelta) -> None:
        await self.world.advance(duration)
        await settled(self.world, self.case_id)


class SettlingRollback(rollbacks.RolledBack):
    """Of a location that is played, or that runs too."""

    async def begin(self, ago: timedelta = timedelta()) -> None:
        await super().begin(ago)
        await self.rests()

    async def act(
        self, update: Any, request: rollback.RollbackAct, update_id: str | None = None
    ) -> rollback.RollbackReceipt:
        receipt = await super().act(update, request, update_id)
        await self.rests()
        return receipt

    async def pass_time(self, duration: timedelta) -> None:
        await self.world.advance(duration)
        await self.rests()

    async def rests(self) -> None:
        await settled(self.world, self.case_id)
        await settled(self.world, self.location.id)


class SettlingWave(waves.PilotWave):
    async def start(self) -> None:
        await waves.PilotWave.to(self, 0, time(7))
        await self.start_now()
        await self.happened("wave_started")
        await self.rests()

    async def to(self, day: int, clock: time) -> None:
        await super().to(day, clock)
        await self.rests()

    async def check_in_at(self, day: int, clock: time, location_id: str) -> None:
        await self.to(day, clock)
        await self.check_in(location_id)
        await self.rests()

    async def launches(self) -> None:
        """One location after the other; each says that it is live."""
        for times, clock in enumerate((time(8, 30), time(9, 30)), start=1):
            await self.to(3, clock)
            await self.happened("wave_location_changed", times)
            await self.rests()

    async def rests(self) -> None:
        await settled(self.world, self.case_id)


class SettlingProduction(Production):
    async def ask(self, update: Any, asked: Any, update_id: str | None = None) -> ProgrammeReceipt:
        receipt = await super().ask(update, asked, update_id)
        await self.rests()
        return receipt

    async def signal(self, name: str, news: object) -> None:
        await super().signal(name, news)
        await self.rests()

    async def advance_to(self, day: date, past: timedelta = timedelta()) -> None:
        await super().advance_to(day, past)
        await self.rests()

    async def pass_time(self, duration: timedelta) -> None:
        await self.world.advance(duration)
        await self.rests()

    async def goes_live(self, *location_ids: str) -> None:
        for location_id in location_ids:
            await self.location(location_id, LocationPhase.LIVE)

    async def rests(self) -> None:
        await settled(self.world, self.case_id)


def brief(**changed: Any) -> RolloutPolicy:
    """With the tasks that grant something and a single approver, so that a whole programme is a short history."""
    rules = policy.load().rollout
    kept = [task for task in rules.programme.tasks if task.grants or task.task_id == rules.programme.hosting_task]
    approvers = [one for one in rules.programme.approvers if one.function is Function.VP_OPERATIONS]
    fields = {"tasks": tuple(kept), "compliance": rules.programme.compliance[:1], "approvers": tuple(approvers)}
    programme = rules.programme.model_copy(update=fields | changed)
    return rules.model_copy(update={"programme": programme})
