"""Acts on a visit: who may, whose visit it is, what the workflow is asked, what a refusal says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from domain.access import Role
from domain.errors import GatewayRejected, Refused
from embedded import seed
from tests.api.front import Front, problem, refused_by_workflow
from tests.api.test_visits import scheduled

SOON = datetime(2030, 1, 1, 16, tzinfo=UTC)
UNKNOWN = "01940000-0000-7000-8000-00000000ffff"
ROLES = ("clinician", "patient", "specialist", "support", "operations", "administrator")


class Act(NamedTuple):
    path: str
    update: str
    roles: set[str]
    body: dict[str, Any] | None = None
    asked: dict[str, Any] = {}  # noqa: RUF012  # read only


PARTIES = {"clinician", "patient", "support", "operations", "administrator"}
ACTS = (
    Act("clinician-joined", "clinician_joined", {"clinician"}),
    Act("patient-joined", "patient_joined", {"patient"}),
    Act("reschedule", "reschedule", PARTIES, {"starts_at": SOON.isoformat()}, {"starts_at": SOON}),
    Act("cancel", "cancel", PARTIES, {"reason": "patient_request"}, {"reason": "patient_request"}),
    Act("call-patient", "call_patient", {"clinician"}),
    Act("no-show", "flag_no_show", {"clinician"}),
    Act("no-show/dispute", "dispute_no_show", {"patient", "support"}),
    Act("no-show/decision", "decide_dispute", {"support"}, {"uphold": False}, {"uphold": False}),
    Act("complete", "complete", {"clinician"}),
    Act(
        "obligations/labs",
        "settle_obligation",
        {"clinician"},
        {"needed": True, "reference_id": "lab-1"},
        {"obligation": "labs", "needed": True, "reference_id": "lab-1"},
    ),
    Act(
        "obligations/imaging/waive",
        "waive_obligation",
        {"support", "operations"},
        {"reason": "system_outage"},
        {"obligation": "imaging", "reason": "system_outage"},
    ),
    Act("excuse", "excuse_absence", {"operations"}, {"reason": "illness"}, {"reason": "illness"}),
    Act(
        "escalations/join/acknowledge",
        "acknowledge_escalation",
        {"support", "operations"},
        asked={"clock": "join"},
    ),
)
PEOPLE = {
    "clinician": seed.CLINICIAN,
    "patient": seed.PATIENT,
    "support": "support-1",
    "operations": "ops-1",
    "administrator": "admin-1",
}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.path)
async def test_each_act_is_asked_by_its_roles_alone_and_answers_with_the_visit(front: Front, act: Act) -> None:
    path = f"/visits/{await scheduled(front)}/{act.path}"
    for role in ROLES:
        answer = await getattr(front, role).post(path, json=act.body)
        if role not in act.roles:
            assert problem(answer) == (403, "auth.role_missing"), role
            continue
        assert answer.status_code == 200, answer.text
        _, update, asked, _ = front.cases.acts[-1]
        assert update == act.update
        assert (asked.actor.role, asked.actor.id) == (role, PEOPLE[role])
        assert asked.model_dump(include=set(act.asked)) == act.asked
        assert answer.json()["sequence"] == len(front.cases.acts) + 1
    assert len(front.cases.acts) == len(act.roles)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.path)
async def test_what_is_not_the_callers_does_not_exist_for_them(front: Front, act: Act) -> None:
    visit_id = await scheduled(front)
    strangers = [front.other_clinician, front.other_patient]
    for caller, role in zip(strangers, ("clinician", "patient"), strict=True):
        if role in act.roles:
            answer = await caller.post(f"/visits/{visit_id}/{act.path}", json=act.body)
            assert problem(answer) == (404, "visit.unknown")
    for role in sorted(act.roles):
        answer = await getattr(front, role).post(f"/visits/{UNKNOWN}/{act.path}", json=act.body)
        assert problem(answer) == (404, "visit.unknown")
    assert front.cases.acts == []


async def test_a_role_of_staff_opens_no_act_of_the_clinician(front: Front) -> None:
    """Somebody who is staff as well acts as the clinician in visits of their own, and in no others."""
    both = front.as_("clinician-other", Role.CLINICIAN, Role.SUPPORT)
    visit_id = await scheduled(front)
    assert problem(await both.post(f"/visits/{visit_id}/complete")) == (404, "visit.unknown")
    answer = await both.post(f"/visits/{visit_id}/cancel", json={"reason": "other"})
    assert answer.status_code == 200
    assert front.cases.acts[-1][2].actor.role == "support"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("reschedule", {"starts_at": "tomorrow"}),
        ("reschedule", {}),
        ("cancel", {"reason": "Mrs. Smith fell ill"}),
        ("cancel", {"reason": "other", "text": "free text"}),
        ("obligations/labs", {"needed": "perhaps"}),
        ("obligations/labs", {"needed": True, "reference_id": "for Jordan Quillfeather"}),
        ("obligations/x-rays", {"needed": True}),
    ],
)
async def test_reasons_are_stable_codes_and_references_opaque(front: Front, path: str, body: dict[str, Any]) -> None:
    answer = await front.clinician.post(f"/visits/{await scheduled(front)}/{path}", json=body)
    assert problem(answer) == (422, "request.invalid")
    assert front.cases.acts == []


async def test_a_repeated_request_is_the_same_act(front: Front) -> None:
    path = f"/visits/{await scheduled(front)}/call-patient"
    for key in ("c-1", "c-1", "c-2"):
        await front.clinician.post(path, headers={"Idempotency-Key": key})
    await front.clinician.post(path)
    attempts = [asked.attempt_id for _, _, asked, _ in front.cases.acts]
    updates = [update_id for *_, update_id in front.cases.acts]
    assert attempts[0] == attempts[1]
    assert updates[0] == updates[1]
    assert len(set(attempts)) == len(set(updates)) == 3


async def test_a_refusal_says_what_is_missing_and_when_it_may_be_allowed(front: Front) -> None:
    path = f"/visits/{await scheduled(front)}/no-show"
    missing = ("visit.minimum_wait", "visit.call_attempts")
    front.cases.refusal = refused_by_workflow(
        Refused("visit.no_show_unproven", "too early", missing=missing, earliest=SOON + timedelta(minutes=5))
    )
    answer = await front.clinician.post(path)
    assert problem(answer) == (409, "visit.no_show_unproven")
    assert answer.json()["missing"] == list(missing)
    assert answer.json()["earliest"] == "2030-01-01T16:05:00Z"


async def test_a_telephone_company_that_refuses_is_no_fault_of_ours(front: Front) -> None:
    path = f"/visits/{await scheduled(front)}/call-patient"
    front.cases.refusal = refused_by_workflow(GatewayRejected("call.number_invalid", "the number is not valid"))
    assert problem(await front.clinician.post(path)) == (502, "call.number_invalid")


async def test_a_visit_without_a_process_takes_no_acts(front: Front) -> None:
    answer = await front.clinician.post(f"/visits/{seed.VISIT_IN_PROGRESS}/complete")
    assert problem(answer) == (409, "case.not_running")
