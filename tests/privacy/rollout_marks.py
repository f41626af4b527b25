"""A programme whose people are marked, and in which every word that they write is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from db.tables import CaseState
from domain import names
from domain.access import Role
from domain.names import Process, TaskQueue
from domain.rollout.orders import WaveOrder
from domain.rollout.people import Function
from domain.rollout.program import Factor, WaiverRule
from tests.domain.rollout.gates import wave_order
from tests.house import House, Person
from tests.rollout_files import file, subject

PROGRAM = "marked-group"
AT = f"/rollouts/{PROGRAM}"
HERE = "/locations/l00"

VP = Person(subject(Function.VP_OPERATIONS), Role.EXECUTIVE)
CEO = Person(subject(Function.CEO_COO), Role.EXECUTIVE)
CFO = Person(subject(Function.CFO), Role.EXECUTIVE)
COUNSEL = Person(subject(Function.GENERAL_COUNSEL), Role.EXECUTIVE)
DENTIST = Person(subject(Function.CHIEF_DENTAL_OFFICER), Role.EXECUTIVE)
IT = Person(subject(Function.IT_LEAD), Role.SYSTEM_ADMIN)
MANAGER = Person(subject(Function.PROJECT_MANAGER), Role.SYSTEM_ADMIN)
SUPPORT = Person(subject(Function.VENDOR_SUPPORT), Role.VENDOR)
OFFICE = Person(subject(Function.OFFICE_MANAGER, "l00"), Role.LOCATION_ADMIN)
CHAMPION = Person(subject(Function.CHAMPION, "l00"), Role.STANDARD_USER)


async def rolled_out(house: House) -> list[str]:
    """From its file to its cancellation; the ids of all its cases."""
    await _placed(house)
    await _steered(house)
    await _prepared(house)
    await _rolled_back(house)
    await _wave_evaluated(house)
    await _asked_in_vain(house)
    await house.post(VP, f"{AT}/cancel", reason="budget", note="Because of qwzcancelled.")
    await house.stage.settle()
    async with house.stage.rehearsal.database.transaction() as session:
        found = select(CaseState.case_id).where(col(CaseState.case_id).startswith(names.rollout_case(PROGRAM)))
        return list((await session.exec(found)).all())


async def _placed(house: House) -> None:
    now = house.stage.rehearsal.clock.now
    monday = now.date() + timedelta(days=14 - now.weekday())
    waiver = {"rule": WaiverRule.PILOT_HIGH_VOLUME, "granted_by": "vp-operations", "reason": "Because of qwzwaived."}
    marked = file(program_id=PROGRAM, name="Qwzgroup Dental", starts_on=monday.isoformat(), waivers=[waiver])
    for number, person in enumerate(marked["people"]):
        person |= {"name": f"Qwzperson {number}", "email": f"qwzaddress-{number}@example.com", "phone": "+12025550973"}
    for place in marked["locations"]:
        place["name"] = f"Qwzplace {place['location_id']}"
        for score in place["scores"]:
            score["reason"] = "Seen: qwzscore."
    assert {score["factor"] for place in marked["locations"] for score in place["scores"]} == set(Factor)
    await house.post(VP, "/rollouts", key="marked-programme", **marked)
    while (await house.read(VP, AT))["progress"] is None:  # noqa: ASYNC110 - no time passes
        await asyncio.sleep(0.01)
    await house.read(VP, f"{AT}/members")
    await house.read(VP, f"{AT}/board")


async def _steered(house: House) -> None:
    for person, path, body in (
        (COUNSEL, "/tasks/n_02/complete", {"evidence": "Signed: qwzproof."}),
        (CEO, "/hosting", {"hosting": "centralized", "rationale": "For qwzrationale."}),
        (COUNSEL, "/compliance/p_01", {"passed": True, "evidence": "See qwzcompliant."}),
        (CFO, "/approvals/cfo", {"approve": False, "note": "There is qwzobjection."}),
        (VP, "/holds", {"reason": "budget", "note": "Until qwzhold."}),
        (VP, "/holds/budget/release", {}),
        (VP, "/waivers", {"rule": WaiverRule.PILOT_REGIONS, "reason": "Since qwzexempt."}),
    ):
        await house.post(person, f"{AT}{path}", **body)


async def _prepared(house: House) -> None:
    measured = {"down_mbps": "80", "up_mbps": "20", "evidence": "By qwzmeasured."}
    await house.post(IT, f"{HERE}/network-measurements", **measured)
    checklist = await house.read(IT, f"{HERE}/checklist")
    item = next(one["task_id"] for one in checklist["items"] if one["status"] == "open" and not one["needs"])
    await house.post(IT, f"{HERE}/checklist/{item}/complete", evidence="It is qwzchecked.")
    occurred = (house.stage.rehearsal.clock.now - timedelta(hours=1)).isoformat()
    told = {"kind": "wrong_patient", "occurred_at": occurred, "description": "It was qwzincident."}
    incident = await house.post(OFFICE, f"{HERE}/incidents", **told)
    await house.post(OFFICE, f"{HERE}/incidents/{incident['id']}/confirm")
    await house.post(CHAMPION, f"{HERE}/issues", severity=2, kind="other", description="There is qwzissue.")


async def _rolled_back(house: House) -> None:
    """Accepted in any state, late at every step of it, and mended."""
    asked = await house.post(OFFICE, f"{HERE}/rollback-requests", reason="clinical_impact", impact="It is qwzimpact.")
    at = f"{HERE}/rollbacks/{asked['rollback']}"
    await house.advance(timedelta(hours=3))
    for person, path, body in (
        (CHAMPION, "/steps/central_contacted/acknowledge", {"note": "By qwzstep."}),
        (SUPPORT, "/fixes", {"kind": "fix", "description": "A qwzfix."}),
        (IT, "/fix-tests", {"passed": True, "evidence": "It was qwztested."}),
        (IT, "/root-cause", {"evidence": "It was qwzcause."}),
    ):
        await house.post(person, f"{at}{path}", **body)


async def _wave_evaluated(house: House) -> None:
    """A wave of two of its locations whose days are all over: it comes to its gate at once."""
    world = house.stage.rehearsal
    case_id = names.wave_case(PROGRAM, 1)
    await world.client.start_workflow(Process.WAVE, _late_wave(house), id=case_id, task_queue=TaskQueue.ROLLOUTS)
    at = f"{AT}/waves/1"
    while (await house.ask(VP, "GET", at)).is_error:  # noqa: ASYNC110 - no time passes
        await asyncio.sleep(0.01)
    gate = await house.shows(VP, f"{at}/gate", state="WAVE_EVALUATING")
    for person in (DENTIST, IT):
        await house.post(person, f"{at}/gate/inputs", advice="no_go", note="My qwzopinion.")
    decision = {"decision": "no_go", "evidence_hash": gate["gate"]["evidence_hash"], "reason": "For qwzverdict."}
    await house.post(VP, f"{at}/gate/decision", **decision)
    await house.post(MANAGER, f"{at}/artefacts", artefact="lessons_learned", text="One qwzlesson.")


def _late_wave(house: House) -> WaveOrder:
    today = house.stage.rehearsal.clock.now.date()
    monday = today - timedelta(days=today.weekday(), weeks=4)
    order = wave_order(zones={"l00": "America/Chicago", "l01": "America/Chicago"}, starts_on=monday)
    rules = order.policy.model_copy(update={"launch_patience": timedelta(days=60)})
    return order.model_copy(update={"program_id": PROGRAM, "policy": rules})


async def _asked_in_vain(house: House) -> None:
    """Requests that cannot be served, with marks wherever a caller can put them."""
    mark, refused = "qwzmalformed", {"evidence": "A qwzrefused proof."}
    calls: tuple[tuple[Person, str, str, dict[str, Any]], ...] = (
        (DENTIST, "POST", f"{AT}/tasks/n_01/complete", {"json": refused}),
        (VP, "POST", f"{AT}/tasks/n_01/complete", {"json": {"evidence": "", "another": mark}}),
        (VP, "POST", f"{AT}/holds", {"json": {"reason": f"Qwzrefused {mark}"}}),
        (VP, "POST", f"{AT}/resume", {"json": {"note": "A qwzrefused note."}}),
        (IT, "POST", f"{HERE}/rollback-requests", {"json": {"reason": "clinical_impact", "impact": "A qwzrefused."}}),
        (IT, "POST", f"{HERE}/incidents", {"content": f'{{"kind": "{mark}'.encode()}),
        (VP, "POST", "/rollouts", {"json": {"name": mark}, "headers": {"Idempotency-Key": "marked-in-vain"}}),
        (VP, "POST", "/rollouts/validate", {"json": {"people": [{"name": mark, "email": mark}]}}),
        (VP, "GET", f"/rollouts/{mark}", {}),
        (OFFICE, "GET", f"/locations/{mark}", {"params": {"q": mark}}),
    )
    for person, method, path, request in calls:
        answer = await house.ask(person, method, path, **request)
        assert answer.is_client_error or path.endswith("/validate"), (method, path, answer.status_code)
