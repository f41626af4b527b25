"""Domain errors leave activities as ApplicationErrors with their stable code; what can never succeed is not retried."""

from __future__ import annotations

from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.error_details import to_details
from domain.errors import CarewaveError, Conflict, Forbidden, GatewayRejected, Invalid, NotFound, Refused

FINAL = (Conflict, Forbidden, GatewayRejected, Invalid, NotFound, Refused)
"""What a repeat cannot change. Anything else may: a service comes back, an operator adds a missing key."""


class StableErrors(Interceptor):
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _StableErrors(next)


class _StableErrors(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        try:
            return await super().execute_activity(input)
        except CarewaveError as error:
            final = isinstance(error, FINAL)
            raise ApplicationError(error.detail, to_details(error), type=error.code, non_retryable=final) from error
