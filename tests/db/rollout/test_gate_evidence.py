"""What is known for a gate: measured over the right time, with its source and age, and left out where nobody knows."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.rollout_contracts import CollectEvidenceInput
from db import issues, telemetry
from db.gate_evidence import SqlGateEvidence
from db.session import Database
from db.tables import ConfidenceAnswer, MessageIncident, RolloutIssue
from domain.actors import Actor
from domain.rollout.gate.evidence import Evidence, Metric
from domain.rollout.people import Function
from domain.rollout.telemetry import Batch
from domain.rollout.training.policy import RoleGroup
from domain.rollout.training.state import Adoption, GroupTraining, TrainingState
from tests.rollout_rows import IT, LIVE_AT, PROGRAM, Group

UNTIL = LIVE_AT + timedelta(hours=100)
DOWNTOWN, UPTOWN = "downtown", "uptown"


def hours(number: float) -> datetime:
    """After the go-live."""
    return LIVE_AT + timedelta(hours=number)


def watch(begins: float, ends: float) -> dict[str, Any]:
    return {"kind": "watch", "source": "vendor_dashboard", "begins": hours(begins), "ends": hours(ends)}


def outage(outage_id: str, begins: float, ends: float | None = None) -> dict[str, Any]:
    return {
        "kind": "outage",
        "source": "vendor_dashboard",
        "outage_id": outage_id,
        "begins": hours(begins),
        "ends": None if ends is None else hours(ends),
    }


def share(kind: str, total: int, part: int, begins: float = 0, ends: float = 24, **more: str) -> dict[str, Any]:
    source = {"sync": "integration_logs", "delivery": "vendor_reports"}[kind]
    times = {"begins": hours(begins), "ends": hours(ends)}
    return {"kind": kind, "source": source, **times, "total": total, "part": part, **more}


@pytest.fixture
async def group(database: Database) -> Group:
    group = await Group.found(database)
    for location_id in (DOWNTOWN, UPTOWN):
        await group.is_live(location_id)
    return group


async def store(group: Group, location_id: str, *entries: dict[str, Any]) -> None:
    async with group.database.transaction() as session:
        batch_id = f"b-{len(entries)}-{hash(str(entries)) % 10**9}"
        batch = Batch.model_validate({"batch_id": batch_id, "entries": entries})
        await telemetry.store(session, await group.location(location_id), batch, IT, UNTIL)


async def collect(group: Group, *locations: str, until: datetime = UNTIL) -> dict[tuple[Metric, str | None], Evidence]:
    asked = CollectEvidenceInput(
        program_id=PROGRAM,
        wave=1,
        locations=locations or (DOWNTOWN, UPTOWN),
        since=LIVE_AT,
        until=until,
        incidents_since=LIVE_AT,
    )
    found = (await SqlGateEvidence(group.database).collect(asked)).evidence
    assert len({(one.metric, one.location_id) for one in found}) == len(found)
    return {(one.metric, one.location_id): one for one in found}


async def test_nothing_is_known_where_nothing_was_measured(group: Group) -> None:
    found = await collect(group)
    assert {metric for metric, _ in found} == {Metric.CRITICAL_ISSUES, Metric.SYSTEMIC_ISSUES, Metric.ROLLBACKS}
    assert {one.value for one in found.values()} == {Decimal(0)}


async def test_uptime_is_of_the_whole_time_around_the_clock_and_overlapping_outages_count_once(group: Group) -> None:
    await store(group, DOWNTOWN, watch(-5, 60), watch(60, 120), outage("a", 10, 12), outage("b", 11, 13))
    await store(group, UPTOWN, watch(0, 100), outage("c", 98))
    found = await collect(group)
    assert found[Metric.UPTIME, DOWNTOWN].value == 97
    assert found[Metric.UPTIME, UPTOWN].value == 98
    overall = found[Metric.UPTIME, None]
    assert (overall.value, overall.denominator, overall.as_of) == (Decimal("97.5"), 2 * 100 * 3600, UNTIL)


async def test_uptime_is_known_until_the_first_gap_in_the_watch(group: Group) -> None:
    await store(group, DOWNTOWN, watch(0, 40), watch(41, 100), outage("a", 10, 12), outage("b", 80, 90))
    found = await collect(group, DOWNTOWN)
    evidence = found[Metric.UPTIME, DOWNTOWN]
    assert (evidence.as_of, evidence.value) == (hours(40), Decimal(95))


async def test_what_was_not_watched_from_the_go_live_on_is_not_known(group: Group) -> None:
    await store(group, DOWNTOWN, watch(1, 100))
    assert (Metric.UPTIME, DOWNTOWN) not in await collect(group)


async def test_an_outage_from_before_the_go_live_counts_from_there(group: Group) -> None:
    await store(group, DOWNTOWN, watch(-10, 100), outage("a", -10, 1))
    assert (await collect(group))[Metric.UPTIME, DOWNTOWN].value == 99


async def test_sync_success_and_delivery_are_of_the_sums_and_a_correction_counts(group: Group) -> None:
    await store(group, DOWNTOWN, share("sync", 100, 50), share("delivery", 200, 190))
    await store(group, DOWNTOWN, share("sync", 100, 1), share("sync", 300, 3, 24, 48))
    await store(group, UPTOWN, share("sync", 600, 16, 0, 90), share("delivery", 100, 95))
    found = await collect(group)
    assert found[Metric.SYNC_SUCCESS, DOWNTOWN].value == 99
    assert found[Metric.SYNC_SUCCESS, DOWNTOWN].as_of == hours(48)
    overall = found[Metric.SYNC_SUCCESS, None]
    assert (overall.value, overall.numerator, overall.denominator) == (Decimal(98), 980, 1000)
    assert (overall.as_of, overall.source, overall.submitted_by) == (hours(48), "integration_logs", None)
    assert found[Metric.DELIVERY, None].value == 95


async def test_overall_nothing_is_known_while_a_location_has_reported_nothing(group: Group) -> None:
    await store(group, DOWNTOWN, share("sync", 100, 1))
    found = await collect(group)
    assert (Metric.SYNC_SUCCESS, DOWNTOWN) in found
    assert (Metric.SYNC_SUCCESS, None) not in found


async def test_what_a_person_typed_in_names_the_person(group: Group) -> None:
    await store(group, DOWNTOWN, share("sync", 100, 1), share("sync", 100, 1, 24, 48, source="hand_entered"))
    evidence = (await collect(group))[Metric.SYNC_SUCCESS, DOWNTOWN]
    assert (evidence.source, evidence.submitted_by) == ("hand_entered", IT.id)


async def test_samples_from_before_the_go_live_do_not_count(group: Group) -> None:
    await store(group, DOWNTOWN, share("sync", 100, 90, -24, 0), share("sync", 100, 2, 0, 24))
    assert (await collect(group))[Metric.SYNC_SUCCESS, DOWNTOWN].value == 98


async def test_adoption_is_the_latest_attestation(group: Group) -> None:
    def attested(at: float, total: int, part: int) -> dict[str, Any]:
        return {
            "kind": "adoption", "source": "champion_attestation", "at": hours(at), "total": total, "part": part
        }  # fmt: skip

    await store(group, DOWNTOWN, attested(50, 10, 10), attested(20, 10, 4))
    evidence = (await collect(group))[Metric.ADOPTION, DOWNTOWN]
    assert (evidence.value, evidence.as_of, evidence.submitted_by) == (Decimal(100), hours(50), IT.id)


async def opened(group: Group, location_id: str, kind: str, severity: int = 1, at: float = 1) -> str:
    row = RolloutIssue(
        location_id=location_id,
        severity=severity,
        kind=kind,
        description="d",
        opened_role="it_lead",
        opened_by="m",
        opened_at=hours(at),
    )
    async with group.database.transaction() as session:
        return (await issues.keep(session, row)).id


async def test_critical_are_open_issues_of_severity_1_and_an_outage_that_goes_on(group: Group) -> None:
    await opened(group, DOWNTOWN, "sync_outage")
    await opened(group, DOWNTOWN, "hardware", severity=2)
    resolved = await opened(group, UPTOWN, "privacy")
    async with group.database.transaction() as session:
        await issues.resolve(session, UPTOWN, resolved, IT, hours(2))
    await store(group, UPTOWN, outage("a", 99), outage("b", 10, 11))
    found = await collect(group)
    assert [found[Metric.CRITICAL_ISSUES, place].value for place in (DOWNTOWN, UPTOWN, None)] == [1, 1, 2]
    assert found[Metric.CRITICAL_ISSUES, None].as_of == UNTIL


async def test_a_confirmed_message_to_the_wrong_patient_is_a_critical_issue(group: Group) -> None:
    row = MessageIncident(
        location_id=DOWNTOWN,
        kind="wrong_patient",
        description="d",
        occurred_at=hours(1),
        reported_role="front_desk",
        reported_by="m",
        reported_at=hours(1),
    )
    async with group.database.transaction() as session:
        kept = await issues.keep(session, row)
    assert (await collect(group))[Metric.CRITICAL_ISSUES, None].value == 0
    for _ in range(2):
        async with group.database.transaction() as session:
            await issues.confirm(session, DOWNTOWN, kept.id, IT, hours(2))
    assert (await collect(group))[Metric.CRITICAL_ISSUES, None].value == 1


async def test_confidence_is_the_lowest_rating_of_all_champions(group: Group) -> None:
    members = [
        await group.hire(Function.CHAMPION, f"champion-{place}", location_id=place) for place in (DOWNTOWN, UPTOWN)
    ]
    await group.hire(Function.BACKUP_CHAMPION, "backup", location_id=DOWNTOWN)

    async def answer(number: int, score: int, at: float) -> None:
        row = ConfidenceAnswer(
            location_id=(DOWNTOWN, UPTOWN)[number], member_id=members[number], score=score, answered_at=hours(at)
        )
        async with group.database.transaction() as session:
            await issues.keep(session, row)

    await answer(0, 2, 10)
    await answer(0, 5, 20)
    half = (await collect(group))[Metric.CHAMPION_CONFIDENCE, None]
    assert (half.value, half.numerator, half.denominator) == (Decimal(5), 1, 2)
    await answer(1, 3, 15)
    whole = await collect(group)
    overall = whole[Metric.CHAMPION_CONFIDENCE, None]
    assert (overall.value, overall.numerator, overall.denominator, overall.as_of) == (Decimal(3), 2, 2, hours(15))
    assert whole[Metric.CHAMPION_CONFIDENCE, UPTOWN].submitted_by == members[1]


async def test_an_answer_from_before_the_wave_does_not_count(group: Group) -> None:
    member = await group.hire(Function.CHAMPION, "champion", location_id=DOWNTOWN)
    row = ConfidenceAnswer(location_id=DOWNTOWN, member_id=member, score=5, answered_at=hours(-1))
    async with group.database.transaction() as session:
        await issues.keep(session, row)
    assert (await collect(group))[Metric.CHAMPION_CONFIDENCE, DOWNTOWN].value is None


async def test_an_issue_recurs_when_it_comes_up_at_more_than_one_location(group: Group) -> None:
    await opened(group, DOWNTOWN, "training", severity=3)
    await opened(group, DOWNTOWN, "training", severity=3)
    await opened(group, DOWNTOWN, "sync_outage")
    assert (await collect(group))[Metric.SYSTEMIC_ISSUES, None].value == 0
    await opened(group, UPTOWN, "training", severity=4)
    rolled_back = {"number": 1, "cause": {"issue": "sync_failure"}, "disabled_at": hours(5).isoformat()}
    await group.is_live(UPTOWN, rollbacks=[rolled_back])
    found = await collect(group)
    assert found[Metric.SYSTEMIC_ISSUES, None].value == 2
    assert [found[Metric.ROLLBACKS, place].value for place in (DOWNTOWN, UPTOWN, None)] == [0, 1, 1]


async def test_what_happened_after_the_evaluation_is_not_seen(group: Group) -> None:
    await opened(group, DOWNTOWN, "privacy", at=101)
    await store(group, DOWNTOWN, share("sync", 100, 100, 99, 101))
    found = await collect(group)
    assert found[Metric.CRITICAL_ISSUES, None].value == 0
    assert (Metric.SYNC_SUCCESS, DOWNTOWN) not in found


def a_training(trained: int, total: int, *, using: int, at: float) -> dict[str, Any]:
    """What a location's snapshot says of its training."""
    by = Actor(role="champion", id="member-champion")
    attestation = Adoption(at=hours(at), by=by, trained=trained, using=using, percent=Decimal(100))
    group = GroupTraining(trained=trained, total=total, at=hours(1), by=by)
    return TrainingState(groups={RoleGroup.FRONT_DESK: group}, attestation=attestation).model_dump(mode="json")


async def test_training_is_validated_by_how_many_of_the_staff_were_trained(group: Group) -> None:
    for place, trained in ((DOWNTOWN, 8), (UPTOWN, 6)):
        await group.is_live(place, training=a_training(trained, 8, using=6, at=30))
    found = await collect(group)
    assert [found[Metric.TRAINING_VALIDATED, place].value for place in (DOWNTOWN, UPTOWN, None)] == [100, 75, 87.5]
    assert found[Metric.TRAINING_VALIDATED, DOWNTOWN].submitted_by == "member-champion"


async def test_the_latest_attestation_counts_wherever_it_was_given(group: Group) -> None:
    reported = {"kind": "adoption", "source": "champion_attestation", "at": hours(20), "total": 8, "part": 2}
    await store(group, DOWNTOWN, reported)
    await group.is_live(DOWNTOWN, training=a_training(8, 8, using=4, at=30))
    assert (await collect(group))[Metric.ADOPTION, DOWNTOWN].value == 50
    await store(group, DOWNTOWN, {**reported, "at": hours(40), "part": 8})
    assert (await collect(group))[Metric.ADOPTION, DOWNTOWN].value == 100
