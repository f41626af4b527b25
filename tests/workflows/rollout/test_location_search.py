"""What of a location can be searched for in Temporal."""

from __future__ import annotations

from temporalio.converter import PayloadConverter

from embedded.rehearsal import Rehearsal
from tests.workflows.rollout.site import Site


async def changes(site: Site, name: str) -> list[object]:
    """Every value that a search attribute was given, in their order; None where it was taken away."""
    history = await site.world.client.get_workflow_handle(site.case_id).fetch_history()
    upserts = [
        event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        for event in history.events
        if event.HasField("upsert_workflow_search_attributes_event_attributes")
    ]
    return [PayloadConverter.default.from_payload(fields[name]) for fields in upserts if name in fields]


async def test_shows_why_it_is_held_for_as_long_as_it_is(rollouts: Rehearsal) -> None:
    site = Site(rollouts)
    await site.open_ready(baseline=None)
    await site.hold("systemic:outage")
    await site.request_rollback()
    await site.programme()
    assert await changes(site, "PausedReason") == ["systemic:outage", "rollback:1"]
    await site.hold("executive")
    assert (await site.status()).holds[0].reason == "executive"


async def test_shows_its_wave_and_its_state(rollouts: Rehearsal) -> None:
    site = Site(rollouts)
    await site.open_ready(baseline=None)
    await site.hold()
    await site.programme()
    await site.plan(wave=3)
    assert await changes(site, "WaveNumber") == [1, 3]
    assert await changes(site, "BusinessState") == ["LOCATION_ON_HOLD", "LOCATION_PREPARING"]
    assert (await changes(site, "PausedReason"))[0] == "systemic:sync_failure"


async def test_its_card_says_what_holds_it_and_what_is_missing(rollouts: Rehearsal) -> None:
    site = Site(rollouts)
    await site.open_ready(baseline=None)
    await site.hold("executive")
    await site.call_for_launch()
    handle = site.world.client.get_workflow_handle(site.case_id)
    card = await handle.query("__temporal_workflow_metadata")
    assert "`executive`" in str(card)
    assert "baseline.validated" in str(card)
