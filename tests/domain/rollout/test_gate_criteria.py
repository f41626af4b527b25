"""Every criterion at its boundary, and what would make it pass (GG-02 to GG-09, decisions 31, 32, 34)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.gate.judging import overall
from domain.rollout.gate.results import Doubt, Result
from tests.domain.rollout.gates import CRITERIA, NOON, but, count, good, judged, not_passing, share

FAIL, PASS, INCONCLUSIVE = Result.FAIL, Result.PASS, Result.INCONCLUSIVE

BOUNDARIES = [
    (share(Metric.UPTIME, 9900, 10000), "uptime", PASS, None),
    (share(Metric.UPTIME, 9899, 10000), "uptime", FAIL, "2 min more without an outage are needed: uptime is 98.99 %"),
    (share(Metric.UPTIME, 989, 1000, "loc-2"), "uptime:loc-2", FAIL, None),
    (share(Metric.SYNC_SUCCESS, 588, 600), "sync_success", PASS, None),
    (share(Metric.SYNC_SUCCESS, 576, 600), "sync_success", FAIL, "12 more of 600 appointments must sync"),
    (share(Metric.SYNC_SUCCESS, 587, 600), "sync_success", FAIL, "1 more of 600 appointments must sync"),
    (share(Metric.ADOPTION, 12, 12, "loc-1"), "adoption:loc-1", PASS, None),
    (
        share(Metric.ADOPTION, 11, 12, "loc-1"),
        "adoption:loc-1",
        FAIL,
        "1 more of 12 trained staff must use the system (loc-1)",
    ),
    (share(Metric.DELIVERY, 950, 1000), "delivery", PASS, None),
    (share(Metric.DELIVERY, 949, 1000), "delivery", FAIL, "1 more of 1000 messages must be delivered"),
    (count(Metric.CRITICAL_ISSUES, "0"), "critical_issues", PASS, None),
    (count(Metric.CRITICAL_ISSUES, "2"), "critical_issues", FAIL, "2 of 2 open critical issues must be resolved"),
    (count(Metric.CHAMPION_CONFIDENCE, "4", "loc-1"), "champion_confidence:loc-1", PASS, None),
    (
        count(Metric.CHAMPION_CONFIDENCE, "3", "loc-1"),
        "champion_confidence:loc-1",
        FAIL,
        "every champion of loc-1 must rate at least 4, the lowest rated 3",
    ),
]


@pytest.mark.parametrize(("evidence", "code", "result", "needed"), BOUNDARIES)
def test_judges_each_criterion_at_its_boundary(
    evidence: Evidence, code: str, result: Result, needed: str | None
) -> None:
    verdict = judged(*but(evidence))[code]
    assert verdict.result is result
    assert verdict.needed is not None if result is FAIL else verdict.needed is None
    if needed is not None:
        assert verdict.needed == needed


LATER = [
    (count(Metric.SYSTEMIC_ISSUES, "1"), "systemic_issues", "1 of 1 recurring issues must stop recurring"),
    (
        share(Metric.TRAINING_VALIDATED, 10, 12, "loc-2"),
        "training_validated:loc-2",
        "2 more of 12 staff must be trained with success (loc-2)",
    ),
    (
        count(Metric.ROLLBACKS, "1", "loc-2"),
        "rollbacks:loc-2",
        "an extension without a rollback is needed: there were 1 (loc-2)",
    ),
]


@pytest.mark.parametrize(("evidence", "code", "needed"), LATER)
def test_later_waves_have_three_criteria_more(evidence: Evidence, code: str, needed: str) -> None:
    assert code not in judged(*but(evidence))
    verdict = judged(*but(evidence), pilot=False)[code]
    assert (verdict.result, verdict.needed) == (FAIL, needed)


def test_good_evidence_passes_the_gate_of_every_wave() -> None:
    assert not_passing(judged()) == {}
    assert not_passing(judged(pilot=False)) == {}


def test_uptime_is_looked_at_for_each_location_and_over_all() -> None:
    assert {code for code in judged() if code.startswith("uptime")} == {"uptime", "uptime:loc-1", "uptime:loc-2"}


@given(low=st.integers(1, 3), high=st.integers(4, 5))
def test_one_doubtful_champion_fails_the_gate_however_sure_the_others_are(low: int, high: int) -> None:
    evidence = but(
        count(Metric.CHAMPION_CONFIDENCE, str(low), "loc-1"), count(Metric.CHAMPION_CONFIDENCE, str(high), "loc-2")
    )
    assert not_passing(judged(*evidence)) == {"champion_confidence:loc-1": FAIL}


def test_a_champion_who_has_not_rated_leaves_it_open() -> None:
    rated = count(Metric.CHAMPION_CONFIDENCE, "5", "loc-1").model_copy(update={"numerator": 1, "denominator": 2})
    verdict = judged(*but(rated))["champion_confidence:loc-1"]
    assert (verdict.result, verdict.doubt) == (INCONCLUSIVE, Doubt.INCOMPLETE)
    assert verdict.needed == "1 of 2 champions have not rated yet (loc-1)"


@pytest.mark.parametrize("criterion", CRITERIA.criteria_of(pilot=False), ids=lambda one: one.metric)
def test_missing_or_stale_evidence_is_inconclusive(criterion) -> None:  # type: ignore[no-untyped-def]
    place = None if criterion.overall else "loc-1"
    code = f"{criterion.metric}:{place}" if place else criterion.metric
    of_this = [one for one in good() if (one.metric, one.location_id) == (criterion.metric, place)]
    others = [one for one in good() if (one.metric, one.location_id) != (criterion.metric, place)]
    assert judged(*others, pilot=False)[code].doubt is Doubt.MISSING

    fresh = of_this[0].model_copy(update={"as_of": NOON - criterion.fresh_for})
    assert judged(*others, fresh, pilot=False)[code].result is PASS
    stale = fresh.model_copy(update={"as_of": NOON - criterion.fresh_for - timedelta(seconds=1)})
    verdict = judged(*others, stale, pilot=False)[code]
    assert (verdict.result, verdict.doubt) == (INCONCLUSIVE, Doubt.STALE)
    assert verdict.needed is not None
    undated = fresh.model_copy(update={"as_of": None})
    assert judged(*others, undated, pilot=False)[code].doubt is Doubt.MISSING


def test_without_any_appointment_there_is_no_share() -> None:
    assert judged(*but(share(Metric.SYNC_SUCCESS, 0, 0)))["sync_success"].doubt is Doubt.MISSING


def test_a_rounded_share_does_not_pass_where_the_exact_one_fails() -> None:
    almost = share(Metric.SYNC_SUCCESS, 979_999, 1_000_000)
    assert str(almost.value) == "98.00"
    assert judged(*but(almost))["sync_success"].result is FAIL


@given(good_of=st.integers(0, 600), threshold_met=st.just(588))
def test_what_is_needed_is_enough_and_not_too_much(good_of: int, threshold_met: int) -> None:
    verdict = judged(*but(share(Metric.SYNC_SUCCESS, good_of, 600)))["sync_success"]
    assert (verdict.result is PASS) is (good_of >= threshold_met)
    if verdict.needed is not None:
        assert verdict.needed == f"{threshold_met - good_of} more of 600 appointments must sync"


def test_one_that_fails_fails_all_and_one_in_doubt_leaves_all_in_doubt() -> None:
    failing, silent = share(Metric.DELIVERY, 1, 2), [one for one in good() if one.metric is not Metric.ADOPTION]
    assert overall(judged().values()) is PASS
    assert overall(judged(*silent).values()) is INCONCLUSIVE
    assert overall(judged(*but(failing, evidence=tuple(silent))).values()) is FAIL
