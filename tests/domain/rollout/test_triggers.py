"""When a location rolls back: a failing sync, a wrong message, an outage, a request (X-01 to X-04)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from domain import policy
from domain.actors import Actor
from domain.clock import Span, deadline
from domain.clock import arm as arm_clock
from domain.errors import Forbidden
from domain.rollout.news import IssueClass
from domain.rollout.triggers import (
    IncidentKind,
    MessageIncident,
    Monitor,
    Outage,
    SyncSample,
    TelemetryNews,
    Watch,
    downtime_by_day,
    judge,
    may_request_rollback,
    observe,
    outage_clock,
    report_outage,
    requested,
    sync_clock,
    systemic,
    too_long,
    watch_from,
)
from domain.rollout.triggers.spans import joined, length, without
from domain.work_calendar import OpeningHours, WorkCalendar, opening_times

POLICY = policy.load().rollout.triggers
START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
BAD, WELL, NOTHING = (100, 6), (100, 5), (0, 0)


def sample(begins: float, ends: float, numbers: tuple[int, int]) -> SyncSample:
    """In hours after the start."""
    total, failed = numbers
    return SyncSample(from_at=START + begins * HOUR, until_at=START + ends * HOUR, total=total, failed=failed)


def news(*samples: SyncSample, **more: object) -> TelemetryNews:
    return TelemetryNews.model_validate({"batch_id": "b-1", "samples": samples, **more})


def heard(*batches: TelemetryNews, at: float) -> tuple[Monitor, Watch]:
    """All of them so many hours after the start; what the last one said to do."""
    monitor, watch = Monitor(watched_from=START), Watch()
    for batch in batches:
        monitor, watch = observe(monitor, batch, POLICY, START + at * HOUR)
    return monitor, watch


# --


@pytest.mark.parametrize(
    ("total", "failed", "failing"),
    [
        (100, 5, False),
        (100, 6, True),
        (1000, 50, False),
        (1000, 51, True),
        (20, 1, False),
        (19, 1, True),
        (1, 1, True),
        (1, 0, False),
        (0, 0, False),
    ],
)
def test_fails_with_strictly_more_than_five_percent(total: int, failed: int, failing: bool) -> None:
    _, watch = heard(news(sample(0, 1, (total, failed))), at=1)
    assert watch.sync_since == (START if failing else None)


@pytest.mark.parametrize(
    ("lasted", "met"),
    [(timedelta(hours=23, minutes=59), False), (24 * HOUR, False), (24 * HOUR + SECOND, True), (30 * HOUR, True)],
)
def test_rolls_back_after_strictly_more_than_a_day(lasted: timedelta, met: bool) -> None:
    hours = lasted / HOUR
    _, watch = heard(news(sample(0, hours, BAD), sample(hours, 40, WELL)), at=40)
    assert [one.issue for one in watch.met] == ([IssueClass.SYNC_FAILURE] if met else [])
    assert [one.at for one in watch.met] == ([START + 24 * HOUR] if met else [])


def test_the_clock_ends_as_soon_as_a_day_is_exceeded() -> None:
    monitor, watch = heard(news(sample(0, 23.5, BAD)), at=23.5)
    assert watch.sync_since is not None
    assert not watch.met
    ends = deadline(arm_clock(sync_clock(POLICY), watch.sync_since))
    assert ends == START + 24 * HOUR + SECOND
    assert not judge(monitor, POLICY, START + 24 * HOUR)[1].met
    assert judge(monitor, POLICY, ends)[1].met


@pytest.mark.parametrize(("silent", "met"), [(HOUR, True), (2 * HOUR, True), (2 * HOUR + SECOND, False)])
def test_silence_is_taken_for_failing_for_two_hours_only(silent: timedelta, met: bool) -> None:
    monitor, _ = heard(news(sample(0, 23, BAD)), at=23)
    _, watch = judge(monitor, POLICY, START + 23 * HOUR + max(silent, HOUR + SECOND))
    assert bool(watch.met) is met


@pytest.mark.parametrize(
    ("between", "met"),
    [
        ((), False),  # silence from 10 to 13
        ((sample(10, 13, NOTHING),), True),
        ((sample(10, 13, WELL),), False),
        ((sample(10, 13, BAD),), True),
        ((sample(10, 13, NOTHING), sample(11, 11.1, WELL)), False),
        ((sample(10, 11, BAD),), True),  # silence for two hours
        ((sample(10, 10.5, BAD), sample(12.5, 13, NOTHING)), True),
        ((sample(9, 14, WELL),), False),
    ],
)
def test_only_a_healthy_sample_or_a_long_silence_breaks_it(between: tuple[SyncSample, ...], met: bool) -> None:
    _, watch = heard(news(sample(0, 10, BAD), *between, sample(13, 25, BAD)), at=25)
    assert bool(watch.met) is met


def test_a_night_without_appointments_proves_nothing_by_itself() -> None:
    """It fails in the last hour of a Friday, then nothing is to be synchronized until Monday."""
    monitor, _ = heard(news(sample(0, 1, BAD), sample(1, 62, NOTHING)), at=62)
    assert not judge(monitor, POLICY, START + 62 * HOUR)[1].met
    assert not observe(monitor, news(sample(62, 63, WELL)), POLICY, START + 63 * HOUR)[1].met
    assert observe(monitor, news(sample(62, 63, BAD)), POLICY, START + 63 * HOUR)[1].met


def test_a_late_batch_completes_the_stretch_or_breaks_it() -> None:
    monitor, watch = heard(news(sample(0, 8, BAD)), news(sample(16, 23, BAD)), at=23)
    assert watch.sync_since == START + 16 * HOUR
    _, closed = observe(monitor, news(sample(8, 16, BAD)), POLICY, START + 23 * HOUR)
    assert closed.sync_since == START
    _, broken = observe(monitor, news(sample(20, 21, WELL)), POLICY, START + 23 * HOUR)
    assert broken.sync_since == START + 21 * HOUR


def test_a_stretch_that_was_over_before_it_was_known_rolls_back_all_the_same() -> None:
    monitor, _ = heard(news(sample(30, 31, WELL)), at=31)
    _, watch = observe(monitor, news(sample(0, 30, BAD)), POLICY, START + 31 * HOUR)
    assert [(one.issue, one.at) for one in watch.met] == [(IssueClass.SYNC_FAILURE, START + 24 * HOUR)]


def test_a_stretch_rolls_back_once() -> None:
    batch = news(sample(0, 25, BAD))
    monitor, first = heard(batch, at=25)
    monitor, again = observe(monitor, batch, POLICY, START + 25 * HOUR)
    _, more = observe(monitor, news(sample(25, 26, BAD)), POLICY, START + 26 * HOUR)
    assert (len(first.met), len(again.met), len(more.met)) == (1, 0, 0)
    assert more.sync_since == START + 25 * HOUR


def test_what_was_before_the_re_enabling_does_not_count() -> None:
    monitor, _ = heard(news(sample(0, 20, BAD)), at=20)
    monitor = watch_from(monitor, START + 20 * HOUR)
    monitor, watch = observe(monitor, news(sample(0, 20, BAD), sample(20, 44, BAD)), POLICY, START + 44 * HOUR)
    assert watch.sync_since == START + 20 * HOUR
    assert not watch.met
    assert judge(monitor, POLICY, START + 44 * HOUR + SECOND)[1].met


def test_what_is_too_old_is_not_looked_at() -> None:
    assert not heard(news(sample(0, 30, BAD)), at=31 + 7 * 24)[1].met


HOURS = some.integers(0, 40)
SAMPLES = some.lists(
    some.builds(
        lambda begins, lasts, numbers: sample(begins, begins + lasts, numbers),
        HOURS,
        some.integers(1, 12),
        some.sampled_from([BAD, WELL, NOTHING]),
    ),
    max_size=12,
)


@given(samples=SAMPLES, order=some.randoms(use_true_random=False))
def test_order_and_repetition_of_batches_do_not_matter(samples: list[SyncSample], order: Random) -> None:
    patient = POLICY.model_copy(update={"sync_failing_longer_than": 99 * HOUR})
    now, whole, bit_by_bit = START + 60 * HOUR, Monitor(watched_from=START), Monitor(watched_from=START)
    shuffled = [*samples, *samples[:3]]
    order.shuffle(shuffled)
    for one in shuffled:
        bit_by_bit, _ = observe(bit_by_bit, news(one), patient, now)
    whole, _ = observe(whole, news(*samples), patient, now)
    assert bit_by_bit == whole


@given(samples=SAMPLES)
def test_rolls_back_only_when_each_moment_of_a_day_may_have_failed(samples: list[SyncSample]) -> None:
    """By brute force, minute by minute: no healthy sample, and no silence of more than two hours, for over a day."""
    _, watch = heard(news(*samples), at=60)
    minutes = [START + minute * 10 * MINUTE for minute in range(60 * 6)]
    longest = timedelta()
    first_bad: datetime | None = None
    last_word: datetime | None = None
    for minute in minutes:
        here = [one for one in samples if one.from_at <= minute < one.until_at]
        healthy = any(one.total and one.failed * 100 <= 5 * one.total for one in here)
        bad = not healthy and any(one.failed * 100 > 5 * one.total for one in here)
        word = bad or (not healthy and bool(here))
        silent = last_word is not None and minute - last_word > 2 * HOUR
        if healthy or silent:
            first_bad = last_word = None
        if bad:
            first_bad = first_bad or minute
            longest = max(longest, minute + 10 * MINUTE - first_bad)
        if word:
            last_word = minute + 10 * MINUTE
    assert bool(watch.met) is (longest > 24 * HOUR)


@pytest.mark.parametrize(
    "numbers",
    [
        {"from_at": START, "until_at": START, "total": 1, "failed": 0},
        {"from_at": START, "until_at": START + HOUR, "total": 1, "failed": 2},
    ],
)
def test_refuses_a_sample_that_cannot_be(numbers: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SyncSample.model_validate(numbers)


# --


@pytest.mark.parametrize("kind", IncidentKind)
def test_one_confirmed_wrong_message_rolls_back_once(kind: IncidentKind) -> None:
    batch = news(incidents=(MessageIncident(incident_id="i-1", kind=kind, confirmed_at=START),))
    monitor, watch = heard(batch, at=1)
    assert [(one.issue, one.at, one.evidence) for one in watch.met] == [
        (IssueClass.WRONG_MESSAGE, START, "incident:i-1")
    ]
    assert not observe(monitor, batch, POLICY, START + HOUR)[1].met
    assert not observe(watch_from(monitor, START + HOUR), batch, POLICY, START + HOUR)[1].met


# --

WEEKDAYS = WorkCalendar(
    time_zone="America/Denver",
    hours=tuple(OpeningHours(weekday=day, opens=time(8), closes=time(17)) for day in range(1, 6)),
    holidays=frozenset({date(2026, 3, 4)}),
)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    """In March 2026. In Denver it is seven hours earlier, six from the 8th on."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "ends", "exceeds"),
    [
        (utc(2, 15), utc(2, 19), False),  # Monday 8:00 to 12:00: four hours exactly
        (utc(2, 15), utc(2, 19, 1), True),
        (utc(2, 22), utc(3, 17), False),  # Monday 15:00 over the night to 10:00: four hours exactly
        (utc(2, 22), utc(3, 17, 1), True),
        (utc(2, 20), utc(3, 14), False),  # Monday 13:00 until it opens again
        (utc(3, 20), utc(5, 15), False),  # over a holiday
        (utc(3, 20), utc(5, 15, 1), True),
        (utc(6, 23), utc(9, 16), False),  # Friday 16:00, over the weekend and the change of clocks, to Monday 10:00
        (utc(6, 23), utc(9, 17), False),  # 11:00, four hours
        (utc(6, 23), utc(9, 17, 1), True),
        (utc(7, 0), utc(9, 14), False),  # a whole weekend
    ],
)
def test_an_outage_is_too_long_after_more_than_four_business_hours(
    begins: datetime, ends: datetime, exceeds: bool
) -> None:
    enough = POLICY.outage_longer_than + POLICY.resolution
    hours = [Span(start=a, end=b) for a, b in opening_times(begins, enough, WEEKDAYS)]
    assert too_long(Span(start=begins, end=ends), hours, POLICY) is exceeds
    clock = arm_clock(outage_clock(POLICY, WEEKDAYS), begins, tuple(hours))
    due = deadline(clock)
    assert due is not None
    assert (due <= ends) is exceeds


