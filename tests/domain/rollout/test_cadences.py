"""When a regular report is due, and of which places."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import policy
from domain.rollout.cadences import (
    Cadence,
    CadencePolicy,
    Every,
    LocationState,
    Place,
    ProgrammeState,
    due,
    period_key,
    places,
)
from domain.rollout.phases import OVER, LocationPhase, ProgrammePhase, WavePhase

POLICY = policy.load().rollout.cadences
DAY = date(2026, 4, 1)


def location(location_id: str, region: str, wave: WavePhase | None = None, *, deployed: bool = False) -> LocationState:
    phase = LocationPhase.LIVE if deployed else LocationPhase.WAITING
    return LocationState(location_id=location_id, region=region, phase=phase, wave_phase=wave, deployed=deployed)


def programme(*locations: LocationState, phase: ProgrammePhase = ProgrammePhase.PILOT) -> ProgrammeState:
    return ProgrammeState(program_id="p", phase=phase, locations=locations)


@pytest.mark.parametrize(
    ("every", "on", "key"),
    [
        (Every.QUARTER, date(2026, 3, 31), "2026-Q1"),
        (Every.QUARTER, date(2026, 4, 1), "2026-Q2"),
        (Every.QUARTER, date(2026, 12, 31), "2026-Q4"),
        (Every.MONTH, date(2026, 2, 28), "2026-02"),
        (Every.WEEK, date(2026, 1, 4), "2026-W01"),
        (Every.WEEK, date(2026, 1, 5), "2026-W02"),
        (Every.WEEK, date(2027, 1, 3), "2026-W53"),
        (Every.DAY, date(2026, 4, 1), "2026-04-01"),
    ],
)
def test_a_period_has_a_key(every: Every, on: date, key: str) -> None:
    assert period_key(every, on) == key


QUIET = programme(location("a", "north"))
TRAINING = programme(location("a", "north", WavePhase.TRAINING), location("b", "south"))
GOING_LIVE = programme(
    location("a", "north", WavePhase.GO_LIVE, deployed=True), location("b", "south", WavePhase.CLOSED, deployed=True)
)


@pytest.mark.parametrize(
    ("cadence", "state", "key"),
    [
        (Cadence.BOARD_REPORT, QUIET, "2026-Q2"),
        (Cadence.EXECUTIVE_REPORT, QUIET, "2026-04"),
        (Cadence.CREDENTIAL_AUDIT, QUIET, "2026-Q2"),
        (Cadence.REGIONAL_REPORT, QUIET, None),
        (Cadence.REGIONAL_REPORT, TRAINING, "2026-W14"),
        (Cadence.CHAMPION_CHECK, TRAINING, None),
        (Cadence.CHAMPION_CHECK, GOING_LIVE, "2026-04-01"),
        (Cadence.CHAMPION_REPORT, TRAINING, None),
        (Cadence.CHAMPION_REPORT, GOING_LIVE, "2026-W14"),
    ],
)
def test_a_report_is_due_when_its_condition_is_met(cadence: Cadence, state: ProgrammeState, key: str | None) -> None:
    assert due(POLICY, cadence, DAY, state) == key


@pytest.mark.parametrize("phase", [phase for phase in ProgrammePhase if phase in OVER])
@pytest.mark.parametrize("cadence", list(Cadence))
def test_nothing_is_due_once_a_programme_is_over(cadence: Cadence, phase: ProgrammePhase) -> None:
    assert due(POLICY, cadence, DAY, programme(*GOING_LIVE.locations, phase=phase)) is None


@pytest.mark.parametrize("phase", [ProgrammePhase.PAUSED_SYSTEMIC, ProgrammePhase.ON_HOLD])
def test_a_programme_that_is_held_is_reported_on(phase: ProgrammePhase) -> None:
    assert due(POLICY, Cadence.BOARD_REPORT, DAY, programme(phase=phase)) == "2026-Q2"


def test_a_policy_without_the_cadence_has_no_report() -> None:
    older = CadencePolicy(cadences=(), active_phases=frozenset(), go_live_phases=frozenset())
    assert due(older, Cadence.BOARD_REPORT, DAY, QUIET) is None


def test_reports_are_of_the_places_concerned() -> None:
    def found(cadence: Cadence) -> tuple[Place, ...]:
        spec = POLICY.spec(cadence)
        assert spec is not None
        return places(POLICY, spec, GOING_LIVE)

    assert found(Cadence.BOARD_REPORT) == (Place(),)
    assert found(Cadence.REGIONAL_REPORT) == (Place(region="north"),)
    assert found(Cadence.CHAMPION_CHECK) == (Place(region="north", location_id="a"),)
    assert found(Cadence.CHAMPION_REPORT) == (Place(region="north"), Place(region="south"))


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.sampled_from(list(Every)))
def test_periods_follow_each_other_and_never_come_again(on: date, every: Every) -> None:
    longest = {Every.QUARTER: 92, Every.MONTH: 31, Every.WEEK: 7, Every.DAY: 1}[every]
    keys = [period_key(every, on + timedelta(days=day)) for day in range(longest + 1)]
    assert keys[0] != keys[-1]
    assert keys == sorted(keys)


locations = st.builds(
    location,
    st.sampled_from("abcdef"),
    st.sampled_from(["north", "south"]),
    st.none() | st.sampled_from(WavePhase),
    deployed=st.booleans(),
)


@given(st.lists(locations, max_size=6, unique_by=lambda one: one.location_id), st.sampled_from(list(Cadence)))
def test_each_place_is_reported_once_and_holds_somebody(found: list[LocationState], cadence: Cadence) -> None:
    spec = POLICY.spec(cadence)
    assert spec is not None
    state = programme(*found)
    reported = places(POLICY, spec, state)
    assert len(set(reported)) == len(reported)
    assert bool(reported) is (due(POLICY, cadence, DAY, state) is not None)
    assert all(any(place.holds(one) for one in found) for place in reported if place != Place())
