"""Whatever the group: a plan keeps every hard rule, and no plan comes with what would help."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import Refused
from domain.rollout.plan import Plan
from domain.rollout.planning.answers import Explanation
from domain.rollout.planning.check import check
from domain.rollout.program import (
    ChampionFacts,
    LocationFacts,
    OfficeManager,
    Programme,
    Provider,
    Waiver,
    Workstations,
)
from tests.domain.rollout.groups import POLICY, REGIONS, by_hand, location, programme
from wave_planner import explain, plan

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MOSTLY = st.sampled_from([True, True, True, True, False])


@st.composite
def locations(draw: st.DrawFn, place: int) -> LocationFacts:
    scores = draw(st.tuples(*[st.sampled_from([1, 3, 4, 5, 5])] * 5))
    return location(
        f"l{place:02}",
        region=draw(st.sampled_from(REGIONS)),
        imaging=draw(st.sampled_from(["dexis", "dexis", "schick"])),
        monthly_visits=draw(st.integers(0, 3000)),
        scores=by_hand(*scores),
        champion=ChampionFacts(office_manager=OfficeManager.STRONG, provider=Provider.ENGAGED, confirmed=draw(MOSTLY)),
        regional_manager_engaged=draw(MOSTLY),
        near_central_team=draw(st.booleans()),
        rollback_tolerable=draw(MOSTLY),
        baseline_reliable=draw(MOSTLY),
        workstations=Workstations(count=4, under_three_years=4, meeting_minimum=draw(st.sampled_from([4, 4, 3]))),
    )


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    number = draw(st.integers(2, 40))
    found = tuple(draw(locations(place)) for place in range(number))
    return programme(*found, extra_waves=draw(st.booleans()))


def planned(told: Programme) -> Plan | Explanation:
    try:
        return plan(told, POLICY)
    except Refused:
        return explain(told, POLICY)


@FEW
@given(programmes())
def test_every_plan_keeps_every_rule(told: Programme) -> None:
    made = planned(told)
    if isinstance(made, Explanation):
        assert not made.possible
        assert made.conflicts
        return
    assert check(made, told, POLICY) == ()
    assert [wave.number for wave in made.waves] == list(range(1, len(made.waves) + 1))
    placed = [one for wave in made.waves for one in wave.locations] + [one.location_id for one in made.deferred]
    assert sorted(placed) == sorted(one.location_id for one in told.locations)
    for before, after in pairwise(made.waves):
        assert after.starts_on - before.ends_on >= timedelta(days=7)
        assert after.starts_on.isoweekday() == 1


@settings(FEW, max_examples=10)
@given(programmes())
def test_every_set_of_waivers_suggested_makes_a_plan_possible(told: Programme) -> None:
    made = planned(told)
    if isinstance(made, Plan):
        return
    for one in made.waivers[:2]:
        granted = tuple(
            Waiver(rule=waiver.rule, location_id=waiver.location_id, granted_by="m-1", reason="agreed")
            for waiver in one
        )
        waived = told.model_copy(update={"waivers": granted})
        assert check(plan(waived, POLICY), waived, POLICY) == ()
