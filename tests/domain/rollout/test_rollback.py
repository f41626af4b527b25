"""Whatever is done to a rollback, in whatever order: nothing is on before everything is there (X-05 to X-07)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain import policy
from domain.actors import SYSTEM, Actor
from domain.errors import CarewaveError, Forbidden, Refused
from domain.rollout.news import IssueClass, Relapse
from domain.rollout.orders import RollbackOrder
from domain.rollout.people import Function
from domain.rollout.phases import RollbackPhase
from domain.rollout.rollback import acts, rules, view
from domain.rollout.rollback.state import FixKind

POLICY = policy.load().rollout.rollback
START = datetime(2026, 3, 2, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORDER = RollbackOrder(
    program_id="p-1",
    location_id="downtown",
    region="north",
    wave=1,
    number=1,
    issue=IssueClass.SYNC_FAILURE,
    triggered_at=START,
    triggered_by=SYSTEM,
    disabled_at=START,
    policy_version="test",
    policy=POLICY,
)
IT_LEAD = Actor(role=Function.IT_LEAD.value, id="m-it")
STEPS = tuple(step.step_id for step in POLICY.steps if step.owners)


def owner(step_id: str) -> Actor:
    return Actor(role=rules.step_of(POLICY, step_id).owners[0].value, id="m-1")


class Ward:
    """A rollback, its rules alone."""

    def __init__(self) -> None:
        self.state = rules.begin(ORDER)
        self.now = START
        self.relapses = 0

    @property
    def phase(self) -> RollbackPhase:
        return view.phase(self.state, POLICY)

    def step(self, step_id: str, by: Actor | None = None) -> None:
        asked = acts.AcknowledgeStep(actor=by or owner(step_id), step_id=step_id)
        rules.may_acknowledge_step(self.state, POLICY, asked)
        rules.acknowledge_step(self.state, asked, self.now)

    def fix(self, by: Actor = IT_LEAD) -> None:
        asked = acts.ProvideFix(actor=by, kind=FixKind.WORKAROUND, evidence_id="e-1")
        rules.may_provide_fix(self.state, POLICY, asked)
        rules.provide_fix(self.state, asked, self.now)

    def test(self, *, passed: bool = True, by: Actor = IT_LEAD) -> None:
        asked = acts.ValidateFix(actor=by, passed=passed, evidence_id="e-2")
        rules.may_validate_fix(self.state, POLICY, asked)
        rules.validate_fix(self.state, asked, self.now)

    def confirm(self, by: Actor = IT_LEAD) -> None:
        asked = acts.ConfirmRootCause(actor=by, evidence_id="e-3")
        rules.may_confirm_root_cause(self.state, POLICY, asked)
        rules.confirm_root_cause(self.state, asked, self.now)

    def enable(self, by: Actor = IT_LEAD) -> None:
        asked = acts.ReEnable(actor=by)
        rules.may_re_enable(self.state, POLICY, asked, view.watched_until(self.state, POLICY))
        rules.re_enable(self.state, POLICY, asked, self.now)

    def watched(self) -> None:
        """The present stage's time is up."""
        until = view.watched_until(self.state, POLICY)
        if until is None:
            return
        self.now = until
        rules.stage_watched(self.state, until)
        if rules.next_stage(self.state, POLICY) is None:
            self.state.resolved_at = until

    def relapse(self, issue: IssueClass = IssueClass.SYNC_FAILURE) -> None:
        self.relapses += 1
        news = Relapse(sequence=self.relapses, issue=issue, at=self.now, by=SYSTEM)
        rules.relapse(self.state, POLICY, news, self.now)


ACTS: dict[str, Callable[[Ward], None]] = {
    **{step: lambda ward, step=step: ward.step(step) for step in STEPS},  # type: ignore[misc]
    "fix": Ward.fix,
    "passes": Ward.test,
    "fails": lambda ward: ward.test(passed=False),
    "confirm": Ward.confirm,
    "enable": Ward.enable,
    "watched": Ward.watched,
    "relapse": Ward.relapse,
    "another": lambda ward: ward.relapse(IssueClass.WRONG_MESSAGE),
}
TO_THE_END = (*STEPS, "fix", "passes", "confirm", *("enable", "watched") * 3)


