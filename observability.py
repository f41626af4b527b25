"""Logs: structured, to standard error, and without the texts of exceptions, since those may hold patient data."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import PurePath
from traceback import extract_tb
from typing import Any, TextIO

import structlog
import temporalio.activity
import temporalio.workflow
from structlog.contextvars import bound_contextvars
from structlog.types import EventDict, Processor
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

# Only these log below WARNING. Client libraries log requests, with telephone numbers and addresses in them.
_OURS = ("activities", "api", "cli", "config", "db", "domain", "embedded", "integrations", "worker", "workflows")
_SERVERS = ("temporalio", "uvicorn")
# Fields of our own making, which an exception's text may happen to contain.
_KEPT = {
    "activity_type",
    "level",
    "logger",
    "request_id",
    "timestamp",
    "workflow_id",
    "workflow_type",
}
_SAFE_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_MAX_FRAMES = 20
_MAX_CAUSES = 5


def configure_logging(level: str = "INFO", *, stream: TextIO | None = None, json: bool | None = None) -> None:
    """Send every log of the process, structlog's and the standard library's, to one handler.

    JSON lines unless the stream is a terminal. Run uvicorn with `log_config=None, access_log=False`.
    """
    stream = stream or sys.stderr
    as_json = not stream.isatty() if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_temporal_ids,
        drop_exception_text,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(remove_positional_args=False),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            pass_foreign_args=True,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    _route_standard_logging(handler, level)


def _route_standard_logging(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    for name in _SERVERS:
        # Their DEBUG prints payloads.
        logging.getLogger(name).setLevel(max(logging.getLevelNamesMapping()[level], logging.INFO))
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # Prints whole paths and queries; api.middleware logs requests instead.
    logging.getLogger("uvicorn.access").handlers = []
    logging.getLogger("uvicorn.access").propagate = False
    # The ids go into fields of their own.
    temporalio.workflow.logger.workflow_info_on_message = False
    temporalio.activity.logger.activity_info_on_message = False


def add_temporal_ids(_: Any, __: str, event: EventDict) -> EventDict:
    """Add workflow id and type to what the Temporal SDK logs."""
    record = event.get("_record")
    for source in ("temporal_workflow", "temporal_activity"):
        details = getattr(record, source, None) or {}
        for name in ("workflow_id", "workflow_type", "activity_type"):
            if name in details:
                event.setdefault(name, details[name])
    return event


def drop_exception_text(_: Any, __: str, event: EventDict) -> EventDict:
    """Replace every exception by its class, code and stack, and take its text out of the message.

    The SDK and asyncio also write the text into the message itself, so the exception being handled counts as well.
    """
    handled = sys.exc_info()[1]
    logged = _exception(event.pop("exc_info", None), handled)
    given = [*event.values(), *(event.pop("positional_args", None) or ())]
    errors = [value for value in (logged, handled, *given) if isinstance(value, BaseException)]
    texts = {text for error in errors for text in _texts(error)}
    for key, value in event.items():
        if isinstance(value, BaseException):
            event[key] = describe(value)
        elif isinstance(value, str) and key not in _KEPT:
            event[key] = _without(value, texts)
    if logged is not None:
        event["error"] = describe(logged)
    return event


def _exception(exc_info: Any, handled: BaseException | None) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return handled if exc_info else None


def describe(error: BaseException, depth: int = 0) -> dict[str, Any]:
    """Class, code, stack as `file:line function`, and cause of an exception; none of its text."""
    described: dict[str, Any] = {"type": type(error).__name__}
    code = error.type if isinstance(error, ApplicationError) else getattr(error, "code", None)
    if isinstance(code, str) and _SAFE_CODE.fullmatch(code):
        described["code"] = code
    described["stack"] = [
        f"{'/'.join(PurePath(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}"
        for frame in extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    ]
    if depth < _MAX_CAUSES:
        if isinstance(error, BaseExceptionGroup):
            described["group"] = [describe(inner, depth + 1) for inner in error.exceptions[:_MAX_CAUSES]]
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None:
            described["cause"] = describe(cause, depth + 1)
    return described


def _texts(error: BaseException, depth: int = 0) -> Iterator[str]:
    yield from (str(error), repr(error), *map(str, error.args), *map(repr, error.args))
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for linked in (error.__cause__, error.__context__, *inner):
        if linked is not None and depth < _MAX_CAUSES:
            yield from _texts(linked, depth + 1)


def _without(message: str, texts: set[str]) -> str:
    # Longest first, since a text may hold another. The shortest hide nothing and would eat ordinary words.
    for text in sorted(texts, key=len, reverse=True):
        if len(text) >= 4:
            message = message.replace(text, "[removed]")
    return message


class LogContextInterceptor(Interceptor):
    """Gives everything that an activity logs its workflow id, activity type and attempt."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap the activity."""
        return _LogContext(next)


class _LogContext(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        info = temporalio.activity.info()
        fields: MutableMapping[str, Any] = {"activity_type": info.activity_type, "attempt": info.attempt}
        if info.workflow_id:
            fields["workflow_id"] = info.workflow_id
        with bound_contextvars(**fields):
            return await self.next.execute_activity(input)
