"""Every error becomes an application/problem+json answer here, and nowhere else (RFC 9457)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import core_schema
from starlette.exceptions import HTTPException
from starlette.types import Scope
from temporalio.client import RPCTimeoutOrCancelledError, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.problem_model import MEDIA_TYPE, FieldError, Problem, document_problems, responses
from domain.error_details import from_details
from domain.errors import (
    CarewaveError,
    Conflict,
    Faulty,
    Forbidden,
    GatewayRejected,
    GatewayUnavailable,
    Invalid,
    NotFound,
    Refused,
    Unauthenticated,
)

__all__ = ["Problem", "install_problem_handlers", "problem_response", "responses"]

# The one table: class of domain error, HTTP status, title.
_KINDS: dict[type[CarewaveError], tuple[HTTPStatus, str]] = {
    Invalid: (HTTPStatus.UNPROCESSABLE_ENTITY, "The input cannot be accepted"),
    NotFound: (HTTPStatus.NOT_FOUND, "Not found"),
    Forbidden: (HTTPStatus.FORBIDDEN, "Not allowed for this caller"),
    Unauthenticated: (HTTPStatus.UNAUTHORIZED, "The caller is not known"),
    Conflict: (HTTPStatus.CONFLICT, "In conflict with something else"),
    Refused: (HTTPStatus.CONFLICT, "Not allowed now"),
    GatewayRejected: (HTTPStatus.BAD_GATEWAY, "An outside service refused"),
    GatewayUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "An outside service does not answer"),
}
_HTTP_CODES = {
    400: "request.malformed",
    404: "route.unknown",
    405: "route.method_not_allowed",
    413: "request.too_large",
    415: "request.media_type_unsupported",
}
_UNAVAILABLE = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.CANCELLED,
}
_MAX_FIELD_ERRORS = 50
# Pydantic's own messages repeat limits and choices, not input. These few kinds may, and so may custom ones.
_QUIET_TYPES = set(get_args(core_schema.ErrorType)) - {
    "assertion_error",
    "union_tag_invalid",
    "url_parsing",
    "url_syntax_violation",
    "uuid_parsing",
    "value_error",
}


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the application with a problem, and say so in its OpenAPI document."""
    app.add_exception_handler(CarewaveError, _domain)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(WorkflowUpdateFailedError, _workflow_failure)
    app.add_exception_handler(WorkflowFailureError, _workflow_failure)
    app.add_exception_handler(WorkflowAlreadyStartedError, _already_started)
    app.add_exception_handler(RPCTimeoutOrCancelledError, _temporal_unavailable)
    app.add_exception_handler(RPCError, _rpc)
    app.add_exception_handler(RuntimeError, _runtime)
    app.add_exception_handler(Exception, _internal)
    document_problems(app)


def problem_response(
    scope: Scope,
    status: int,
    code: str,
    detail: str,
    *,
    title: str = "",
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """A problem answer for the request of an ASGI scope. `members` are further fields of Problem."""
    request_id = scope.get("state", {}).get("request_id")
    problem = Problem(
        type=f"urn:carewave:problem:{code}",
        title=title or HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        **members,
    )
    # A crash is answered outside the middleware that would otherwise add this header.
    named = {"X-Request-ID": request_id} if request_id else {}
    body = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, status, headers={**named, **(headers or {})}, media_type=MEDIA_TYPE)


async def _domain(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CarewaveError)
    kind = next((_KINDS[base] for base in type(error).__mro__ if base in _KINDS), None)
    if kind is None:
        # Not the caller's doing, such as a key that is not configured: the log tells the operator.
        raise error
    status, title = kind
    members: dict[str, Any] = {}
    if isinstance(error, Refused):
        members = {"missing": list(error.missing), "earliest": error.earliest}
    if isinstance(error, Faulty):
        members = {
            "errors": [FieldError(location=[one.path], message=one.detail, type=one.code) for one in error.faults]
        }
    return problem_response(
        request.scope, status, error.code, error.detail, title=title, headers=_headers(error), **members
    )


def _headers(error: CarewaveError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        known = error.code != "auth.token_missing"
        return {"WWW-Authenticate": 'Bearer error="invalid_token"' if known else "Bearer"}
    return {"Retry-After": "5"} if isinstance(error, GatewayUnavailable) else {}


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [_field_error(item) for item in error.errors()[:_MAX_FIELD_ERRORS]]
    detail = "The request does not have the shape that is asked for."
    return problem_response(
        request.scope, 422, "request.invalid", detail, title="The input cannot be accepted", errors=errors
    )


def _field_error(item: Mapping[str, Any]) -> FieldError:
    message = "The value is not valid."
    if item["type"] in _QUIET_TYPES:
        message = item["msg"]
    elif "error" in item.get("ctx", {}):  # a validator of ours raised it
        own = str(item["ctx"]["error"])
        message = message if _words(own) & _words(str(item.get("input"))) else own
    return FieldError(location=list(item["loc"]), message=message, type=item["type"])


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{3,}", unicodedata.normalize("NFKC", text).casefold()))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = error.status_code
    code = _HTTP_CODES.get(status, f"http.{status}")
    return problem_response(request.scope, status, code, HTTPStatus(status).phrase, headers=error.headers)


async def _workflow_failure(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, WorkflowUpdateFailedError | WorkflowFailureError)
    refusal = _domain_error(error.cause)
    if refusal is None:
        raise error
    return await _domain(request, refusal)


def _domain_error(error: BaseException | None) -> CarewaveError | None:
    """The domain error that a workflow, or an activity in it, raised as an ApplicationError; see error_details."""
    while error is not None:
        # An error type with a dot is one of our codes; others are names of Python classes.
        if isinstance(error, ApplicationError) and "." in (error.type or ""):
            details = error.details[0] if error.details else {}
            return from_details(str(error.type), error.message, details) if isinstance(details, Mapping) else None
        error = error.__cause__
    return None


async def _already_started(request: Request, _: Exception) -> JSONResponse:
    return await _domain(request, Conflict("process.exists", "This process was started before."))


async def _rpc(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RPCError)
    if error.status is RPCStatusCode.NOT_FOUND:
        return await _domain(request, NotFound("process.unknown", "There is no such process, or it has ended."))
    if error.status in _UNAVAILABLE:
        return await _temporal_unavailable(request, error)
    raise error


async def _runtime(request: Request, error: Exception) -> JSONResponse:
    # What a lazy client raises when its first connection fails; the SDK has no class of its own for it.
    if str(error).startswith("Failed client connect"):
        return await _temporal_unavailable(request, error)
    raise error


async def _temporal_unavailable(request: Request, _: Exception) -> JSONResponse:
    detail = "The process engine does not answer now. Try again."
    return await _domain(request, GatewayUnavailable("temporal.unavailable", detail))


async def _internal(request: Request, _: Exception) -> JSONResponse:
    # The text of an unforeseen error may hold patient data: the request id finds it in the logs.
    return problem_response(request.scope, 500, "internal", "Something went wrong on our side.")
