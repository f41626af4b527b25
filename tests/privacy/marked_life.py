"""Lives in which everything about the patient is marked, and in which much goes wrong."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from cases import Cases
from db.tables import new_id
from domain.access import Role
from embedded import seed
from tests.house import (
    ACKNOWLEDGED,
    CLINICIAN,
    OPERATIONS,
    OTHER_CLINICIAN,
    SUPPORT,
    House,
    Person,
)

ADDRESS = "qwzmail@example.com"
PATIENT = Person("patient-with-marks", Role.PATIENT)
PATIENT_RECORD: dict[str, Any] = {
    "subject": PATIENT.subject,
    "name": "Qwzgiven Qwzfamily",
    "email": ADDRESS,
    "phone": "+12025550991",
    "birth_date": "1957-08-23",
    "state": "CO",
    "time_zone": "America/Denver",
}
DRAFT: dict[str, Any] = {
    "specialty_code": seed.DERMATOLOGY,
    "purpose": "second_opinion",
    "question": "Would you scrape this qwzquestion patch first, or treat it as tinea?",
    "history": "Annular, scaly qwzhistory patch of the forearm for six weeks. Working diagnosis tinea corporis, "
    "nummular eczema considered. Hydrocortisone 1 % tried for two weeks without relief. Medications: none. No known "
    "drug allergies.",
}


class Stumbling(Interceptor):
    """Each kind of activity fails at its first call, in words that hold patient data."""

    def __init__(self) -> None:
        self.failed: set[str] = set()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Stumbling(next, self.failed)


class _Stumbling(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, failed: set[str]) -> None:
        super().__init__(following)
        self._failed = failed

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        kind = activity.info().activity_type
        if kind not in self._failed:
            self._failed.add(kind)
            raise RuntimeError("Failing row contains (qwzexception, 1957-08-23).")
        return await super().execute_activity(input)


async def answered_and_closed(house: House) -> str:
    """A whole life; the eConsult's id."""
    econsult_id = await _order(house)
    await _pay(house, econsult_id)
    await _treat(house, econsult_id)
    await _follow_up(house, econsult_id)
    await house.advance(timedelta(days=11))
    await house.reaches(econsult_id, "CLOSED")
    return econsult_id


async def cancelled(house: House) -> str:
    """An order that comes to nothing; the eConsult's id."""
    econsult_id = await _order(house)
    await house.post(PATIENT, f"/econsults/{econsult_id}/cancel", reason="patient_request")
    await house.advance(timedelta(days=1))
    return econsult_id


async def corresponded(house: House) -> list[str]:
    """Messages of the patient and of support, answered late; the threads' ids."""
    own = await _correspond(house, PATIENT, {})
    return [own, await _correspond(house, SUPPORT, {"source": "provider_success"})]


async def _correspond(house: House, writer: Person, more: dict[str, str]) -> str:
    asked = {"clinician_id": seed.CLINICIAN, "body": "A qwzmessage to the clinician.", **more}
    thread = await house.post(writer, "/message-threads", **asked)
    await house.advance(timedelta(hours=29))
    path = f"/message-threads/{thread['id']}"
    await house.post(CLINICIAN, f"{path}/messages", body="It is qwzreplied.")
    for reader in (writer, CLINICIAN):
        await house.read(reader, f"{path}/messages")
    refusal = await house.refused(OPERATIONS, "GET", f"{path}/messages")
    assert refusal == (403, "auth.role_missing")
    await house.post(writer, f"{path}/close")
    refused = await house.refused(writer, "POST", f"{path}/messages", json={"body": "", "another": "qwzrefused"})
    assert refused == (422, "request.invalid")
    return str(thread["id"])


