"""What is found out anew changes that and nothing else, and says who found it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.rollout.program import Factor, Network, Workstations
from domain.rollout.resurvey import MeasuredFacts, NewScore, Resurvey, resurveyed
from domain.rollout.workstations import Browser, System, Workstation
from tests.domain.rollout.groups import POLICY, by_hand, location

MINIMUM = POLICY.readiness.workstation
SLOW = Network(down_mbps=Decimal(20), up_mbps=Decimal(5))


def machine(memory_gb: int) -> Workstation:
    return Workstation(
        system=System.WINDOWS,
        version="11",
        memory_gb=memory_gb,
        browser=Browser.CHROME,
        browser_current=True,
        age_years=Decimal(1),
    )


def test_only_what_was_measured_changes() -> None:
    before = location(scores=by_hand(1, 2, 3, 4, 5))
    after = resurveyed(before, Resurvey(facts=MeasuredFacts(network=SLOW, baseline_reliable=False)), "m-9", MINIMUM)
    assert after == before.model_copy(update={"network": SLOW, "baseline_reliable": False})


def test_an_inventory_is_held_against_the_minimum() -> None:
    found = Resurvey(facts=MeasuredFacts(inventory=(machine(8), machine(4))))
    after = resurveyed(location(), found, "m-9", MINIMUM)
    assert after.workstations == Workstations(count=2, under_three_years=2, meeting_minimum=1)


def test_a_new_score_replaces_the_old_one_and_a_withdrawn_one_goes() -> None:
    before = location(scores=by_hand(1, 2, 3, 4, 5))
    found = Resurvey(scores=(NewScore(factor=Factor.STAFF, score=5, reason="seen"),), withdrawn=(Factor.IT,))
    after = {one.factor: (one.score, one.author) for one in resurveyed(before, found, "m-9", MINIMUM).scores}
    assert after == {
        Factor.VOLUME: (3, "m-1"),
        Factor.TECH_STACK: (4, "m-1"),
        Factor.CHAMPION: (5, "m-1"),
        Factor.STAFF: (5, "m-9"),
    }


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"facts": {}},
        {"scores": [{"factor": "it", "score": 6, "reason": "x"}]},
        {"scores": [{"factor": "it", "score": 3, "reason": "x"}], "withdrawn": ["it"]},
        {"withdrawn": ["it", "it"]},
        {"facts": {"mood": "good"}},
        {
            "facts": {
                "workstations": {"count": 1, "under_three_years": 1, "meeting_minimum": 1},
                "inventory": [machine(8).model_dump(mode="json")],
            }
        },
    ],
)
def test_what_says_nothing_or_contradicts_itself_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Resurvey.model_validate(told)
