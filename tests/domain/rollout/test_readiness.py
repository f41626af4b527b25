"""Factor scores are worked out from what was measured, the lowest criterion decides, and the reasoning is shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rollout.program import (
    Adoption,
    ChampionFacts,
    Factor,
    IntegrationEffort,
    Link,
    LocationFacts,
    Network,
    OfficeManager,
    PracticeSystem,
    PracticeSystemName,
    Provider,
    Stability,
    Staffing,
    TrainingProgramme,
    Workstations,
)
from domain.rollout.readiness import Band, FactorScore, band, composite, recommended_wave, shown
from domain.rollout.readiness_factors import Group, below_network_minimum, group_of, score_factors
from domain.rollout.readiness_matrix import matrix
from domain.rollout.workstations import Browser, System, Workstation, counted, meets, outdated
from tests.domain.rollout.groups import FACTORS, POLICY, by_hand, location

READINESS = POLICY.readiness


def score(factor: Factor, facts: LocationFacts, group: Group | None = None) -> FactorScore:
    found = score_factors(facts, group or group_of([facts]), READINESS)
    return next(one for one in found if one.factor is factor)


def network(down: str = "200", up: str = "50", **changed: Any) -> dict[str, Network]:
    told: dict[str, Any] = {"down_mbps": Decimal(down), "up_mbps": Decimal(up), "link": Link.FIBRE, "it_managed": True}
    return {"network": Network(**told | changed)}


def machines(count: int, young: int, good: int) -> dict[str, Workstations]:
    return {"workstations": Workstations(count=count, under_three_years=young, meeting_minimum=good)}


def system(behind: int = 0, *, supported: bool = True) -> dict[str, PracticeSystem]:
    name = PracticeSystemName.DENTRIX
    return {"practice_system": PracticeSystem(name=name, version="G7", versions_behind=behind, supported=supported)}


def staffing(turnover: str = "10", adoption: str = "documented_success", training: str = "formal") -> dict[str, Any]:
    return {
        "staffing": Staffing(
            annual_turnover_percent=Decimal(turnover),
            adoption=Adoption(adoption),
            training=TrainingProgramme(training),
        )
    }


def champion(manager: OfficeManager, provider: Provider, *, confirmed: bool = True) -> dict[str, ChampionFacts]:
    return {"champion": ChampionFacts(office_manager=manager, provider=provider, confirmed=confirmed)}


@pytest.mark.parametrize(
    ("name", "scores", "wanted", "wave"),
    [
        ("downtown", (4, 4, 3, 5, 5), "4.15", 1),
        ("suburban-a", (3, 3, 4, 4, 3), "3.40", 2),
        ("rural-b", (2, 2, 2, 2, 2), "2.00", 3),
    ],
)
def test_the_examples_of_the_playbook(name: str, scores: tuple[int, ...], wanted: str, wave: int) -> None:
    assessment = matrix((location(name, scores=by_hand(*scores)),), READINESS)[0]
    assert str(assessment.shown) == wanted
    assert assessment.recommended_wave == wave
    assert assessment.band == f"wave_{wave}"


@pytest.mark.parametrize(
    ("facts", "wanted", "because"),
    [
        ({}, 5, set()),
        (network("100"), 5, set()),
        (network("99.9"), 4, {"bandwidth_mbps"}),
        (network("200", link=Link.CABLE), 4, {"fibre"}),
        (network("200", it_managed=False), 4, {"network_managed_by_it"}),
        (network("50"), 4, {"bandwidth_mbps"}),
        (network("49.9"), 3, {"bandwidth_mbps"}),
        (network("25"), 3, {"bandwidth_mbps"}),
        (network("24.9"), 2, {"bandwidth_mbps", "network_minimum"}),
        (network("200", "10"), 5, set()),
        (network("200", "9.9"), 2, {"network_minimum"}),
        (network(stability=Stability.INCONSISTENT), 2, {"stability"}),
        (network(stability=Stability.UNRELIABLE), 1, {"stability"}),
        (machines(4, 4, 4), 5, set()),
        (machines(4, 3, 4), 4, {"workstations_under_three_years_percent"}),
        (machines(4, 2, 4), 3, {"workstations_under_three_years_percent"}),
        (machines(4, 4, 3), 4, {"workstations_outdated_percent"}),
        (machines(4, 4, 2), 3, {"workstations_outdated_percent"}),
        (machines(4, 4, 1), 2, {"workstations_outdated_percent"}),
        (machines(4, 4, 0), 1, {"workstations_outdated_percent"}),
        (system(1), 4, {"versions_behind"}),
        (system(2), 3, {"versions_behind"}),
        (system(3), 3, {"versions_behind"}),
        (system(4), 2, {"versions_behind"}),
        (system(supported=False), 1, {"practice_system_supported"}),
        (network("60") | system(2), 3, {"versions_behind"}),
    ],
)
def test_infrastructure(facts: dict[str, Any], wanted: int, because: set[str]) -> None:
    found = score(Factor.IT, location(**facts))
    assert found.score == wanted
    assert {reason.code for reason in found.reasons if reason.decisive} == because
    assert all(reason.met == (reason.allows == 5) for reason in found.reasons)


@pytest.mark.parametrize(
    ("facts", "wanted", "because"),
    [
        (staffing(), 5, set()),
        (staffing("14.9"), 5, set()),
        (staffing("15"), 4, {"turnover_percent"}),
        (staffing("24.9"), 4, {"turnover_percent"}),
        (staffing("25"), 3, {"turnover_percent"}),
        (staffing("34.9"), 3, {"turnover_percent"}),
        (staffing("35"), 2, {"turnover_percent"}),
        (staffing("50"), 2, {"turnover_percent"}),
        (staffing("50.1"), 1, {"turnover_percent"}),
        (staffing(adoption="recent_minimal_issues"), 4, {"adoption"}),
        (staffing(adoption="mixed"), 3, {"adoption"}),
        (staffing(adoption="significant_resistance"), 2, {"adoption"}),
        (staffing(adoption="active_resistance"), 1, {"adoption"}),
        (staffing(training="informal"), 4, {"training"}),
        (staffing(training="none"), 3, {"training"}),
        (staffing("40", "mixed", "none"), 2, {"turnover_percent"}),
    ],
)
def test_staff(facts: dict[str, Any], wanted: int, because: set[str]) -> None:
    found = score(Factor.STAFF, location(**facts))
    assert found.score == wanted
    assert {reason.code for reason in found.reasons if reason.decisive} == because


@pytest.mark.parametrize(
    ("percentile", "wanted"),
    [("0", 1), ("19.9", 1), ("20", 2), ("39.9", 2), ("40", 3), ("59.9", 3), ("60", 4), ("79.9", 4), ("80", 5)],
)
def test_volume_by_percentile(percentile: str, wanted: int) -> None:
    # 1000 locations, of which so many see fewer patients; none sees as many.
    below = int(Decimal(percentile) * 10)
    visits = tuple([1] * below + [9] * (1000 - below))
    found = score(Factor.VOLUME, location(monthly_visits=5), Group(visits=visits, common=frozenset()))
    assert found.score == wanted
    assert found.reasons[0].measured == str(Decimal(percentile).quantize(Decimal("0.1")))


def test_the_top_and_the_bottom_fifth_of_30_locations_are_six_each() -> None:
    found = matrix(tuple(location(f"l{place}", monthly_visits=place) for place in range(30)), READINESS)
    volumes = [one.score(Factor.VOLUME) for one in found]
    assert [volumes.count(value) for value in (1, 2, 3, 4, 5)] == [6, 6, 6, 6, 6]


def test_locations_that_are_all_alike_are_in_the_middle() -> None:
    found = matrix((location("a"), location("b")), READINESS)
    assert [one.percentile for one in found] == [50, 50]


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, 5),
        ({"integration": IntegrationEffort.MINOR_DIFFERENCES}, 4),
        ({"integration": IntegrationEffort.SOME_WORK}, 3),
        ({"integration": IntegrationEffort.LIMITED_API}, 2),
        ({"integration": IntegrationEffort.UNSUPPORTED}, 1),
        ({"imaging": "schick"}, 4),
        ({"practice_system": PracticeSystem(name=PracticeSystemName.EAGLESOFT, version="21")}, 3),
        ({"practice_system": PracticeSystem(name=PracticeSystemName.OTHER, version="1")}, 1),
    ],
)
def test_tech_stack(facts: dict[str, Any], wanted: int) -> None:
    others = [location("a"), location("b")]
    found = score(Factor.TECH_STACK, location(**facts), group_of([*others, location(**facts)]))
    assert found.score == wanted


def test_configurations_that_are_equally_common_are_all_the_most_common() -> None:
    group = group_of([location("a"), location("b", imaging="schick")])
    assert group.common == {("dentrix", "dexis"), ("dentrix", "schick")}


M, P = OfficeManager, Provider


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (champion(M.TECH_FORWARD, P.ENGAGED), 5),
        (champion(M.TECH_FORWARD, P.ENGAGED, confirmed=False), 4),
        (champion(M.TECH_FORWARD, P.SUPPORTIVE), 4),
        (champion(M.STRONG, P.ENGAGED), 4),
        (champion(M.STRONG, P.SUPPORTIVE), 4),
        (champion(M.WILLING, P.ENGAGED), 3),
        (champion(M.TECH_FORWARD, P.WILLING), 3),
        (champion(M.STRONG, P.NEUTRAL), 3),
        (champion(M.RESISTANT, P.WILLING), 3),
        (champion(M.NONE, P.ENGAGED), 3),
        (champion(M.STRONG, P.RESISTANT), 2),
        (champion(M.NONE, P.NEUTRAL), 2),
        (champion(M.RESISTANT, P.NEUTRAL), 1),
        (champion(M.NONE, P.RESISTANT), 1),
    ],
)
def test_champion(facts: dict[str, Any], wanted: int) -> None:
    assert score(Factor.CHAMPION, location(**facts)).score == wanted


def test_a_score_by_hand_stands_and_names_its_author() -> None:
    facts = location(scores=by_hand(1, 2, 3, 4, 5, author="m-7")[:1])
    found = score(Factor.IT, facts)
    assert (found.score, found.author, found.note) == (1, "m-7", "seen on site")
    assert min(reason.allows for reason in found.reasons) == 5  # what was measured is shown beside it
    assert score(Factor.STAFF, facts).author is None


@pytest.mark.parametrize(
    ("value", "wanted", "wave"),
    [
        ("5", Band.WAVE_1, 1),
        ("4.0", Band.WAVE_1, 1),
        ("3.999", Band.WAVE_2, 2),
        ("3.95", Band.WAVE_2, 2),
        ("3.0", Band.WAVE_2, 2),
        ("2.999", Band.WAVE_3, 3),
        ("2.95", Band.WAVE_3, 3),
        ("2.0", Band.WAVE_3, 3),
        ("1.999", Band.DEFER, None),
        ("1", Band.DEFER, None),
    ],
)
def test_bands_are_decided_on_the_unrounded_value(value: str, wanted: Band, wave: int | None) -> None:
    assert band(Decimal(value), READINESS) is wanted
    assert recommended_wave(Decimal(value), READINESS) == wave


def test_a_composite_is_shown_with_two_places() -> None:
    assert str(shown(Decimal("3.999"))) == "4.00"
    assert str(shown(Decimal("4"))) == "4.00"


@given(st.tuples(*[st.integers(1, 5)] * 5), st.integers(0, 4))
def test_a_better_factor_never_makes_a_location_less_ready(scores: tuple[int, ...], place: int) -> None:
    better = [min(5, value + (number == place)) for number, value in enumerate(scores)]
    before, after = (composite(dict(zip(FACTORS, one, strict=True)), READINESS) for one in (scores, better))
    assert 1 <= before <= after <= 5
    assert (recommended_wave(after, READINESS) or 9) <= (recommended_wave(before, READINESS) or 9)


def test_the_matrix_has_the_readiest_first() -> None:
    found = matrix(
        (location("b", scores=by_hand(3, 3, 3, 3, 3)), location("c"), location("a", scores=by_hand(3, 3, 3, 3, 3))),
        READINESS,
    )
    assert [one.location_id for one in found] == ["c", "a", "b"]


WINDOWS = Workstation(
    system=System.WINDOWS, version="11", memory_gb=8, browser=Browser.EDGE, browser_current=True, age_years=Decimal(1)
)


@pytest.mark.parametrize(
    ("changed", "good"),
    [
        ({}, True),
        ({"version": "10"}, True),
        ({"version": "8.1"}, False),
        ({"system": System.MACOS, "version": "10.15"}, True),
        ({"system": System.MACOS, "version": "10.14.6"}, False),
        ({"system": System.MACOS, "version": "14"}, True),
        ({"system": System.OTHER}, False),
        ({"memory_gb": 7}, False),
        ({"browser": Browser.OTHER}, False),
        ({"browser": Browser.FIREFOX}, True),
        ({"browser_current": False}, False),
    ],
)
def test_the_minimum_of_a_workstation(changed: dict[str, Any], good: bool) -> None:
    assert meets(WINDOWS.model_copy(update=changed), READINESS.workstation) is good


def test_an_inventory_is_counted() -> None:
    old = WINDOWS.model_copy(update={"age_years": Decimal(3), "memory_gb": 4})
    found = counted((WINDOWS, WINDOWS, old), READINESS.workstation)
    assert (found.count, found.under_three_years, found.meeting_minimum) == (3, 2, 2)
    assert outdated(found)
    assert not outdated(counted((WINDOWS,), READINESS.workstation))


@pytest.mark.parametrize(
    ("down", "up", "below"), [("25", "10", False), ("24.9", "10", True), ("25", "9.9", True), ("300", "300", False)]
)
def test_the_minimum_of_a_network(down: str, up: str, below: bool) -> None:
    assert below_network_minimum(network(down, up)["network"], READINESS.network) is below
