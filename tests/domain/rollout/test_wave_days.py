"""The day plan of a wave: what moves when a launch slips, and what comes again when a week is added."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rollout.moments import moment
from domain.rollout.orders import WaveOrder
from domain.rollout.wave import days
from domain.rollout.wave.state import Entry, WaveState
from tests.domain.rollout.gates import CENTRAL, wave_order

MONDAY = date(2027, 1, 18)
NEW_YORK, CHICAGO = "America/New_York", "America/Chicago"
ORDER = wave_order(starts_on=MONDAY)


def agenda(order: WaveOrder, state: WaveState, *, reached: frozenset[str] = frozenset()) -> tuple[Entry, ...]:
    found = [
        Entry(item_id=each.item_id, day=each.local.day, time_zone=each.local.time_zone, at=moment(each.local))
        for each in days.wanted(order, state)
    ]
    return tuple(
        each.model_copy(update={"reached_at": each.at}) if each.item_id in reached else each
        for each in sorted(found, key=lambda each: each.at)
    )


def on(order: WaveOrder, state: WaveState, item_id: str, zone: str = NEW_YORK) -> list[int]:
    """Days after the first Monday."""
    return [
        (each.local.day - MONDAY).days
        for each in days.wanted(order, state)
        if (each.item_id, each.local.time_zone) == (item_id, zone)
    ]


@given(slips=st.dictionaries(st.sampled_from([NEW_YORK, CHICAGO]), st.integers(0, 5)), extended=st.integers(0, 5))
def test_no_entry_comes_twice_and_there_is_one_evaluation_after_everything_else(
    slips: dict[str, int], extended: int
) -> None:
    moved = {zone: MONDAY + timedelta(days=3, weeks=weeks) for zone, weeks in slips.items()}
    state = WaveState(launch_days=moved, extended_weeks=extended)
    found = days.wanted(ORDER, state)
    assert len({each.key for each in found}) == len(found)
    (evaluation,) = on(ORDER, state, "evaluation")
    assert evaluation == 18 + 7 * (max(slips.values(), default=0) + extended)
    assert days.slipped_weeks(ORDER, state) == max(slips.values(), default=0)
    for zone in (NEW_YORK, CHICAGO):
        (launch,) = on(ORDER, state, "go_live", zone)
        assert all(check_in >= launch for check_in in on(ORDER, state, "check_in_go_live", zone))


def test_what_follows_a_launch_that_slipped_slips_with_it_and_training_does_not() -> None:
    state = WaveState(launch_days={NEW_YORK: MONDAY + timedelta(days=10)})
    assert on(ORDER, state, "champion_training") == [1]
    assert on(ORDER, state, "check_in_go_live") == [10, 11]
    assert on(ORDER, state, "check_in_go_live", CHICAGO) == [3, 4]
    assert on(ORDER, state, "retrospective") == [18]
    # Where the launch was in time, check-ins go on until the others have caught up.
    assert on(ORDER, state, "check_in_reduced", CHICAGO) == [14, 16, 18, 21, 23, 25]
    assert on(ORDER, state, "check_in_reduced") == [21, 23, 25]


def test_a_launch_is_never_on_a_holiday() -> None:
    thursday = MONDAY + timedelta(days=3)
    calendar = CENTRAL.model_copy(update={"holidays": frozenset({thursday})})
    order = ORDER.model_copy(update={"calendar": calendar})
    assert on(order, WaveState(), "go_live") == [10]
    assert thursday not in {each.day for each in days.launch_candidates(order, NEW_YORK)}


@pytest.mark.parametrize(
    ("item_id", "zone", "held", "pending", "blocked"),
    [
        ("go_live", NEW_YORK, True, "go_live", True),
        ("go_live", NEW_YORK, False, "go_live", False),
        ("champion_training", NEW_YORK, True, "go_live", False),
        ("check_in_go_live", NEW_YORK, False, "go_live", True),
        ("check_in_go_live", NEW_YORK, True, None, False),
        ("retrospective", NEW_YORK, False, "go_live", True),
        ("evaluation", NEW_YORK, False, None, False),
        ("evaluation", NEW_YORK, True, None, True),
    ],
)
def test_a_hold_stops_launch_and_evaluation_and_what_follows_waits_for_the_launch(
    item_id: str, zone: str, held: bool, pending: str | None, blocked: bool
) -> None:
    state = WaveState()
    state.agenda = agenda(ORDER, state, reached=frozenset() if pending else frozenset({"go_live"}))
    entry = next(each for each in state.agenda if (each.item_id, each.time_zone) == (item_id, zone))
    assert days.is_blocked(ORDER, state, entry, held=held) is blocked


def test_local_items_are_local_and_central_ones_are_central() -> None:
    found = {(each.item_id, each.time_zone): each.at for each in agenda(ORDER, WaveState())}
    assert found["go_live", NEW_YORK] == datetime(2027, 1, 21, 13, tzinfo=UTC)
    assert found["go_live", CHICAGO] == datetime(2027, 1, 21, 14, tzinfo=UTC)
    assert ("evaluation", CHICAGO) not in found


def test_it_is_evaluated_again_on_the_same_weekday_of_the_weeks_to_come() -> None:
    candidates = days.evaluation_candidates(ORDER, WaveState(extended_weeks=1))
    assert [(each.day - MONDAY).days for each in candidates[:2]] == [32, 39]
    assert {each.at for each in candidates} == {time(9)}