def outage(begins: float, ends: float | None = None, name: str = "o-1") -> Outage:
    return Outage(
        outage_id=name,
        began_at=START + begins * HOUR,
        ended_at=None if ends is None else START + ends * HOUR,
    )


def test_an_outage_that_goes_on_sets_its_clock_and_one_that_ends_stops_it() -> None:
    monitor, watch = heard(news(outages=(outage(1),)), at=2)
    assert (watch.outage_since, watch.to_measure) == (START + HOUR, ())
    _, watch = observe(monitor, news(outages=(outage(1, 3),)), POLICY, START + 3 * HOUR)
    assert (watch.outage_since, watch.to_measure) == (None, ())


def test_an_outage_that_was_over_before_it_was_known_is_measured_once() -> None:
    batch = news(outages=(outage(1, 9),))
    monitor, watch = heard(batch, at=10)
    assert watch.to_measure == (Span(start=START + HOUR, end=START + 9 * HOUR),)
    assert observe(monitor, batch, POLICY, START + 10 * HOUR)[1].to_measure == ()


def test_its_end_may_be_known_before_its_beginning() -> None:
    _, watch = heard(news(outages=(outage(1, 9),)), news(outages=(outage(1),)), at=10)
    assert watch.outage_since is None


def test_outages_that_overlap_or_touch_are_one() -> None:
    _, watch = heard(news(outages=(outage(1, 3), outage(3, 4, "o-2"), outage(3.5, None, "o-3"))), at=5)
    assert watch.outage_since == START + HOUR
    _, apart = heard(news(outages=(outage(1, 3), outage(3.1, None, "o-2"))), at=5)
    assert apart.outage_since == START + 3.1 * HOUR


