"""The weeks before a launch: the programme's checklists and approvals, and what each location does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from domain import policy
from embedded.demo.rollout.figures import baseline
from embedded.demo.rollout.group import PROGRAM, Group

AT = f"/rollouts/{PROGRAM}"
SEEN = {"evidence": "Seen and filed."}
SCORES = {"technical_comfort": 5, "peer_influence": 4, "availability": 4, "communication": 4, "tenure": 5}
SEPARATE = ("internet", "test_named")
"""Done by a measurement and by a name."""
SIGNERS = ("it_lead", "office_manager")


async def prepare_programme(group: Group) -> None:
    """Weeks 1 and 2: checklist, compliance list, approvals, the selection of pilots."""
    await together(group, survey, list(group.locations))
    await _tick_off(group)
    board = await group.read(AT)
    for point in board["progress"]["compliance"]:
        owner = group.who(point["owners"][0])
        await group.post(owner, f"{AT}/compliance/{point['point_id']}", passed=True, **SEEN)
    for approval in board["progress"]["approvals"]:
        await group.post(group.who(approval["function"]), f"{AT}/approvals/{approval['function']}", approve=True)
    pilots = board["progress"]["waves"][0]["locations"]
    await group.post(group.who("vp_operations"), f"{AT}/pilot-approval", locations=list(pilots))


async def _tick_off(group: Group) -> None:
    """Every task by its owner, those first that others wait for."""
    await group.post(group.who("ceo_coo"), f"{AT}/hosting", hosting="centralized", rationale="One report for all.")
    waiting: list[dict[str, Any]] = (await group.read(AT))["progress"]["tasks"]
    while waiting := [task for task in waiting if task["status"] == "open" and task["due"]]:
        refused = []
        for task in waiting:
            body: dict[str, Any] = dict(SEEN)
            if task["task_id"] == "n_10":
                body["location_ids"] = list(group.locations)[:3]
            at = f"{AT}/tasks/{task['task_id']}/complete"
            answer = await group.send(group.who(task["owner"]), "POST", at, json=body)
            if answer.is_error:
                refused.append(task)
        if len(refused) == len(waiting):
            raise RuntimeError(f"no task of {[task['task_id'] for task in refused]} can be done")
        waiting = refused


async def survey(group: Group, location_id: str) -> None:
    """Checklist and baseline of a location, with the name of its test twin."""
    at = f"/locations/{location_id}"
    it_lead = group.who("it_lead")
    await group.post(it_lead, f"{at}/network-measurements", down_mbps="80", up_mbps="20", evidence="Wired, at nine.")
    items = [item["task_id"] for item in (await group.read(f"{at}/checklist"))["items"] if item["status"] == "open"]
    by_hand = [one for one in items if one not in SEPARATE]
    await group.post(it_lead, f"{at}/checklist/complete", task_ids=by_hand, **SEEN)
    await group.post(it_lead, f"{at}/test-location", name=f"TEST - {group.locations[location_id]['name']}")
    metrics = baseline(policy.load().rollout.baseline, group.now.date() - timedelta(days=1))
    await group.post(group.who("office_manager", location_id), f"{at}/baselines", metrics=metrics)
    await group.post(group.who("regional_manager", location_id), f"{at}/baseline/validation", accurate=True)


async def connect(group: Group, location_id: str) -> None:
    """The integration up to the step that is watched for a day, and the nine cases against the test twin."""
    at = f"/locations/{location_id}"
    view = await group.read(f"{at}/integration")
    it_lead = group.who("it_lead")
    await group.post(it_lead, f"{at}/integration/start", confirmed=view["prerequisites"], **SEEN)
    await step_on(group, location_id)
    await group.post(it_lead, f"{at}/validation-runs")


async def step_on(group: Group, location_id: str) -> None:
    """Every step that can be done now, in its order: up to the one that is watched for a day, or after it."""
    at = f"/locations/{location_id}/integration"
    for step in (await group.read(at))["steps"]:
        if step["state"]["done_at"] is None:
            await _step(group, location_id, f"{at}/steps/{step['spec']['step_id']}", step["spec"])
            if step["spec"]["kind"] == "monitor":
                return


async def _step(group: Group, location_id: str, at: str, spec: dict[str, Any]) -> None:
    if spec["kind"] == "sign_off":
        for function in SIGNERS:
            await group.post(group.who(function, location_id), f"{at}/sign-off", function=function)
        return
    owner = group.who(spec["owners"][0], location_id)
    if spec["kind"] == "sample":
        size, operations = spec["sample"]["size"], spec["sample"]["operations"]
        await group.post(owner, f"{at}/sample", checked=size, matched=size, operations=operations, **SEEN)
    else:
        await group.post(owner, f"{at}/complete", **SEEN)


async def nominate(group: Group, location_id: str) -> None:
    """Champion and backup, both certified."""
    at = f"/locations/{location_id}/training"
    trainer, manager = group.who("vendor_customer_success"), group.who("office_manager", location_id)
    for slot, key in (("primary", f"champion-{location_id}"), ("backup", f"backup-{location_id}")):
        member_id = group.members[key]
        await group.post(manager, f"{at}/champions", slot=slot, member_id=member_id, scores=SCORES, tenure_months=36)
    certification = f"{at}/champions/primary"
    for step in ("e_learning", "live_training", "practice"):
        await group.post(trainer, f"{certification}/certification", step=step)
    await group.post(trainer, f"{certification}/quiz", percent="92")
    await group.post(trainer, f"{certification}/certification", step="resource_kit")


async def train(group: Group, location_id: str) -> None:
    """Every role group, by the champion."""
    at = f"/locations/{location_id}/training"
    champion = group.who("champion", location_id)
    view = await group.read(at)
    for one in view["groups"]:
        await group.call(champion, "PUT", f"{at}/groups/{one['group']}", json={"trained": 4, "total": 4})


async def together(group: Group, work: Any, locations: list[str]) -> None:
    """The same at several locations at once."""
    await asyncio.gather(*(work(group, one) for one in locations))
