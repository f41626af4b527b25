"""A location outlives its runs, its workers and repeated requests."""

from __future__ import annotations

from crypto import Keyring
from db.session import Database
from db.tables import new_id
from domain.names import TaskQueue
from domain.rollout.phases import LocationPhase, RollbackPhase
from embedded.rehearsal import Rehearsal, rehearse
from tests.workflows.rollout.production import until
from tests.workflows.rollout.site import DAY, HOUR, Site, listening


async def runs(site: Site) -> int:
    """How many runs there were, the present one included."""
    return len(await site.histories())


def short_lived(site: Site) -> None:
    """Every run ends after a few events."""
    location = site.policy.location.model_copy(update={"history_limit": 50})
    site.policy = site.policy.model_copy(update={"location": location})


async def test_a_long_history_is_followed_by_a_fresh_run_that_goes_on(rollouts: Rehearsal) -> None:
    site = Site(rollouts)
    short_lived(site)
    async with listening(rollouts):
        await site.open_ready()
        await site.call_for_launch()
        await site.happened("went_live")
        await site.failing_for(20)
        await site.request_rollback()
        await site.rollback_news(RollbackPhase.RE_ENABLING, 25)
        await site.failing_for(4, failed=0)
        await site.rollback_news(RollbackPhase.RESOLVED, 100)
        await site.world.advance(8 * DAY)
        assert await runs(site) > 1
        view = await site.status()
        assert (view.phase, await site.percent(), len(view.rollbacks)) == (LocationPhase.LIVE, 100, 1)
        assert ("champion", "rollout_adoption_report_late") in await site.notices(), "its clocks went on"
        sequences = [step.sequence for step in await site.steps()]
        assert sequences == list(range(1, len(sequences) + 1))
        await site.programme(ended=True)
        assert await site.has_ended()


async def test_a_repeated_act_is_done_once_even_by_a_later_run(rollouts: Rehearsal) -> None:
    site = Site(rollouts)
    short_lived(site)
    async with listening(rollouts):
        await site.live()
        again = new_id()
        await site.request_rollback(update_id=again)
        await site.rollback_news(RollbackPhase.RESOLVED, 100)
        for _ in range(6):
            await site.hold()
            await site.programme()
        assert await runs(site) > 1
        await site.request_rollback(update_id=again)
        assert (await site.events()).count("rolled_back") == 1
        assert await site.percent() == 100


async def test_a_repeated_act_within_a_run_is_one_step(rollouts: Rehearsal) -> None:
    site = Site(rollouts)
    await site.open()
    again = new_id()
    first = await site.complete("firewall", update_id=again)
    second = await site.complete("firewall", update_id=again)
    assert first == second
    assert (await site.events()).count("task_done") == 1


async def test_lives_through_it_all_without_a_cache(database: Database, keyring: Keyring) -> None:
    async with (
        rehearse(database, keyring=keyring, queues=(TaskQueue.ROLLOUTS,), max_cached_workflows=0) as world,
        listening(world),
    ):
        site = Site(world)
        await site.open_ready(baseline=None)
        await site.call_for_launch()
        await site.validate_baseline()
        await site.happened("went_live")
        await site.wrong_message()
        await site.happened("rolled_back")
        await site.rollback_news(RollbackPhase.RE_ENABLING, 25)
        await site.rollback_news(RollbackPhase.RESOLVED, 100)
        assert await until(site.percent, lambda found: found == 100)


async def test_a_trigger_that_falls_into_an_outage_of_the_workers_is_acted_on_afterwards(
    database: Database, keyring: Keyring
) -> None:
    async with rehearse(database, keyring=keyring, queues=(TaskQueue.ROLLOUTS,), max_cached_workflows=0) as world:
        site = Site(world)
        await site.live()
        await site.failing_for(23)
        failing_from = (await site.status()).sync_failing_since
        assert failing_from is not None
        async with world.outage():
            await world.advance(HOUR + HOUR / 2)
        await site.happened("rolled_back")
        assert await site.percent() == 0
        assert (await site.rollback()).cause.at == failing_from + DAY
