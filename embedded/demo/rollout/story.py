"""Twenty weeks: a pilot with a rollback and a refused gate, a systemic pause, three more waves, the return."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from db.members import of_subject
from embedded.demo.rollout import trouble, waves
from embedded.demo.rollout.group import EXAMPLE, PROGRAM, Group, programme_from
from embedded.demo.rollout.preparing import AT, prepare_programme
from embedded.stage import Stage

DAY = timedelta(days=1)


@dataclass
class Chronicle:
    """What the demo tells of it: what was refused and why, and the forecast as it changed."""

    group: Group
    remarks: list[str] = field(default_factory=list)
    forecasts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def note_forecast(self, when: str) -> None:
        view = await self.group.read(AT)
        self.forecasts.append((when, view["progress"]["forecast"]))


async def play(stage: Stage, progress: Callable[[str], None]) -> Chronicle:
    """From the placing of the programme to its end. `progress` hears where it is."""
    group = Group(stage, programme_from(EXAMPLE, stage.rehearsal.clock.now))
    told = Chronicle(group)
    progress("placing the programme")
    await _place(group)
    while (await group.read(AT))["progress"] is None:  # noqa: ASYNC110 - no time passes
        await asyncio.sleep(0.01)
    await told.note_forecast("as planned")
    await group.until(group.day(1, 1, hour=15))
    progress("weeks 1 and 2: checklists, baselines, approvals")
    await prepare_programme(group)
    progress("wave 1: the pilot, a rollback, a refused gate")
    await _pilot(told)
    progress("a systemic pause")
    await _systemic_pause(told)
    for number in (2, 3, 4):
        progress(f"wave {number}")
        await _wave(told, number)
    progress("optimization and return")
    await _optimise(told)
    return told


async def _place(group: Group) -> None:
    await group.call(group.who("vp_operations"), "POST", "/rollouts", json=group.file)
    async with group.stage.rehearsal.database.transaction() as session:
        for person in group.file["people"]:
            seats = await of_subject(session, person["subject"])
            group.members[person["key"]] = seats[0].member_id


async def _planned(group: Group, number: int) -> dict[str, Any]:
    view = await group.read(AT)
    found: dict[str, Any] = next(one for one in view["progress"]["waves"] if one["number"] == number)
    return found


async def _pilot(told: Chronicle) -> None:
    group = told.group
    wave = await _planned(group, 1)
    pilots = wave["locations"]
    await waves.lead_up(group, pilots, date.fromisoformat(wave["forecast_from"]))
    await waves.attend(group, 1, group.day(4, 2))
    await trouble.wrong_message(group, pilots[-1])
    await group.until(group.now + timedelta(minutes=30))
    await trouble.climb_down(group, pilots[-1])
    code, missing = await trouble.refused_re_enabling(group, pilots[-1])
    told.remarks.append(f"{pilots[-1]}: re-enabling refused ({code}): {', '.join(missing)}")
    await group.until(group.now + timedelta(hours=20))
    await trouble.mend(group, pilots[-1])
    await trouble.switch_on(group, [pilots[-1]])
    await waves.attend(group, 1, group.day(5, 5, hour=17))
    await _gate_refused_then_passed(told, pilots)


async def _gate_refused_then_passed(told: Chronicle, pilots: list[str]) -> None:
    """One champion rates 3 of 5: the gate asks for all of them, not for the mean (GG-07)."""
    group = told.group
    await waves.measure(group, pilots)
    await waves.vouch(group, pilots, {pilots[0]: 3})
    refused = await waves.decide(group, 1)
    told.remarks.append(f"gate of wave 1 refused ({refused['code']}): {', '.join(refused['missing'])}")
    await group.until(group.now + timedelta(hours=2))
    await waves.measure(group, pilots)
    await waves.vouch(group, pilots[:1])
    await _pass_gate(group, 1)


async def _pass_gate(group: Group, number: int) -> None:
    decided = await waves.decide(group, number)
    if "code" in decided:
        raise RuntimeError(f"the gate of wave {number} is not passed: {decided}")
    await waves.write_down(group, number)


async def _systemic_pause(told: Chronicle) -> None:
    """Two of three locations fail alike: everything stops until an executive resumes it (X-09, X-10)."""
    group = told.group
    failing = (await _planned(group, 1))["locations"][:2]
    await group.until(group.day(6, 2, hour=15))
    await trouble.sync_fails(group, failing)
    view = await group.read(AT)
    told.remarks.append(
        f"programme {view['progress']['phase']}: {[one['reason'] for one in view['progress']['holds']]}"
    )
    for one in failing:
        await trouble.climb_down(group, one)
    await group.until(group.now + DAY)
    for one in failing:
        await trouble.mend(group, one)
    await trouble.switch_on(group, failing)
    await group.post(group.who("vp_operations"), f"{AT}/resume")
    await told.note_forecast("after the systemic pause")


async def _wave(told: Chronicle, number: int) -> None:
    group = told.group
    wave = await _planned(group, number)
    monday = date.fromisoformat(wave["forecast_from"])
    await waves.lead_up(group, wave["locations"], monday)
    await waves.attend(group, number, datetime.combine(monday + 18 * DAY, group.day(1, 1, hour=17).timetz()))
    await waves.measure(group, wave["locations"])
    await waves.vouch(group, wave["locations"])
    await _pass_gate(group, number)


async def _optimise(told: Chronicle) -> None:
    """Weeks 17 to 20: figures against the baseline, refinements, the report to the Board."""
    group = told.group
    for one in group.locations:
        last = group.now.date() - DAY
        await waves.practice_figures(group, one, last - 6 * DAY, last)
    await group.until(group.now + 10 * DAY)
    view = await group.read(AT)
    for task in view["progress"]["tasks"]:
        if task["status"] == "open":
            at = f"{AT}/tasks/{task['task_id']}/complete"
            await group.post(group.who(task["owner"]), at, evidence="In the report of the programme.")
    await told.note_forecast("in the optimisation")
    end = date.fromisoformat((await group.read(AT))["progress"]["forecast"]["ends_on"])
    await group.until(datetime.combine(end + 2 * DAY, group.day(1, 1).timetz()))


__all__ = ["PROGRAM", "Chronicle", "play"]
