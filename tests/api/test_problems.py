"""Every error is a problem+json answer with a stable code, and repeats nothing about a patient."""

from __future__ import annotations

import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import ANY

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, EmailStr, field_validator
from structlog.testing import capture_logs
from temporalio import workflow
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.middleware import install_middleware
from api.problems import install_problem_handlers, responses
from crypto import CryptoError, Keyring, generate_key
from domain import errors
from domain.error_details import from_details, to_details
from temporal_client import data_converter

MARK = "Markpatient"
EARLIEST = datetime(2026, 3, 2, 9, tzinfo=UTC)
REFUSED = errors.Refused("assignment.not_late", "Not late yet.", missing=("turnaround.late",), earliest=EARLIEST)


class Draft(BaseModel):
    question: str
    case: uuid.UUID
    contact: EmailStr
    age: int

    @field_validator("question")
    @classmethod
    def ends_with_a_question_mark(cls, value: str) -> str:
        if not value.endswith("?"):
            raise ValueError(f"{value} asks nothing")
        return value


def build() -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)
    install_middleware(app, max_body_bytes=1000)
    router = APIRouter()

    @router.get("/raise/{order_id}")
    async def fail(order_id: str, request: Request) -> None:
        raise request.app.state.error

    @router.post("/drafts", responses=responses(409))
    async def draft(body: Draft, limit: Annotated[int, Query(ge=1)] = 1) -> str:
        return body.question

    @router.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    app.include_router(router, prefix="/v1")
    return app


APP = build()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client() as http:
        yield http


def open_client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(APP, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://api.test")


async def answer(client: httpx.AsyncClient, error: Exception) -> httpx.Response:
    APP.state.error = error
    response = await client.get("/v1/raise/1")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    assert response.json()["type"] == f"urn:carewave:problem:{response.json()['code']}"
    assert response.json()["request_id"] == response.headers["X-Request-ID"]
    return response


def rpc(status: RPCStatusCode) -> RPCError:
    return RPCError(MARK, status, b"")


def in_activity(error: ApplicationError) -> WorkflowFailureError:
    failed = ActivityError(
        MARK,
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="a",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    failed.__cause__ = error
    return WorkflowFailureError(cause=failed)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Invalid("econsult.specialty_unknown", "x"), 422, "econsult.specialty_unknown"),
        (errors.NotFound("econsult.unknown", "x"), 404, "econsult.unknown"),
        (errors.Forbidden("econsult.foreign", "x"), 403, "econsult.foreign"),
        (errors.Unauthenticated("auth.token_expired", "x"), 401, "auth.token_expired"),
        (errors.Conflict("key.reused", "x"), 409, "key.reused"),
        (REFUSED, 409, "assignment.not_late"),
        (errors.GatewayRejected("payment.rejected", "x"), 502, "payment.rejected"),
        (errors.GatewayUnavailable("payment.unavailable", "x"), 503, "payment.unavailable"),
        (rpc(RPCStatusCode.UNAVAILABLE), 503, "temporal.unavailable"),
        (rpc(RPCStatusCode.NOT_FOUND), 404, "process.unknown"),
        (rpc(RPCStatusCode.INTERNAL), 500, "internal"),
        (WorkflowUpdateRPCTimeoutOrCancelledError(), 503, "temporal.unavailable"),
        (WorkflowAlreadyStartedError("w", "W"), 409, "process.exists"),
        (WorkflowUpdateFailedError(ApplicationError(MARK, type="ValueError")), 500, "internal"),
        (WorkflowUpdateFailedError(ApplicationError("x", type="a.b")), 409, "a.b"),
        (WorkflowUpdateFailedError(ApplicationError("x", {"kind": "NotFound"}, type="a.b")), 404, "a.b"),
        (WorkflowUpdateFailedError(ApplicationError(MARK, {"kind": "Odd"}, type="a.b")), 500, "internal"),
        (in_activity(ApplicationError("x", {"kind": "GatewayRejected"}, type="a.b")), 502, "a.b"),
        (CryptoError("crypto.corrupt", MARK), 500, "internal"),
        (ValueError(MARK), 500, "internal"),
        (RuntimeError(MARK), 500, "internal"),
    ],
)
async def test_maps_each_error_to_a_status_and_a_code(
    client: httpx.AsyncClient, error: Exception, status: int, code: str
) -> None:
    response = await answer(client, error)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert MARK not in response.text


