"""Champions of a location: nomination, takeover, certification (L-02 to L-05)."""

from __future__ import annotations

from datetime import datetime

from domain.actors import SYSTEM, Actor
from domain.errors import Forbidden, Refused
from domain.rollout.people import VENDOR, Function
from domain.rollout.training.acts import NominateChampion, RecordCertificationStep, RecordQuiz, ReplaceChampion
from domain.rollout.training.policy import CertificationStep, TrainingPolicy
from domain.rollout.training.scores import advice, champion_score
from domain.rollout.training.state import Champion, Quiz, Slot, Takeover, TrainingState


def may_nominate(state: TrainingState, policy: TrainingPolicy, asked: NominateChampion) -> None:
    """Raises `Invalid` (see `champion_score`), `Refused` (`champion.slot_taken`, `champion.both_slots`)."""
    champion_score(policy.champion, asked.scores)
    if asked.slot in state.champions:
        raise Refused("champion.slot_taken", "there is one already: replace them first", missing=("champion.replaced",))
    if any(champion.member_id == asked.member_id for champion in state.champions.values()):
        raise Refused("champion.both_slots", "champion and backup are two people")


def nominate(state: TrainingState, policy: TrainingPolicy, asked: NominateChampion, now: datetime) -> TrainingState:
    score = champion_score(policy.champion, asked.scores)
    champion = Champion(
        member_id=asked.member_id,
        scores=asked.scores,
        score=score,
        advice=advice(policy.champion, score, asked.tenure_months),
        nominated_at=now,
        nominated_by=asked.actor,
    )
    return _with(state, {**state.champions, asked.slot: champion})


def may_replace(state: TrainingState, asked: ReplaceChampion) -> None:
    """Raises `Refused` (`champion.none`)."""
    _require(state, asked.slot)


def replace(state: TrainingState, asked: ReplaceChampion, now: datetime) -> TrainingState:
    """In the place of a primary champion comes the backup with their certification, if there is one."""
    if asked.slot is Slot.BACKUP:
        return _with(state, {slot: one for slot, one in state.champions.items() if slot is not Slot.BACKUP})
    backup = state.champions.get(Slot.BACKUP)
    taken_over = Takeover(at=now, by=asked.actor, reason=asked.reason)
    left = {} if backup is None else {Slot.PRIMARY: backup}
    return _with(state, left).model_copy(update={"takeovers": (*state.takeovers, taken_over)})


def take_over(state: TrainingState, now: datetime) -> TrainingState:
    """The primary champion is silent: they and the backup change places (L-03). Without a backup nothing changes."""
    primary, backup = state.champions.get(Slot.PRIMARY), state.champions.get(Slot.BACKUP)
    if primary is None or backup is None:
        return state
    taken_over = Takeover(at=now, by=SYSTEM, reason="champion.silent")
    changed = _with(state, {Slot.PRIMARY: backup, Slot.BACKUP: primary})
    return changed.model_copy(update={"takeovers": (*state.takeovers, taken_over)})


def acting_champion(state: TrainingState, actor: Actor) -> Slot | None:
    """The slot that this actor holds."""
    return next((slot for slot, champion in state.champions.items() if champion.member_id == actor.id), None)


def may_certify(state: TrainingState, policy: TrainingPolicy, asked: RecordCertificationStep) -> None:
    """Raises `Forbidden` (`certification.not_owner`), `Refused` (`champion.none`, `certification.quiz_needed`,
    `certification.step_done`, `certification.out_of_order`)."""
    if asked.step is CertificationStep.QUIZ:
        raise Refused("certification.quiz_needed", "record the quiz with its result", missing=("quiz.percent",))
    _may_do(state, policy, asked.slot, asked.step, asked.actor)


def certify(state: TrainingState, asked: RecordCertificationStep, now: datetime) -> TrainingState:
    return _done(state, asked.slot, asked.step, now)


def may_record_quiz(state: TrainingState, policy: TrainingPolicy, asked: RecordQuiz) -> None:
    """As often as it takes, until it is passed. Raises as `may_certify` does."""
    _may_do(state, policy, asked.slot, CertificationStep.QUIZ, asked.actor)


def record_quiz(state: TrainingState, policy: TrainingPolicy, asked: RecordQuiz, now: datetime) -> TrainingState:
    passed = asked.percent > policy.certification.quiz_pass_above_percent
    champion = state.champions[asked.slot]
    quiz = Quiz(at=now, by=asked.actor, percent=asked.percent, passed=passed)
    taken = champion.certification.model_copy(update={"quiz": quiz, "quizzes": champion.certification.quizzes + 1})
    after = _with(state, {**state.champions, asked.slot: champion.model_copy(update={"certification": taken})})
    return _done(after, asked.slot, CertificationStep.QUIZ, now) if passed else after


def _may_do(state: TrainingState, policy: TrainingPolicy, slot: Slot, step: CertificationStep, actor: Actor) -> None:
    champion = _require(state, slot)
    done = champion.certification.done
    if step in done:
        raise Refused("certification.step_done", "this step is done already")
    due = next(each for each in CertificationStep if each not in done)
    if due is not step:
        raise Refused("certification.out_of_order", "another step comes first", missing=(due,))
    owners = {str(owner) for owner in policy.certification.spec(step).owners}
    if not owners.isdisjoint(VENDOR):
        owners.update(VENDOR)
    by_champion = actor.role in (Function.CHAMPION, Function.BACKUP_CHAMPION)
    if actor.role not in owners or (by_champion and actor.id != champion.member_id):
        raise Forbidden("certification.not_owner", "this step is not this person's to record")


def _require(state: TrainingState, slot: Slot) -> Champion:
    found = state.champions.get(slot)
    if found is None:
        raise Refused("champion.none", "nobody is nominated for this slot", missing=("champion.nominated",))
    return found


def _done(state: TrainingState, slot: Slot, step: CertificationStep, now: datetime) -> TrainingState:
    champion = state.champions[slot]
    certification = champion.certification.model_copy(update={"done": {**champion.certification.done, step: now}})
    return _with(state, {**state.champions, slot: champion.model_copy(update={"certification": certification})})


def _with(state: TrainingState, champions: dict[Slot, Champion]) -> TrainingState:
    return state.model_copy(update={"champions": champions})
