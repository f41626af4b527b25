"""Stripe's error answers."""

from __future__ import annotations

from typing import Any, Literal

ErrorType = Literal["api_error", "card_error", "idempotency_error", "invalid_request_error"]


class StripeApiError(Exception):
    """One refusal, in Stripe's shape."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: ErrorType = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": {"message": message, "type": kind}}
        for name, value in (("code", code), ("param", param)):
            if value is not None:
                self.body["error"][name] = value


def missing(kind: str, wanted: str, *, param: str | None = None) -> StripeApiError:
    """No object of that id: 404 when the path named it, 400 when a parameter did."""
    return StripeApiError(
        f"No such {kind}: '{wanted}'",
        status=400 if param else 404,
        code="resource_missing",
        param=param or "id",
    )
