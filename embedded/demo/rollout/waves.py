"""A wave from its first Monday to the decision at its gate."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from embedded.demo.rollout.figures import AFTER, metric_samples
from embedded.demo.rollout.group import Group
from embedded.demo.rollout.preparing import AT, connect, nominate, step_on, together, train

DAY = timedelta(days=1)


def wave_path(number: int) -> str:
    return f"{AT}/waves/{number}"


async def lead_up(group: Group, locations: list[str], monday: date) -> None:
    """The week before: integration with its watched day, champions, training (decision 38)."""
    await group.until(_at(monday - timedelta(days=6), 15))
    await together(group, connect, locations)
    await together(group, nominate, locations)
    await together(group, train, locations)
    await group.until(_at(monday - timedelta(days=4), 16))
    await together(group, step_on, locations)
    await group.until(_at(monday, 18))


async def attend(group: Group, number: int, until: datetime) -> None:
    """Check-ins of every afternoon, after they have fallen due everywhere (13:30, local)."""
    while group.now < until:
        afternoon = datetime.combine(group.now.date(), time(21), UTC)
        await group.until(min(until, afternoon if group.now < afternoon else afternoon + DAY))
        await report_adoption(group)
        for one in (await group.read(wave_path(number)))["progress"]["locations"]:
            if one["check_ins"]["since"] is not None:
                champion = group.who("champion", one["location_id"])
                await group.post(champion, f"{wave_path(number)}/check-ins", location_id=one["location_id"])


async def report_adoption(group: Group) -> None:
    """Of every location that has launched, each week (L-04)."""
    view = await group.read(AT)
    for one in view["progress"]["locations"]:
        last = group.reported.get(one["location_id"])
        if one["deployed"] and (last is None or group.now - last > 4 * DAY):
            group.reported[one["location_id"]] = group.now
            at = f"/locations/{one['location_id']}/training/adoption-reports"
            await group.post(group.who("champion", one["location_id"]), at, using=16)


async def measure(group: Group, locations: list[str]) -> None:
    """What the vendor's systems report, of all the time since the report before, or since the launch."""
    vendor = group.who("vendor_technical_specialist")
    for location_id in locations:
        live_at = (await group.read(f"/locations/{location_id}"))["progress"]["live_at"]
        begins = group.measured.get(location_id, datetime.fromisoformat(live_at))
        group.measured[location_id] = group.now
        stretch = {"begins": begins.isoformat(), "ends": group.now.isoformat()}
        entries: list[dict[str, Any]] = [
            {"kind": "sync", "source": "integration_logs", **stretch, "total": 900, "part": 4},
            {"kind": "watch", "source": "vendor_dashboard", **stretch},
            {"kind": "delivery", "source": "vendor_reports", **stretch, "total": 1000, "part": 985},
        ]
        batch = f"vendor-{group.now:%Y%m%dT%H%M}"
        await group.post(vendor, f"/locations/{location_id}/telemetry", batch_id=batch, entries=entries)


async def vouch(group: Group, locations: list[str], scores: dict[str, int] | None = None) -> None:
    """Champions attest the adoption and say how ready they are."""
    for location_id in locations:
        champion = group.who("champion", location_id)
        at = f"/locations/{location_id}"
        view = await group.read(f"{at}/training")
        await group.post(champion, f"{at}/training/adoption-attestations", using=view["trained"])
        await group.post(champion, f"{at}/confidence", score=(scores or {}).get(location_id, 5))


async def practice_figures(group: Group, location_id: str, first_day: date, last_day: date) -> None:
    """The practice's own figures after the launch, for the comparison with the baseline."""
    champion = group.who("office_manager", location_id)
    entries = metric_samples(first_day, last_day, AFTER)
    batch = f"practice-{last_day:%Y%m%d}"
    await group.post(champion, f"/locations/{location_id}/telemetry", batch_id=batch, entries=entries)


async def decide(group: Group, number: int) -> dict[str, Any]:
    """Inputs of the two advisers, then go; the refusal is an answer too."""
    gate = f"{wave_path(number)}/gate"
    await group.post(group.who("project_manager"), f"{gate}/evidence")
    for adviser in ("chief_dental_officer", "it_lead"):
        await group.post(group.who(adviser), f"{gate}/inputs", advice="go")
    seen = await group.read(gate)
    answer = await group.send(
        group.who("vp_operations"),
        "POST",
        f"{gate}/decision",
        json={"decision": "go", "evidence_hash": seen["gate"]["evidence_hash"], "reason": "The evidence is in."},
    )
    found: dict[str, Any] = answer.json()
    return found


async def write_down(group: Group, number: int) -> None:
    """What was learned, before the next wave may begin (W-02)."""
    manager = group.who("project_manager")
    for artefact in (await group.read(wave_path(number)))["progress"]["unwritten"]:
        at = f"{wave_path(number)}/artefacts"
        await group.post(manager, at, artefact=artefact, text="Champions first, then the front desk.")


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
