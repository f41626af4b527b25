"""Which act is allowed when, and what it changes (X-05 to X-07).

Each `may_...` raises `Forbidden` (`rollback.not_the_owner`), `NotFound` or `Refused` with what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.access import Role
from domain.actors import SYSTEM, Actor
from domain.clock import ClockPolicy
from domain.errors import Forbidden, NotFound, Refused
from domain.rollout.news import Relapse
from domain.rollout.orders import RollbackOrder
from domain.rollout.people import OPERATIONS, Function
from domain.rollout.rollback.acts import AcknowledgeStep, ConfirmRootCause, ProvideFix, ReEnable, ValidateFix
from domain.rollout.rollback.policy import Ladder, LadderStep, RollbackPolicy, Stage
from domain.rollout.rollback.state import Done, Fix, Reached, RollbackState


def begin(order: RollbackOrder) -> RollbackState:
    """Sending is off already: that step is done."""
    state = RollbackState(
        issues=(order.issue,),
        triggered_at=order.triggered_at,
        triggered_by=order.triggered_by,
        disabled_at=order.disabled_at,
    )
    _system_steps(state, order.policy)
    return state


def _system_steps(state: RollbackState, policy: RollbackPolicy) -> None:
    done = Done(at=state.disabled_at, by=SYSTEM)
    state.steps = {step.step_id: done for step in policy.steps if not step.owners}


def may_act(actor: Actor, functions: Iterable[Function]) -> None:
    """A system administrator stands in for central operations."""
    allowed = set(functions)
    stands_in = actor.role == Role.SYSTEM_ADMIN and bool(OPERATIONS & allowed)
    if actor.role not in allowed and not stands_in:
        raise Forbidden("rollback.not_the_owner", "somebody else does this")


def _require_open(state: RollbackState) -> None:
    if state.over:
        raise Refused("rollback.over", "the rollback is resolved or was cancelled")


def _require_off(state: RollbackState) -> None:
    _require_open(state)
    if state.stages:
        raise Refused("rollback.re_enabling", "the location is being re-enabled")


def step_of(policy: RollbackPolicy, step_id: str) -> LadderStep:
    found = next((step for step in policy.steps if step.step_id == step_id), None)
    if found is None:
        raise NotFound("rollback.step_unknown", "a rollback has no such step")
    return found


def may_acknowledge_step(state: RollbackState, policy: RollbackPolicy, asked: AcknowledgeStep) -> None:
    """Also late. One that is done stays as it is."""
    step = step_of(policy, asked.step_id)
    _require_open(state)
    may_act(asked.actor, step.owners)
    ladder = next(one for one in policy.ladders if step in one.steps)
    before = ladder.steps[: ladder.steps.index(step)] if ladder.in_order else ()
    if missing := tuple(f"step:{one.step_id}" for one in before if one.step_id not in state.steps):
        raise Refused("rollback.step_too_early", "the steps are taken in their order", missing=missing)


def acknowledge_step(state: RollbackState, asked: AcknowledgeStep, now: datetime) -> None:
    state.steps = {**state.steps, asked.step_id: Done(at=now, by=asked.actor, evidence_id=asked.evidence_id)}


def open_steps(state: RollbackState, ladder: Ladder) -> tuple[LadderStep, ...]:
    return tuple(step for step in ladder.steps if step.step_id not in state.steps)


def may_provide_fix(state: RollbackState, policy: RollbackPolicy, asked: ProvideFix) -> None:
    """Another one may take the place of one that is not validated yet."""
    may_act(asked.actor, policy.fix_providers)
    _require_off(state)
    if state.fix_validated:
        raise Refused("rollback.fix_validated", "a fix is validated already")


def provide_fix(state: RollbackState, asked: ProvideFix, now: datetime) -> None:
    number = state.fix.number + 1 if state.fix else 1
    provided = Done(at=now, by=asked.actor, evidence_id=asked.evidence_id)
    state.fix = Fix(number=number, kind=asked.kind, provided=provided)


def may_validate_fix(state: RollbackState, policy: RollbackPolicy, asked: ValidateFix) -> None:
    may_act(asked.actor, policy.fix_validators)
    _require_off(state)
    if not state.fix_untested:
        raise Refused("rollback.no_fix", "no fix waits for its test", missing=("fix",))


def validate_fix(state: RollbackState, asked: ValidateFix, now: datetime) -> None:
    """One that fails is awaited anew."""
    assert state.fix is not None
    tested = Done(at=now, by=asked.actor, evidence_id=asked.evidence_id)
    state.fix = state.fix.model_copy(update={"tested": tested, "passed": asked.passed})


def may_confirm_root_cause(state: RollbackState, policy: RollbackPolicy, asked: ConfirmRootCause) -> None:
    """X-07.4: confirmed *resolved*, so after the fix that resolves it passed its test. What is confirmed stays."""
    may_act(asked.actor, policy.root_cause_confirmers)
    _require_off(state)
    if not state.fix_validated:
        raise Refused("rollback.fix_not_validated", "validate the fix in test first", missing=("fix_validated",))


def confirm_root_cause(state: RollbackState, asked: ConfirmRootCause, now: datetime) -> None:
    state.root_cause = Done(at=now, by=asked.actor, evidence_id=asked.evidence_id)


def missing(state: RollbackState, policy: RollbackPolicy) -> tuple[str, ...]:
    """What the next stage lacks, as stable codes."""
    steps = tuple(f"step:{step.step_id}" for ladder in policy.ladders for step in open_steps(state, ladder))
    resolution = {
        "fix": state.fix is not None and (state.fix_untested or state.fix.passed),
        "fix_validated": state.fix_validated,
        "root_cause_confirmed": state.root_cause is not None,
        "stage_watched": not state.stages or state.stages[-1].watched_at is not None,
    }
    return (*steps, *(code for code, there in resolution.items() if not there))


def may_re_enable(
    state: RollbackState, policy: RollbackPolicy, asked: ReEnable, watched_until: datetime | None
) -> None:
    """X-07.3, X-07.4. `watched_until`: when the present stage will have been watched long enough."""
    may_act(asked.actor, policy.enablers)
    _require_open(state)
    if lacks := missing(state, policy):
        raise Refused(
            "rollback.not_to_be_re_enabled",
            "the location stays as it is until the rest is done",
            missing=lacks,
            earliest=watched_until if lacks == ("stage_watched",) else None,
        )


def next_stage(state: RollbackState, policy: RollbackPolicy) -> Stage | None:
    return next((stage for stage in policy.stages if stage.percent > state.enabled_percent), None)


def re_enable(state: RollbackState, policy: RollbackPolicy, asked: ReEnable, now: datetime) -> Stage:
    stage = next_stage(state, policy)
    assert stage is not None
    state.stages = (*state.stages, Reached(percent=stage.percent, begun=Done(at=now, by=asked.actor)))
    return stage


def stage_watched(state: RollbackState, at: datetime) -> None:
    state.stages = (*state.stages[:-1], state.stages[-1].model_copy(update={"watched_at": at}))


def is_news(state: RollbackState, relapse: Relapse) -> bool:
    return relapse.sequence > state.heard and state.cancelled_at is None


def relapse(state: RollbackState, policy: RollbackPolicy, news: Relapse, now: datetime) -> bool:
    """Take it in; whether the ladders begin anew.

    They do when anything was on again. Otherwise another class of issue voids what was confirmed of the first, and
    more of the same changes nothing.
    """
    state.heard = news.sequence
    was_on, new = bool(state.stages), news.issue not in state.issues
    state.issues = (*state.issues, news.issue) if new else state.issues
    if was_on or new:
        state.fix = state.fix.model_copy(update={"passed": False, "tested": None}) if state.fix else None
        state.root_cause = None
    if not was_on:
        return False
    state.round += 1
    state.triggered_at, state.triggered_by, state.disabled_at = news.at, news.by, now
    state.stages = ()
    state.fix = None
    state.resolved_at = None
    _system_steps(state, policy)
    return True


def awaited(state: RollbackState, policy: RollbackPolicy) -> ClockPolicy | None:
    """The clock that reminds whoever the resolution waits for; None while nobody has to do anything for it."""
    if state.over:
        return None
    if not state.fix_validated:
        return policy.awaiting.validation if state.fix_untested else policy.awaiting.fix
    if state.root_cause is None:
        return policy.awaiting.root_cause
    return None if missing(state, policy) else policy.awaiting.stage
