"""Lengths of time as people write them in a query."""

from __future__ import annotations

import re
from datetime import timedelta

from domain.errors import Invalid

LONGEST = timedelta(days=366)

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SHORT = re.compile(r"(\d{1,6})([mhd])", re.ASCII)
# Years and months have no fixed length.
_ISO_8601 = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?",
    re.ASCII,
)


def parse_within(text: str) -> timedelta:
    """`90m`, `2h`, `3d` or an ISO 8601 duration such as `PT2H`, 366 days at most.

    Raises `Invalid` (`at_risk.within_invalid`).
    """
    length = _length(text)
    if length is None or length > LONGEST:
        raise Invalid("at_risk.within_invalid", "say 90m, 2h, 3d or PT2H, and not more than 366 days")
    return length


def _length(text: str) -> timedelta | None:
    if short := _SHORT.fullmatch(text):
        return timedelta(**{_UNITS[short[2]]: int(short[1])})
    if long := _ISO_8601.fullmatch(text):
        return timedelta(**{unit: int(count) for unit, count in long.groupdict(default="0").items()})
    return None