async def _order(house: House) -> str:
    if (await house.ask(PATIENT, "GET", "/patients/me")).status_code == 403:
        await house.post(OPERATIONS, "/patients", **PATIENT_RECORD)
    patient_id = (await house.read(PATIENT, "/patients/me"))["id"]
    visit_id = await _visit(house, patient_id)
    note = await house.post(CLINICIAN, f"/visits/{visit_id}/notes", status="complete", body="A qwznote of the visit.")
    await house.read(PATIENT, f"/visits/{visit_id}/notes")
    uploaded = await house.ask(
        CLINICIAN,
        "POST",
        f"/patients/{patient_id}/attachments",
        data={"kind": "lab", "title": "Labs qwztitle"},
        files={"file": ("qwzfile.txt", b"Sodium 140, qwzcontent.", "text/plain")},
    )
    assert uploaded.status_code == 201, uploaded.text
    order = {**DRAFT, "visit_id": visit_id, "note_ids": [note["id"]], "attachment_ids": [uploaded.json()["id"]]}
    await house.post(CLINICIAN, "/econsults/lint", **order)
    await _blocked(house, order)
    placed = await house.post(CLINICIAN, "/econsults", key=new_id(), **order, patient_expectations=ACKNOWLEDGED)
    await house.reaches(placed["id"], "AWAITING_PAYMENT")
    await house.stage.settle()
    return str(placed["id"])


async def _visit(house: House, patient_id: str) -> str:
    """One to which the patient has to be called; its id."""
    starts_at = house.stage.rehearsal.clock.now + timedelta(minutes=5)
    asked = {"clinician_id": seed.CLINICIAN, "starts_at": starts_at.isoformat(), "duration_minutes": 30}
    visit = await house.post(OPERATIONS, "/visits", key=new_id(), patient_id=patient_id, **asked)
    path = f"/visits/{visit['id']}"
    await house.shows(CLINICIAN, path, state="SCHEDULED")
    await house.advance(timedelta(minutes=6))
    await house.post(CLINICIAN, f"{path}/clinician-joined")
    await house.post(CLINICIAN, f"{path}/call-patient")
    await house.post(PATIENT, f"{path}/patient-joined")
    return str(visit["id"])


async def visits_of(house: House) -> list[str]:
    """Ids of those that have a process."""
    visits = (await house.read(OPERATIONS, "/visits?limit=200"))["items"]
    return [visit["id"] for visit in visits if visit["state"]]


async def _blocked(house: House, order: dict[str, Any]) -> None:
    """The linter finds identifiers, and says so without repeating them."""
    telling = {**order, "history": f"{order['history']} Qwzgiven Qwzfamily, born 1957-08-23, {ADDRESS}, 202-555-0991."}
    refusal = await house.refused(
        CLINICIAN,
        "POST",
        "/econsults",
        json={**telling, "patient_expectations": ACKNOWLEDGED},
        headers={"Idempotency-Key": new_id()},
    )
    assert refusal == (422, "submission.blocked")


async def _pay(house: House, econsult_id: str) -> None:
    link = house.payment_link(ADDRESS)
    house.stage.rehearsal.stripe.faults.fail_next(20, status=500)
    assert (await house.stage.http.post(link)).status_code == 503
    while house.stage.rehearsal.stripe.faults.take():
        pass
    await house.pay(ADDRESS)
    await house.advance(timedelta(minutes=1))
    await house.happened(econsult_id, "fee_booked")


async def _treat(house: House, econsult_id: str) -> None:
    specialist = await house.specialist(econsult_id)
    path = f"/econsults/{econsult_id}"
    for view in ("/submission", "/messages", ""):
        await house.read(specialist, f"{path}{view}")
    await house.post(specialist, f"{path}/assignment/accept")
    await house.post(specialist, f"{path}/information-requests", body="What of qwzwanted?")
    await house.post(CLINICIAN, f"{path}/information", body="It is qwzinformed.")
    reply: dict[str, Any] = {
        "impression": "Likely qwzimpression.",
        "recommendations": ["Try qwzadvice."],
        "body": "More on qwzreply.",
        "in_person_recommended": True,
    }
    await house.post(specialist, f"{path}/reply", **reply)
    again = {**reply, "body": "A qwzrefused reply."}
    assert (await house.refused(specialist, "POST", f"{path}/reply", json=again))[0] == 409
    asked = await house.post(CLINICIAN, f"{path}/questions", body="And qwzfurther?")
    question = asked["questions"][0]["question_id"]
    await house.post(specialist, f"{path}/questions/{question}/answer", body="Then qwzanswer.")


