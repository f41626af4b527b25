"""Kinds of values that several requests share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar
from zoneinfo import available_timezones

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

Item = TypeVar("Item")

EXAMPLE_ID = "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"


def _known_time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("This is not a name in the IANA time zone database.")
    return name


def _storable(time: datetime) -> datetime:
    """Years at the edges of the calendar overflow when they are moved to another time zone."""
    if not 2000 <= time.year <= 2100:
        raise ValueError("The year must be from 2000 to 2100.")
    return time.astimezone(UTC)


RecordId = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", examples=[EXAMPLE_ID]),
]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""Text on one line."""
TokenSubject = Annotated[Line, Field(description="`sub` of the person's tokens.")]
TimeZone = Annotated[
    str, AfterValidator(_known_time_zone), Field(description="IANA name.", examples=["America/Denver"])
]
Time = Annotated[AwareDatetime, AfterValidator(_storable)]
PhoneNumber = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{7,14}$")]
"""E.164."""

# fmt: off
State = Literal[
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA",
    "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR",
    "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "AS", "GU", "MP", "PR", "VI",
]
# fmt: on
"""States, districts and territories that license clinicians, by postal code."""


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next_cursor: str | None = Field(default=None, description="Give it as `cursor` for what follows; null at the end.")


Cursor = Annotated[RecordId | None, Query(description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Most items on a page.")]
