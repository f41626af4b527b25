"""The benchmark of the at-risk board on a small scale: each list is read from its index, in order."""

from __future__ import annotations

import pytest

from benchmarks import at_risk
from benchmarks.at_risk import Figures
from db.session import Database

OPEN = 2000


@pytest.fixture
async def figures(database: Database) -> dict[str, Figures]:
    return {each.name: each for each in await at_risk.measure(database, OPEN, calls=2)}


async def test_no_list_reads_or_sorts_the_table(figures: dict[str, Figures]) -> None:
    nothing, *lists = figures.values()
    assert not nothing.found
    for each in lists:
        for plan in each.plans:
            assert "using case_state_" in plan, plan
            assert "Seq Scan" not in plan, plan
            assert "Sort" not in plan, plan


async def test_the_board_is_as_full_as_a_real_one(figures: dict[str, Figures]) -> None:
    assert 5 < figures["at risk within 2 h"].total < 50
    assert figures["at risk within 10 d"].total == at_risk.COUNTED
    assert (figures["breaches"].total, figures["breaches not taken on"].total) == (OPEN // 25, OPEN // 50)
    assert figures["... of one clinician"].total == OPEN // 400