def after(*names: str) -> Ward:
    ward = Ward()
    for name in names:
        ACTS[name](ward)
    return ward


@pytest.mark.parametrize(
    ("done", "phase"),
    [
        ((), RollbackPhase.IMMEDIATE),
        (STEPS[:2], RollbackPhase.IMMEDIATE),
        (("fix", "passes", "confirm"), RollbackPhase.IMMEDIATE),
        (STEPS[:3], RollbackPhase.SHORT_TERM),
        (STEPS, RollbackPhase.AWAITING_FIX),
        ((*STEPS, "fix"), RollbackPhase.AWAITING_FIX),
        ((*STEPS, "fix", "fails"), RollbackPhase.AWAITING_FIX),
        ((*STEPS, "fix", "passes"), RollbackPhase.FIX_VALIDATED),
        ((*STEPS, "fix", "passes", "confirm"), RollbackPhase.ROOT_CAUSE_CONFIRMED),
        ((*STEPS, "fix", "passes", "confirm", "enable"), RollbackPhase.RE_ENABLING),
        ((*STEPS, "fix", "passes", "confirm", "enable", "watched"), RollbackPhase.RE_ENABLING),
        (TO_THE_END, RollbackPhase.RESOLVED),
        ((*TO_THE_END[:-1], "relapse"), RollbackPhase.IMMEDIATE),
        ((*STEPS, "fix", "passes", "confirm", "relapse"), RollbackPhase.ROOT_CAUSE_CONFIRMED),
        ((*STEPS, "fix", "passes", "confirm", "another"), RollbackPhase.AWAITING_FIX),
    ],
)
def test_its_phase_follows_from_what_was_done(done: tuple[str, ...], phase: RollbackPhase) -> None:
    assert after(*done).phase is phase


@pytest.mark.parametrize(
    ("done", "act", "code"),
    [
        ((), "passes", "rollback.no_fix"),
        (("fix", "passes"), "passes", "rollback.no_fix"),
        (("fix", "fails"), "passes", "rollback.no_fix"),
        (("fix", "passes"), "fix", "rollback.fix_validated"),
        ((), "confirm", "rollback.fix_not_validated"),
        (("fix",), "confirm", "rollback.fix_not_validated"),
        (("fix", "fails"), "confirm", "rollback.fix_not_validated"),
        ((), "enable", "rollback.not_to_be_re_enabled"),
        (TO_THE_END[:-5], "enable", "rollback.not_to_be_re_enabled"),
        (TO_THE_END[:-5], "fix", "rollback.re_enabling"),
        (TO_THE_END[:-5], "confirm", "rollback.re_enabling"),
        ((), "vendor_notified", "rollback.step_too_early"),
        (TO_THE_END, "enable", "rollback.over"),
        (TO_THE_END, "staff_notified", "rollback.over"),
        (TO_THE_END, "fix", "rollback.over"),
    ],
)
def test_refuses_what_comes_too_early_or_too_late(done: tuple[str, ...], act: str, code: str) -> None:
    ward = after(*done)
    with pytest.raises(Refused) as refusal:
        ACTS[act](ward)
    assert refusal.value.code == code


@pytest.mark.parametrize("left_out", [*STEPS, "fix", "passes", "confirm"])
def test_each_of_its_conditions_keeps_the_location_off(left_out: str) -> None:
    """X-07.4: never before."""
    ward = Ward()
    for name in (*STEPS, "fix", "passes", "confirm"):
        if name != left_out:
            try:
                ACTS[name](ward)
            except Refused:
                continue  # it needs what is left out
    with pytest.raises(Refused) as refusal:
        ward.enable()
    codes = {"fix": "fix", "passes": "fix_validated", "confirm": "root_cause_confirmed"}
    assert codes.get(left_out, f"step:{left_out}") in refusal.value.missing


