"""Nobody's health data leaves its place (G-01): marked patients go through the house, then every place is searched."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy import update

from activities.ports import Email, TextMessage
from db.session import Database
from db.tables import Clinician, new_id
from domain import names, policy
from domain.actors import Actor
from domain.rates import RateRequestOrder
from observability import LogContextInterceptor, configure_logging
from tests.house import House, open_house
from tests.privacy.marked_life import (
    PATIENT,
    Stumbling,
    answered_and_closed,
    ask_in_vain,
    cancelled,
    corresponded,
    visits_of,
)
from tests.privacy.marks import IN_LETTERS, MARKS, NEVER_STORED, ROLLOUT_MARKS, found_in
from tests.privacy.outside import (
    Places,
    in_the_database,
    opened_records,
    outside_the_database,
    sealed_in_temporal,
)
from tests.privacy.reported_marks import reported_and_reviewed
from tests.privacy.rollout_marks import rolled_out

ACTIVITIES = {"record_step", "choose_specialist", "open_checkout", "read_fee", "refund", "close_checkout", "place_call"}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that API and worker log, down to the least."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("DEBUG", stream=stream, json=True)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def stumbling() -> Stumbling:
    return Stumbling()


@pytest.fixture
async def house(
    database: Database, data_keys: str, tmp_path: Path, log: io.StringIO, stumbling: Stumbling
) -> AsyncIterator[House]:
    interceptors = (LogContextInterceptor(), stumbling)
    async with open_house(database, data_keys, tmp_path, interceptors=interceptors) as opened:
        yield opened


async def test_no_patient_data_leaves_the_database(house: House, log: io.StringIO, stumbling: Stumbling) -> None:
    answered = await answered_and_closed(house)
    econsults = (answered, await cancelled(house))
    threads = await corresponded(house)
    reviewed = await reported_and_reviewed(house, PATIENT)
    await ask_in_vain(house, answered)
    assert stumbling.failed <= ACTIVITIES
    assert stumbling.failed >= {"record_step", "open_checkout", "read_fee", "refund", "place_call"}
    assert b"RuntimeError" in log.getvalue().encode()
    assert house.texts.sent
    case_ids = [names.econsult_case(econsult_id) for econsult_id in econsults]
    case_ids += [names.message_thread_case(thread_id) for thread_id in threads]
    case_ids += reviewed
    case_ids += [names.visit_case(visit_id) for visit_id in await visits_of(house)]

    outside = await outside_the_database(house, log, case_ids)
    assert all(outside.values()), "nothing was gathered from some place"
    assert leaks(outside) == {}
    assert leaks(await sealed_in_temporal(house.stage.rehearsal, case_ids)) == {}
    assert leaks(await in_the_database(house.stage.rehearsal.database)) == {}
    records = await opened_records(house.stage.rehearsal.database)
    assert found_in(records) >= set(MARKS) - NEVER_STORED, "the lives did not touch everything that is marked"


async def test_what_people_of_a_rollout_write_stays_in_the_database(
    house: House, log: io.StringIO, stumbling: Stumbling
) -> None:
    case_ids = await rolled_out(house)
    assert "record_step" in stumbling.failed
    assert {case_id.count(":") for case_id in case_ids} == {1, 3, 5}, "every process of a rollout"

    outside = dict(await outside_the_database(house, log, case_ids))
    letters = outside.pop("e-mails")
    assert found_in(letters, ROLLOUT_MARKS) <= IN_LETTERS
    assert letters
    assert leaks(outside, ROLLOUT_MARKS) == {}
    assert leaks(await sealed_in_temporal(house.stage.rehearsal, case_ids), ROLLOUT_MARKS) == {}
    assert leaks(await in_the_database(house.stage.rehearsal.database), ROLLOUT_MARKS) == {}
    records = await opened_records(house.stage.rehearsal.database)
    assert found_in(records, ROLLOUT_MARKS) >= set(ROLLOUT_MARKS) - NEVER_STORED


async def test_a_mark_in_any_place_is_found(house: House, log: io.StringIO) -> None:
    case_id = await _plant(house)
    places = await outside_the_database(house, log, [case_id])
    assert leaks(places) == {where: [PLANTED] for where in places}
    sealed = await sealed_in_temporal(house.stage.rehearsal, [case_id])
    assert leaks(sealed)[f"Temporal, opened, {case_id}"] == [PLANTED]
    assert leaks(await in_the_database(house.stage.rehearsal.database))["table clinician"] == [PLANTED]


@pytest.mark.parametrize(
    "written",
    [
        b"Of QWZNOTE, said.",
        json.dumps({"text": "qwznote"}).encode(),
        b"\\x" + b"\x01a qwznote.".hex().encode(),
        "a qwznote".encode("utf-16"),
        *(base64.b64encode(b" " * before + b"Qwznote, and more") for before in range(3)),
        base64.urlsafe_b64encode(b"qwznote"),
    ],
)
def test_a_mark_is_found_however_it_is_written(written: bytes) -> None:
    assert found_in(b"Something, then " + written) == {PLANTED}


def test_other_words_are_no_marks() -> None:
    assert found_in(b"A note of 2026-03-02 about +12025550142, " + base64.b64encode(b"question")) == set()


PLANTED = "note"


async def _plant(house: House) -> str:
    """Put a mark wherever the search looks; the id of the case that holds it."""
    stage, mark = house.stage, "qwznote"
    structlog.get_logger("api.planted").debug("seen", what=mark)
    stage.rehearsal.stripe.store.put({"id": "cs_1", "object": "checkout.session", "description": mark})
    stage.letterbox.letters.append(Email(message_id="m", to="x@example.com", subject=mark, text=""))
    house.texts.sent.append(TextMessage(key="k", to="+12025550100", body=mark))
    house.refusals.append(httpx.Response(422, json={"detail": mark}))
    async with stage.rehearsal.database.transaction() as session:
        await session.exec(update(Clinician).values(name=mark))
    order = RateRequestOrder(
        request_id=new_id(),
        clinician_id=mark,
        portion_cents=3500,
        requested_by=Actor(role="clinician", id=mark),
        policy=policy.load().rate_request,
    )
    await stage.rehearsal.cases.start_rate_request(order)
    return names.rate_request_case(order.request_id)


def leaks(places: Places, marks: Mapping[str, tuple[str, ...]] = MARKS) -> dict[str, list[str]]:
    return {where: sorted(found) for where, held in places.items() if (found := found_in(held, marks))}
