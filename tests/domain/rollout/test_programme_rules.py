"""Rules of a programme, without Temporal: who may do what, what is granted, what stops, when things will be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actors import SYSTEM
from domain.errors import CarewaveError, Forbidden, Invalid, NotFound, Refused
from domain.rollout.holds import Hold
from domain.rollout.news import Clearance, IssueClass
from domain.rollout.orders import RolloutOrder
from domain.rollout.people import Function
from domain.rollout.phases import ProgrammePhase
from domain.rollout.planning.dates import whole
from domain.rollout.programme import acts, pausing, replanning, rules
from domain.rollout.programme.beginning import due_days, fresh, set_due
from domain.rollout.programme.looking_ahead import look_ahead, planned_for
from domain.rollout.programme.state import (
    Approval,
    ApprovalStatus,
    Attestation,
    ComplianceMark,
    PilotApproval,
    ProgrammeState,
    WaveRecord,
)
from domain.rollout.programme.view import phase, snapshot
from domain.rollout.tasks import CompleteTask, TaskState, TaskStatus
from tests.domain.rollout.programmes import CEO, PM, VP, groups, member, place, rollout

ORDER = rollout(30)
NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
DONE = TaskState(status=TaskStatus.DONE)


def begun(order: RolloutOrder = ORDER) -> ProgrammeState:
    state = fresh(order)
    set_due(order, state, {number: NOW + number * DAY for number in due_days(order)})
    return state


def prepared(order: RolloutOrder = ORDER) -> ProgrammeState:
    state = begun(order)
    state.tasks = dict.fromkeys(state.tasks, DONE)
    state.approvals = dict.fromkeys(state.approvals, Approval(status=ApprovalStatus.APPROVED))
    state.compliance = dict.fromkeys(state.compliance, ComplianceMark(status=Attestation.PASS))
    validated = {"baseline_validated": True}
    state.locations = {one: record.model_copy(update=validated) for one, record in state.locations.items()}
    state.pilot = PilotApproval(locations=rules.pilots(state), at=NOW, by=VP)
    return state


def with_waves(state: ProgrammeState, *records: WaveRecord) -> ProgrammeState:
    state.waves = dict(enumerate(records, start=1))
    return state


def started(monday: date = date(2026, 1, 19), **changed: Any) -> WaveRecord:
    at = datetime(monday.year, monday.month, monday.day, 6, tzinfo=UTC)
    return WaveRecord(started_on=monday, started_at=at, **changed)


def code(rule: Any, *arguments: Any, **named: Any) -> str | None:
    try:
        rule(*arguments, **named)
    except CarewaveError as error:
        return error.code
    return None


# -- beginning


def test_everything_of_the_pre_implementation_has_its_day_and_its_clock() -> None:
    state = fresh(ORDER)
    armed = set_due(ORDER, state, {number: NOW + number * DAY for number in due_days(ORDER)})
    assert state.tasks["n_05"].due == NOW + 7 * DAY
    assert state.tasks["z_04_roi_report"].due is None
    names = {one.policy.name for one in armed}
    assert names == {
        *(f"task:{spec.task_id}" for spec in ORDER.policy.programme.tasks),
        *(f"approval:{function}" for function in state.approvals),
        "compliance",
        "pilot",
    }
    assert len(names) == len(armed)


def test_an_owner_is_told_by_each_milestone_once() -> None:
    armed = {one.policy.name: one.policy for one in set_due(ORDER, fresh(ORDER), dict.fromkeys(due_days(ORDER), NOW))}
    late = next(step for step in armed["task:n_07"].milestones if step.name == "task_late")
    assert [notice.audience for notice in late.notices] == ["project_manager"]  # owner and told besides
    for clock in armed.values():
        for step in clock.milestones:
            told = [notice.audience for notice in step.notices]
            assert len(set(told)) == len(told)


# -- clearances and waves


@pytest.mark.parametrize(
    ("spoil", "lost"),
    [
        (lambda state: state.tasks.update(n_02=TaskState()), Clearance.BAA),
        (lambda state: state.tasks.update(n_05=TaskState(status=TaskStatus.WAIVED)), Clearance.CREDENTIALS),
        (lambda state: state.tasks.update(n_11=TaskState()), Clearance.CONSENT),
        (lambda state: state.compliance.update(p_10=ComplianceMark(status=Attestation.FAIL)), Clearance.COMPLIANCE),
        (lambda state: state.approvals.update({Function.CFO: Approval()}), Clearance.APPROVALS),
        (
            lambda state: state.locations.update(
                {"l-02": state.locations["l-02"].model_copy(update={"baseline_validated": False})}
            ),
            Clearance.PILOT_BASELINES,
        ),
    ],
)
def test_each_gate_is_granted_by_one_thing_and_blocks_the_wave(spoil: Any, lost: Clearance) -> None:
    state = prepared()
    assert rules.clearances(ORDER, state) == frozenset(Clearance)
    assert rules.missing_for_wave(ORDER, state, 1, NOW) == ()
    spoil(state)
    assert rules.clearances(ORDER, state) == frozenset(Clearance) - {lost}
    assert rules.missing_for_wave(ORDER, state, 1, NOW) == (f"clearance:{lost}",)


def test_the_pilots_are_approved_as_a_selection() -> None:
    state = prepared()
    assert state.pilot is not None
    state.pilot = state.pilot.model_copy(update={"locations": frozenset({"l-01"})})
    assert rules.missing_for_wave(ORDER, state, 1, NOW) == ("pilot_approval",)
    assert code(rules.may_approve_pilot, ORDER, state, acts.ApprovePilot(actor=VP, locations=frozenset({"l-01"}))) == (
        "pilot.selection_changed"
    )


@pytest.mark.parametrize(
    ("after", "missing"),
    [(None, ("wave_open:1",)), (7 * DAY - timedelta(seconds=1), ("buffer:1",)), (7 * DAY, ()), (30 * DAY, ())],
)
def test_a_wave_follows_the_one_before_at_a_week(after: timedelta | None, missing: tuple[str, ...]) -> None:
    state = with_waves(prepared(), started(closed_at=None if after is None else NOW))
    assert rules.missing_for_wave(ORDER, state, 2, NOW + (after or DAY)) == missing


def test_every_hold_stands_in_the_way() -> None:
    state = prepared()
    state.holds = tuple(Hold(reason=reason, since=NOW, by=VP) for reason in ("budget", "systemic:outage"))
    assert rules.missing_for_wave(ORDER, state, 1, NOW) == ("hold:budget", "hold:systemic:outage")


# -- who may


@pytest.mark.parametrize("function", list(Function))
def test_only_the_vp_holds_waives_and_approves_pilots(function: Function) -> None:
    state, actor = prepared(), member(function)
    allowed = None if function is Function.VP_OPERATIONS else "rollout.function_missing"
    assert code(rules.may_hold, ORDER, state, acts.HoldProgramme(actor=actor, reason="budget")) == allowed
    pilots = acts.ApprovePilot(actor=actor, locations=rules.pilots(state))
    assert code(rules.may_approve_pilot, ORDER, state, pilots) == allowed


@pytest.mark.parametrize("function", list(Function))
def test_a_task_is_completed_by_its_owner_or_who_is_in_charge(function: Function) -> None:
    asked = CompleteTask(actor=member(function), task_id="n_03", evidence_id="e-1")
    in_charge = {Function.VENDOR_ACCOUNT_MANAGER, Function.PROJECT_MANAGER, Function.IT_LEAD}
    expected = None if function in in_charge else "rollout.function_missing"
    assert code(rules.may_complete, ORDER, begun(), asked) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "task.location_count"), (1, "task.location_count"), (2, None), (3, None), (4, "task.location_count")],
)
def test_samples_come_from_two_or_three_locations(count: int, expected: str | None) -> None:
    state = begun()
    state.tasks["n_02"] = DONE
    ids = tuple(one.location_id for one in ORDER.locations[:count])
    asked = CompleteTask(actor=PM, task_id="n_10", evidence_id="e-1", location_ids=ids)
    assert code(rules.may_complete, ORDER, state, asked) == expected
    twice = asked.model_copy(update={"location_ids": ids[:1] * 2})
    assert code(rules.may_complete, ORDER, state, twice) == "task.location_count"


def test_nothing_is_done_to_a_programme_that_is_over() -> None:
    state = prepared()
    state.cancelled_at = NOW
    asked = CompleteTask(actor=PM, task_id="n_03", evidence_id="e-1")
    assert code(rules.may_complete, ORDER, state, asked) == "programme.over"
    assert code(rules.may_cancel, ORDER, state, acts.CancelProgramme(actor=CEO, reason="budget")) == "programme.over"
    assert phase(state) is ProgrammePhase.CANCELLED


# -- systemic issues


def ill(deployed: int, **issues: tuple[str, ...]) -> ProgrammeState:
    """So many live locations, and of which class those are ill."""
    state = prepared()
    for number, (location_id, record) in enumerate(state.locations.items()):
        found = tuple(IssueClass(name) for name, ids in issues.items() if location_id in ids)
        changed = {"deployed": number < deployed, "issues": found}
        state.locations[location_id] = record.model_copy(update=changed)
    return state


@pytest.mark.parametrize(
    ("deployed", "issues", "systemic"),
    [
        (3, {"sync_failure": ("l-01",)}, ()),
        (2, {"sync_failure": ("l-01",)}, ()),
        (5, {"sync_failure": ("l-01", "l-02")}, (IssueClass.SYNC_FAILURE,)),
        (5, {"sync_failure": ("l-01",), "outage": ("l-02",)}, ()),
        (8, {"outage": ("l-01", "l-02")}, ()),
        (7, {"outage": ("l-01", "l-02")}, (IssueClass.OUTAGE,)),
        (
            5,
            {"outage": ("l-01", "l-02"), "sync_failure": ("l-01", "l-03")},
            (IssueClass.SYNC_FAILURE, IssueClass.OUTAGE),
        ),
    ],
)
def test_more_than_a_quarter_and_at_least_two_of_one_class(
    deployed: int, issues: dict[str, tuple[str, ...]], systemic: tuple[IssueClass, ...]
) -> None:
    assert pausing.systemic_now(ORDER, ill(deployed, **issues)) == systemic


def test_resuming_waits_for_the_resolution_or_a_reason() -> None:
    state = ill(5, sync_failure=("l-01", "l-02"))
    ask = acts.ResumeProgramme(actor=CEO)
    assert code(pausing.may_resume, ORDER, state, ask) == "programme.not_paused"
    state.holds = (Hold(reason="systemic:sync_failure", since=NOW, by=SYSTEM),)
    with pytest.raises(Refused) as refusal:
        pausing.may_resume(ORDER, state, ask)
    assert (refusal.value.code, refusal.value.missing) == (
        "programme.still_systemic",
        ("resolved:l-01", "resolved:l-02"),
    )
    pausing.may_resume(ORDER, state, ask.model_copy(update={"override": "fix_is_coming"}))
    pausing.accept(ORDER, state)
    assert pausing.to_pause_for(ORDER, state) == ()
    pausing.forget_recovered(state)
    assert pausing.to_pause_for(ORDER, state) == ()
    healthy = {"issues": ()}
    state.locations["l-01"] = state.locations["l-01"].model_copy(update=healthy)
    pausing.forget_recovered(state)
    state.locations["l-01"] = state.locations["l-01"].model_copy(update={"issues": (IssueClass.SYNC_FAILURE,)})
    assert pausing.to_pause_for(ORDER, state) == (IssueClass.SYNC_FAILURE,)


@given(st.integers(0, 30), st.sets(st.integers(0, 29)), st.sets(st.integers(0, 29)))
def test_what_was_accepted_never_pauses_by_itself_and_a_subset_neither(
    deployed: int, first: set[int], fewer: set[int]
) -> None:
    ids = [one.location_id for one in ORDER.locations]
    state = ill(deployed, outage=tuple(ids[number] for number in first))
    pausing.accept(ORDER, state)
    assert pausing.to_pause_for(ORDER, state) == ()
    for number in fewer & first:
        state.locations[ids[number]] = state.locations[ids[number]].model_copy(update={"issues": ()})
    if pausing.systemic_now(ORDER, ill(deployed, outage=tuple(ids[number] for number in first))):
        assert pausing.to_pause_for(ORDER, state) == ()


# -- changes of the plan


def move(location_id: str, to_wave: int | None, **changed: Any) -> acts.MoveLocation:
    return acts.MoveLocation(actor=PM, location_id=location_id, to_wave=to_wave, reason="asked_for", **changed)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (move("l-20", 4), None),
        (move("l-20", None), None),
        (move("l-20", 3), None),  # where it is
        (move("l-20", 2), "wave.full"),
        (move("l-20", 1), "wave.full"),
        (move("l-20", 9), "wave.unknown"),
        (move("l-99", 2), "location.unknown"),
    ],
)
def test_moves_keep_the_hard_rules(asked: acts.MoveLocation, expected: str | None) -> None:
    assert code(replanning.may_move, ORDER, prepared(), asked) == expected


def test_the_pilot_keeps_two_locations_and_no_outdated_hardware() -> None:
    places = tuple(place(number, outdated_hardware=number == 20) for number in range(1, 31))
    order = ORDER.model_copy(update={"locations": places})
    state = prepared(order)
    state.plan = replanning.moved(state.plan, move("l-01", None))
    assert code(replanning.may_move, order, state, move("l-02", None)) == "wave.too_small"
    assert code(replanning.may_move, order, state, move("l-20", 1)) == "wave.outdated_hardware"
    assert code(replanning.may_move, order, state, move("l-21", 1)) is None


def test_waves_that_have_started_keep_their_locations() -> None:
    state = with_waves(prepared(), started(), started(date(2026, 2, 16)))
    assert code(replanning.may_move, ORDER, state, move("l-05", 4)) == "wave.started"
    assert code(replanning.may_move, ORDER, state, move("l-20", 1)) == "wave.started"
    assert code(replanning.may_move, ORDER, state, move("l-20", 4)) is None


def test_a_plan_is_followed_when_it_is_the_next_one_and_well_formed() -> None:
    state = with_waves(prepared(), started())
    ids = tuple(one.location_id for one in ORDER.locations)

    def asked(waves: tuple[tuple[str, ...], ...], version: int = 2) -> acts.FollowPlan:
        plan = whole(waves, ORDER.starts_on, ORDER.calendar, ORDER.policy.planning)
        return acts.FollowPlan(actor=VP, plan=plan.model_copy(update={"version": version}))

    assert code(replanning.may_follow, ORDER, state, asked(groups(ids, (3, 5, 12)))) is None
    assert code(replanning.may_follow, ORDER, state, asked(groups(ids), 1)) == "plan.stale"
    assert code(replanning.may_follow, ORDER, state, asked(groups(ids, (2, 8, 12)))) == "plan.changes_started_wave"
    assert code(replanning.may_follow, ORDER, state, asked((ids[:3], ids[2:9]))) == "plan.malformed"
    assert code(replanning.may_follow, ORDER, state, asked((ids[:3], ("l-99",)))) == "location.unknown"
    state.optimization_from = NOW
    assert code(replanning.may_follow, ORDER, state, asked(groups(ids))) == "programme.optimizing"


@given(st.lists(st.tuples(st.integers(1, 30), st.sampled_from([None, 1, 2, 3, 4])), max_size=25))
def test_no_series_of_moves_breaks_a_plan(moves: list[tuple[int, int | None]]) -> None:
    state = prepared()
    for number, to_wave in moves:
        asked = move(f"l-{number:02}", to_wave)
        try:
            replanning.may_move(ORDER, state, asked)
        except (Refused, NotFound, Invalid, Forbidden):
            continue
        state.plan = replanning.moved(state.plan, asked)
    placed = [one for wave in state.plan.waves for one in wave.locations]
    away = [one.location_id for one in state.plan.deferred]
    assert sorted(placed + away) == [one.location_id for one in ORDER.locations]
    for wave in state.plan.waves:
        most = ORDER.policy.planning.waves[wave.number - 1].at_most
        assert most is None or len(wave.locations) <= most
    assert len(state.plan.waves[0].locations) >= 2


# -- dates


def test_thirty_locations_end_as_decided() -> None:
    ahead = look_ahead(ORDER, begun(), NOW)
    assert [(wave.first_week, wave.last_week) for wave in ahead.waves] == [(3, 5), (7, 9), (11, 13), (15, 17)]
    assert (ahead.weeks_forecast, ahead.overrun) == (20, False)


@given(st.integers(0, 6), st.integers(0, 3), st.integers(0, 3))
def test_delays_only_ever_push_later_and_keep_the_buffer(slips: int, extended: int, moved: int) -> None:
    state = with_waves(prepared(), started(extended_weeks=extended, slipped_weeks=moved))
    second = ORDER.plan.waves[1].starts_on + slips * WEEK
    state.waves[2] = WaveRecord(not_before=second)
    ahead = look_ahead(ORDER, state, NOW)
    for known, planned in zip(ahead.waves, ORDER.plan.waves, strict=True):
        assert known.starts_on >= planned.starts_on
        assert known.starts_on.isoweekday() == 1
    for former, later in zip(ahead.waves, ahead.waves[1:], strict=False):
        assert later.starts_on >= former.ends_on + ORDER.policy.planning.buffer
    assert ahead.waves[1].starts_on >= second
    assert ahead.overrun == (ahead.weeks_forecast > 20)


def test_a_location_without_a_wave_is_told_of_no_day() -> None:
    state = prepared()
    state.plan = replanning.moved(state.plan, move("l-20", None))
    told = planned_for(ORDER, state, ORDER.locations[19])
    assert (told.wave, told.integration_from, told.go_live_at) == (None, None, None)


# -- what is shown


@pytest.mark.parametrize(
    ("records", "holds", "expected"),
    [
        ((), (), ProgrammePhase.PRE_IMPLEMENTATION),
        ((started(),), (), ProgrammePhase.PILOT),
        ((started(), started()), (), ProgrammePhase.EXPANSION),
        ((started(),), ("budget",), ProgrammePhase.ON_HOLD),
        ((started(),), ("budget", "systemic:outage"), ProgrammePhase.PAUSED_SYSTEMIC),
    ],
)
def test_the_phase_is_computed(records: Any, holds: tuple[str, ...], expected: ProgrammePhase) -> None:
    state = with_waves(prepared(), *records)
    state.holds = tuple(Hold(reason=reason, since=NOW, by=VP) for reason in holds)
    assert phase(state) is expected


def test_the_board_sees_what_is_late_and_what_the_next_wave_waits_for() -> None:
    state = begun()
    shown = snapshot(ORDER, state, NOW + 4 * DAY)
    late = {task.task_id for task in shown.tasks if task.late}
    assert late == {"n_06", "n_01", "n_02", "n_03", "b_11"}
    assert shown.tasks_late == 5
    assert "pilot_approval" in shown.missing
    assert {wait.who for wait in shown.waits_for} >= {"cfo", "vp_operations", "compliance"}
    assert [location.wave for location in shown.locations[:4]] == [1, 1, 1, 2]