def test_an_outage_rolls_back_once() -> None:
    monitor, _ = heard(news(outages=(outage(1),)), at=2)
    monitor, met = report_outage(monitor, START + HOUR, START + 6 * HOUR)
    assert met is not None
    assert (met.issue, met.at, met.evidence) == (IssueClass.OUTAGE, START + 6 * HOUR, "outage:o-1")
    assert report_outage(monitor, START + HOUR, START + 6 * HOUR) == (monitor, None)
    monitor, watch = observe(monitor, news(outages=(outage(1, 9),)), POLICY, START + 9 * HOUR)
    assert (watch.outage_since, watch.to_measure) == (None, ())


def test_an_outage_that_goes_on_counts_from_the_re_enabling() -> None:
    monitor, _ = heard(news(outages=(outage(1), outage(0, 1, "o-0"))), at=2)
    monitor, _ = report_outage(monitor, START, START + 6 * HOUR)
    monitor = watch_from(monitor, START + 20 * HOUR)
    assert judge(monitor, POLICY, START + 21 * HOUR)[1].outage_since == START + 20 * HOUR
    _, watch = observe(monitor, news(outages=(outage(1),)), POLICY, START + 22 * HOUR)
    assert watch.outage_since == START + 20 * HOUR


def test_reports_the_downtime_of_each_local_day() -> None:
    """Decision 36. Two outages on a Friday; the second one lasts until Monday, after the clocks were changed."""
    outages = (
        Outage(outage_id="a", began_at=utc(6, 16), ended_at=utc(6, 17)),
        Outage(outage_id="b", began_at=utc(6, 23), ended_at=utc(9, 16)),
        Outage(outage_id="c", began_at=utc(10, 22)),
    )
    found = downtime_by_day(outages, WEEKDAYS, utc(10, 22, 30))
    assert {day: counted for day, counted in found.items() if counted} == {
        date(2026, 3, 6): 2 * HOUR,
        date(2026, 3, 9): 2 * HOUR,
        date(2026, 3, 10): HOUR / 2,
    }