async def test_says_what_is_missing_and_when_to_come_back(client: httpx.AsyncClient) -> None:
    assert (await answer(client, REFUSED)).json() == {
        "type": "urn:carewave:problem:assignment.not_late",
        "title": "Not allowed now",
        "status": 409,
        "detail": "Not late yet.",
        "code": "assignment.not_late",
        "request_id": ANY,
        "missing": ["turnaround.late"],
        "earliest": "2026-03-02T09:00:00Z",
    }


async def test_asks_to_retry_while_something_is_unavailable(client: httpx.AsyncClient) -> None:
    assert (await answer(client, rpc(RPCStatusCode.UNAVAILABLE))).headers["Retry-After"] == "5"


async def test_says_unavailable_when_a_lazy_client_finds_no_temporal(client: httpx.AsyncClient) -> None:
    lazy = await Client.connect("127.0.0.1:1", lazy=True)
    with pytest.raises(RuntimeError) as failed:
        await lazy.get_workflow_handle("w").describe()
    response = await answer(client, failed.value)
    assert (response.status_code, response.json()["code"]) == (503, "temporal.unavailable")


@workflow.defn(name="Refusing")
class Refusing:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def submit(self, patient: str) -> None: ...

    @submit.validator
    def may_submit(self, patient: str) -> None:
        raise ApplicationError(REFUSED.detail, to_details(REFUSED), type=REFUSED.code)


def worker(client: Client) -> Worker:
    runner = UnsandboxedWorkflowRunner()
    # Without a build id the SDK hashes every loaded module: three seconds.
    return Worker(client, task_queue="q", workflows=[Refusing], workflow_runner=runner, build_id="tests")


async def test_renders_the_refusal_of_a_workflow_as_the_domain_error_it_was(client: httpx.AsyncClient) -> None:
    environment = await WorkflowEnvironment.start_local(
        data_converter=data_converter(Keyring.parse(generate_key("k"))),
        dev_server_existing_path=str(Path(sys.executable).parent / "temporal"),
        dev_server_log_level="never",
    )
    async with environment, worker(environment.client):
        handle = await environment.client.start_workflow(Refusing.run, id="w", task_queue="q")
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(Refusing.submit, MARK)
        await handle.terminate()
    response = await answer(client, refused.value)
    assert response.status_code == 409
    assert response.json()["missing"] == ["turnaround.late"]
    assert response.json()["earliest"] == "2026-03-02T09:00:00Z"


KINDS = [errors.Invalid, errors.NotFound, errors.Forbidden, errors.Conflict, errors.GatewayRejected]


@given(
    error=st.builds(
        lambda missing, earliest: errors.Refused("a.b", "x", missing=tuple(missing), earliest=earliest),
        st.lists(st.text()),
        st.none() | st.datetimes(timezones=st.just(UTC)),
    )
    | st.sampled_from(KINDS).map(lambda kind: kind("a.b", "x"))
)
def test_a_domain_error_survives_the_way_through_temporal(error: errors.CarewaveError) -> None:
    returned = from_details(error.code, error.detail, to_details(error))
    assert returned is not None
    assert (type(returned), vars(returned)) == (type(error), vars(error))


def test_a_special_kind_of_error_travels_as_its_general_kind() -> None:
    class Mismatch(errors.Conflict):
        pass

    assert type(from_details("a.b", "x", to_details(Mismatch("a.b", "x")))) is errors.Conflict


