"""Which rule keeps a location out of which wave, at every edge, and who may waive it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.rollout.planning import dates
from domain.rollout.planning.rules import (
    Candidate,
    deferrals,
    is_waived,
    location_violations,
    set_violations,
    standing,
    survey,
)
from domain.rollout.program import (
    Adoption,
    ChampionFacts,
    IntegrationEffort,
    LocationFacts,
    MajorChange,
    OfficeManager,
    PracticeSystem,
    PracticeSystemName,
    Programme,
    Provider,
    Staffing,
    TrainingProgramme,
    Waiver,
    WaiverRule,
    Workstations,
)
from tests.domain.rollout.groups import CALENDAR, MONDAY, POLICY, by_hand, location, programme

PLANNING = POLICY.planning
PILOT_STARTS, PILOT_ENDS = date(2026, 1, 19), date(2026, 2, 6)
INTEGRATION_STARTS = date(2026, 1, 12)


def among_others(facts: LocationFacts) -> Programme:
    """Nine others of its kind: the location is in the middle by volume when it has 1000 visits."""
    others = [location(f"o{number}", monthly_visits=100 + 200 * number) for number in range(9)]
    return programme(facts, *others)


def broken(wave: int, facts: LocationFacts) -> dict[str, WaiverRule | None]:
    plan = among_others(facts)
    seen = survey(plan, POLICY)
    candidate = next(one for one in seen.candidates if one.location_id == facts.location_id)
    return {one.rule: one.waivable_by for one in location_violations(candidate, wave, seen, PLANNING)}


def change(begins: date, ends: date) -> dict[str, Any]:
    return {"major_changes": (MajorChange(what="renovation", begins=begins, ends=ends),)}


OUTDATED = {"workstations": Workstations(count=4, under_three_years=4, meeting_minimum=3)}
UNPREFERRED = {
    "imaging": "schick",
    "staffing": Staffing(
        annual_turnover_percent=Decimal(10), adoption=Adoption.MIXED, training=TrainingProgramme.FORMAL
    ),
    "scores": by_hand(5, 5, 5, 5, 5),
}


@pytest.mark.parametrize(
    ("changed", "wave", "wanted"),
    [
        ({}, 1, {}),
        ({"scores": by_hand(4, 4, 4, 4, 4)}, 1, {}),  # 4.00
        ({"scores": by_hand(4, 3, 4, 4, 5)}, 1, {"pilot_composite"}),  # 3.95
        ({"scores": by_hand(3, 3, 3, 3, 3)}, 2, set()),
        ({"scores": by_hand(2, 3, 3, 3, 3)}, 2, {"band"}),  # 2.75
        ({"scores": by_hand(2, 3, 3, 3, 3)}, 3, set()),
        ({"scores": by_hand(2, 3, 3, 3, 3)}, 4, set()),
        ({"scores": by_hand(2, 2, 2, 2, 2)}, 3, set()),  # 2.00
        ({"scores": by_hand(1, 2, 2, 2, 2)}, 3, {"readiness_too_low"}),  # 1.75
        (
            {"champion": ChampionFacts(office_manager=OfficeManager.STRONG, provider=Provider.ENGAGED)},
            1,
            {"pilot_champion"},
        ),
        (OUTDATED, 1, {"outdated_hardware"}),
        (OUTDATED, 2, set()),
        ({"baseline_reliable": False}, 1, {"pilot_baseline"}),
        ({"baseline_reliable": False}, 2, set()),
        ({"regional_manager_engaged": False}, 1, {"pilot_regional_manager"}),
        ({"rollback_tolerable": False}, 1, {"pilot_rollback_tolerable"}),
        (change(INTEGRATION_STARTS, INTEGRATION_STARTS), 1, {"pilot_major_change"}),
        (change(PILOT_ENDS, date(2026, 4, 1)), 1, {"pilot_major_change"}),
        (change(date(2026, 1, 11), date(2026, 1, 11)), 1, set()),
        (change(date(2026, 2, 7), date(2026, 4, 1)), 1, set()),
        (change(PILOT_STARTS, PILOT_ENDS), 2, set()),
        (UNPREFERRED, 1, {"pilot_preferred"}),  # of medium volume only
        (UNPREFERRED | {"near_central_team": True}, 1, set()),
        (UNPREFERRED | {"near_central_team": True, "monthly_visits": 5000}, 1, {"pilot_preferred"}),
        (
            {"practice_system": PracticeSystem(name=PracticeSystemName.OTHER, version="1")},
            3,
            {"practice_system_unsupported"},
        ),
        ({"integration": IntegrationEffort.UNSUPPORTED}, 4, {"practice_system_unsupported"}),
        ({"scores": by_hand(5, 5, 5, 1, 5)}, 4, {"practice_system_unsupported"}),
    ],
)
def test_a_location_in_a_wave(changed: dict[str, Any], wave: int, wanted: set[str]) -> None:
    assert set(broken(wave, location(**changed))) == set(wanted)


@pytest.mark.parametrize(
    ("changed", "waivable"),
    [
        ({"scores": by_hand(3, 3, 3, 3, 3)}, WaiverRule.PILOT_COMPOSITE),
        ({"baseline_reliable": False}, WaiverRule.PILOT_BASELINE),
        (OUTDATED, None),
        ({"integration": IntegrationEffort.UNSUPPORTED}, None),
    ],
)
def test_who_may_waive_it(changed: dict[str, Any], waivable: WaiverRule | None) -> None:
    assert waivable in broken(1, location(**changed)).values()


@pytest.mark.parametrize(
    ("visits", "preferred"),
    [(699, False), (700, True), (1300, True), (1301, False)],
)
def test_medium_volume_is_from_the_40th_to_the_70th_percentile(visits: int, preferred: bool) -> None:
    seen = survey(among_others(location(monthly_visits=visits)), POLICY)
    candidate = next(one for one in seen.candidates if one.location_id == "downtown")
    percentile = candidate.assessment.percentile
    assert (40 <= percentile <= 70) is preferred
    assert ("medium_volume" in candidate.preferred) is preferred


def pilots(*wanted: tuple[str, Decimal, bool]) -> list[Candidate]:
    """Of these regions and percentiles, with the most common configuration or another."""
    model = survey(programme(location()), POLICY).candidates[0]
    return [
        model.model_copy(
            update={
                "facts": model.facts.model_copy(update={"region": region}),
                "assessment": model.assessment.model_copy(update={"percentile": percentile}),
                "common": common,
            }
        )
        for region, percentile, common in wanted
    ]


HIGH, LOW = Decimal(60), Decimal("59.9")


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        (pilots(("north", HIGH, True), ("south", LOW, False)), set()),
        (pilots(("north", HIGH, True), ("south", HIGH, True)), {"pilot_low_volume"}),
        (pilots(("north", LOW, True), ("south", LOW, True)), {"pilot_high_volume"}),
        (pilots(("north", HIGH, True), ("north", LOW, True)), {"pilot_regions"}),
        (pilots(("north", HIGH, False), ("south", LOW, False)), {"pilot_common_configuration"}),
        (pilots(("north", LOW, False)), {"pilot_regions", "pilot_high_volume", "pilot_common_configuration"}),
    ],
)
def test_the_pilots_together(chosen: list[Candidate], wanted: set[str]) -> None:
    found = set_violations(chosen, PLANNING)
    assert {one.rule for one in found} == wanted
    assert all(one.waivable_by is not None and one.location_id is None for one in found)


def test_a_waiver_counts_for_the_location_that_it_names() -> None:
    plan = programme(location("a", baseline_reliable=False), location("b", baseline_reliable=False))
    seen = survey(plan, POLICY)
    found = [
        violation
        for one in seen.candidates
        for violation in location_violations(one, 1, seen, PLANNING)
        if violation.rule == WaiverRule.PILOT_BASELINE
    ]
    waivers = (Waiver(rule=WaiverRule.PILOT_BASELINE, location_id="a", granted_by="m-1", reason="recounted"),)
    assert [one.location_id for one in standing(found, waivers)] == ["b"]
    assert not is_waived(found[0], (Waiver(rule=WaiverRule.PILOT_BASELINE, granted_by="m-1", reason="all"),))


def test_deferrals_are_those_that_no_wave_cures() -> None:
    plan = among_others(location(baseline_reliable=False, scores=by_hand(1, 1, 1, 1, 1)))
    candidate = next(one for one in survey(plan, POLICY).candidates if one.location_id == "downtown")
    assert [one.rule for one in deferrals(candidate)] == ["practice_system_unsupported", "readiness_too_low"]


@pytest.mark.parametrize(
    ("closed", "starts"),
    [
        (date(2026, 2, 6), date(2026, 2, 16)),  # a Friday: a week later is within the week after
        (date(2026, 2, 9), date(2026, 2, 16)),  # a Monday
        (date(2026, 2, 10), date(2026, 2, 23)),
        (date(2026, 1, 1), date(2026, 2, 9)),  # long ago: as planned
    ],
)
def test_the_next_wave_starts_on_a_monday_after_the_buffer(closed: date, starts: date) -> None:
    assert dates.next_start(closed, date(2026, 2, 9), PLANNING.buffer) == starts


def test_the_waves_of_30_locations_have_the_weeks_of_decision_21() -> None:
    groups = tuple(tuple(f"{wave}-{place}" for place in range(size)) for wave, size in enumerate((3, 8, 12, 7)))
    plan = dates.whole(groups, MONDAY, CALENDAR, PLANNING)
    assert [(wave.first_week, wave.last_week) for wave in plan.waves] == [(3, 5), (7, 9), (11, 13), (15, 17)]
    assert (plan.waves[0].starts_on, plan.waves[0].ends_on) == (PILOT_STARTS, PILOT_ENDS)
    assert dates.week_of(plan.optimization_starts_on, MONDAY) == 18
    assert plan.last_week == 20
    assert (
        plan.warnings
        == (
            "later_than_published:2:1",
            "later_than_published:3:1",
            "later_than_published:4:1",
            "optimization_compressed:3",
            "wave_small:1",
        )[:4]
    )


def test_holidays_move_the_first_and_the_last_day_of_a_wave() -> None:
    holidays = frozenset({PILOT_STARTS, PILOT_ENDS})
    plan = dates.whole((("a", "b"),), MONDAY, CALENDAR.model_copy(update={"holidays": holidays}), PLANNING)
    assert plan.waves[0].starts_on == PILOT_STARTS
    assert plan.waves[0].first_business_day == date(2026, 1, 20)
    assert plan.waves[0].ends_on == date(2026, 2, 5)


def test_a_wave_does_not_begin_in_a_week_that_is_closed() -> None:
    closed = frozenset(date(2026, 1, day) for day in range(19, 24))
    plan = dates.whole((("a", "b"),), MONDAY, CALENDAR.model_copy(update={"holidays": closed}), PLANNING)
    assert plan.waves[0].starts_on == date(2026, 1, 26)


@pytest.mark.parametrize(
    ("wave", "extra", "wanted"),
    [
        (1, False, (2, 3)),
        (2, False, (5, 8)),
        (3, True, (8, 12)),
        (4, False, (1, None)),
        (4, True, (1, 12)),
        (6, True, (1, 12)),
    ],
)
def test_how_many_locations_a_wave_holds(wave: int, extra: bool, wanted: tuple[int, int | None]) -> None:
    assert PLANNING.capacity(wave, extra_waves=extra) == wanted


@pytest.mark.parametrize(
    ("locations", "extra", "wanted"), [(50, False, 4), (10, True, 4), (15, True, 5), (36, True, 6), (50, True, 8)]
)
def test_how_many_waves_there_may_be(locations: int, extra: bool, wanted: int) -> None:
    assert PLANNING.possible_waves(locations, extra_waves=extra) == wanted