async def _follow_up(house: House, econsult_id: str) -> None:
    path = f"/econsults/{econsult_id}"
    starts_at = house.stage.rehearsal.clock.now + timedelta(days=2)
    await house.post(PATIENT, f"{path}/follow-up-visit", starts_at=starts_at.isoformat())
    asked = await house.post(PATIENT, f"{path}/refund-requests", reason="Because of qwzrefund.")
    request_id = asked["money"]["refunds"][0]["request_id"]
    await house.post(SUPPORT, f"{path}/refund-requests/{request_id}/decision", approve=True, amount_cents=1000)
    await house.advance(timedelta(hours=1))
    await house.happened(econsult_id, "refunded")
    for person, view in ((PATIENT, "/documents"), (CLINICIAN, "/fhir"), (OPERATIONS, "/timeline")):
        await house.read(person, f"{path}{view}")


async def ask_in_vain(house: House, econsult_id: str) -> None:
    """Requests that cannot be served, with patient data wherever a caller can put it."""
    path = f"/econsults/{econsult_id}"
    mark = "qwzmalformed"
    refused = {"body": "A qwzrefused question."}
    for person, method, where, request in (
        (CLINICIAN, "POST", f"{path}/questions", {"json": refused}),
        (OTHER_CLINICIAN, "POST", f"{path}/questions", {"json": refused}),
        (CLINICIAN, "POST", f"{path}/cancel", {"json": {"reason": mark}}),
        (CLINICIAN, "POST", f"{path}/questions", {"json": {"body": "", "another": mark}}),
        (CLINICIAN, "POST", f"{path}/questions", {"content": f'{{"body": "{mark}'.encode()}),
        (CLINICIAN, "POST", f"{path}/questions", {"content": mark.encode(), "headers": {"Content-Type": "text/plain"}}),
        (CLINICIAN, "POST", f"{path}/follow-up-visit", {"json": {"starts_at": mark}}),
        (CLINICIAN, "GET", f"/econsults/{mark}", {}),
        (CLINICIAN, "POST", f"/visits/{seed.VISIT_COMPLETED}/notes", {"json": {"status": mark, "body": mark}}),
        (CLINICIAN, "POST", f"/visits/{seed.VISIT_COMPLETED}/cancel", {"json": {"reason": mark}}),
        (CLINICIAN, "GET", f"/{mark}", {}),
        (CLINICIAN, "GET", "/econsults", {"params": {"state": mark, "another": mark}}),
        (CLINICIAN, "DELETE", path, {"params": {"q": mark}}),
        (CLINICIAN, "POST", "/econsults", {"json": {**DRAFT, "visit_id": mark, "purpose": mark}}),
        (OPERATIONS, "POST", "/patients", {"json": {**PATIENT_RECORD, "email": mark, "state": mark}}),
        (OPERATIONS, "POST", "/patients", {"json": {**PATIENT_RECORD, "birth_date": f"1957-08-23 {mark}"}}),
        (OPERATIONS, "POST", "/patients", {"json": {**PATIENT_RECORD, "time_zone": mark, "phone": mark}}),
        (OPERATIONS, "POST", "/patients", {"json": PATIENT_RECORD}),
        (SUPPORT, "GET", "/patients/me", {"params": {"name": mark}}),
    ):
        answer = await house.ask(person, method, where, **cast("dict[str, Any]", request))
        assert answer.is_client_error, (method, where.replace(econsult_id, "…"), answer.status_code)
    await _forge_a_webhook(house)
    await _crash(house, path)


async def _forge_a_webhook(house: House) -> None:
    headers = {"Stripe-Signature": "t=1,v1=qwzmalformed"}
    house.refusals.append(
        await house.stage.http.post("/webhooks/stripe", content=b'{"id": "qwzmalformed"}', headers=headers)
    )


class _Broken:
    """Cases whose every act fails for a reason that nobody foresaw."""

    async def ask(self, *_: object) -> None:
        raise ValueError("unforeseen: qwzexception")


async def _crash(house: House, path: str) -> None:
    """An act fails in the API itself; the server logs it as uvicorn does."""
    state, whole = house.stage.app.state, house.stage.app.state.services
    headers = {"Authorization": f"Bearer {house.stage.issuer.token(CLINICIAN.subject, [CLINICIAN.role])}"}
    state.services = replace(whole, cases=cast("Cases", _Broken()))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(_served(house.stage.app))) as client:
            url = f"http://api.test{path}/questions"
            answer = await client.post(url, json={"body": "A qwzrefused question."}, headers=headers)
    finally:
        state.services = whole
    assert answer.status_code == 500
    house.refusals.append(answer)


def _served(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except ValueError as error:
            logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)

    return serve
