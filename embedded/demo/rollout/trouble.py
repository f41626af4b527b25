"""Rollbacks of the demo: what triggers them, and the way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from embedded.demo.rollout.group import Group
from embedded.demo.rollout.waves import report_adoption

HOUR = timedelta(hours=1)


async def wrong_message(group: Group, location_id: str) -> None:
    """A reminder at the wrong time, confirmed by the office manager: one is enough (X-02)."""
    at = f"/locations/{location_id}/incidents"
    manager = group.who("office_manager", location_id)
    occurred = (group.now - HOUR).isoformat()
    told = "A reminder went out at three in the morning."
    incident = await group.post(manager, at, kind="wrong_time", occurred_at=occurred, description=told)
    await group.post(manager, f"{at}/{incident['id']}/confirm")


async def sync_fails(group: Group, locations: list[str]) -> None:
    """More than 5 % of the appointments do not sync, hour after hour, for more than a day (X-01)."""
    vendor = group.who("vendor_technical_specialist")
    for _ in range(26):
        sample = {
            "kind": "sync",
            "source": "integration_logs",
            "begins": (group.now - HOUR).isoformat(),
            "ends": group.now.isoformat(),
            "total": 40,
            "part": 9,
        }
        for location_id in locations:
            batch = f"failing-{group.now:%Y%m%dT%H%M}"
            await group.post(vendor, f"/locations/{location_id}/telemetry", batch_id=batch, entries=[sample])
        await group.until(group.now + HOUR)


async def climb_down(group: Group, location_id: str, number: int = 1) -> None:
    """The ladder of two hours and of a day, each step by its owner."""
    at = f"/locations/{location_id}/rollbacks/{number}"
    for step in (await group.read(at))["progress"]["steps"]:
        if step["done"] is None:
            owner = group.who(step["owners"][0], location_id)
            await group.post(owner, f"{at}/steps/{step['step_id']}/acknowledge", note="Done and noted.")


async def mend(group: Group, location_id: str, number: int = 1) -> None:
    """A fix, its test, the root cause (X-07)."""
    at = f"/locations/{location_id}/rollbacks/{number}"
    it_lead = group.who("it_lead")
    await group.post(group.who("vendor_support"), f"{at}/fixes", kind="fix", description="Connector 4.2.1.")
    await group.post(it_lead, f"{at}/fix-tests", passed=True, evidence="100 appointments through the test location.")
    await group.post(it_lead, f"{at}/root-cause", evidence="A lock in the database; the fix waits for it.")


async def switch_on(group: Group, locations: list[str], number: int = 1) -> None:
    """Stage after stage, each watched before the next may begin."""
    it_lead = group.who("it_lead")
    while True:
        views = {one: await group.read(f"/locations/{one}/rollbacks/{number}") for one in locations}
        open_ones = [one for one, view in views.items() if view["progress"]["resolved_at"] is None]
        if not open_ones:
            return
        for one in open_ones:
            if views[one]["progress"]["enabled_percent"] < 100:
                await group.post(it_lead, f"/locations/{one}/rollbacks/{number}/stages")
        await group.until(group.now + timedelta(hours=25))
        await report_adoption(group)


async def refused_re_enabling(group: Group, location_id: str, number: int = 1) -> tuple[str, list[str]]:
    """What the API says to an early re-enabling: its code, and what is missing."""
    at = f"/locations/{location_id}/rollbacks/{number}/stages"
    answer = await group.send(group.who("it_lead"), "POST", at)
    problem: dict[str, Any] = answer.json()
    return problem["code"], problem["missing"]
