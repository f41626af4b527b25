"""In which function somebody acts in a rollout: the narrower of the token's role and the membership counts (H-06)."""

from __future__ import annotations

import pytest

from api.rollout_acting import Member, Membership, Reach
from domain.access import Role
from domain.errors import Forbidden
from domain.rollout.people import Function

IT = Membership("m-it", "bright", Function.IT_LEAD, None, None)
VP = Membership("m-vp", "bright", Function.VP_OPERATIONS, None, None)
NORTH = Membership("m-north", "bright", Function.REGIONAL_MANAGER, "north", None)
MANAGER = Membership("m-manager", "bright", Function.OFFICE_MANAGER, None, "downtown")
CHAMPION = Membership("m-champion", "bright", Function.CHAMPION, None, "downtown")
VENDOR = Membership("m-vendor", "bright", Function.VENDOR_SUPPORT, None, None)
DOWNTOWN = {"region": "north", "location_id": "downtown"}
UPTOWN = {"region": "north", "location_id": "uptown"}
HARBOUR = {"region": "south", "location_id": "harbour"}

ACTS = [
    (Role.EXECUTIVE, VP, Function.VP_OPERATIONS, {}, ("vp_operations", "m-vp")),
    (Role.EXECUTIVE, VP, Function.VP_OPERATIONS, HARBOUR, ("vp_operations", "m-vp")),
    (Role.EXECUTIVE, VP, Function.IT_LEAD, {}, None),
    (Role.REGIONAL_ADMIN, NORTH, Function.REGIONAL_MANAGER, UPTOWN, ("regional_manager", "m-north")),
    (Role.REGIONAL_ADMIN, NORTH, Function.REGIONAL_MANAGER, HARBOUR, None),
    (Role.REGIONAL_ADMIN, NORTH, Function.OFFICE_MANAGER, DOWNTOWN, None),
    (Role.LOCATION_ADMIN, MANAGER, Function.OFFICE_MANAGER, DOWNTOWN, ("office_manager", "m-manager")),
    (Role.LOCATION_ADMIN, MANAGER, Function.OFFICE_MANAGER, UPTOWN, None),
    (Role.LOCATION_ADMIN, NORTH, Function.REGIONAL_MANAGER, UPTOWN, None),
    (Role.VENDOR, VENDOR, Function.VENDOR_SUPPORT, HARBOUR, ("vendor_support", "m-vendor")),
    (Role.EXECUTIVE, VENDOR, Function.VENDOR_SUPPORT, HARBOUR, None),
    (Role.VENDOR, VP, Function.VP_OPERATIONS, {}, None),
    # Any system administrator of the programme acts for operations, never for an executive.
    (Role.SYSTEM_ADMIN, VP, Function.PROJECT_MANAGER, HARBOUR, ("system_admin", "m-vp")),
    (Role.SYSTEM_ADMIN, IT, Function.IT_LEAD, HARBOUR, ("it_lead", "m-it")),
    (Role.SYSTEM_ADMIN, IT, Function.VP_OPERATIONS, {}, None),
    (Role.SYSTEM_ADMIN, NORTH, Function.IT_LEAD, HARBOUR, None),
]


@pytest.mark.parametrize(("role", "seat", "function", "place", "wanted"), ACTS)
def test_acts_in_their_function_where_they_have_it(
    role: Role, seat: Membership, function: Function, place: dict[str, str], wanted: tuple[str, str] | None
) -> None:
    who = Member(subject="s", role=role, memberships=(seat,))
    if wanted is None:
        with pytest.raises(Forbidden) as refused:
            who.actor("bright", (function,), **place)
        assert refused.value.code == "rollout.function_missing"
    else:
        actor = who.actor("bright", (function,), **place)
        assert (actor.role, actor.id) == wanted


def test_nobody_acts_in_another_programme() -> None:
    who = Member(subject="s", role=Role.SYSTEM_ADMIN, memberships=(IT,))
    with pytest.raises(Forbidden):
        who.actor("other", (Function.IT_LEAD,))
    assert who.reach("other") is None


def test_acts_in_the_first_function_that_is_asked_for() -> None:
    who = Member(subject="s", role=Role.LOCATION_ADMIN, memberships=(MANAGER, CHAMPION))
    asked = (Function.CHAMPION, Function.OFFICE_MANAGER)
    assert who.actor("bright", asked, **DOWNTOWN).role == "champion"
    assert who.actor("bright", reversed(asked), **DOWNTOWN).role == "office_manager"


def test_reaches_as_far_as_all_memberships_together() -> None:
    who = Member(subject="s", role=Role.REGIONAL_ADMIN, memberships=(NORTH, CHAMPION))
    assert who.reach("bright") == Reach(regions=frozenset({"north"}), locations=frozenset({"downtown"}))
    assert who.sees("bright", **UPTOWN)
    assert not who.sees("bright", **HARBOUR)
    assert who.programs == ("bright",)
