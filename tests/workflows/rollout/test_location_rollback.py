"""A location goes back to manual work at once, whatever state it is in, and forward by stages (X-01 to X-08)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, time

import pytest
from temporalio.client import WorkflowUpdateFailedError

from domain import names
from domain.local_time import instant, zone_of
from domain.rollout.news import IssueClass
from domain.rollout.phases import LocationPhase, RollbackPhase
from embedded.rehearsal import Rehearsal
from tests.domain.rollout.groups import CALENDAR
from tests.domain.rollout.locations import MANAGER, PROGRAM, monday_after
from tests.workflows.rollout.site import DAY, HOUR, MINUTE, PROVIDER, VENDOR, Site, listening

WAVE = names.wave_case(PROGRAM, 1)


@pytest.fixture
async def site(rollouts: Rehearsal) -> AsyncIterator[Site]:
    async with listening(rollouts):
        yield Site(rollouts)


@pytest.fixture
async def live(site: Site) -> Site:
    await site.live()
    return site


async def at_local(site: Site, at: time, days: int = 0) -> datetime:
    """That time of the next Monday, or so many days later, where the location is."""
    return instant(monday_after(await site.now()) + days * DAY, at, zone_of(CALENDAR.time_zone))


async def test_a_request_switches_everything_off_and_starts_the_rollback(live: Site) -> None:
    receipt = await live.request_rollback()
    assert (receipt.rollback, receipt.phase) == (1, LocationPhase.ROLLED_BACK)
    assert await live.percent() == 0, "with the same step"
    child = await live.child()
    assert (child.number, child.phase, child.issues) == (1, RollbackPhase.IMMEDIATE, (IssueClass.REQUESTED,))
    await live.hears(issue=IssueClass.REQUESTED, phase=LocationPhase.ROLLED_BACK, deployed=True, rollbacks=1)
    await live.hears(WAVE, issue=IssueClass.REQUESTED)


async def test_only_a_provider_or_the_office_manager_requests_one(live: Site) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await live.request_rollback(by=VENDOR)
    assert "rollback.not_a_requester" in repr(refused.value.__cause__)
    assert await live.percent() == 100
    await live.request_rollback(by=MANAGER)


async def test_two_requests_at_once_make_one_rollback(live: Site) -> None:
    receipts = await asyncio.gather(
        live.request_rollback("evidence-1", PROVIDER), live.request_rollback("evidence-2", MANAGER)
    )
    assert [receipt.rollback for receipt in receipts] == [1, 1]
    rollback = await live.rollback()
    assert {cause.evidence for cause in (rollback.cause, *rollback.further)} == {
        "request:evidence-1",
        "request:evidence-2",
    }
    events = await live.events()
    assert (events.count("rolled_back"), events.count("rollback_cause_added")) == (1, 1)


async def test_a_rollback_and_the_launch_at_the_same_moment_leave_nothing_on(site: Site) -> None:
    await site.open_ready()
    await asyncio.gather(site.request_rollback(), site.call_for_launch())
    await site.happened("rolled_back")
    await site.world.advance(HOUR)
    assert await site.percent() == 0
    assert (await site.status()).phase in {LocationPhase.ROLLED_BACK, LocationPhase.ON_HOLD}


async def test_a_rollback_before_the_launch_stops_it_until_it_is_resolved(site: Site) -> None:
    await site.open_ready()
    await site.request_rollback()
    await site.call_for_launch()
    view = await site.recorded()
    assert (view.phase, [one.reason for one in view.holds]) == (LocationPhase.ON_HOLD, ["rollback:1"])
    assert (await site.hears(WAVE, issue=IssueClass.REQUESTED, deployed=False)).missing == ("hold.rollback:1",)
    await site.rollback_news(RollbackPhase.RE_ENABLING, 25)
    assert await site.percent() == 0, "it never was on"
    await site.rollback_news(RollbackPhase.RESOLVED, 100)
    await site.happened("went_live")
    assert await site.percent() == 100


async def test_is_switched_on_again_by_the_stages_of_the_rollback(live: Site) -> None:
    await live.request_rollback()
    found = []
    for percent in (25, 50, 100):
        await live.rollback_news(RollbackPhase.RE_ENABLING, percent)
        found.append((await live.percent(), (await live.status()).phase))
    assert found == [(percent, LocationPhase.RE_ENABLING) for percent in (25, 50, 100)]
    await live.rollback_news(RollbackPhase.RESOLVED, 100)
    view = await live.recorded()
    assert (view.phase, view.issue, await live.percent()) == (LocationPhase.LIVE, None, 100)
    await live.hears(issue=None, phase=LocationPhase.LIVE, rollbacks=1)


async def test_trouble_during_the_re_enabling_switches_off_and_goes_to_the_rollback(live: Site) -> None:
    await live.request_rollback()
    await live.child()
    await live.rollback_news(RollbackPhase.RE_ENABLING, 50)
    assert await live.percent() == 50
    await live.wrong_message()
    assert await live.percent() == 0
    await live.rollback_news(RollbackPhase.RE_ENABLING, 100)
    assert await live.percent() == 0, "it was sent before the rollback heard of the trouble"
    assert (await live.rollback()).issues == (IssueClass.REQUESTED, IssueClass.WRONG_MESSAGE)
    for _ in range(100):
        if (await live.child()).issues == (IssueClass.REQUESTED, IssueClass.WRONG_MESSAGE):
            break
        await asyncio.sleep(0.01)
    assert (await live.child()).issues == (IssueClass.REQUESTED, IssueClass.WRONG_MESSAGE)


async def test_trouble_after_the_rollback_was_over_makes_another_one(live: Site) -> None:
    await live.request_rollback()
    await live.child()
    await live.rollback_news(RollbackPhase.RE_ENABLING, 50)
    await live.world.client.get_workflow_handle(names.rollback_case(PROGRAM, live.location_id, 1)).terminate()
    await live.wrong_message()
    await live.happened("rolled_back", times=2)
    assert await live.percent() == 0
    assert (await live.child(2)).issues == (IssueClass.WRONG_MESSAGE,)
    assert [one.over_at is not None for one in (await live.status()).rollbacks] == [True, False]


async def test_a_cancelled_rollback_leaves_everything_off_until_another_is_resolved(live: Site) -> None:
    await live.request_rollback()
    await live.rollback_news(RollbackPhase.CANCELLED)
    assert await live.percent() == 0
    assert (await live.status()).phase is LocationPhase.ROLLED_BACK
    await live.request_rollback("evidence-2")
    await live.rollback_news(RollbackPhase.RESOLVED, 100, number=2)
    assert await live.percent() == 100


async def test_a_hold_stops_no_rollback_and_no_re_enabling(live: Site) -> None:
    await live.hold()
    await live.wrong_message()
    await live.happened("rolled_back")
    assert await live.percent() == 0
    await live.rollback_news(RollbackPhase.RE_ENABLING, 25)
    assert await live.percent() == 25


async def test_the_programme_does_not_leave_a_rollback_half_way(live: Site) -> None:
    await live.request_rollback()
    await live.programme(ended=True)
    await live.rollback_news(RollbackPhase.RE_ENABLING, 25)
    assert await live.percent() == 25
    await live.rollback_news(RollbackPhase.RESOLVED, 100)
    assert await live.has_ended()
    assert await live.percent() == 100


# -- triggers out of telemetry


async def test_one_confirmed_wrong_message_rolls_back(live: Site) -> None:
    await live.wrong_message()
    await live.wrong_message()
    await live.happened("rolled_back")
    assert await live.percent() == 0
    rollback = await live.rollback()
    assert (rollback.cause.issue, rollback.further) == (IssueClass.WRONG_MESSAGE, ())


async def test_a_sync_that_fails_for_more_than_a_day_rolls_back(live: Site) -> None:
    await live.failing_for(23, failed=6)
    assert (await live.status()).sync_failing_since is not None
    assert "rolled_back" not in await live.events()
    await live.failing_for(2, failed=6)
    await live.happened("rolled_back")
    assert await live.percent() == 0
    assert (await live.rollback()).cause.issue is IssueClass.SYNC_FAILURE


async def test_a_sync_that_recovers_in_between_does_not_roll_back(live: Site) -> None:
    await live.failing_for(20)
    await live.failing_for(1, failed=5)
    assert (await live.status()).sync_failing_since is None
    await live.failing_for(20)
    assert "rolled_back" not in await live.events()
    assert await live.percent() == 100


async def test_an_outage_counts_in_business_hours_over_the_night(live: Site) -> None:
    begins = await at_local(live, time(15))
    next_day = begins + 17 * HOUR
    await live.world.advance(begins - await live.now() + MINUTE)
    await live.outage(begins)
    assert (await live.status()).down_since == begins
    await live.world.advance(next_day + 2 * HOUR - await live.now() - MINUTE)
    assert "rolled_back" not in await live.events(), "two hours on Monday, not quite two on Tuesday"
    await live.world.advance(2 * MINUTE)
    await live.happened("rolled_back")
    assert (await live.rollback()).cause.issue is IssueClass.OUTAGE
    assert await live.percent() == 0


async def test_an_outage_that_ends_in_time_does_not_roll_back(live: Site) -> None:
    begins = await at_local(live, time(9))
    await live.world.advance(begins - await live.now() + MINUTE)
    await live.outage(begins)
    await live.world.advance(3 * HOUR)
    await live.outage(begins, begins + 3 * HOUR)
    await live.world.advance(DAY)
    assert "rolled_back" not in await live.events()


async def test_an_outage_that_is_told_of_late_is_measured(live: Site) -> None:
    begins = await at_local(live, time(9))
    await live.world.advance(begins + DAY - await live.now())
    await live.outage(begins, begins + 5 * HOUR)
    await live.happened("rolled_back")
    assert await live.percent() == 0


async def test_telemetry_before_the_launch_rolls_nothing_back(site: Site) -> None:
    await site.open_ready()
    await site.wrong_message()
    assert "rolled_back" not in await site.events()


async def test_what_was_before_the_re_enabling_does_not_count_after_it(live: Site) -> None:
    await live.failing_for(26)
    await live.happened("rolled_back")
    await live.rollback_news(RollbackPhase.RE_ENABLING, 25)
    assert (await live.status()).sync_failing_since is None
    await live.failing_for(20, failed=0)
    assert (await live.percent(), (await live.rollback()).further) == (25, ())
