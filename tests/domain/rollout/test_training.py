"""Champions, their certification, role groups, new hires, adoption (L)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import policy
from domain.actors import Actor
from domain.clock import ClockPolicy
from domain.errors import CarewaveError
from domain.rollout.training import champions, rules
from domain.rollout.training.acts import (
    AttestAdoption,
    NominateChampion,
    RecordCertificationStep,
    RecordQuiz,
    RecordTraining,
    RegisterNewHire,
    ReplaceChampion,
    ReportAdoption,
    TrainNewHire,
)
from domain.rollout.training.policy import CertificationStep, Criterion, RoleGroup
from domain.rollout.training.scores import champion_score, share
from domain.rollout.training.state import Slot, TrainingState

POLICY = policy.load().rollout.training
NOW = datetime(2026, 2, 3, 15, tzinfo=UTC)
DAY = timedelta(days=1)
MANAGER = Actor(role="regional_manager", id="m-rm")
CHAMPION = Actor(role="champion", id="m-ch")
BACKUP = Actor(role="backup_champion", id="m-bu")
VENDOR = Actor(role="vendor_customer_success", id="m-v")
CDO = Actor(role="chief_dental_officer", id="m-cdo")
FOUR = dict.fromkeys(Criterion, 4)
HOLDERS = {Slot.PRIMARY: CHAMPION, Slot.BACKUP: BACKUP}
KIT, QUIZ = CertificationStep.RESOURCE_KIT, CertificationStep.QUIZ
BEFORE_QUIZ = {
    CertificationStep.E_LEARNING: CHAMPION,
    CertificationStep.LIVE_TRAINING: VENDOR,
    CertificationStep.PRACTICE: CHAMPION,
}


def nomination(slot: Slot = Slot.PRIMARY, **changes: object) -> NominateChampion:
    asked = NominateChampion(actor=MANAGER, slot=slot, member_id=HOLDERS[slot].id, scores=FOUR, tenure_months=24)
    return asked.model_copy(update=changes)


def nominated(*slots: Slot) -> TrainingState:
    state = TrainingState()
    for slot in slots or (Slot.PRIMARY,):
        champions.may_nominate(state, POLICY, nomination(slot))
        state = champions.nominate(state, POLICY, nomination(slot), NOW)
    return state


def step(state: TrainingState, slot: Slot, which: CertificationStep, actor: Actor) -> TrainingState:
    asked = RecordCertificationStep(actor=actor, slot=slot, step=which)
    champions.may_certify(state, POLICY, asked)
    return champions.certify(state, asked, NOW)


def ready_for_quiz(state: TrainingState, slot: Slot = Slot.PRIMARY) -> TrainingState:
    for which, actor in BEFORE_QUIZ.items():
        state = step(state, slot, which, HOLDERS[slot] if actor is CHAMPION else actor)
    return state


def quiz(state: TrainingState, percent: str, slot: Slot = Slot.PRIMARY) -> TrainingState:
    asked = RecordQuiz(actor=VENDOR, slot=slot, percent=Decimal(percent))
    champions.may_record_quiz(state, POLICY, asked)
    return champions.record_quiz(state, POLICY, asked, NOW)


def certified(*slots: Slot) -> TrainingState:
    state = nominated(*slots)
    for slot in slots or (Slot.PRIMARY,):
        state = quiz(ready_for_quiz(state, slot), "81", slot)
    return state


def trained(state: TrainingState | None = None, **counts: tuple[int, int]) -> TrainingState:
    state = state or certified()
    for group, (done, total) in (counts or {group.value: (4, 4) for group in RoleGroup}).items():
        asked = RecordTraining(actor=CHAMPION, group=RoleGroup(group), trained=done, total=total)
        rules.may_record_training(state, POLICY, asked)
        state = rules.record_training(state, asked, NOW)
    return state


def code_of(act: object, *arguments: object, **named: object) -> str:
    assert callable(act)
    with pytest.raises(CarewaveError) as error:
        act(*arguments, **named)
    return error.value.code


@pytest.mark.parametrize(
    ("scores", "score"),
    [((5, 5, 5, 5, 5), "5"), ((1, 1, 1, 1, 1), "1"), ((4, 3, 5, 2, 1), "3.2"), ((5, 1, 1, 1, 1), "2")],
)
def test_scores_a_champion_by_the_weights(scores: tuple[int, ...], score: str) -> None:
    assert champion_score(POLICY.champion, dict(zip(Criterion, scores, strict=True))) == Decimal(score)


@given(scores=st.fixed_dictionaries({criterion: st.integers(1, 5) for criterion in Criterion}))
def test_a_score_stays_on_the_scale(scores: dict[Criterion, int]) -> None:
    assert min(scores.values()) <= champion_score(POLICY.champion, scores) <= max(scores.values())


@pytest.mark.parametrize(
    ("scores", "code"),
    [
        ({}, "champion.scores_incomplete"),
        ({Criterion.TENURE: 3}, "champion.scores_incomplete"),
        (FOUR | {Criterion.TENURE: 0}, "champion.score_out_of_scale"),
        (FOUR | {Criterion.TENURE: 6}, "champion.score_out_of_scale"),
    ],
)
def test_each_criterion_gets_a_score_from_one_to_five(scores: dict[Criterion, int], code: str) -> None:
    assert code_of(champions.may_nominate, TrainingState(), POLICY, nomination(scores=scores)) == code


@pytest.mark.parametrize(
    ("score", "months", "advice"),
    [
        (3, 7, ()),
        (2, 7, ("champion.score_low",)),
        (3, 6, ("champion.tenure_short",)),
        (2, 0, ("champion.score_low", "champion.tenure_short")),
    ],
)
def test_advises_against_a_weak_champion_and_refuses_none(score: int, months: int, advice: tuple[str, ...]) -> None:
    asked = nomination(scores=dict.fromkeys(Criterion, score), tenure_months=months)
    champions.may_nominate(TrainingState(), POLICY, asked)
    champion = champions.nominate(TrainingState(), POLICY, asked, NOW).champion
    assert champion is not None
    assert champion.advice == advice


def test_a_slot_holds_one_and_a_person_one_slot() -> None:
    state = nominated()
    assert code_of(champions.may_nominate, state, POLICY, nomination()) == "champion.slot_taken"
    twice = nomination(Slot.BACKUP, member_id=CHAMPION.id)
    assert code_of(champions.may_nominate, state, POLICY, twice) == "champion.both_slots"


def test_the_backup_takes_over_from_a_silent_champion() -> None:
    state = champions.take_over(certified(Slot.PRIMARY, Slot.BACKUP), NOW)
    assert (state.champions[Slot.PRIMARY].member_id, state.champions[Slot.BACKUP].member_id) == (BACKUP.id, CHAMPION.id)
    assert state.champions[Slot.PRIMARY].certification.passed
    assert [takeover.reason for takeover in state.takeovers] == ["champion.silent"]


def test_without_a_backup_nobody_takes_over() -> None:
    assert champions.take_over(nominated(), NOW) == nominated()
    assert champions.take_over(TrainingState(), NOW) == TrainingState()


def test_a_champion_who_is_replaced_leaves_the_slot_to_the_backup() -> None:
    asked = ReplaceChampion(actor=MANAGER, slot=Slot.PRIMARY, reason="champion.left")
    with_backup = champions.replace(nominated(Slot.PRIMARY, Slot.BACKUP), asked, NOW)
    assert {slot: one.member_id for slot, one in with_backup.champions.items()} == {Slot.PRIMARY: BACKUP.id}
    assert champions.replace(nominated(), asked, NOW).champions == {}
    assert code_of(champions.may_replace, TrainingState(), asked) == "champion.none"


def test_a_backup_who_is_replaced_leaves_the_champion_alone() -> None:
    asked = ReplaceChampion(actor=MANAGER, slot=Slot.BACKUP, reason="champion.left")
    state = champions.replace(nominated(Slot.PRIMARY, Slot.BACKUP), asked, NOW)
    assert set(state.champions) == {Slot.PRIMARY}
    assert state.takeovers == ()


@pytest.mark.parametrize(
    ("percent", "passes"), [("0", False), ("79.99", False), ("80", False), ("80.01", True), ("81", True), ("100", True)]
)
def test_the_quiz_is_passed_above_80_percent(percent: str, passes: bool) -> None:
    champion = quiz(ready_for_quiz(nominated()), percent).champion
    assert champion is not None
    assert champion.certification.passed is passes


def test_the_quiz_is_taken_until_it_is_passed() -> None:
    state = quiz(quiz(ready_for_quiz(nominated()), "60"), "90")
    champion = state.champion
    assert champion is not None
    assert (champion.certification.quizzes, champion.certification.passed) == (2, True)
    again = RecordQuiz(actor=VENDOR, slot=Slot.PRIMARY, percent=Decimal(95))
    assert code_of(champions.may_record_quiz, state, POLICY, again) == "certification.step_done"


def test_the_kit_comes_after_the_quiz_was_passed() -> None:
    failed = quiz(ready_for_quiz(nominated()), "80")
    asked = RecordCertificationStep(actor=CHAMPION, slot=Slot.PRIMARY, step=KIT)
    assert code_of(champions.may_certify, failed, POLICY, asked) == "certification.out_of_order"
    assert champions.certify(quiz(failed, "81"), asked, NOW).champions[Slot.PRIMARY].certification.done[KIT] == NOW


@pytest.mark.parametrize(
    ("which", "actor", "code"),
    [
        (CertificationStep.LIVE_TRAINING, VENDOR, "certification.out_of_order"),
        (QUIZ, VENDOR, "certification.quiz_needed"),
        (CertificationStep.E_LEARNING, BACKUP, "certification.not_owner"),
        (CertificationStep.E_LEARNING, MANAGER, "certification.not_owner"),
    ],
)
def test_refuses_a_step_of_the_certification(which: CertificationStep, actor: Actor, code: str) -> None:
    asked = RecordCertificationStep(actor=actor, slot=Slot.PRIMARY, step=which)
    assert code_of(champions.may_certify, nominated(Slot.PRIMARY, Slot.BACKUP), POLICY, asked) == code


def test_no_champion_says_that_the_vendor_trained_them_or_that_they_passed() -> None:
    state = step(nominated(), Slot.PRIMARY, CertificationStep.E_LEARNING, CHAMPION)
    live = RecordCertificationStep(actor=CHAMPION, slot=Slot.PRIMARY, step=CertificationStep.LIVE_TRAINING)
    assert code_of(champions.may_certify, state, POLICY, live) == "certification.not_owner"
    own = RecordQuiz(actor=CHAMPION, slot=Slot.PRIMARY, percent=Decimal(100))
    assert code_of(champions.may_record_quiz, ready_for_quiz(nominated()), POLICY, own) == "certification.not_owner"


def test_nobody_is_certified_before_they_are_nominated() -> None:
    asked = RecordCertificationStep(actor=CHAMPION, slot=Slot.PRIMARY, step=CertificationStep.E_LEARNING)
    assert code_of(champions.may_certify, TrainingState(), POLICY, asked) == "champion.none"


def record(actor: Actor, group: RoleGroup = RoleGroup.FRONT_DESK, done: int = 3, total: int = 4) -> RecordTraining:
    return RecordTraining(actor=actor, group=group, trained=done, total=total)


def test_a_champion_trains_nobody_before_being_certified() -> None:
    asked = record(CHAMPION)
    assert code_of(rules.may_record_training, nominated(), POLICY, asked) == "training.not_certified"
    rules.may_record_training(certified(), POLICY, asked)


@pytest.mark.parametrize(
    ("actor", "group", "code"),
    [
        (MANAGER, RoleGroup.FRONT_DESK, "training.not_leader"),
        (CDO, RoleGroup.FRONT_DESK, "training.not_leader"),
        (BACKUP, RoleGroup.FRONT_DESK, "training.not_champion"),
        (Actor(role="champion", id="m-stranger"), RoleGroup.FRONT_DESK, "training.not_champion"),
    ],
)
def test_a_course_is_led_by_its_leaders(actor: Actor, group: RoleGroup, code: str) -> None:
    assert code_of(rules.may_record_training, certified(), POLICY, record(actor, group)) == code


def test_the_chief_dental_officer_may_lead_the_course_for_providers() -> None:
    rules.may_record_training(TrainingState(), POLICY, record(CDO, RoleGroup.PROVIDERS))


def test_no_more_are_trained_than_there_are() -> None:
    assert code_of(rules.may_record_training, certified(), POLICY, record(CHAMPION, done=5)) == (
        "training.counts_impossible"
    )


def test_names_what_is_missing_for_a_go_live() -> None:
    groups = tuple(f"training.{group}" for group in RoleGroup)
    assert rules.missing(TrainingState(), POLICY) == ("training.champion", *groups)
    assert rules.missing(nominated(), POLICY) == ("training.certification", *groups)
    partly = trained(front_desk=(3, 4), providers=(2, 2), clinical_staff=(0, 0))
    assert rules.missing(partly, POLICY) == ("training.front_desk", "training.office_managers")
    assert rules.missing(trained(), POLICY) == ()


def hire(starts_at: datetime = NOW, state: TrainingState | None = None) -> TrainingState:
    asked = RegisterNewHire(actor=CHAMPION, hire_id="h-1", group=RoleGroup.FRONT_DESK, starts_at=starts_at)
    state = state or certified()
    rules.may_register_new_hire(state, POLICY, asked)
    return rules.register_new_hire(state, asked, NOW)


def times(clock: ClockPolicy) -> list[timedelta]:
    return [milestone.after for milestone in clock.milestones]


@pytest.mark.parametrize("days", [-10, -2, 0, 3])
def test_the_week_of_a_new_hire_counts_from_their_first_day(days: int) -> None:
    state = hire(NOW + days * DAY)
    clock = rules.new_hire_clock(POLICY, state.new_hires["h-1"], NOW)
    assert clock.name == "new_hire:h-1"
    assert times(clock) == [(5 + days) * DAY, (7 + days) * DAY, (9 + days) * DAY]


def test_a_new_hire_is_trained_once_and_not_before_they_are_there() -> None:
    asked = TrainNewHire(actor=CHAMPION, hire_id="h-1")
    assert code_of(rules.may_train_new_hire, hire(NOW + DAY), POLICY, asked, NOW) == "new_hire.not_there_yet"
    assert code_of(rules.may_train_new_hire, certified(), POLICY, asked, NOW) == "new_hire.unknown"
    state = rules.train_new_hire(hire(), asked, NOW + DAY)
    assert state.new_hires["h-1"].trained_at == NOW + DAY
    assert code_of(rules.may_train_new_hire, state, POLICY, asked, NOW) == "new_hire.trained"


def test_a_new_hire_is_registered_once() -> None:
    asked = RegisterNewHire(actor=CHAMPION, hire_id="h-1", group=RoleGroup.PROVIDERS, starts_at=NOW)
    assert code_of(rules.may_register_new_hire, hire(), POLICY, asked) == "new_hire.registered"


def test_new_hires_count_among_those_trained() -> None:
    state = hire(state=trained(front_desk=(3, 4)))
    assert (state.trained, state.total) == (3, 5)
    state = rules.train_new_hire(state, TrainNewHire(actor=CHAMPION, hire_id="h-1"), NOW)
    assert (state.trained, state.total) == (4, 5)


@pytest.mark.parametrize(("using", "percent"), [(16, "100"), (15, "93.75"), (0, "0")])
def test_adoption_is_a_share_of_those_trained(using: int, percent: str) -> None:
    asked = ReportAdoption(actor=CHAMPION, using=using)
    rules.may_report_adoption(trained(), asked, live=True)
    state = rules.report_adoption(trained(), asked, NOW)
    assert state.report is not None
    assert (state.reports, state.report.trained, state.report.percent) == (1, 16, Decimal(percent))


@given(whole=st.integers(1, 10_000), data=st.data())
def test_only_all_of_them_are_100_percent(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    assert (share(part, whole) == 100) is (part == whole)


@pytest.mark.parametrize(
    ("state", "actor", "using", "live", "code"),
    [
        (trained(), CHAMPION, 16, False, "adoption.not_live"),
        (certified(), CHAMPION, 0, True, "adoption.nobody_trained"),
        (trained(), CHAMPION, 17, True, "adoption.counts_impossible"),
        (trained(), MANAGER, 16, True, "training.not_champion"),
        (trained(), BACKUP, 16, True, "training.not_champion"),
    ],
)
def test_refuses_a_report(state: TrainingState, actor: Actor, using: int, live: bool, code: str) -> None:
    report = ReportAdoption(actor=actor, using=using)
    attest = AttestAdoption(actor=actor, using=using)
    assert code_of(rules.may_report_adoption, state, report, live=live) == code
    assert code_of(rules.may_attest_adoption, state, attest, live=live) == code


def test_the_backup_may_report_and_only_the_champion_attests() -> None:
    state = trained(certified(Slot.PRIMARY, Slot.BACKUP))
    rules.may_report_adoption(state, ReportAdoption(actor=BACKUP, using=16), live=True)
    attest = AttestAdoption(actor=BACKUP, using=16)
    assert code_of(rules.may_attest_adoption, state, attest, live=True) == "training.not_champion"
    rules.may_attest_adoption(champions.take_over(state, NOW), attest, live=True)


def test_an_attestation_is_kept_with_its_numbers() -> None:
    state = rules.attest_adoption(trained(), AttestAdoption(actor=CHAMPION, using=16, evidence_id="e-1"), NOW)
    assert state.attestation is not None
    assert (state.attestation.percent, state.attestation.by, state.attestation.at) == (Decimal(100), CHAMPION, NOW)


def test_travels_through_json_unchanged() -> None:
    state = rules.attest_adoption(trained(hire()), AttestAdoption(actor=CHAMPION, using=3), NOW)
    assert TrainingState.model_validate_json(state.model_dump_json()) == state
