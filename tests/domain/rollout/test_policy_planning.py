"""Every number of readiness and planning is the one decided."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.rollout.program import Factor
from domain.rollout.readiness import ReadinessPolicy, Step
from tests.domain.rollout.groups import POLICY

READINESS, PLANNING = POLICY.readiness, POLICY.planning
EDGES = READINESS.infrastructure


def edges(*steps: tuple[str, int] | tuple[str, int, bool]) -> tuple[Step, ...]:
    return tuple(
        Step(edge=Decimal(edge), score=score, inclusive=not above[0] if above else True)
        for edge, score, *above in steps
    )


NUMBERS: tuple[tuple[str, Any, Any], ...] = (
    (
        "S-07: the weights",
        [(str(factor), str(weight)) for factor, weight in READINESS.weights.items()],
        [("it", "0.25"), ("staff", "0.20"), ("volume", "0.20"), ("tech_stack", "0.20"), ("champion", "0.15")],
    ),
    (
        "S-10, decision 26: the bands",
        [(str(band.at_least), band.wave) for band in READINESS.bands],
        [("4.0", 1), ("3.0", 2), ("2.0", 3)],
    ),
    (
        "S-02, decision 24: bandwidth",
        EDGES.bandwidth_mbps,
        edges(("100", 5), ("50", 4), ("25", 3), ("0", 2)),
    ),
    ("S-02: 100 Mbps without fibre", EDGES.not_fibre, 4),
    ("S-02: an inconsistent connection", EDGES.inconsistent, 2),
    ("S-02: an unreliable connection", EDGES.unreliable, 1),
    ("S-02: a network that IT does not manage", EDGES.network_unmanaged, 4),
    ("S-02: a practice system that is no longer supported", EDGES.practice_system_unsupported, 1),
    ("S-02: machines under three years", EDGES.under_three_years_percent, edges(("100", 5), ("75", 4), ("0", 3))),
    (
        "S-02: outdated machines",
        EDGES.outdated_percent,
        edges(("100", 1), ("50", 2, True), ("25", 3, True), ("0", 4, True), ("0", 5)),
    ),
    ("S-02: versions behind", EDGES.versions_behind, edges(("4", 2), ("2", 3), ("1", 4), ("0", 5))),
    (
        "S-03, decision 24: turnover",
        READINESS.staff.turnover_percent,
        edges(("50", 1, True), ("35", 2), ("25", 3), ("15", 4), ("0", 5)),
    ),
    ("S-03: adoption", list(READINESS.staff.adoption.values()), [5, 4, 3, 2, 1]),
    ("S-03: training", list(READINESS.staff.training.values()), [5, 4, 3]),
    (
        "S-04, decision 25: percentiles",
        READINESS.volume_percentile,
        edges(("80", 5), ("60", 4), ("40", 3), ("20", 2), ("0", 1)),
    ),
    ("S-05: integration", list(READINESS.tech_stack.integration.values()), [5, 4, 3, 2, 1]),
    ("S-05: other imaging", READINESS.tech_stack.other_imaging, 4),
    ("S-05: another practice system", READINESS.tech_stack.other_practice_system, 3),
    ("I-08: a practice system that nothing integrates", READINESS.tech_stack.unknown_practice_system, 1),
    ("S-06: office managers", list(READINESS.champion.office_manager.values()), [5, 4, 3]),
    ("S-06: providers", list(READINESS.champion.provider.values()), [5, 4, 3, 3, 2]),
    ("S-06: a willing provider alone", READINESS.champion.provider_alone, 3),
    ("S-06: nobody has agreed", READINESS.champion.unconfirmed, 4),
    ("S-06: no candidate", READINESS.champion.no_candidate, 2),
    ("S-06: no candidate, and resistance", READINESS.champion.resisted, 1),
    ("T-03: the network", (READINESS.network.down_mbps, READINESS.network.up_mbps), (25, 10)),
    ("T-02: Windows", READINESS.workstation.windows, (10, 11)),
    ("T-02: macOS", READINESS.workstation.macos, (10, 15)),
    ("T-02: memory", READINESS.workstation.memory_gb, 8),
    ("T-02: browsers", sorted(READINESS.workstation.browsers), ["chrome", "edge", "firefox"]),
    ("S-02: a young machine", READINESS.workstation.young_years, 3),
    ("W-01: sizes", [(one.at_least, one.at_most) for one in PLANNING.waves], [(2, 3), (5, 8), (8, 12), (1, None)]),
    (
        "R-05, W-01: published weeks",
        [(one.first_week, one.last_week) for one in PLANNING.waves],
        [(3, 5), (6, 9), (10, 13), (14, 16)],
    ),
    ("R-05: preparation", PLANNING.preparation_weeks, 2),
    ("W-06, W-09: weeks of a wave", PLANNING.wave_weeks, 3),
    ("W-02: the buffer", PLANNING.buffer, timedelta(days=7)),
    ("decision 28: a large wave", PLANNING.large_wave, 12),
    ("decision 38: integration", PLANNING.integration_lead, timedelta(days=7)),
    ("R-05: optimization", PLANNING.optimization_weeks, 4),
    ("decision 21: compressed optimization", PLANNING.optimization_weeks_least, 2),
    ("R-06: weeks of a programme", PLANNING.programme_weeks, (16, 20)),
    ("W-03: composite of a pilot", PLANNING.pilot.composite, Decimal("4.0")),
    ("W-04: preferred criteria", PLANNING.pilot.preferred, 2),
    ("W-04: preferred volume", PLANNING.pilot.preferred_percentile, (40, 70)),
    ("decision 27: high volume", PLANNING.pilot.high_volume_percentile, 60),
    ("S-11: pilots of high volume", PLANNING.pilot.high_volume, 1),
    ("W-05: pilots of low volume", PLANNING.pilot.low_volume, 1),
    ("S-11: pilots of the most common configuration", PLANNING.pilot.common_configuration, 1),
    ("W-05: regions of pilots", PLANNING.pilot.regions, 2),
    ("suggestions", PLANNING.suggestions, 10),
    ("waivers suggested together", PLANNING.waivers_together, 2),
)


@pytest.mark.parametrize(("found", "wanted"), [row[1:] for row in NUMBERS], ids=[row[0] for row in NUMBERS])
def test_the_number_is_the_one_decided(found: object, wanted: object) -> None:
    assert found == wanted


def test_the_sizes_of_the_first_three_waves_add_up_to_the_smallest_group() -> None:
    assert sum(one.at_least for one in PLANNING.waves[:3]) == 15
    assert sum(one.at_most or 0 for one in PLANNING.waves) == 23


def test_weights_that_do_not_add_up_to_one_are_refused() -> None:
    weights = READINESS.weights | {Factor.IT: Decimal("0.26")}
    with pytest.raises(ValidationError, match="together they are 1"):
        ReadinessPolicy.model_validate(READINESS.model_dump() | {"weights": weights})
