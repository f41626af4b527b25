"""The planner places locations, or says why it cannot and which waiver would help."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Invalid, NotFound, Refused
from domain.rollout.plan import Plan
from domain.rollout.planning.answers import Explanation, Move, WhyNot
from domain.rollout.planning.check import check
from domain.rollout.program import (
    IntegrationEffort,
    LocationFacts,
    MajorChange,
    Network,
    Waiver,
    WaiverRule,
    Workstations,
)
from domain.rollout.readiness_matrix import matrix
from tests.domain.rollout.groups import POLICY, REGIONS, by_hand, group, location, programme
from wave_planner import explain, plan, why_not


def sizes(made: Plan) -> list[int]:
    return [len(wave.locations) for wave in made.waves]


def waivers(*rules: tuple[WaiverRule, str | None]) -> tuple[Waiver, ...]:
    return tuple(Waiver(rule=rule, location_id=where, granted_by="m-1", reason="agreed") for rule, where in rules)


def suggested(answer: Explanation | WhyNot) -> list[tuple[tuple[str, str | None], ...]]:
    return [tuple((one.rule.value, one.location_id) for one in found) for found in answer.waivers]


def changed(locations: tuple[LocationFacts, ...], **by_id: dict[str, Any]) -> tuple[LocationFacts, ...]:
    return tuple(one.model_copy(update=by_id.get(one.location_id, {})) for one in locations)


@pytest.mark.parametrize(
    ("number", "wanted", "last_week"),
    [
        (15, [2, 5, 8], 17),
        (16, [3, 5, 8], 17),
        (23, [3, 8, 12], 17),
        (24, [3, 8, 12, 1], 20),
        (30, [3, 8, 12, 7], 20),
        (50, [3, 8, 12, 27], 20),
    ],
)
def test_waves_are_filled_within_their_ranges(number: int, wanted: list[int], last_week: int) -> None:
    made = plan(programme(*group(number)), POLICY)
    assert sizes(made) == wanted
    assert made.last_week == last_week
    assert check(made, programme(*group(number)), POLICY) == ()


def test_30_locations_end_in_week_17_and_20_as_decided() -> None:
    made = plan(programme(*group(30)), POLICY)
    assert [(wave.first_week, wave.last_week) for wave in made.waves] == [(3, 5), (7, 9), (11, 13), (15, 17)]
    assert made.last_week == 20
    assert made.ends_on == date(2026, 5, 22)
    assert "optimization_compressed:3" in made.warnings


def test_a_last_wave_of_more_than_12_is_warned_of_or_split() -> None:
    whole = plan(programme(*group(50)), POLICY)
    assert "wave_large:4" in whole.warnings
    split = plan(programme(*group(50), extra_waves=True), POLICY)
    assert sizes(split) == [3, 8, 12, 12, 12, 3]
    assert not any(warning.startswith("wave_large") for warning in split.warnings)
    assert "overrun:27" in split.warnings


def test_the_same_input_in_another_order_has_the_same_plan() -> None:
    locations = group(30)
    first = plan(programme(*locations), POLICY)
    assert plan(programme(*locations), POLICY) == first
    assert plan(programme(*reversed(locations)), POLICY) == first


def test_the_readiest_come_first_and_ids_decide_between_equals() -> None:
    made = plan(
        programme(*group(30, ready=0), waivers=waivers(*[(WaiverRule.PILOT_COMPOSITE, f"l{n:02}") for n in range(30)])),
        POLICY,
    )
    later = [location_id for wave in made.waves[1:] for location_id in wave.locations]
    composite = {one.location_id: one.composite for one in matrix(group(30, ready=0), POLICY.readiness)}
    assert later == sorted(later, key=lambda one: (-composite[one], one))


def test_pilots_meet_as_many_preferred_criteria_as_can_be() -> None:
    locations = changed(group(30), l03={"near_central_team": True}, l05={"near_central_team": True})
    made = plan(programme(*locations), POLICY)
    assert {"l03", "l05"} < set(made.waves[0].locations)


def test_locations_that_no_wave_suits_are_deferred_with_their_reasons() -> None:
    locations = changed(
        group(30),
        l20={"integration": IntegrationEffort.UNSUPPORTED},
        l21={"scores": by_hand(1, 1, 1, 2, 1)},
    )
    made = plan(programme(*locations), POLICY)
    assert {one.location_id: one.reasons for one in made.deferred} == {
        "l20": ("practice_system_unsupported",),
        "l21": ("readiness_too_low",),
    }
    assert sum(sizes(made)) == 28


def test_outdated_hardware_and_low_bands_come_later() -> None:
    old = {"workstations": Workstations(count=4, under_three_years=4, meeting_minimum=3)}
    made = plan(programme(*changed(group(30, low=5), l00=old)), POLICY)
    numbers = {location_id: wave.number for wave in made.waves for location_id in wave.locations}
    assert numbers["l00"] == 2
    assert all(numbers[f"l{place}"] >= 3 for place in range(25, 30))


def test_networks_below_the_minimum_and_changes_during_a_wave_are_warned_of() -> None:
    slow = {"network": Network(down_mbps=Decimal(20), up_mbps=Decimal(10))}
    busy = {"major_changes": (MajorChange(what="move", begins=date(2026, 1, 5), ends=date(2026, 6, 1)),)}
    made = plan(programme(*changed(group(30), l20=slow, l21=busy)), POLICY)
    assert {"network_below_minimum:l20", "major_change:l21"} <= set(made.warnings)


def test_a_single_waiver_is_suggested_that_makes_a_plan_possible() -> None:
    locations = tuple(one.model_copy(update={"region": "north"}) for one in group(15))
    told = programme(*locations)
    with pytest.raises(Refused) as refusal:
        plan(told, POLICY)
    assert (refusal.value.code, refusal.value.missing) == ("plan.impossible", ("pilot_regions",))
    found = explain(told, POLICY)
    assert not found.possible
    assert [one.rule for one in found.conflicts] == ["pilot_regions"]
    assert found.conflicts[0].violations[0].detail == {"found": "1", "at_least": "2"}
    assert suggested(found) == [(("pilot_regions", None),)]
    waived = programme(*locations, waivers=waivers((WaiverRule.PILOT_REGIONS, None)))
    assert check(plan(waived, POLICY), waived, POLICY) == ()


def test_pairs_are_suggested_when_no_single_waiver_helps() -> None:
    locations = tuple(
        one.model_copy(update={"region": "north", "baseline_reliable": one.location_id in {"l00", "l02"}})
        for one in group(15)
    )
    found = explain(programme(*locations), POLICY)
    # l00 and l02 are both of high volume: another is needed for the low one, and there is one region only.
    assert {len(one) for one in found.waivers} == {2}
    for one in found.waivers:
        granted = waivers(*((waiver.rule, waiver.location_id) for waiver in one))
        assert sizes(plan(programme(*locations, waivers=granted), POLICY))


def test_each_suggestion_helps_and_each_conflict_matters() -> None:
    told = programme(*group(15, ready=1))
    found = explain(told, POLICY)
    assert len(found.waivers) == POLICY.planning.suggestions
    assert [len(one) for one in found.waivers] == sorted(len(one) for one in found.waivers)
    assert len(found.waivers[0]) == 1
    assert {one.rule for one in found.conflicts} >= {"pilot_composite"}
    assert all(one.rule == violation.rule for one in found.conflicts for violation in one.violations)
    for one in found.waivers:
        granted = told.model_copy(update={"waivers": waivers(*((w.rule, w.location_id) for w in one))})
        assert explain(granted, POLICY).possible


def test_what_no_waiver_cures_has_no_suggestion() -> None:
    locations = tuple(one.model_copy(update={"integration": IntegrationEffort.UNSUPPORTED}) for one in group(15))
    found = explain(programme(*locations), POLICY)
    assert [one.rule for one in found.conflicts] == ["pilot_size"]
    assert found.waivers == ()
    assert len(found.deferred) == 15


def test_why_a_location_is_not_in_wave_1() -> None:
    told = programme(*group(30))
    barred = why_not(told, POLICY, "l20", 1)
    assert not barred.allowed
    assert [one.rule for one in barred.violations] == ["pilot_composite"]
    assert suggested(barred) == [(("pilot_composite", "l20"),)]
    behind = why_not(told, POLICY, "l05", 1)
    assert behind.allowed
    assert behind.planned_wave == 2
    assert [one.location_id for one in behind.ahead] == ["l00", "l01", "l02"]


def test_why_not_names_what_would_break_when_the_location_itself_would_do() -> None:
    # With l01 in wave 1 the pilots would lack a region: everybody else that is ready is in its region.
    regions = {f"l{place:02}": {"region": "north" if place != 1 else "south"} for place in range(15)}
    locations = changed(group(15), **regions)
    alone = tuple(one if one.location_id != "l01" else one.model_copy(update={"region": "north"}) for one in locations)
    told = programme(*alone)
    found = why_not(told, POLICY, "l01", 1)
    assert found.violations == ()
    assert [one.rule for one in found.conflicts] == ["pilot_regions"]
    assert found.planned_wave is None
    assert why_not(programme(*locations), POLICY, "l01", 1).allowed


def test_a_move_is_kept_and_the_rest_is_planned_around_it() -> None:
    told = programme(*group(30))
    made = plan(told, POLICY, moved=(Move(location_id="l00", wave=4), Move(location_id="l29", wave=None)))
    assert (there := made.wave_of("l00")) is not None
    assert there.number == 4
    assert {one.location_id: one.reasons for one in made.deferred} == {"l29": ("moved",)}


def test_a_move_against_a_rule_is_refused_with_the_rule() -> None:
    with pytest.raises(Refused) as refusal:
        plan(programme(*group(30)), POLICY, moved=(Move(location_id="l20", wave=1),))
    assert set(refusal.value.missing) == {"moved", "pilot_composite"}


def test_a_deferred_location_is_not_moved_into_a_wave() -> None:
    locations = changed(group(30), l20={"scores": by_hand(1, 1, 1, 2, 1)})
    with pytest.raises(Refused) as refusal:
        plan(programme(*locations), POLICY, moved=(Move(location_id="l20", wave=4),))
    assert set(refusal.value.missing) == {"moved", "readiness_too_low"}


def test_moves_of_what_does_not_exist_are_refused() -> None:
    told = programme(*group(15))
    with pytest.raises(NotFound, match="no such location"):
        plan(told, POLICY, moved=(Move(location_id="nowhere", wave=1),))
    with pytest.raises(Invalid, match="1 to 4"):
        plan(told, POLICY, moved=(Move(location_id="l00", wave=5),))


def test_a_plan_with_faults_is_found_out() -> None:
    told = programme(*group(30))
    made = plan(told, POLICY)
    first, second, *rest = made.waves
    crossed = first.model_copy(update={"locations": (*first.locations, "l20")})
    early = second.model_copy(update={"starts_on": first.ends_on})
    found = check(made.model_copy(update={"waves": (crossed, early, *rest)}), told, POLICY)
    assert {one.rule for one in found} == {"pilot_size", "pilot_composite", "not_placed_once", "buffer"}


def test_50_locations_are_planned_and_explained_within_seconds() -> None:
    told = programme(*group(50, ready=20), extra_waves=True)
    hopeless = programme(*(one.model_copy(update={"region": REGIONS[0]}) for one in group(50, ready=1)))
    begun = time.process_time()
    plan(told, POLICY)
    explain(hopeless, POLICY)
    why_not(told, POLICY, "l49", 1)
    assert time.process_time() - begun < 10


def test_one_location_is_no_group() -> None:
    with pytest.raises(Refused) as refusal:
        plan(programme(location()), POLICY)
    assert refusal.value.missing == ("pilot_size",)


def test_waves_that_have_started_stay_whatever_has_become_of_their_locations() -> None:
    made = plan(programme(*group(30)), POLICY)
    later = made.waves[0].model_copy(update={"starts_on": date(2026, 1, 26), "ends_on": date(2026, 2, 13)})
    worse = changed(group(30), l00={"scores": by_hand(1, 1, 1, 1, 1), "baseline_reliable": False})
    again = plan(programme(*worse), POLICY, settled=(later,))
    assert again.waves[0] == later
    assert again.waves[1].starts_on == date(2026, 2, 23)
    assert again.deferred == ()
    with pytest.raises(Refused) as refusal:
        plan(programme(*worse), POLICY, settled=(later,), moved=(Move(location_id="l20", wave=1),))
    assert refusal.value.missing == ("moved",)
    assert not why_not(programme(*worse), POLICY, "l05", 1, settled=(later,)).allowed
