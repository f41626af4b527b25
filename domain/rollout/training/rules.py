"""Training at a location: champions, their certification, role groups, new hires, adoption (L-01 to L-06).

`may_...` raises `Refused`, `Forbidden` or `NotFound` with a stable code; the others return the new state and expect
that the act is allowed.
"""

from __future__ import annotations

from datetime import datetime

from domain.actors import Actor
from domain.clock import ClockPolicy
from domain.errors import Forbidden, NotFound, Refused
from domain.rollout.people import Function
from domain.rollout.training.acts import (
    AttestAdoption,
    RecordTraining,
    RegisterNewHire,
    ReportAdoption,
    TrainNewHire,
)
from domain.rollout.training.champions import acting_champion
from domain.rollout.training.policy import RoleGroup, TrainingPolicy
from domain.rollout.training.scores import share
from domain.rollout.training.state import Adoption, GroupTraining, NewHire, Slot, TrainingState

CHAMPIONS = frozenset({Function.CHAMPION, Function.BACKUP_CHAMPION})


def may_record_training(state: TrainingState, policy: TrainingPolicy, asked: RecordTraining) -> None:
    """By whom the course is led by; a champion is certified first (L-04).

    Raises `NotFound` (`training.group_unknown`), `Forbidden` (`training.not_leader`), `Refused`
    (`training.not_certified`, `training.counts_impossible`).
    """
    _may_lead(state, policy, asked.group, asked.actor)
    if asked.trained > asked.total:
        raise Refused("training.counts_impossible", "more are trained than there are")


def record_training(state: TrainingState, asked: RecordTraining, now: datetime) -> TrainingState:
    recorded = GroupTraining(
        trained=asked.trained, total=asked.total, at=now, by=asked.actor, evidence_id=asked.evidence_id
    )
    return state.model_copy(update={"groups": {**state.groups, asked.group: recorded}})


def may_register_new_hire(state: TrainingState, policy: TrainingPolicy, asked: RegisterNewHire) -> None:
    """Raises `NotFound` (`training.group_unknown`), `Refused` (`new_hire.registered`)."""
    policy.course(asked.group)
    if asked.hire_id in state.new_hires:
        raise Refused("new_hire.registered", "this new hire is registered already")


def register_new_hire(state: TrainingState, asked: RegisterNewHire, now: datetime) -> TrainingState:
    """Arm `new_hire_clock` with it."""
    hire = NewHire(hire_id=asked.hire_id, group=asked.group, starts_at=asked.starts_at, registered_at=now)
    return _with_hire(state, hire)


def new_hire_clock(policy: TrainingPolicy, hire: NewHire, armed_at: datetime) -> ClockPolicy:
    """Counts from the first day of this new hire, whenever it is armed. Its name holds their id."""
    ahead = hire.starts_at - armed_at
    return ClockPolicy(
        name=clock_of(policy, hire.hire_id),
        milestones=tuple(
            milestone.model_copy(update={"after": milestone.after + ahead}) for milestone in policy.new_hire.milestones
        ),
    )


def clock_of(policy: TrainingPolicy, hire_id: str) -> str:
    return f"{policy.new_hire.name}:{hire_id}"


def may_train_new_hire(state: TrainingState, policy: TrainingPolicy, asked: TrainNewHire, now: datetime) -> None:
    """Also late: then the clock was breached, and they are trained all the same.

    Raises `NotFound` (`new_hire.unknown`), `Forbidden` (`training.not_leader`), `Refused` (`new_hire.trained`,
    `new_hire.not_there_yet`, `training.not_certified`).
    """
    hire = state.new_hires.get(asked.hire_id)
    if hire is None:
        raise NotFound("new_hire.unknown", "there is no such new hire")
    if hire.trained_at is not None:
        raise Refused("new_hire.trained", "this new hire is trained already")
    if now < hire.starts_at:
        raise Refused("new_hire.not_there_yet", "this new hire has not begun", earliest=hire.starts_at)
    _may_lead(state, policy, hire.group, asked.actor)


def train_new_hire(state: TrainingState, asked: TrainNewHire, now: datetime) -> TrainingState:
    """End their clock with it."""
    hire = state.new_hires[asked.hire_id]
    return _with_hire(state, hire.model_copy(update={"trained_at": now, "trained_by": asked.actor}))


def may_report_adoption(state: TrainingState, asked: ReportAdoption | AttestAdoption, *, live: bool) -> None:
    """By the champion, or by the backup in their place, once the location is live.

    Raises `Forbidden` (`training.not_champion`), `Refused` (`adoption.not_live`, `adoption.nobody_trained`,
    `adoption.counts_impossible`).
    """
    _may_speak(state, asked.actor)
    if not live:
        raise Refused("adoption.not_live", "the location is not live", missing=("location.live",))
    if state.trained == 0:
        raise Refused("adoption.nobody_trained", "nobody is trained yet", missing=("training.recorded",))
    if asked.using > state.trained:
        raise Refused("adoption.counts_impossible", "more use the system than are trained")


def report_adoption(state: TrainingState, asked: ReportAdoption, now: datetime) -> TrainingState:
    """Arm the clock `adoption_report` anew with it."""
    return state.model_copy(update={"reports": state.reports + 1, "report": _adoption(state, asked, now)})


def may_attest_adoption(state: TrainingState, asked: AttestAdoption, *, live: bool) -> None:
    """An attestation is by the champion of the moment only. Raises as a report does."""
    champion = state.champion
    if champion is None or champion.member_id != asked.actor.id:
        raise Forbidden("training.not_champion", "this is the champion's to say")
    may_report_adoption(state, asked, live=live)


def attest_adoption(state: TrainingState, asked: AttestAdoption, now: datetime) -> TrainingState:
    return state.model_copy(update={"attestation": _adoption(state, asked, now)})


def missing(state: TrainingState, policy: TrainingPolicy) -> tuple[str, ...]:
    """What is missing for a go-live, as stable codes."""
    champion = state.champion
    open_groups = tuple(
        f"training.{course.group}" for course in policy.courses if not _is_complete(state, course.group)
    )
    if champion is None:
        return ("training.champion", *open_groups)
    certified = () if champion.certification.passed else ("training.certification",)
    return (*certified, *open_groups)


def _is_complete(state: TrainingState, group: RoleGroup) -> bool:
    recorded = state.groups.get(group)
    return recorded is not None and recorded.complete


def _may_lead(state: TrainingState, policy: TrainingPolicy, group: RoleGroup, actor: Actor) -> None:
    course = policy.course(group)
    if actor.role not in course.led_by:
        raise Forbidden("training.not_leader", f"this course is led by: {', '.join(course.led_by)}")
    if actor.role in CHAMPIONS:
        champion = _may_speak(state, actor)
        if not state.champions[champion].certification.passed:
            raise Refused("training.not_certified", "get certified first", missing=("training.certification",))


def _may_speak(state: TrainingState, actor: Actor) -> Slot:
    """Raises `Forbidden` (`training.not_champion`)."""
    slot = acting_champion(state, actor)
    if slot is None:
        raise Forbidden("training.not_champion", "this is the champion's or the backup's to say")
    return slot


def _adoption(state: TrainingState, asked: ReportAdoption | AttestAdoption, now: datetime) -> Adoption:
    return Adoption(
        at=now,
        by=asked.actor,
        trained=state.trained,
        using=asked.using,
        percent=share(asked.using, state.trained),
        evidence_id=asked.evidence_id,
    )


def _with_hire(state: TrainingState, hire: NewHire) -> TrainingState:
    return state.model_copy(update={"new_hires": {**state.new_hires, hire.hire_id: hire}})