async def test_lists_the_faults_of_a_request(client: httpx.AsyncClient) -> None:
    body = {"question": "Why?", "case": str(uuid.uuid4()), "age": "old"}
    response = await client.post("/v1/drafts?limit=0", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "request.invalid")
    assert [(fault["location"], fault["type"]) for fault in response.json()["errors"]] == [
        (["query", "limit"], "greater_than_equal"),
        (["body", "contact"], "missing"),
        (["body", "age"], "int_parsing"),
    ]
    assert response.json()["errors"][0]["message"] == "Input should be greater than or equal to 1"


@given(word=st.text(st.characters(categories=["L", "N"]), min_size=4, max_size=20).map(lambda text: MARK + text))
async def test_never_repeats_a_value_that_it_refuses(word: str) -> None:
    body = {"question": word, "case": word, "contact": f"{word}@{word}", "age": word}
    async with open_client() as client:
        response = await client.post("/v1/drafts", json=body)
        scalar = await client.post("/v1/drafts", json=word)
    assert (response.status_code, scalar.status_code) == (422, 422)
    assert len(response.json()["errors"]) == 4
    assert MARK.lower() not in (response.text + scalar.text).lower()


JSON = {"Content-Type": "application/json"}


async def stream() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"x" * 400


@pytest.mark.parametrize(
    ("send", "status", "code"),
    [
        (lambda http: http.get("/nowhere"), 404, "route.unknown"),
        (lambda http: http.delete("/v1/drafts"), 405, "route.method_not_allowed"),
        (lambda http: http.post("/v1/drafts", content=b"{"), 422, "request.invalid"),
        (lambda http: http.post("/v1/raw", content=b"x" * 1001), 413, "request.too_large"),
        (lambda http: http.get("/nowhere", headers={"Content-Length": "1001"}), 413, "request.too_large"),
        (lambda http: http.post("/v1/raw", content=stream()), 413, "request.too_large"),
        (lambda http: http.post("/v1/drafts", content=stream(), headers=JSON), 413, "request.too_large"),
    ],
)
async def test_refuses_requests_that_fit_no_route_or_are_too_large(
    client: httpx.AsyncClient, send: Callable[[httpx.AsyncClient], Any], status: int, code: str
) -> None:
    response = await send(client)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Request-ID"]


async def test_accepts_a_body_of_just_the_limit(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/raw", content=b"x" * 1000)).json() == 1000


async def test_keeps_a_sane_request_id_and_replaces_any_other(client: httpx.AsyncClient) -> None:
    async def returned(given_id: str) -> str:
        return (await client.get("/nowhere", headers={"X-Request-ID": given_id})).headers["X-Request-ID"]

    assert await returned("trace-01234567") == "trace-01234567"
    for odd in ("short", "x" * 65, "with space here", "new\tline-0123"):
        assert uuid.UUID(await returned(odd)).version == 7


@pytest.fixture
def access_log() -> Iterator[list[Any]]:
    with capture_logs() as entries:
        yield entries


async def test_logs_the_route_but_never_the_path_or_the_query(client: httpx.AsyncClient, access_log: list[Any]) -> None:
    await answer(client, errors.NotFound("a.b", "x"))
    await client.get(f"/v1/raise/{MARK}?name={MARK}")
    await client.get(f"/{MARK}")
    APP.state.error = ValueError(MARK)
    await client.get(f"/v1/raise/{MARK}")
    assert [(line["route"], line["status"]) for line in access_log] == [
        ("/v1/raise/{order_id}", 404),
        ("/v1/raise/{order_id}", 404),
        ("unmatched", 404),
        ("/v1/raise/{order_id}", 500),
    ]
    assert MARK not in str(access_log)


def test_documents_problems_in_openapi_and_nothing_else() -> None:
    document = APP.openapi()
    draft = document["paths"]["/v1/drafts"]["post"]["responses"]
    for status in ("409", "422"):
        content = draft[status]["content"]
        assert list(content) == ["application/problem+json"]
        assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert content["application/problem+json"]["example"]["status"] == int(status)
    assert "HTTPValidationError" not in str(document)
    assert {"Problem", "FieldError"} <= set(document["components"]["schemas"])
    assert APP.openapi() == document
