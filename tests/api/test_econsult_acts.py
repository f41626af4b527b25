"""Acts: their texts count once the workflow has accepted them, and a repeat with its key happens once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlmodel import select
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import OpenCoordinationTask, PublishDocument
from db.tables import Message, RefundRequestRow, Visit
from domain.actors import SYSTEM, Actor
from domain.econsult import acts
from domain.econsult.state import Refund
from domain.econsult.states import AssignmentStatus, RefundStatus
from domain.errors import GatewayUnavailable, Refused
from domain.visit.state import VisitOrder
from embedded import seed
from tests.api.front import NOW, Front, problem, refused_by_workflow

CLINICIAN = Actor(role="clinician", id=seed.CLINICIAN)
SPECIALIST = Actor(role="specialist", id=seed.DERMATOLOGIST)
REPLY = {"impression": "Tinea corporis.", "recommendations": ["Terbinafine cream."], "in_person_recommended": True}
STARTS_AT = "2026-03-20T15:00:00Z"
QUESTION = "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"


async def messages(front: Front) -> list[Message]:
    async with front.database.transaction() as session:
        return list((await session.exec(select(Message))).all())


async def follow_up_visits(front: Front) -> list[Visit]:
    async with front.database.transaction() as session:
        return list((await session.exec(select(Visit).where(Visit.kind == "econsult_follow_up"))).all())


async def test_an_act_answers_with_the_case_after_its_step(front: Front) -> None:
    econsult_id = await front.order()
    response = await front.patient.post(f"/econsults/{econsult_id}/cancel", json={"reason": "patient_request"})
    assert response.json()["sequence"] == 2
    ((who, name, asked, _),) = front.cases.acts
    assert (who, name) == (econsult_id, "cancel")
    assert asked == acts.CancelOrder(actor=Actor(role="patient", id=seed.PATIENT), reason="patient_request")


@pytest.mark.parametrize(
    ("path", "body", "update"),
    [
        ("payment-link", None, "reissue_payment_link"),
        ("information", {"body": "It itches."}, "provide_information"),
        ("questions", {"body": "For how long?"}, "ask_follow_up"),
        ("outcome", {"improved_care_plan": True, "avoided_in_person": False}, "capture_outcome"),
        ("follow-up-visit", {"starts_at": STARTS_AT}, "book_follow_up_visit"),
        (f"questions/{QUESTION}/withdraw", {"reason": "no_longer_needed"}, "withdraw_question"),
        ("refund-requests", {"reason": "Seen in person."}, "request_refund"),
    ],
)
async def test_a_repeat_with_its_key_asks_the_workflow_with_the_same_id(
    front: Front, path: str, body: dict[str, Any] | None, update: str
) -> None:
    econsult_id = await front.order()
    url = f"/econsults/{econsult_id}/{path}"
    for key in ("a", "a", "b"):
        response = await front.clinician.post(url, json=body, headers={"Idempotency-Key": key})
        assert response.status_code == 200, response.text
    first, second, third = ((name, asked, update_id) for _, name, asked, update_id in front.cases.acts)
    assert first == second
    assert first[0] == update
    assert first[2] != third[2]
    assert first[1].actor == CLINICIAN


async def test_a_text_is_part_of_the_consult_once_accepted(front: Front) -> None:
    econsult_id = await front.with_specialist()
    asked = await front.specialist.post(f"/econsults/{econsult_id}/information-requests", json={"body": "Photo?"})
    assert asked.status_code == 200
    thread = (await front.clinician.get(f"/econsults/{econsult_id}/messages")).json()
    assert [(text["kind"], text["body"], text["author_role"]) for text in thread] == [
        ("information_request", "Photo?", "specialist")
    ]
    assert problem(await front.patient.get(f"/econsults/{econsult_id}/messages")) == (403, "auth.role_missing")


@pytest.mark.parametrize(
    "refusal",
    [
        refused_by_workflow(Refused("follow_up.window_closed", "over", missing=("x",))),
        Refused("case.not_running", "over"),
    ],
)
async def test_a_refused_act_leaves_no_text(front: Front, refusal: Exception) -> None:
    econsult_id = await front.order()
    front.cases.refusal = refusal
    response = await front.clinician.post(f"/econsults/{econsult_id}/questions", json={"body": "Now?"})
    assert problem(response)[0] == 409
    assert await messages(front) == []


@pytest.mark.parametrize(
    "outage",
    [
        GatewayUnavailable("temporal.no_answer", "no worker answered in time"),
        RPCError("down", RPCStatusCode.UNAVAILABLE, b""),
    ],
)
async def test_an_act_without_an_answer_keeps_its_text_for_the_repeat(front: Front, outage: Exception) -> None:
    econsult_id = await front.order()
    url, key = f"/econsults/{econsult_id}/questions", {"Idempotency-Key": "q-1"}
    front.cases.outage = outage
    assert problem(await front.clinician.post(url, json={"body": "Now?"}, headers=key))[0] == 503
    (kept,) = await messages(front)
    assert kept.accepted_at is None
    front.cases.outage = None
    other = await front.clinician.post(url, json={"body": "Later?"}, headers=key)
    assert problem(other) == (422, "request.idempotency_key_reused")
    assert (await front.clinician.post(url, json={"body": "Now?"}, headers=key)).status_code == 200
    (accepted,) = await messages(front)
    assert accepted.id == kept.id
    assert accepted.accepted_at is not None


async def test_a_specialist_answers_the_case_that_is_theirs(front: Front) -> None:
    econsult_id = await front.with_specialist()
    url = f"/econsults/{econsult_id}"
    await front.specialist.post(f"{url}/assignment/accept")
    reply = await front.specialist.post(f"{url}/reply", json=REPLY)
    assert reply.status_code == 200
    (_, _, accepted, _), (_, name, asked, _) = front.cases.acts
    assert accepted == acts.AssignmentAct(actor=SPECIALIST, assignment_id=f"{econsult_id}-1")
    assert name == "reply"
    assert asked.in_person_recommended
    (kept,) = await messages(front)
    assert (kept.id, kept.impression, kept.recommendations) == (
        asked.message_id,
        "Tinea corporis.",
        '["Terbinafine cream."]',
    )


async def test_a_specialist_cannot_act_on_the_case_of_another(front: Front) -> None:
    url = f"/econsults/{await front.with_specialist()}"
    tries = {
        "assignment/accept": None,
        "assignment/decline": {"reason": "unavailable"},
        "information-requests": {"body": "Photo?"},
        "reply": REPLY,
        f"questions/{QUESTION}/answer": {"body": "Yes."},
    }
    for path, body in tries.items():
        response = await front.other_specialist.post(f"{url}/{path}", json=body)
        assert problem(response) == (404, "econsult.unknown"), path
    assert front.cases.acts == []
    assert await messages(front) == []


async def test_declining_takes_one_of_the_listed_reasons(front: Front) -> None:
    url = f"/econsults/{await front.with_specialist()}/assignment/decline"
    assert problem(await front.specialist.post(url, json={"reason": "bored"})) == (422, "request.invalid")
    assert (await front.specialist.post(url, json={"reason": "out_of_scope"})).status_code == 200
    assert front.cases.acts[0][2].reason == "out_of_scope"


async def test_lists_the_cases_that_a_specialist_has(front: Front) -> None:
    econsult_id = await front.with_specialist()
    (item,) = (await front.specialist.get("/assignments")).json()["items"]
    assert item["assignment"]["status"] == AssignmentStatus.OFFERED
    assert (item["econsult"]["id"], item["econsult"]["money"]) == (econsult_id, None)
    assert (await front.other_specialist.get("/assignments")).json() == {"items": [], "next_cursor": None}


async def test_books_the_included_visit_once(front: Front) -> None:
    econsult_id = await front.order()
    url, body = f"/econsults/{econsult_id}/follow-up-visit", {"starts_at": STARTS_AT}
    for _ in range(2):
        await front.patient.post(url, json=body, headers={"Idempotency-Key": "b-1"})
    (visit,) = await follow_up_visits(front)
    assert (visit.status, visit.price_cents, visit.clinician_id) == ("scheduled", 0, seed.CLINICIAN)
    assert (visit.econsult_id, visit.id) == (econsult_id, front.cases.acts[0][2].visit_id)
    order = front.cases.visit_orders[visit.id]
    assert (order.kind, order.econsult_id, order.scheduled_by.role) == ("econsult_follow_up", econsult_id, "patient")
    assert (visit.started, VisitOrder.model_validate(visit.order)) == (True, order)
    assert front.cases.acts[0][2].starts_at == datetime(2026, 3, 20, 15, tzinfo=UTC)


async def test_a_refused_booking_leaves_no_visit(front: Front) -> None:
    econsult_id = await front.order()
    front.cases.refusal = refused_by_workflow(Refused("follow_up_visit.not_bookable", "no"))
    response = await front.patient.post(f"/econsults/{econsult_id}/follow-up-visit", json={"starts_at": STARTS_AT})
    assert problem(response) == (409, "follow_up_visit.not_bookable")
    assert await follow_up_visits(front) == []
    assert front.cases.visit_orders == {}


async def test_the_patient_alone_does_without_the_included_visit_or_support_for_them(front: Front) -> None:
    url = f"/econsults/{await front.order()}/follow-up-visit/decline"
    assert problem(await front.clinician.post(url)) == (403, "auth.role_missing")
    assert (await front.patient.post(url)).status_code == 200
    assert (await front.support.post(url)).status_code == 200
    assert [(name, asked.actor.role) for _, name, asked, _ in front.cases.acts] == [
        ("decline_follow_up_visit", "patient"),
        ("decline_follow_up_visit", "support"),
    ]


async def test_a_question_is_withdrawn_by_its_clinician_or_operations_for_a_listed_reason(front: Front) -> None:
    url = f"/econsults/{await front.with_specialist()}/questions/{QUESTION}/withdraw"
    body = {"reason": "specialist_unavailable"}
    assert problem(await front.specialist.post(url, json=body)) == (403, "auth.role_missing")
    assert problem(await front.other_clinician.post(url, json=body)) == (404, "econsult.unknown")
    assert problem(await front.clinician.post(url, json={"reason": "bored"})) == (422, "request.invalid")
    assert (await front.operations.post(url, json=body)).status_code == 200
    ((_, name, asked, _),) = front.cases.acts
    assert (name, asked.actor.role, asked.question_id) == ("withdraw_question", "operations", QUESTION)
    assert asked.reason == "specialist_unavailable"


async def ask_for_refund(front: Front, econsult_id: str) -> str:
    await front.patient.post(f"/econsults/{econsult_id}/refund-requests", json={"reason": "Changed my mind."})
    request_id = str(front.cases.acts[-1][2].request_id)
    state = front.cases.states[econsult_id]
    state.refunds.append(
        Refund(
            request_id=request_id,
            payment_id="pi_1",
            requested_at=NOW,
            requested_by=SYSTEM,
            status=RefundStatus.REQUESTED,
        )
    )
    await front.cases.record(econsult_id, "refund_requested")
    return request_id


async def set_refund(front: Front, econsult_id: str, **changes: Any) -> None:
    refunds = front.cases.states[econsult_id].refunds
    refunds[-1] = refunds[-1].model_copy(update=changes)
    await front.cases.record(econsult_id, "refund_decided")


@pytest.mark.parametrize(
    ("decision", "amount"),
    [({"approve": True}, 13_000), ({"approve": True, "amount_cents": 500}, 500), ({"approve": False}, None)],
)
async def test_support_decides_on_a_refund(front: Front, decision: dict[str, Any], amount: int | None) -> None:
    econsult_id = await front.with_specialist()
    payments = front.cases.states[econsult_id].payments
    payments["pi_1"] = payments["pi_1"].model_copy(update={"refunded_cents": 1_000})
    request_id = await ask_for_refund(front, econsult_id)
    url = f"/econsults/{econsult_id}/refund-requests/{request_id}/decision"
    assert problem(await front.operations.post(url, json=decision)) == (403, "auth.role_missing")
    assert (await front.support.post(url, json=decision)).status_code == 200
    asked = front.cases.acts[-1][2]
    assert (asked.amount_cents, asked.actor) == (amount, Actor(role="support", id="support-1"))


async def test_nothing_left_to_refund_is_refused_without_asking_the_workflow(front: Front) -> None:
    econsult_id = await front.with_specialist()
    request_id = await ask_for_refund(front, econsult_id)
    payments = front.cases.states[econsult_id].payments
    payments["pi_1"] = payments["pi_1"].model_copy(update={"refunded_cents": 14_000})
    await front.cases.record(econsult_id, "refunded")
    url = f"/econsults/{econsult_id}/refund-requests/{request_id}/decision"
    refused = await front.support.post(url, json={"approve": True})
    assert problem(refused) == (409, "refund.nothing_paid")
    assert refused.json()["missing"] == ["payment.accepted"]
    assert [name for _, name, *_ in front.cases.acts] == ["request_refund"]
    assert (await front.support.post(url, json={"approve": False})).status_code == 200


async def test_a_repeated_grant_asks_for_the_same_sum_although_nothing_is_left(front: Front) -> None:
    econsult_id = await front.with_specialist()
    request_id = await ask_for_refund(front, econsult_id)
    url = f"/econsults/{econsult_id}/refund-requests/{request_id}/decision"
    key = {"Idempotency-Key": "grant-1"}
    first = await front.support.post(url, json={"approve": True}, headers=key)
    await set_refund(front, econsult_id, status=RefundStatus.APPROVED, amount_cents=14_000)
    again = await front.support.post(url, json={"approve": True}, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    one, other = ((asked.amount_cents, update_id) for *_, asked, update_id in front.cases.acts[-2:])
    assert one == other
    assert one[0] == 14_000


async def test_a_request_that_was_not_granted_cannot_be_granted_later(front: Front) -> None:
    econsult_id = await front.with_specialist()
    request_id = await ask_for_refund(front, econsult_id)
    await set_refund(front, econsult_id, status=RefundStatus.REJECTED)
    url = f"/econsults/{econsult_id}/refund-requests/{request_id}/decision"
    assert problem(await front.support.post(url, json={"approve": True})) == (409, "refund.not_waiting")


async def test_refuses_to_decide_on_an_unknown_refund(front: Front) -> None:
    url = f"/econsults/{await front.order()}/refund-requests/nope/decision"
    assert problem(await front.support.post(url, json={"approve": True})) == (404, "refund.unknown")
    rejected = await front.support.post(url, json={"approve": False, "amount_cents": 5})
    assert problem(rejected) == (422, "request.invalid")


async def test_a_refused_refund_request_leaves_no_reason(front: Front) -> None:
    econsult_id = await front.order()
    front.cases.refusal = refused_by_workflow(Refused("refund.nothing_paid", "no"))
    url = f"/econsults/{econsult_id}/refund-requests"
    assert problem(await front.patient.post(url, json={"reason": "x"})) == (409, "refund.nothing_paid")
    async with front.database.transaction() as session:
        assert (await session.exec(select(RefundRequestRow))).all() == []


async def test_operations_reassign_and_acknowledge(front: Front) -> None:
    url = f"/econsults/{await front.with_specialist()}"
    assert (await front.operations.post(f"{url}/reassign", json={"reason": "late"})).status_code == 200
    assert (await front.support.post(f"{url}/escalations/turnaround/acknowledge")).status_code == 200
    assert [(name, asked.actor.role) for _, name, asked, _ in front.cases.acts] == [
        ("reassign", "operations"),
        ("acknowledge_escalation", "support"),
    ]


async def test_strangers_cannot_act(front: Front) -> None:
    url = f"/econsults/{await front.order()}"
    strangers: list[tuple[httpx.AsyncClient, str, dict[str, Any]]] = [
        (front.other_clinician, "cancel", {"reason": "other"}),
        (front.other_patient, "follow-up-visit", {"starts_at": STARTS_AT}),
        (front.other_clinician, "questions", {"body": "Why?"}),
        (front.other_patient, "refund-requests", {"reason": "x"}),
    ]
    for stranger, path, body in strangers:
        assert problem(await stranger.post(f"{url}/{path}", json=body)) == (404, "econsult.unknown"), path
    assert front.cases.acts == []


async def test_the_patient_reads_the_document_and_the_reading_is_written_down(front: Front) -> None:
    econsult_id = await front.with_specialist()
    await front.specialist.post(f"/econsults/{econsult_id}/reply", json=REPLY)
    effect = PublishDocument(version=1, message_id=front.cases.acts[-1][2].message_id)
    await front.cases.record(econsult_id, "response_ready", SPECIALIST, effect)
    (document,) = (await front.patient.get(f"/econsults/{econsult_id}/documents")).json()
    assert (document["version"], document["visible_to_patient"]) == (1, True)
    assert "Terbinafine cream." in document["content"]
    assert ("patient", seed.PATIENT, "econsult.documents", econsult_id) in await front.disclosures()
    bundle = (await front.patient.get(f"/econsults/{econsult_id}/fhir")).json()
    assert bundle["entry"][-1]["resource"]["resourceType"] == "DocumentReference"
    assert problem(await front.support.get(f"/econsults/{econsult_id}/documents")) == (403, "auth.role_missing")


async def test_a_coordination_task_is_done_once(front: Front) -> None:
    econsult_id = await front.order()
    key = f"econsult:{econsult_id}:coordination"
    await front.cases.record(econsult_id, "response_ready", SYSTEM, OpenCoordinationTask(key=key))
    (task,) = (await front.support.get("/coordination-tasks", params={"done": False})).json()["items"]
    assert (task["key"], task["fee_credited"]) == (key, False)
    done = (await front.support.post(f"/coordination-tasks/{key}/done")).json()
    again = (await front.operations.post(f"/coordination-tasks/{key}/done")).json()
    assert done["done_by"] == "support-1"
    assert again == done
    assert (await front.support.get("/coordination-tasks", params={"done": False})).json()["items"] == []
    other = f"econsult:{seed.PATIENT}:coordination"
    assert problem(await front.support.post(f"/coordination-tasks/{other}/done")) == (404, "coordination_task.unknown")
