"""What every request passes through: a request id, an access log without personal data, a limit on its body."""

from __future__ import annotations

import re
import time

import structlog
import uuid_utils
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_response

log = structlog.get_logger(__name__)

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


def install_middleware(app: FastAPI, *, max_body_bytes: int) -> None:
    """Wrap the application: request id outermost, then the access log, then the body limit."""
    app.add_middleware(BodyLimitMiddleware, max_bytes=max_body_bytes)
    app.add_middleware(AccessLogMiddleware)
    app.add_middleware(RequestIdMiddleware)


class RequestIdMiddleware:
    """Names each request: the caller's X-Request-ID when sane, else a UUIDv7. Logs and the answer carry it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _SANE_REQUEST_ID.fullmatch(given) else str(uuid_utils.uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        # Bound for the rest of the request's task, so that the server's own log of a crash has it too.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await self.app(scope, receive, send_named)


class AccessLogMiddleware:
    """One line a request: method, route template, status, milliseconds. Never the path or the query themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500  # what a crash becomes, further out

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            log.info(
                "http_request",
                method=scope["method"],
                route=_template(scope),
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
            )


def _template(scope: Scope) -> str:
    # Of an included router, scope["route"] lacks the prefix: FastAPI keeps the whole path in its own context.
    effective = scope.get("fastapi", {}).get("effective_route_context")
    route = effective or scope.get("route")
    return getattr(route, "path", None) or "unmatched"


class BodyLimitMiddleware:
    """Refuses a body over `max_bytes` with 413, by its announced length or as soon as that much has arrived."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self.max_bytes:
            response = problem_response(scope, 413, "request.too_large", "The request body is too large.")
            await response(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(413)  # answered by the handler inside
            return message

        await self.app(scope, receive_counted, send)
