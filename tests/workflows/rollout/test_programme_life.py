"""The whole life of a programme in simulated time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from crypto import Keyring
from db.session import Database
from domain import policy
from domain.rollout.news import Clearance
from domain.rollout.phases import LocationPhase, ProgrammePhase
from embedded.rehearsal import Rehearsal
from tests.workflows.rollout.cast import BY_ITSELF
from tests.workflows.rollout.production import DAY, Production, on_stage


@pytest.fixture
async def world(database: Database, keyring: Keyring) -> AsyncIterator[Rehearsal]:
    async with on_stage(database, keyring) as world:
        yield world


async def test_thirty_locations_end_in_week_20_with_the_last_wave_in_week_17(world: Rehearsal) -> None:
    rules = policy.load().rollout
    production = await Production.open(world, 30, rules=rules.model_copy(update={"version": BY_ITSELF}))
    starts_on = production.order.starts_on
    await production.prepare()
    seen = []
    for number in (1, 2, 3, 4):
        shown = await production.advance_to_wave(number)
        seen.append(shown.phase)
        assert shown.waves[number - 1].started_at is not None
    assert seen == [ProgrammePhase.PILOT, *[ProgrammePhase.EXPANSION] * 3]
    await production.advance_to(starts_on + timedelta(weeks=17), 12 * timedelta(hours=1))
    shown = await production.status()
    weeks = [(wave.started_at.date() - starts_on).days // 7 + 1 for wave in shown.waves if wave.started_at]
    assert weeks == [3, 7, 11, 15]
    assert [(wave.closed_at.date() - starts_on).days // 7 + 1 for wave in shown.waves if wave.closed_at] == [
        5,
        9,
        13,
        17,
    ]
    assert shown.phase is ProgrammePhase.OPTIMIZATION
    assert all(one.deployed for one in shown.locations)
    await production.complete("z_04_refinement", "z_04_roi_report")
    await world.advance(21 * DAY)
    assert await production.has_ended()
    ended = (await production.row()).snapshot
    assert ended["phase"] == ProgrammePhase.COMPLETE
    assert ended["forecast"]["weeks_forecast"] == 20
    assert ended["slips"] == []
    assert not ended["clocks"] or all(clock["outcome"] for clock in ended["clocks"])
    last = await production.heard("l-30")
    assert last[-1].ended
    assert last[-1].clearances == frozenset(Clearance)


EVENTS, MEGABYTES = 10_240, 10
"""At which the server begins to warn."""


async def test_fifty_locations_stay_far_from_the_limits_of_a_history(world: Rehearsal) -> None:
    rules = policy.load().rollout
    often = rules.programme.model_copy(update={"history_limit": 1000})  # so that it is seen to go on in fresh runs
    changed = {"version": BY_ITSELF, "programme": often}
    production = await Production.open(world, 50, rules=rules.model_copy(update=changed))
    await production.prepare()
    for number in (1, 2, 3, 4):
        shown = await production.advance_to_wave(number)
        for location_id in shown.waves[number - 1].locations:
            for missing in ("integration", "validation", "training", "champions", "go_live"):
                await production.location(location_id, LocationPhase.PREPARING, deployed=False, missing=(missing,))
            for phase in (LocationPhase.READY, LocationPhase.ON_HOLD, LocationPhase.READY):
                await production.location(location_id, phase, deployed=False)
    await world.advance(21 * DAY)
    shown = await production.status()
    assert shown.phase is ProgrammePhase.OPTIMIZATION
    histories = await production.histories()
    assert len(histories) > 1
    assert max(events for events, _ in histories) < EVENTS
    assert max(size for _, size in histories) < MEGABYTES * 1_000_000
    assert len(str((await production.row()).snapshot)) < 100_000
