"""What holds for the SLA clock whatever happens to it, in whatever order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from domain.actors import Audience, Notice
from domain.clock import (
    Clock,
    ClockPolicy,
    Milestone,
    MilestoneKind,
    Outcome,
    Repeat,
    Span,
    acknowledge,
    arm,
    due_at,
    elapsed,
    end,
    explain,
    fire,
    pause,
    resume,
)
from tests.domain.builders import PERSON, START


class Step(NamedTuple):
    """So many minutes after the step before, this is done."""

    minutes: int
    act: str


def does(*acts: str, most: int = 12) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.builds(Step, st.integers(0, 90), st.sampled_from(acts)), max_size=most)


notices = st.lists(
    st.builds(Notice, audience=st.sampled_from(Audience), template=st.sampled_from(["first", "second"])),
    max_size=3,
    unique_by=lambda notice: notice.audience,
)


@st.composite
def policies(draw: st.DrawFn) -> ClockPolicy:
    """Any ladder. Its times lie between whole minutes, so that none falls on the instant of a step."""
    times = sorted(draw(st.lists(st.integers(0, 300), min_size=1, max_size=5)))
    return ClockPolicy(
        name="any",
        milestones=tuple(
            Milestone(
                name=f"milestone-{number}",
                kind=draw(st.sampled_from(MilestoneKind)),
                after=timedelta(minutes=minutes, seconds=30),
                notices=tuple(draw(notices)),
            )
            for number, minutes in enumerate(times)
        ),
    )


ANYTHING = does("pause", "resume", "fire", "acknowledge", "end")


def apply(clock: Clock, at: datetime, act: str) -> Clock:
    changed = {
        "pause": lambda: pause(clock, at, "asked"),
        "resume": lambda: resume(clock, at),
        "fire": lambda: fire(clock, at)[0],
        "acknowledge": lambda: acknowledge(clock, at, PERSON),
        "end": lambda: end(clock, at, Outcome.MET),
    }
    return changed[act]()


def live(policy: ClockPolicy, steps: Iterable[Step], *, watched: bool = False) -> tuple[Clock, datetime]:
    """The clock after all steps, and the time of the last; a watched one is looked at before each."""
    clock, at = arm(policy, START), START
    for step in steps:
        at += timedelta(minutes=step.minutes)
        if watched:
            clock = apply(clock, at, "fire")
        clock = apply(clock, at, step.act)
    return clock, at


def paused_time(clock: Clock, until: datetime) -> timedelta:
    return sum(((p.until or until) - p.since for p in clock.pauses), timedelta())


@given(policies(), ANYTHING, st.integers(0, 500))
def test_every_second_is_accounted_for_once(policy: ClockPolicy, steps: list[Step], later: int) -> None:
    clock, at = live(policy, steps)
    now = at + timedelta(minutes=later)
    until = clock.ended_at or now
    stretches = explain(clock, now)
    assert all(before.end == behind.start for before, behind in pairwise(stretches))
    assert sum((each.end - each.start for each in stretches), timedelta()) == until - clock.armed_at
    if stretches:
        assert (stretches[0].start, stretches[-1].end) == (clock.armed_at, until)


@given(policies(), ANYTHING, st.integers(0, 500))
def test_elapsed_time_is_what_ran_in_time_and_overdue(policy: ClockPolicy, steps: list[Step], later: int) -> None:
    clock, at = live(policy, steps)
    now = at + timedelta(minutes=later)
    lengths = {kind: timedelta() for kind in ("running", "overdue", "paused")}
    for each in explain(clock, now):
        lengths[each.kind] += each.end - each.start
    assert lengths["running"] + lengths["overdue"] == elapsed(clock, now)
    assert lengths["paused"] == paused_time(clock, clock.ended_at or now)


@given(policies(), ANYTHING, st.integers(0, 500))
def test_overdue_is_exactly_the_running_time_beyond_the_breach(
    policy: ClockPolicy, steps: list[Step], later: int
) -> None:
    clock, at = live(policy, steps)
    now = at + timedelta(minutes=later)
    overdue = sum((each.end - each.start for each in explain(clock, now) if each.kind == "overdue"), timedelta())
    breach = next((m for m in policy.milestones if m.kind is MilestoneKind.BREACH), None)
    if breach is None or clock.breached_at is None:
        assert overdue == timedelta()
    else:
        assert overdue == elapsed(clock, now) - breach.after


@given(policies(), ANYTHING)
def test_no_milestone_fires_twice_and_none_before_its_time(policy: ClockPolicy, steps: list[Step]) -> None:
    clock, _ = live(policy, steps, watched=True)
    fired = [each.name for each in clock.fired]
    assert len(fired) == len(set(fired))
    assert all(each.due <= each.noticed for each in clock.fired)
    assert fire(clock, clock.fired[-1].noticed if clock.fired else START) == (clock, ())


@given(policies(), does("pause", "resume", "acknowledge", "end"))
def test_an_outage_changes_no_milestone_and_no_due_time(policy: ClockPolicy, steps: list[Step]) -> None:
    """Looked at once, when the lights are on again, the clock says what it would have said all along."""
    ended = any(step.act == "end" for step in steps)
    watched, at = live(policy, [*steps, Step(0, "resume"), Step(0, "fire")], watched=True)
    unwatched, _ = live(policy, [*steps, Step(0, "resume"), Step(0, "fire")])
    assert unwatched.breached_at == watched.breached_at
    if not ended:
        assert [(f.name, f.due) for f in unwatched.fired] == [(f.name, f.due) for f in watched.fired]
        assert {f.noticed for f in unwatched.fired} <= {at}


@given(policies(), st.integers(0, 400))
def test_after_an_outage_no_audience_is_told_more_than_once_and_by_the_highest_step(
    policy: ClockPolicy, minutes: int
) -> None:
    now = START + timedelta(minutes=minutes)
    _, fired = fire(arm(policy, START), now)
    told = [notice.audience for each in fired for notice in each.notices]
    assert len(told) == len(set(told))
    stale = {MilestoneKind.REMIND, MilestoneKind.WARN}
    for position, each in enumerate(fired):
        overtaken = each.kind in stale and position < len(fired) - 1
        assert each.suppressed == ("stale" if overtaken else None)
        later = {notice.audience for higher in fired[position + 1 :] for notice in higher.notices}
        wanted = {notice.audience for notice in policy.milestones[position].notices}
        assert {notice.audience for notice in each.notices} == (set() if overtaken else wanted - later)


@given(does("pause", "resume"), st.integers(1, 500))
def test_deadlines_shift_by_exactly_the_pauses(steps: list[Step], beyond: int) -> None:
    far = timedelta(minutes=12 * 90 + beyond)
    policy = ClockPolicy(name="far", milestones=(Milestone(name="breach", kind=MilestoneKind.BREACH, after=far),))
    clock, _ = live(policy, [*steps, Step(0, "resume")])
    due = due_at(clock, policy.milestones[0])
    assert due == START + far + paused_time(clock, START)
    assert elapsed(clock, due) == far
    assert fire(clock, due)[0].breached_at == due
    assert fire(clock, due - timedelta(microseconds=1)) == (clock, ())


@st.composite
def opening_hours(draw: st.DrawFn) -> tuple[Span, ...]:
    """Hours that are open, apart from each other, beginning at or after the start."""
    edges = sorted(draw(st.lists(st.integers(0, 2000), min_size=2, max_size=12, unique=True)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tuple(Span(start=START + timedelta(minutes=a), end=START + timedelta(minutes=b)) for a, b in pairs)


@given(opening_hours(), does("pause", "resume"), st.integers(1, 300))
def test_with_opening_hours_only_open_time_counts(hours: tuple[Span, ...], steps: list[Step], minutes: int) -> None:
    after = timedelta(minutes=minutes)
    policy = ClockPolicy(name="any", milestones=(Milestone(name="breach", kind=MilestoneKind.BREACH, after=after),))
    clock = arm(policy, START, hours)
    at = START
    for step in steps:
        at += timedelta(minutes=step.minutes)
        clock = apply(clock, at, step.act)
    clock = resume(clock, at)
    due = due_at(clock, policy.milestones[0])
    if due is None:
        assert sum((span.end - span.start for span in hours), timedelta()) - paused_time(clock, at) < after
    else:
        assert elapsed(clock, due) == after
        assert any(span.start <= due <= span.end for span in hours)


@given(opening_hours(), does("pause", "resume", "fire", "end"), policies())
def test_with_opening_hours_every_second_is_accounted_for(
    hours: tuple[Span, ...], steps: list[Step], policy: ClockPolicy
) -> None:
    clock = arm(policy, START, hours)
    at = START
    for step in steps:
        at += timedelta(minutes=step.minutes)
        clock = apply(clock, at, step.act)
    stretches = explain(clock, at)
    until = clock.ended_at or at
    assert sum((each.end - each.start for each in stretches), timedelta()) == until - START
    if clock.breached_at is None:
        assert sum((s.end - s.start for s in stretches if s.kind == "running"), timedelta()) == elapsed(clock, at)


@given(st.integers(1, 60), st.integers(1, 6), st.integers(0, 6))
def test_an_escalation_comes_again_until_somebody_acknowledges(every: int, times: int, acknowledged: int) -> None:
    last = Milestone(
        name="told",
        kind=MilestoneKind.ESCALATE,
        after=timedelta(minutes=10),
        repeat=Repeat(every=timedelta(minutes=every), times=times),
    )
    clock = arm(ClockPolicy(name="any", milestones=(last,)), START)
    rungs = [START + last.after + n * timedelta(minutes=every) for n in range(times + 1)]
    for number, at in enumerate(rungs):
        if number == acknowledged:
            clock = acknowledge(clock, at - timedelta(seconds=1), PERSON)
        clock, _ = fire(clock, at)
    rung_count = min(acknowledged, times + 1)
    assert clock.escalation_level == rung_count
    assert [each.name for each in clock.fired if each.suppressed is None] == [
        "told" if n == 0 else f"told_{n + 1}" for n in range(rung_count)
    ]
