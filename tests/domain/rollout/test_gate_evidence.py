"""The hash of a gate's evidence: the same for the same facts, another one for others."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.gate.snapshot import EvidenceSnapshot, take
from tests.domain.rollout.gates import NOON, PERIOD, good

FACTS = st.builds(
    Evidence,
    metric=st.sampled_from(Metric),
    location_id=st.none() | st.sampled_from(["loc-1", "loc-2"]),
    value=st.none() | st.decimals(0, 100, places=3),
    numerator=st.none() | st.integers(0, 10),
    denominator=st.none() | st.integers(0, 10),
    source=st.sampled_from(["a", "b"]),
    as_of=st.none() | st.just(NOON),
    submitted_by=st.none() | st.just("m-1"),
)


@given(facts=st.lists(FACTS, max_size=6), data=st.data())
def test_the_order_makes_no_difference(facts: list[Evidence], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(facts))
    assert take(PERIOD, facts, NOON).hash == take(PERIOD, mixed, NOON).hash


@given(value=st.decimals(0, 100, places=3))
def test_zeros_at_the_end_make_no_difference(value: Decimal) -> None:
    one = good()[0].model_copy(update={"value": value.normalize()})
    padded = one.model_copy(update={"value": value.quantize(Decimal("0.0000001"))})
    assert take(PERIOD, [one], NOON).hash == take(PERIOD, [padded], NOON).hash


def test_it_survives_being_written_and_read() -> None:
    taken = take(PERIOD, good(), NOON)
    read = EvidenceSnapshot.model_validate_json(taken.model_dump_json())
    assert take(read.period, read.evidence, NOON).hash == taken.hash


def test_when_it_was_looked_up_makes_no_difference() -> None:
    later = [one.model_copy(update={"as_of": NOON + timedelta(hours=1)}) for one in good()]
    assert take(PERIOD, later, NOON + timedelta(hours=2)).hash == take(PERIOD, good(), NOON).hash


@pytest.mark.parametrize(
    "change",
    [
        {"value": Decimal("97")},
        {"value": None},
        {"numerator": 998},
        {"denominator": 999},
        {"source": "other"},
        {"submitted_by": "m-1"},
        {"location_id": "loc-2"},
        {"metric": Metric.DELIVERY},
    ],
    ids=str,
)
def test_other_facts_have_another_hash(change: dict[str, object]) -> None:
    first, *rest = good()
    assert take(PERIOD, [first.model_copy(update=change), *rest], NOON).hash != take(PERIOD, good(), NOON).hash


def test_another_wave_or_period_has_another_hash() -> None:
    periods = [
        PERIOD,
        PERIOD.model_copy(update={"wave": 2}),
        PERIOD.model_copy(update={"program_id": "other"}),
        PERIOD.model_copy(update={"until": NOON + timedelta(days=7)}),
        PERIOD.model_copy(update={"incidents_since": NOON}),
    ]
    hashes = sorted(take(period, good(), NOON).hash for period in periods)
    assert all(one != other for one, other in pairwise(hashes))
