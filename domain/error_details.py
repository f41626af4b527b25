"""How a domain error travels through a Temporal failure: its code as the type, its detail as the message, and this.

The shape is `{"kind": class name, "missing": [code, ...], "earliest": RFC 3339}`, the last two for refusals only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import AwareDatetime, ValidationError

from domain.errors import (
    CarewaveError,
    Conflict,
    Forbidden,
    GatewayRejected,
    GatewayUnavailable,
    Invalid,
    NotFound,
    Refused,
    Unauthenticated,
)
from domain.model import Value

_KINDS: dict[str, type[CarewaveError]] = {
    kind.__name__: kind
    for kind in (Invalid, NotFound, Forbidden, Unauthenticated, Conflict, GatewayRejected, GatewayUnavailable)
}


class ErrorDetails(Value):
    """The single detail of an ApplicationError made from a domain error."""

    kind: str = Refused.__name__
    missing: tuple[str, ...] = ()
    earliest: AwareDatetime | None = None


def to_details(error: CarewaveError) -> dict[str, object]:
    """What to put into `ApplicationError(error.detail, details, type=error.code)`; plain JSON values."""
    if not isinstance(error, Refused):
        # A subclass travels as the class of the taxonomy that it belongs to.
        return {"kind": next((c.__name__ for c in type(error).__mro__ if c.__name__ in _KINDS), "CarewaveError")}
    earliest = _utc(error.earliest)
    details = ErrorDetails(missing=error.missing, earliest=earliest)
    return details.model_dump(mode="json", exclude_none=True)


def from_details(code: str, detail: str, details: Mapping[str, object]) -> CarewaveError | None:
    """The domain error again, or None when the details are not ours."""
    try:
        read = ErrorDetails.model_validate(details)
    except ValidationError:
        return None
    if read.kind == Refused.__name__:
        return Refused(code, detail, missing=read.missing, earliest=_utc(read.earliest))
    kind = _KINDS.get(read.kind)
    return kind(code, detail) if kind else None


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
