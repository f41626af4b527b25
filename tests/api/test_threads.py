"""Messages over HTTP: who writes to whom, who reads what, and a thread through its life (M-01, M-02)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import func, update
from sqlmodel import select

from activities.contracts import SweepInput
from activities.sweep import SweepActivities
from cases import Cases
from db.session import Database
from db.sweep import SqlSweep, SqlWebhookInbox
from db.tables import Disclosure, MessageThreadRow, ThreadMessage
from domain import names
from domain.errors import Refused
from domain.threads import ThreadOrder
from embedded import seed
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS
from tests.house import (
    CLINICIAN,
    OPERATIONS,
    OTHER_CLINICIAN,
    OTHER_PATIENT,
    PATIENT,
    SUPPORT,
    House,
    Person,
    open_house,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
QUESTION = "May I take this with ibuprofen?"
ANSWER = "Yes, with food."


@pytest.fixture
async def house(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(database, data_keys, tmp_path) as opened:
        yield opened


async def opened(house: House, by: Person = PATIENT, key: str | None = None, **more: Any) -> str:
    """Id of a thread that waits for its answer."""
    thread = await house.post(by, "/message-threads", key=key, clinician_id=seed.CLINICIAN, body=QUESTION, **more)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if (await house.read(by, f"/message-threads/{thread['id']}"))["sequence"]:
                return str(thread["id"])
            await asyncio.sleep(POLL_SECONDS)


def path_of(thread_id: str, *more: str) -> str:
    return "/".join((f"/message-threads/{thread_id}", *more))


async def write(house: House, by: Person, thread_id: str, body: str = ANSWER, key: str | None = None) -> dict[str, Any]:
    return await house.post(by, path_of(thread_id, "messages"), key=key, body=body)


async def texts(house: House, reader: Person, thread_id: str) -> list[tuple[str, str]]:
    page = await house.read(reader, path_of(thread_id, "messages"))
    return [(message["direction"], message["body"]) for message in page["items"]]


async def test_a_patient_asks_and_is_answered(house: House) -> None:
    thread_id = await opened(house, visit_id=seed.VISIT_COMPLETED)
    view = await house.read(CLINICIAN, path_of(thread_id))
    assert (view["state"], view["waits_for"][0]["who"], view["visit_id"]) == (
        "AWAITING_REPLY",
        "clinician",
        seed.VISIT_COMPLETED,
    )
    assert [(clock["name"], clock["running"]) for clock in view["clocks"]] == [("reply", True)]
    assert house.stage.letterbox.latest_to("avery.lindqvist@example.com").subject.startswith("A message is waiting")
    answered = await write(house, CLINICIAN, thread_id)
    assert (answered["state"], answered["clocks"][0]["outcome"]) == ("ANSWERED", "met")
    letter = house.stage.letterbox.latest_to("jordan.quillfeather@example.com")
    assert ANSWER not in letter.text
    assert await texts(house, PATIENT, thread_id) == [("inbound", QUESTION), ("outbound", ANSWER)]
    closed = await house.post(PATIENT, path_of(thread_id, "close"))
    assert (closed["state"], closed["closed_by"]) == ("CLOSED", {"role": "patient", "id": seed.PATIENT})
    assert (await house.post(PATIENT, path_of(thread_id, "reopen")))["state"] == "ANSWERED"


async def test_a_late_answer_is_taken_on_and_waived(house: House) -> None:
    thread_id = await opened(house)
    await house.advance(25 * HOUR)
    view = await house.read(OPERATIONS, path_of(thread_id))
    assert (view["sla_state"], view["escalation_level"]) == ("breached", 1)
    late = await house.read(OPERATIONS, "/message-threads?sla_state=breached&kind=patient&state=AWAITING_REPLY")
    assert [item["id"] for item in late["items"]] == [thread_id]
    path = path_of(thread_id, "escalations", "reply", "acknowledge")
    assert (await house.post(OPERATIONS, path))["clocks"][0]["acknowledged"]
    await house.advance(DAY)
    subjects = [letter.subject for letter in house.stage.letterbox.letters]
    assert "A clinician has not answered a message" in subjects
    assert "A message is still unanswered" not in subjects
    waived = await house.post(SUPPORT, path_of(thread_id, "waive"), reason="answered_elsewhere")
    assert (waived["state"], waived["clocks"][0]["outcome"]) == ("ANSWERED", "waived")
    assert await house.refused(SUPPORT, "POST", path_of(thread_id, "waive"), json={"reason": "other"}) == (
        409,
        "thread.nothing_awaited",
    )


@pytest.mark.parametrize("source", ["provider_success", "customer_support"])
async def test_support_asks_a_clinician_in_its_two_names(house: House, source: str) -> None:
    thread_id = await opened(house, SUPPORT, source=source)
    view = await house.read(CLINICIAN, path_of(thread_id))
    assert (view["kind"], view["source"], view["patient_id"]) == ("support", source, None)
    assert (await write(house, CLINICIAN, thread_id))["state"] == "ANSWERED"
    assert await texts(house, SUPPORT, thread_id) == [("inbound", QUESTION), ("outbound", ANSWER)]
    assert house.stage.letterbox.letters[-1].subject == "A clinician has replied"
    assert (await write(house, OPERATIONS, thread_id, "And the form?"))["state"] == "AWAITING_REPLY"
    assert (await house.post(SUPPORT, path_of(thread_id, "close")))["state"] == "CLOSED"


async def test_each_sees_their_own_threads(house: House) -> None:
    own = await opened(house)
    support = await opened(house, SUPPORT, source="provider_success", visit_id=seed.VISIT_COMPLETED)
    seen = {
        PATIENT: [own],
        OTHER_PATIENT: [],
        CLINICIAN: [support, own],
        OTHER_CLINICIAN: [],
        SUPPORT: [support, own],
        OPERATIONS: [support, own],
    }
    for person, expected in seen.items():
        listed = await house.read(person, "/message-threads")
        assert [item["id"] for item in listed["items"]] == expected, person
        for thread_id in {own, support} - set(expected):
            assert await house.refused(person, "GET", path_of(thread_id)) == (404, "thread.unknown")
            for act in ("close", "reopen"):
                assert await house.refused(person, "POST", path_of(thread_id, act)) == (404, "thread.unknown")
    page = await house.read(CLINICIAN, "/message-threads?limit=1")
    rest = await house.read(CLINICIAN, f"/message-threads?limit=1&cursor={page['next_cursor']}")
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([own], None)


async def test_texts_are_for_those_who_take_part_and_each_reading_is_noted(house: House) -> None:
    own = await opened(house)
    about = await opened(house, SUPPORT, source="customer_support", visit_id=seed.VISIT_COMPLETED)
    plain = await opened(house, SUPPORT, source="customer_support")
    assert await house.refused(SUPPORT, "GET", path_of(own, "messages")) == (403, "thread.not_taking_part")
    for thread_id in (own, about, plain):
        assert await house.refused(OPERATIONS, "GET", path_of(thread_id, "messages")) == (403, "auth.role_missing")
    for act in ("close", "reopen", "messages"):
        body = {"json": {"body": ANSWER}} if act == "messages" else {}
        for staff in (SUPPORT, OPERATIONS):
            assert await house.refused(staff, "POST", path_of(own, act), **body) == (403, "thread.not_taking_part")
    for reader, thread_id in ((PATIENT, own), (CLINICIAN, own), (SUPPORT, about), (SUPPORT, plain)):
        await texts(house, reader, thread_id)
    async with house.stage.rehearsal.database.transaction() as session:
        found = (await session.exec(select(Disclosure))).all()
    assert {(one.role, one.person_id, one.patient_id, one.what) for one in found} == {
        ("patient", seed.PATIENT, seed.PATIENT, f"thread.messages:{own}"),
        ("clinician", seed.CLINICIAN, seed.PATIENT, f"thread.messages:{own}"),
        ("support", SUPPORT.subject, seed.PATIENT, f"thread.messages:{about}"),
    }


@pytest.mark.parametrize(
    ("by", "more", "refusal"),
    [
        (OTHER_PATIENT, {}, (403, "thread.clinician_not_yours")),
        (PATIENT, {"source": "provider_success"}, (403, "thread.source_not_yours")),
        (PATIENT, {"visit_id": seed.OTHER_VISIT}, (404, "visit.unknown")),
        (SUPPORT, {}, (422, "thread.source_missing")),
        (SUPPORT, {"source": "patient"}, (422, "request.invalid")),
        (SUPPORT, {"source": "provider_success", "clinician_id": seed.PATIENT}, (404, "clinician.unknown")),
        (SUPPORT, {"source": "provider_success", "visit_id": seed.OTHER_VISIT}, (404, "visit.unknown")),
        (CLINICIAN, {}, (403, "auth.role_missing")),
        (PATIENT, {"body": "  "}, (422, "request.invalid")),
    ],
)
async def test_refuses_to_open(house: House, by: Person, more: dict[str, Any], refusal: tuple[int, str]) -> None:
    body = {"clinician_id": seed.CLINICIAN, "body": QUESTION, **more}
    assert await house.refused(by, "POST", "/message-threads", json=body) == refusal


async def test_only_staff_waives_and_acknowledges(house: House) -> None:
    thread_id = await opened(house)
    for person in (PATIENT, CLINICIAN):
        for act, body in (("waive", {"reason": "other"}), ("escalations/reply/acknowledge", {})):
            refusal = await house.refused(person, "POST", path_of(thread_id, act), json=body)
            assert refusal == (403, "auth.role_missing")
    path = path_of(thread_id, "escalations", "reply", "acknowledge")
    assert await house.refused(OPERATIONS, "POST", path) == (409, "escalation.none")
    assert await house.refused(CLINICIAN, "POST", path_of(thread_id, "close")) == (409, "thread.unanswered")
    assert await house.refused(PATIENT, "POST", path_of(thread_id, "reopen")) == (409, "thread.not_closed")


async def test_a_request_repeated_with_its_key_happens_once(house: House) -> None:
    first = await opened(house, key="open-1")
    assert await opened(house, key="open-1") == first
    body = {"clinician_id": seed.CLINICIAN, "body": "Something else?"}
    headers = {"Idempotency-Key": "open-1"}
    assert await house.refused(PATIENT, "POST", "/message-threads", json=body, headers=headers) == (
        422,
        "request.idempotency_key_reused",
    )
    answers = [await write(house, CLINICIAN, first, key="reply-1") for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(await texts(house, CLINICIAN, first)) == 2
    reused = await house.refused(
        CLINICIAN, "POST", path_of(first, "messages"), json={"body": "No."}, headers={"Idempotency-Key": "reply-1"}
    )
    assert reused == (422, "request.idempotency_key_reused")


async def test_a_message_after_the_end_begins_the_thread_anew(house: House) -> None:
    thread_id = await opened(house)
    await write(house, CLINICIAN, thread_id, key="answer")
    closed = await house.post(PATIENT, path_of(thread_id, "close"))
    await house.advance(31 * DAY)
    assert await house.refused(PATIENT, "POST", path_of(thread_id, "reopen")) == (409, "case.not_running")
    again = await write(house, CLINICIAN, thread_id, key="answer")
    assert again["sequence"] == closed["sequence"], "it counted before the end"
    going_on = await write(house, PATIENT, thread_id, "One more thing.", key="more")
    assert (going_on["state"], going_on["sequence"], going_on["opened_at"]) == (
        "AWAITING_REPLY",
        closed["sequence"] + 1,
        closed["opened_at"],
    )
    assert await write(house, PATIENT, thread_id, "One more thing.", key="more") == going_on
    assert (await write(house, CLINICIAN, thread_id))["state"] == "ANSWERED"
    assert [direction for direction, _ in await texts(house, PATIENT, thread_id)] == [
        "inbound",
        "outbound",
        "inbound",
        "outbound",
    ]


async def test_texts_come_in_pages(house: House) -> None:
    thread_id = await opened(house)
    for number in range(3):
        await write(house, PATIENT, thread_id, f"And {number}?")
    page = await house.read(PATIENT, path_of(thread_id, "messages?limit=3"))
    rest = await house.read(PATIENT, path_of(thread_id, f"messages?cursor={page['next_cursor']}"))
    assert [message["body"] for message in page["items"] + rest["items"]] == [QUESTION, "And 0?", "And 1?", "And 2?"]
    assert rest["next_cursor"] is None


async def test_a_thread_whose_start_was_lost_is_started_by_its_next_message_or_the_sweep(house: House) -> None:
    cases = house.stage.rehearsal.cases
    stopped, whole = Unstarted(), house.stage.app.state.services
    house.stage.app.state.services = replace(whole, cases=cast("Cases", stopped))
    lost = [
        (await house.post(PATIENT, "/message-threads", clinician_id=seed.CLINICIAN, body=QUESTION))["id"]
        for _ in range(2)
    ]
    house.stage.app.state.services = whole
    assert (await house.read(CLINICIAN, path_of(lost[0])))["sequence"] == 0
    assert await texts(house, CLINICIAN, lost[0]) == []
    assert (await write(house, PATIENT, lost[0], "Hello?"))["sequence"] == 2
    assert [body for _, body in await texts(house, CLINICIAN, lost[0])] == [QUESTION, "Hello?"]
    await _age(house)
    database = house.stage.rehearsal.database
    sweep = SweepActivities(SqlSweep(database), SqlWebhookInbox(database), cases, house.stage.notices)
    found = await sweep.start_missing_cases(SweepInput(limit=10))
    assert found.started == (names.message_thread_case(lost[1]),)
    assert (await write(house, CLINICIAN, lost[1]))["state"] == "ANSWERED"


class Unstarted:
    """Cases while Temporal does not answer."""

    async def start_thread(self, order: ThreadOrder) -> None:
        raise TimeoutError


async def _age(house: House) -> None:
    async with house.stage.rehearsal.database.transaction() as session:
        await session.exec(update(MessageThreadRow).values(created_at=func.now() - timedelta(minutes=5)))


async def test_a_refused_text_is_not_kept(house: House) -> None:
    thread_id = await opened(house)
    house.stage.app.state.services = replace(house.stage.app.state.services, cases=cast("Cases", Refusing()))
    refusal = await house.refused(CLINICIAN, "POST", path_of(thread_id, "messages"), json={"body": "qwz"})
    assert refusal == (409, "thread.closed")
    async with house.stage.rehearsal.database.transaction() as session:
        assert len((await session.exec(select(ThreadMessage.id))).all()) == 1


class Refusing:
    """Cases that allow nothing."""

    async def ask(self, *_: object) -> None:
        raise Refused("thread.closed", "refused by the process")
