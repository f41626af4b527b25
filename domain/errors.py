"""The one error taxonomy. Each error carries a stable `code`; api/problems.py maps its class to an HTTP status."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class CarewaveError(Exception):
    """The root. `code` is stable and documented; `detail` never holds patient data."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Invalid(CarewaveError):
    """The input can never be accepted as it is (HTTP 422)."""


class Fault(NamedTuple):
    """One thing that is wrong with what was handed in."""

    code: str
    path: str
    detail: str


class Faulty(Invalid):
    """A document that was checked as a whole; `faults` names everything that is wrong with it."""

    def __init__(self, code: str, detail: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(code, detail)
        self.faults = faults


class NotFound(CarewaveError):
    """What was named does not exist, or is not the caller's to know of (HTTP 404)."""


class Forbidden(CarewaveError):
    """The caller is known but may not do this (HTTP 403)."""


class Unauthenticated(CarewaveError):
    """The caller is not known (HTTP 401)."""


class Conflict(CarewaveError):
    """The same key was used for something else (HTTP 409)."""


class Refused(CarewaveError):
    """A rule does not allow the act now (HTTP 409).

    `missing` lists the preconditions not met, as stable codes; `earliest` is the first moment (aware UTC) at which the
    act may be allowed, when that is known.
    """

    def __init__(
        self, code: str, detail: str, *, missing: tuple[str, ...] = (), earliest: datetime | None = None
    ) -> None:
        super().__init__(code, detail)
        self.missing = missing
        self.earliest = earliest


class GatewayRejected(CarewaveError):
    """An outside service refused for good: a repeat would be refused again."""


class GatewayUnavailable(CarewaveError):
    """An outside service did not answer, or asked for a later try: a repeat may succeed (HTTP 503)."""
