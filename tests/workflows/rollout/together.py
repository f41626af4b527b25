"""A small programme in which everything is real but the evidence: Rollout, Waves, Locations and Rollbacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, time

from sqlmodel import col, select

from crypto import Keyring
from db.session import Database
from db.tables import CaseState, OutboxNotice
from domain import names
from domain.names import Process, TaskQueue
from domain.rollout.phases import LocationPhase
from domain.rollout.rollback.view import RollbackSnapshot
from embedded.rehearsal import Rehearsal, rehearse
from tests.domain.rollout.gates import good, wave_order
from tests.domain.rollout.locations import PROGRAM
from tests.domain.rollout.programmes import rollout
from tests.workflows.rollback import RolledBack
from tests.workflows.rollout.production import DAY, HOUR, Production, next_monday, until
from tests.workflows.rollout.site import Site
from tests.workflows.wave import PilotWave, ScriptedEvidence, january_monday

PILOTS = ("l-01", "l-02", "l-03")
LATER = "l-04"


@asynccontextmanager
async def all_real(database: Database, keyring: Keyring, evidence: ScriptedEvidence) -> AsyncIterator[Rehearsal]:
    async with rehearse(database, keyring=keyring, evidence=evidence, queues=(TaskQueue.ROLLOUTS,)) as world:
        begins = datetime.combine(january_monday(await world.env.get_current_time()), time(6), UTC)
        await world.env.sleep(begins - await world.env.get_current_time())  # no clock is changed for weeks
        await world.synchronise()
        yield world


@dataclass
class Together(Production):
    """Three locations in the first wave, one in the second."""

    _: KW_ONLY
    evidence: ScriptedEvidence
    sites: dict[str, Site] = field(default_factory=dict)

    @classmethod
    async def begin(cls, world: Rehearsal, evidence: ScriptedEvidence) -> Together:
        order = rollout(4, next_monday(await world.env.get_current_time()), program_id=PROGRAM)
        evidence.evidence = good(PILOTS)
        sites = {one.location_id: Site(world, location_id=one.location_id) for one in order.locations}
        together = cls(world, order=order, evidence=evidence, sites=sites)
        await world.client.start_workflow(Process.ROLLOUT, order, id=together.case_id, task_queue=TaskQueue.ROLLOUTS)
        await together.happened("locations_started")
        return together

    def wave_of(self, number: int) -> PilotWave:
        order = wave_order(zones={one.location_id: one.calendar.time_zone for one in self.order.locations})
        planned = self.order.plan.waves[number - 1]
        return PilotWave(
            self.world, order.model_copy(update={"program_id": PROGRAM, "planned": planned}), self.evidence
        )

    def rollback_of(self, location_id: str) -> RolledBack:
        return RolledBack(self.world, program_id=PROGRAM, location_id=location_id)

    async def rollback_status(self, location_id: str) -> RollbackSnapshot:
        case_id = names.rollback_case(PROGRAM, location_id, 1)
        return await self.world.cases.status(case_id, RollbackSnapshot)

    # -- the way to the launch

    async def validate_baselines(self) -> None:
        """By what the locations themselves tell."""
        for location_id in PILOTS:
            await self.sites[location_id].do_baseline()
        await self.shows(lambda shown: all(one.baseline_validated for one in shown.locations[:3]))

    async def check_off(self) -> None:
        """Both checklists, in the first week."""
        await self.prepare()
        await asyncio.gather(*(self.sites[one].do_tasks() for one in PILOTS))

    async def connect(self) -> None:
        """Integration with its watched day, test cases, champions, staff; in the week before the wave."""
        await self.advance_to(self.order.plan.waves[0].starts_on - 6 * DAY, 12 * HOUR)
        await asyncio.gather(*(self._begin_integration(self.sites[one]) for one in PILOTS))
        await self.world.advance(25 * HOUR)
        await asyncio.gather(*(self._make_ready(self.sites[one]) for one in PILOTS))

    async def _begin_integration(self, site: Site) -> None:
        await site.happened("preparation_begun")
        await site.start_integration()
        for step in site.policy.integration.machines[site.system.name].steps[:7]:
            await site.take(step, watch=False)

    async def _make_ready(self, site: Site) -> None:
        await site.take(site.policy.integration.machines[site.system.name].steps[7])
        await site.do_validation()
        await site.do_champions()
        await site.do_staff()

    async def launch(self) -> None:
        """Into the Thursday of the first wave's first week."""
        await self.advance_to(self.order.plan.waves[0].starts_on + 3 * DAY, 20 * HOUR)
        for location_id in PILOTS:
            await self.sites[location_id].happened("went_live")
        await self.shows(lambda shown: [one.deployed for one in shown.locations] == [True, True, True, False])

    # -- trouble, and the way out of it

    async def sync_fails(self, *location_ids: str) -> None:
        """Hour after hour, for more than a day."""
        for _ in range(26):
            begin = await self.now()
            await self.world.advance(HOUR)
            await asyncio.gather(*(self.sites[one].samples(begin, 1) for one in location_ids))

    async def mend(self, *location_ids: str) -> None:
        """Both ladders, the fix, and every stage of the re-enabling."""
        for rollback in map(self.rollback_of, location_ids):
            await rollback.made_safe()
            await rollback.cleared()
        for _ in self.order.policy.rollback.stages:
            for rollback in map(self.rollback_of, location_ids):
                await rollback.re_enable()
            await self.world.advance(49 * HOUR)
        for location_id in location_ids:
            await until(self.sites[location_id].status, lambda shown: shown.phase is LocationPhase.LIVE)

    # -- what can be seen

    async def board(self) -> dict[str, str]:
        """What is recorded of every process: its state, by the end of its id."""
        async with self.world.database.transaction() as session:
            rows = await session.exec(select(CaseState).where(col(CaseState.case_id).startswith(self.case_id)))
            return {row.case_id.removeprefix(self.case_id).lstrip(":"): row.business_state for row in rows}

    async def readers(self, template: str) -> set[str]:
        """Every audience that any process wrote this letter to."""
        async with self.world.database.transaction() as session:
            found = select(OutboxNotice).where(OutboxNotice.template == template)
            return {row.audience for row in await session.exec(found)}
