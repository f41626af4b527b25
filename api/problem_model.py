"""The shape of every error answer (RFC 9457), and how routes and the OpenAPI document declare it."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"
_SCHEMA = {"$ref": "#/components/schemas/Problem"}


class FieldError(BaseModel):
    """One fault of a request. The offending value is never repeated: it may be about a patient."""

    location: list[str | int] = Field(
        description="Where: body, query, path or header, then the path within. Of a file: the path in it."
    )
    message: str
    type: str = Field(description="Stable kind of the fault: as Pydantic names it, or a code of ours.")


class Problem(BaseModel):
    """An error answer, RFC 9457."""

    type: str = Field(description="urn:carewave:problem:<code>")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable, for programs.")
    request_id: str | None = Field(default=None, description="Names this request in the logs.")
    errors: list[FieldError] | None = Field(default=None, description="With code request.invalid or program.faulty.")
    missing: list[str] | None = Field(default=None, description="Refusals: the preconditions not met, as codes.")
    earliest: datetime | None = Field(default=None, description="Refusals: when the act may first be allowed.")


_EXAMPLES: dict[int, dict[str, Any]] = {
    400: {"code": "request.malformed", "detail": "Bad Request"},
    401: {"code": "auth.token_expired", "detail": "The token has expired."},
    403: {"code": "auth.role_missing", "detail": "The token holds none of the roles that this needs."},
    404: {"code": "econsult.unknown", "detail": "There is no such eConsult."},
    409: {
        "code": "assignment.not_late",
        "detail": "Reassignment is not offered yet.",
        "missing": ["turnaround.late"],
        "earliest": "2026-03-02T09:00:00Z",
    },
    413: {"code": "request.too_large", "detail": "The request body is too large."},
    422: {
        "code": "request.invalid",
        "detail": "The request does not have the shape that is asked for.",
        "errors": [{"location": ["body", "question"], "message": "Field required", "type": "missing"}],
    },
    502: {"code": "payment.rejected", "detail": "The payment processor refused."},
    503: {"code": "temporal.unavailable", "detail": "The process engine does not answer now. Try again."},
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that answers with these problems: `responses(401, 403, 409, 422)`."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": _SCHEMA, "example": _example(status)}},
        }
        for status in statuses
    }


def document_problems(app: FastAPI) -> None:
    """Put Problem into the OpenAPI document, and let it stand where FastAPI would put its own validation error."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" in schemas:
            return document
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs"), Problem=problem)
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for operation in _operations(document):
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                operation["responses"]["422"] = responses(422)[422]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        operation
        for path in document.get("paths", {}).values()
        for operation in path.values()
        if isinstance(operation, dict) and "responses" in operation
    ]


def _example(status: int) -> dict[str, Any]:
    example = _EXAMPLES.get(status, {"code": "internal", "detail": HTTPStatus(status).phrase})
    return {
        "type": f"urn:carewave:problem:{example['code']}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        **example,
        "request_id": "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b",
    }
