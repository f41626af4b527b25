"""Logs keep what helps and drop what may be about a patient."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from domain.errors import Refused
from observability import LogContextInterceptor, configure_logging, describe

MARK = "Marked Patient"


class Log(io.StringIO):
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = Log()
    configure_logging("INFO", stream=stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers = handlers
    root.setLevel(level)


def fail(error: Exception) -> None:
    raise error


def test_writes_json_lines_with_the_context(log: Log) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger("api.x").info("order_placed", econsult_id="e-1")
    [line] = log.lines()
    assert line.items() >= {"event": "order_placed", "econsult_id": "e-1", "request_id": "r-1", "level": "info"}.items()
    assert line["timestamp"].endswith("Z")


def test_keeps_class_code_and_stack_of_an_exception_but_not_its_text(log: Log) -> None:
    try:
        try:
            fail(ValueError(MARK))
        except ValueError as error:
            raise Refused("assignment.not_late", MARK) from error
    except Refused:
        structlog.get_logger("api.x").exception("refused")
    [line] = log.lines()
    assert (line["error"]["type"], line["error"]["code"]) == ("Refused", "assignment.not_late")
    assert line["error"]["cause"]["type"] == "ValueError"
    assert line["error"]["cause"]["stack"][-1].endswith(" fail")
    assert MARK not in log.getvalue()


def test_removes_exception_texts_that_a_library_writes_into_its_message(log: Log) -> None:
    library = logging.getLogger("temporalio.worker")
    try:
        fail(ValueError(MARK))
    except ValueError as error:
        library.warning(f"Completing as failure with error: {error}")
        library.warning("Failed: %s, %r", error, error)
    library.error("Later: %s", ValueError(MARK))
    assert [line["event"] for line in log.lines()] == [
        "Completing as failure with error: [removed]",
        "Failed: [removed], [removed]",
        "Later: [removed]",
    ]


async def test_removes_the_text_of_a_task_that_nobody_awaited(log: Log) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(asyncio.to_thread(fail, ValueError(MARK)))
    await asyncio.wait([task])
    loop.call_exception_handler({"message": "never retrieved", "exception": task.exception(), "task": task})
    assert log.lines()[0]["error"]["type"] == "ValueError"
    assert MARK not in log.getvalue()


def test_describes_an_exception_given_as_a_field(log: Log) -> None:
    structlog.get_logger("api.x").warning("fetch_failed", error=ValueError(MARK))
    assert log.lines()[0]["error"]["type"] == "ValueError"
    assert MARK not in log.getvalue()


def test_keeps_ids_that_an_exception_happens_to_quote(log: Log) -> None:
    structlog.contextvars.bind_contextvars(workflow_id="econsult:1")
    structlog.get_logger("api.x").warning("failed", error=KeyError("econsult:1"))
    assert log.lines()[0]["workflow_id"] == "econsult:1"


def test_keeps_client_libraries_from_logging_requests(log: Log) -> None:
    logging.getLogger("twilio.http_client").info("To=+15550100")
    logging.getLogger("httpx").info("GET /?name=x")
    logging.getLogger("uvicorn.access").info("GET /?name=x")
    logging.getLogger("temporalio.worker").debug("Recording heartbeat with details x")
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    assert [line["event"] for line in log.lines()] == ["Application startup complete."]


def test_names_the_workflow_that_the_sdk_logs_about(log: Log) -> None:
    details = {"workflow_id": "econsult:1", "workflow_type": "EConsult", "run_id": "r"}
    logging.getLogger("temporalio.workflow").warning("x", extra={"temporal_workflow": details})
    assert log.lines()[0].items() >= {"workflow_id": "econsult:1", "workflow_type": "EConsult"}.items()


def test_renders_exceptions_on_a_terminal_too() -> None:
    stream = io.StringIO()
    configure_logging("INFO", stream=stream, json=False)
    try:
        fail(ValueError(MARK))
    except ValueError:
        structlog.get_logger("api.x").exception("failed")
    structlog.reset_defaults()
    assert "ValueError" in stream.getvalue()
    assert MARK not in stream.getvalue()


async def test_binds_the_workflow_and_activity_to_what_an_activity_logs(log: Log) -> None:
    async def charge() -> None:
        structlog.get_logger("activities.x").info("charged")

    class Innermost(ActivityInboundInterceptor):
        def __init__(self) -> None:
            """Nothing is next."""

        async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
            return await input.fn()

    async def run() -> None:
        inbound = LogContextInterceptor().intercept_activity(Innermost())
        await inbound.execute_activity(ExecuteActivityInput(fn=charge, args=[], executor=None, headers={}))

    environment = ActivityEnvironment()
    await environment.run(activity.defn(run))
    [line] = log.lines()
    assert line["workflow_id"] == environment.info.workflow_id
    assert (line["activity_type"], line["attempt"]) == (environment.info.activity_type, 1)


@given(text=st.text(min_size=6), code=st.text())
def test_a_description_never_holds_the_text(text: str, code: str) -> None:
    mark = f"<{text}>"
    error = ApplicationError(mark, {"name": mark}, type=code)
    error.__cause__ = ExceptionGroup(mark, [ValueError(mark)])
    described = describe(error)
    assert mark not in str(described)
    assert described["cause"]["group"][0]["type"] == "ValueError"