# --


@pytest.mark.parametrize("role", ["provider", "office_manager"])
def test_providers_and_office_managers_may_ask_for_a_rollback(role: str) -> None:
    may_request_rollback(POLICY, Actor(role=role, id="m-1"))
    assert requested("e-1", START).issue is IssueClass.REQUESTED


@pytest.mark.parametrize("role", ["champion", "front_desk", "it_lead", "system_admin", "vp_operations"])
def test_others_may_not(role: str) -> None:
    with pytest.raises(Forbidden) as refusal:
        may_request_rollback(POLICY, Actor(role=role, id="m-1"))
    assert refusal.value.code == "rollback.not_a_requester"


# -- X-09, decision 37

SYNC, OUT = IssueClass.SYNC_FAILURE, IssueClass.OUTAGE


@pytest.mark.parametrize(
    ("issues", "deployed", "found"),
    [
        ([], 8, ()),
        ([SYNC], 2, ()),  # half of them, but one alone
        ([SYNC, SYNC], 8, ()),  # 25 % exactly
        ([SYNC, SYNC], 7, (SYNC,)),
        ([SYNC, OUT], 3, ()),  # two, of different classes
        ([SYNC] * 3, 11, (SYNC,)),
        ([SYNC] * 3, 12, ()),
        ([SYNC, SYNC, OUT, OUT], 5, (SYNC, OUT)),
    ],
)
def test_an_issue_is_systemic_with_more_than_a_quarter_and_at_least_two(
    issues: list[IssueClass], deployed: int, found: tuple[IssueClass, ...]
) -> None:
    affected = {f"location-{number}": issue for number, issue in enumerate(issues)}
    assert systemic(affected, deployed, POLICY) == found


# -- stretches of time

SPANS = some.lists(
    some.builds(lambda a, b: Span(start=START + a * HOUR, end=START + (a + b) * HOUR), HOURS, some.integers(1, 9))
)


def covers(spans: list[Span] | tuple[Span, ...], moment: datetime) -> bool:
    return any(span.start <= moment < span.end for span in spans)


@given(spans=SPANS, taken=SPANS)
def test_what_is_left_is_what_only_the_first_cover(spans: list[Span], taken: list[Span]) -> None:
    left = without(spans, taken)
    for half_hours in range(100):
        moment = START + half_hours * HOUR / 2
        assert covers(left, moment) is (covers(spans, moment) and not covers(taken, moment))
    assert all(one.end <= next_one.start for one, next_one in pairwise(left))
    assert length(left) <= length(joined(spans))
