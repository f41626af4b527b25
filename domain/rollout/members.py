"""Who may give whom which function of a programme (H-06, H-07)."""

from __future__ import annotations

from collections.abc import Mapping

from domain.access import Role
from domain.errors import Forbidden, Invalid
from domain.rollout.people import LOCAL, REGIONAL, Function

MANAGES: Mapping[Role, frozenset[Function]] = {
    Role.SYSTEM_ADMIN: frozenset(Function),
    Role.REGIONAL_ADMIN: LOCAL,
    Role.LOCATION_ADMIN: LOCAL - {Function.OFFICE_MANAGER},
}
"""Everybody gives functions below their own only; where is said by their own place."""


def may_manage(role: Role, function: Function, *, covered: bool) -> None:
    """`covered`: the place is the caller's. Raises `Forbidden` (`member.beyond_reach`)."""
    if not covered or function not in MANAGES.get(role, frozenset()):
        raise Forbidden("member.beyond_reach", f"a {function} there is not the caller's to manage")


def check_place(
    function: Function, region: str | None, location_id: str | None, locations: Mapping[str, str]
) -> str | None:
    """The region of a member, as it is kept: regional functions have one, local ones a location instead.

    `locations` has the region of each location of the programme. Raises `Invalid` (`member.place_missing`,
    `member.place_unexpected`, `member.place_unknown`).
    """
    if function in LOCAL:
        _needs(function, location_id, "location", locations)
        if region is not None and region != locations[location_id or ""]:
            raise Invalid("member.place_unexpected", "the location is in another region")
        return None
    if location_id is not None:
        raise Invalid("member.place_unexpected", f"a {function} is not of one location")
    if function in REGIONAL:
        _needs(function, region, "region", set(locations.values()))
    elif region is not None:
        raise Invalid("member.place_unexpected", f"a {function} is of the whole programme")
    return region


def _needs(function: Function, name: str | None, what: str, known: Mapping[str, str] | set[str]) -> None:
    if name is None:
        raise Invalid("member.place_missing", f"a {function} is of a {what}")
    if name not in known:
        raise Invalid("member.place_unknown", f"the programme has no such {what}")