@given(names=some.lists(some.sampled_from(sorted(ACTS)), max_size=40), head_start=some.integers(0, len(TO_THE_END)))
def test_nothing_is_on_before_everything_is_there(names: list[str], head_start: int) -> None:
    ward = after(*TO_THE_END[:head_start])
    for name in names:
        before = ward.state.model_copy(deep=True)
        try:
            ACTS[name](ward)
        except CarewaveError:
            assert ward.state == before, "a refused act changes nothing"
            continue
        if ward.state.enabled_percent > before.enabled_percent:
            assert not rules.missing(before, POLICY)
            assert before.fix_validated
            assert before.root_cause is not None
            assert set(STEPS) <= set(before.steps)
        if name in {"relapse", "another"}:
            assert ward.state.enabled_percent == 0
        shown = view.snapshot(ORDER, ward.state)
        assert shown.phase is ward.phase
        assert bool(shown.waits_for) is not ward.state.over


@pytest.mark.parametrize("function", sorted(set(Function) - {Function.IT_LEAD}))
def test_only_the_it_lead_tests_confirms_and_re_enables(function: Function) -> None:
    somebody = Actor(role=function.value, id="m-2")
    ward = after(*STEPS, "fix")
    with pytest.raises(Forbidden):
        ward.test(by=somebody)
    ward.test()
    with pytest.raises(Forbidden):
        ward.confirm(by=somebody)
    ward.confirm()
    with pytest.raises(Forbidden):
        ward.enable(by=somebody)


@pytest.mark.parametrize("step_id", STEPS)
@pytest.mark.parametrize("function", Function)
def test_a_step_is_acknowledged_by_its_owners_only(step_id: str, function: Function) -> None:
    ward = after(*STEPS[: STEPS.index(step_id)])
    somebody = Actor(role=function.value, id="m-2")
    if function in rules.step_of(POLICY, step_id).owners:
        ward.step(step_id, by=somebody)
        assert ward.state.steps[step_id].by == somebody
    else:
        with pytest.raises(Forbidden):
            ward.step(step_id, by=somebody)


@pytest.mark.parametrize(
    ("done", "clock"),
    [
        ((), "awaiting_fix"),
        (("fix",), "awaiting_validation"),
        (("fix", "fails"), "awaiting_fix"),
        (("fix", "passes"), "awaiting_root_cause"),
        (("fix", "passes", "confirm"), None),
        ((*STEPS, "fix", "passes", "confirm"), "awaiting_stage"),
        ((*STEPS, "fix", "passes", "confirm", "enable"), None),
        ((*STEPS, "fix", "passes", "confirm", "enable", "watched"), "awaiting_stage"),
        (TO_THE_END, None),
    ],
)
def test_whoever_is_waited_for_is_reminded(done: tuple[str, ...], clock: str | None) -> None:
    found = rules.awaited(after(*done).state, POLICY)
    assert (found.name if found else None) == clock


def test_the_board_sees_what_is_late() -> None:
    ward = after("central_contacted")
    ward.now = START + 2 * HOUR + timedelta(seconds=1)
    ward.step("manual_workflows")
    late = {step.step_id: step.late for step in view.steps(ward.state, POLICY)}
    assert (late["central_contacted"], late["manual_workflows"], late["vendor_notified"]) == (False, True, False)


def test_its_card_says_what_is_wrong_and_what_is_missing() -> None:
    lines = view.remarks(after(*TO_THE_END[:-5], "relapse").state, POLICY)
    assert lines[0].startswith("caused by sync_failure")
    assert lines[1].startswith("round 2")
    assert "communication is 0 % on" in lines
    assert "root_cause_confirmed" in lines[-1]


def test_a_cancelled_one_leaves_communication_off() -> None:
    ward = after(*TO_THE_END[:-5])
    assert ward.state.enabled_percent == 25
    ward.state.cancelled_at = ward.now
    assert (ward.phase, ward.state.enabled_percent) == (RollbackPhase.CANCELLED, 0)
