"""What a location needs for its launch, what is on and off, and how its rollbacks begin, grow and end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actors import SYSTEM
from domain.errors import Invalid, Refused
from domain.rollout.holds import Hold
from domain.rollout.integration.state import MigrationStage, MigrationState
from domain.rollout.location import acts, rollbacks, rules, view
from domain.rollout.location.state import Baseline, Cause, LocationState
from domain.rollout.news import Clearance, GoLiveDue, IssueClass, RollbackNews, WavePlanned
from domain.rollout.orders import LocationOrder
from domain.rollout.phases import LocationPhase, RollbackPhase
from domain.rollout.program import PracticeSystem, PracticeSystemName
from domain.rollout.tasks import CompleteTask, TaskState, WaiveTask
from domain.rollout.training.state import Slot
from domain.rollout.triggers import SyncSample, TelemetryNews
from tests.domain.rollout.locations import DAY, EVERYTHING, IT, MANAGER, REGION, location_order, ready, report

NOW = datetime(2026, 1, 7, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORDER = location_order(NOW)
OUTDATED = location_order(NOW, outdated=True)


def hold(reason: str = "executive") -> Hold:
    return Hold(reason=reason, since=NOW, by=SYSTEM)


def cause(issue: IssueClass = IssueClass.SYNC_FAILURE) -> Cause:
    return Cause(issue=issue, at=NOW, by=SYSTEM, evidence=f"{issue}-1")


def live() -> LocationState:
    state = ready(ORDER, NOW)
    state.live_at, state.base_percent = NOW, rules.FULL
    return state


def without_task(task_id: str) -> Callable[[LocationState], None]:
    def change(state: LocationState) -> None:
        state.tasks[task_id] = TaskState()

    return change


def without_clearance(clearance: Clearance) -> Callable[[LocationState], None]:
    def change(state: LocationState) -> None:
        state.news = state.news.model_copy(update={"clearances": EVERYTHING - {clearance}})

    return change


def _unsigned(state: LocationState) -> None:
    steps = dict(state.integration.steps)
    del steps["sign_off"]
    state.integration = state.integration.model_copy(update={"steps": steps})


def _case_failed(state: LocationState) -> None:
    failed = report(ORDER, NOW, failed="opt_out")
    state.integration = state.integration.model_copy(update={"validation": failed})


def _not_validated(state: LocationState) -> None:
    state.integration = state.integration.model_copy(update={"validation": None})


def _history_not_imported(state: LocationState) -> None:
    begun = MigrationState(applicable=True, stage=MigrationStage.EXPORTED)
    state.integration = state.integration.model_copy(update={"migration": begun})


def _no_baseline(state: LocationState) -> None:
    state.baseline = None


def _inaccurate(state: LocationState) -> None:
    state.baseline = Baseline(at=NOW, by=REGION, accurate=False)


def _no_backup(state: LocationState) -> None:
    champions = {slot: one for slot, one in state.training.champions.items() if slot is Slot.PRIMARY}
    state.training = state.training.model_copy(update={"champions": champions})


def _not_certified(state: LocationState) -> None:
    primary = state.training.champions[Slot.PRIMARY]
    uncertified = primary.model_copy(update={"certification": type(primary.certification)()})
    champions = {**state.training.champions, Slot.PRIMARY: uncertified}
    state.training = state.training.model_copy(update={"champions": champions})


def _untrained(state: LocationState) -> None:
    groups = {group: one for group, one in state.training.groups.items() if group != "front_desk"}
    state.training = state.training.model_copy(update={"groups": groups})


def _held(state: LocationState) -> None:
    state.news = state.news.model_copy(update={"holds": (hold("systemic:outage"),)})


def _rolled_back(state: LocationState) -> None:
    rollbacks.begin(state, cause(), NOW)


MISSING: list[tuple[Callable[[LocationState], None], str]] = [
    *((without_clearance(each), f"clearance.{each}") for each in Clearance),
    (_no_baseline, "baseline.validated"),
    (_inaccurate, "baseline.validated"),
    (_unsigned, "integration.steps"),
    (_case_failed, "integration.validation"),
    (_not_validated, "integration.validation"),
    (_history_not_imported, "integration.migration"),
    (_not_certified, "training.certification"),
    (_no_backup, "training.backup"),
    (_untrained, "training.front_desk"),
    *((without_task(each), f"task.{each}") for each in ("internet", "practice_system_version", "data_schema")),
    *((without_task(each), f"task.{each}") for each in ("test_anonymised", "test_named")),
    (_held, "hold.systemic:outage"),
    (_rolled_back, "hold.rollback:1"),
]


@pytest.mark.parametrize(("take", "code"), MISSING, ids=[f"{n}-{code}" for n, (_, code) in enumerate(MISSING)])
def test_each_missing_piece_alone_keeps_it_from_going_live(take: Callable[[LocationState], None], code: str) -> None:
    state = ready(ORDER, NOW)
    state.due = GoLiveDue(sequence=1, wave=1, at=NOW)
    assert rules.may_go_live(ORDER, state, NOW)
    take(state)
    assert rules.missing_for_go_live(ORDER, state) == (code,)
    assert not rules.may_go_live(ORDER, state, NOW)
    assert rules.launch_is_blocked(ORDER, state, NOW)


@given(st.lists(st.sampled_from(range(len(MISSING))), unique=True))
def test_everything_that_is_missing_is_listed_at_once(chosen: list[int]) -> None:
    state = ready(ORDER, NOW)
    for number in chosen:
        MISSING[number][0](state)
    found = rules.missing_for_go_live(ORDER, state)
    assert len(set(found)) == len(found)
    assert bool(found) == bool(chosen)
    own = {MISSING[number][1] for number in chosen if not MISSING[number][1].startswith("clearance.")}
    assert own <= set(found), "of clearances each case takes another one away"


def test_outdated_hardware_keeps_it_from_going_live_until_it_is_replaced() -> None:
    state = ready(OUTDATED, NOW)
    state.tasks["hardware_upgrade"] = TaskState()
    assert rules.missing_for_go_live(OUTDATED, state) == ("task.hardware_upgrade",)
    asked = WaiveTask(actor=IT, task_id="hardware_upgrade", reason="later")
    with pytest.raises(Refused) as refused:
        rules.may_waive_task(OUTDATED, state, asked)
    assert refused.value.code == "task.critical"
    assert "hardware_upgrade" not in {spec.task_id for spec in rules.checklist(ORDER)}


def test_a_task_that_is_not_critical_keeps_nothing_from_going_live() -> None:
    state = ready(ORDER, NOW)
    state.tasks["browsers"] = TaskState()
    assert rules.missing_for_go_live(ORDER, state) == ()


def test_is_not_launched_before_its_wave_calls_nor_before_the_hour() -> None:
    state = ready(ORDER, NOW)
    assert not rules.may_go_live(ORDER, state, NOW)
    state.due = GoLiveDue(sequence=1, wave=1, at=NOW + HOUR)
    assert not rules.may_go_live(ORDER, state, NOW)
    assert rules.next_moment(state, NOW) == NOW + HOUR
    assert rules.may_go_live(ORDER, state, NOW + HOUR)


@pytest.mark.parametrize(
    ("planned", "put_off"),
    [
        ({"go_live_at": NOW - HOUR}, False),
        ({"go_live_at": NOW + DAY}, True),
        ({"wave": 2}, True),
        ({"wave": None, "go_live_at": None}, True),
    ],
)
def test_another_wave_or_a_later_day_puts_a_launch_off(planned: dict[str, object], put_off: bool) -> None:
    state = ready(ORDER, NOW)
    state.due = GoLiveDue(sequence=1, wave=1, at=NOW)
    before = WavePlanned(sequence=2, wave=1, integration_from=NOW, go_live_at=NOW)
    assert rules.is_put_off(state, before.model_copy(update=planned), NOW) is put_off


# -- its phase


def test_its_phase_follows_from_its_state() -> None:
    state = LocationState(planned=ORDER.planned, news=ORDER.news)
    state.tasks = {spec.task_id: TaskState() for spec in rules.checklist(ORDER)}
    assert rules.phase(ORDER, state) is LocationPhase.WAITING
    state.preparing_since = NOW
    assert rules.phase(ORDER, state) is LocationPhase.PREPARING
    _held(state)
    assert rules.phase(ORDER, state) is LocationPhase.ON_HOLD
    state = ready(ORDER, NOW)
    assert rules.phase(ORDER, state) is LocationPhase.READY
    state = live()
    _held(state)
    assert rules.phase(ORDER, state) is LocationPhase.LIVE, "a hold is about going forward"
    rollbacks.begin(state, cause(), NOW)
    assert rules.phase(ORDER, state) is LocationPhase.ROLLED_BACK
    hear(state, RollbackPhase.RE_ENABLING, 25)
    assert rules.phase(ORDER, state) is LocationPhase.RE_ENABLING
    state.closed_at = NOW
    assert rules.phase(ORDER, state) is LocationPhase.CLOSED


def test_holds_of_the_programme_and_its_own_rollback_stand_side_by_side() -> None:
    state = ready(ORDER, NOW)
    _held(state)
    _rolled_back(state)
    assert [one.reason for one in rules.holds(state)] == ["systemic:outage", "rollback:1"]
    state.live_at = NOW
    assert [one.reason for one in rules.holds(state)] == ["systemic:outage"]


# -- what is on


def hear(state: LocationState, phase: RollbackPhase, percent: int = 0, sequence: int | None = None) -> bool:
    latest = state.rollback.heard if state.rollback else 0
    news = RollbackNews(sequence=sequence or latest + 1, number=1, phase=phase, enabled_percent=percent, by=IT)
    return rollbacks.hear(state, news, NOW) is not None


def test_nothing_is_sent_before_the_launch_nor_without_consent() -> None:
    assert rules.wanted_percent(ready(ORDER, NOW)) == 0
    state = live()
    assert (rules.wanted_percent(state), rules.comms_reason(state)) == (100, "live")
    without_clearance(Clearance.CONSENT)(state)
    assert (rules.wanted_percent(state), rules.comms_reason(state)) == (0, "no_consent")


def test_a_rollback_switches_off_and_its_stages_switch_on() -> None:
    state = live()
    rollbacks.begin(state, cause(), NOW)
    found = [rules.wanted_percent(state)]
    for phase, percent in (
        (RollbackPhase.SHORT_TERM, 0),
        (RollbackPhase.RE_ENABLING, 25),
        (RollbackPhase.RE_ENABLING, 50),
        (RollbackPhase.RE_ENABLING, 100),
        (RollbackPhase.RESOLVED, 100),
    ):
        assert hear(state, phase, percent)
        found.append(rules.wanted_percent(state))
    assert found == [0, 0, 25, 50, 100, 100]
    assert state.rollback is None
    assert rules.comms_reason(state) == "live"


def test_a_cancelled_rollback_leaves_everything_off() -> None:
    state = live()
    rollbacks.begin(state, cause(), NOW)
    assert hear(state, RollbackPhase.CANCELLED)
    assert state.rollback is None
    assert (rules.wanted_percent(state), rules.comms_reason(state)) == (0, "rollback_cancelled")
    assert rules.phase(ORDER, state) is LocationPhase.ROLLED_BACK


def test_a_stage_that_was_on_its_way_when_the_trouble_came_back_switches_nothing_on() -> None:
    state = live()
    rollback = rollbacks.begin(state, cause(), NOW)
    hear(state, RollbackPhase.RE_ENABLING, 25)
    assert state.rollback is not None
    rollback = rollbacks.add_cause(state, state.rollback, cause())
    assert (rollback.relapsed, rules.wanted_percent(state)) == (True, 0)
    assert not hear(state, RollbackPhase.RE_ENABLING, 50)
    assert not hear(state, RollbackPhase.RESOLVED, 100)
    assert rules.wanted_percent(state) == 0
    assert hear(state, RollbackPhase.IMMEDIATE)
    assert hear(state, RollbackPhase.RE_ENABLING, 25), "after it has taken the relapse in"
    assert rules.wanted_percent(state) == 25


def test_old_news_of_a_rollback_change_nothing() -> None:
    state = live()
    rollbacks.begin(state, cause(), NOW)
    assert hear(state, RollbackPhase.RE_ENABLING, 25, sequence=7)
    assert not hear(state, RollbackPhase.IMMEDIATE, 0, sequence=7)
    assert not hear(state, RollbackPhase.IMMEDIATE, 0, sequence=6)
    assert rules.wanted_percent(state) == 25


def test_a_rollback_hears_of_another_class_of_issue_and_of_trouble_while_it_re_enables() -> None:
    state = live()
    rollback = rollbacks.begin(state, cause(), NOW)
    assert not rollbacks.is_news(rollback, cause())
    assert rollbacks.is_news(rollback, cause(IssueClass.OUTAGE))
    rollback = rollbacks.add_cause(state, rollback, cause(IssueClass.OUTAGE))
    assert rollback.issues == (IssueClass.SYNC_FAILURE, IssueClass.OUTAGE)
    assert not rollback.relapsed
    assert not rollbacks.is_news(rollback, cause(IssueClass.OUTAGE))
    hear(state, RollbackPhase.RE_ENABLING, 25)
    assert state.rollback is not None
    assert rollbacks.is_news(state.rollback, cause())


@given(st.lists(st.tuples(st.sampled_from([*RollbackPhase]), st.sampled_from([0, 25, 50, 100])), max_size=12))
def test_whatever_a_rollback_says_nothing_is_on_before_it_re_enables(
    told: list[tuple[RollbackPhase, int]],
) -> None:
    state = live()
    rollbacks.begin(state, cause(), NOW)
    for number, (phase, percent) in enumerate(told, 1):
        on = percent if phase in rules.SAFE_PHASES else 0  # as the rollback itself tells it
        hear(state, phase, on, sequence=number)
        if state.rollback is not None and state.rollback.phase not in rules.SAFE_PHASES:
            assert rules.wanted_percent(state) == 0


# -- the checklist


def refusal(order: LocationOrder, state: LocationState, task_id: str, evidence_id: str | None = "e-1") -> Refused:
    with pytest.raises(Refused) as refused:
        rules.may_complete_task(order, state, CompleteTask(actor=IT, task_id=task_id, evidence_id=evidence_id))
    return refused.value


def opened(order: LocationOrder = ORDER) -> LocationState:
    state = LocationState(planned=order.planned, news=order.news)
    state.tasks = {spec.task_id: TaskState() for spec in rules.checklist(order)}
    return state


def test_the_internet_is_measured_not_declared() -> None:
    assert refusal(ORDER, opened(), "internet").code == "task.measurement_needed"


@pytest.mark.parametrize(
    ("down", "up", "enough"), [("25", "10", True), ("24.99", "10", False), ("25", "9.99", False), ("500", "500", True)]
)
def test_the_internet_has_25_down_and_10_up(down: str, up: str, enough: bool) -> None:
    asked = acts.MeasureNetwork(actor=IT, down_mbps=Decimal(down), up_mbps=Decimal(up), evidence_id="e-1")
    assert rules.meets(ORDER.policy.minimums, asked) is enough


def test_an_outdated_practice_system_is_upgraded_before_its_version_is_accepted() -> None:
    old = location_order(NOW, system=PracticeSystem(name=PracticeSystemName.DENTRIX, version="G7.2"))
    state = opened(old)
    state.tasks["practice_system"] = TaskState(status="done")
    assert refusal(old, state, "practice_system_version").code == "practice_system.outdated"
    state.practice_system = PracticeSystem(name=PracticeSystemName.DENTRIX, version="G7.3")
    rules.may_complete_task(old, state, CompleteTask(actor=IT, task_id="practice_system_version", evidence_id="e-1"))


def test_tasks_wait_for_those_before_them_and_for_evidence() -> None:
    state = opened()
    assert refusal(ORDER, state, "vendor_addresses").missing == ("firewall",)
    assert refusal(ORDER, state, "firewall", None).code == "task.evidence_missing"


def test_only_the_regional_manager_validates_a_baseline_once() -> None:
    state = opened()
    with pytest.raises(Refused) as refused:
        rules.may_validate_baseline(state, acts.ValidateBaseline(actor=MANAGER, accurate=True))
    assert refused.value.code == "baseline.regional_manager_needed"
    _inaccurate(state)
    rules.may_validate_baseline(state, acts.ValidateBaseline(actor=REGION, accurate=True))
    state.baseline = Baseline(at=NOW, by=REGION, accurate=True)
    with pytest.raises(Refused) as refused:
        rules.may_validate_baseline(state, acts.ValidateBaseline(actor=REGION, accurate=True))
    assert refused.value.code == "baseline.validated"


def test_nothing_is_done_at_a_location_whose_programme_is_over() -> None:
    state = opened()
    state.closed_at = NOW
    assert refusal(ORDER, state, "firewall").code == "location.closed"


def test_a_version_that_cannot_be_read_is_not_recorded() -> None:
    unreadable = PracticeSystem.model_construct(name=PracticeSystemName.DENTRIX, version="new")
    asked = acts.RecordPracticeSystem.model_construct(actor=IT, practice_system=unreadable)
    with pytest.raises(Invalid):
        rules.may_record_practice_system(ORDER, opened(), asked)


def test_a_baseline_is_due_a_week_before_the_pilot_or_before_its_own_launch() -> None:
    state = opened()
    assert rules.baseline_due(ORDER.policy, state) == NOW + 7 * DAY
    state.planned = state.planned.model_copy(update={"baselines_due": NOW + 2 * DAY})
    assert rules.baseline_due(ORDER.policy, state) == NOW + 2 * DAY
    state.planned = WavePlanned(sequence=2, wave=None, integration_from=None, go_live_at=None)
    assert rules.baseline_due(ORDER.policy, state) is None


# -- what the others hear


def test_others_hear_of_changes_only_and_of_what_is_missing_from_the_launch_on() -> None:
    state = opened()
    assert view.is_worth_telling(state, view.news(ORDER, state))
    state.told, state.told_wave = view.news(ORDER, state), 1
    state.sequence += 1
    state.tasks["data_schema"] = TaskState(status="done")
    assert not view.is_worth_telling(state, view.news(ORDER, state))
    state.due = GoLiveDue(sequence=1, wave=1, at=NOW)
    assert view.is_worth_telling(state, view.news(ORDER, state))


def test_the_news_names_every_issue_of_an_open_rollback() -> None:
    state = live()
    rollback = rollbacks.begin(state, cause(), NOW)
    rollbacks.add_cause(state, rollback, cause(IssueClass.OUTAGE))
    news = view.news(ORDER, state)
    assert (news.issue, news.further_issues) == (IssueClass.SYNC_FAILURE, (IssueClass.OUTAGE,))
    assert (news.deployed, news.rollbacks, news.missing) == (True, 1, ())


@pytest.mark.parametrize(("failed", "since", "failure"), [(6, 0, True), (5, 0, False), (6, 2, False)])
def test_a_sync_failure_while_an_integration_is_watched(failed: int, since: int, failure: bool) -> None:
    sample = SyncSample(from_at=NOW, until_at=NOW + HOUR, total=100, failed=failed)
    news = TelemetryNews(batch_id="b-1", samples=(sample,))
    assert rules.shows_sync_failure(news, ORDER.triggers, NOW + since * HOUR) is failure
