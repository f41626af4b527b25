"""What a location leaves in Temporal over a whole rollout. Of a programme of fifty: test_programme_life."""

from __future__ import annotations

import asyncio

from db.tables import new_id
from domain.rollout.news import WavePlanned
from domain.rollout.phases import LocationPhase
from domain.rollout.triggers import SyncSample, TelemetryNews
from embedded.rehearsal import Rehearsal
from tests.workflows.rollout.site import DAY, HOUR, Site, listening

EVENTS_OF_A_RUN = 2_000
BYTES_OF_A_RUN = 2_000_000
WEEKS_LIVE = 8


async def test_a_location_stays_far_from_the_limits_of_a_history(rollouts: Rehearsal) -> None:
    """Prepared, launched, and then telemetry of every hour, week after week."""
    async with listening(rollouts):
        site = Site(rollouts)
        await _goes_live(site)
        for _ in range(WEEKS_LIVE * 7):
            await _a_day_of_telemetry(site)
        await site.programme(ended=True)
        assert await site.has_ended()
        assert (await site.recorded()).phase is LocationPhase.CLOSED
        runs = await site.histories()
        assert len(runs) > 1
        assert max(events for events, _ in runs) < EVENTS_OF_A_RUN
        assert max(size for _, size in runs) < BYTES_OF_A_RUN
        assert len(str((await site.row()).snapshot)) < 30_000


async def _goes_live(site: Site) -> None:
    now = await site.now()
    await site.open(planned=WavePlanned(sequence=1, wave=1, integration_from=now, go_live_at=now + 14 * DAY))
    await site.do_tasks()
    await site.do_baseline()
    await site.do_integration()
    await site.do_validation()
    await site.do_champions()
    await site.do_staff()
    await site.call_for_launch()
    await site.happened("went_live")


async def _a_day_of_telemetry(site: Site) -> None:
    begin = await site.now()
    await site.world.advance(DAY)
    handle = site.world.client.get_workflow_handle(site.case_id)
    hours = (
        SyncSample(from_at=begin + n * HOUR, until_at=begin + (n + 1) * HOUR, total=40, failed=1) for n in range(24)
    )
    batches = (TelemetryNews(batch_id=new_id(), samples=(sample,)) for sample in hours)
    await asyncio.gather(*(handle.signal("telemetry_reported", batch) for batch in batches))
