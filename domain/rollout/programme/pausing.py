"""A systemic issue stops everything until an executive resumes (X-09, X-10, decision 37)."""

from __future__ import annotations

from domain.errors import Refused
from domain.rollout.news import IssueClass
from domain.rollout.orders import RolloutOrder
from domain.rollout.programme import acts, rules
from domain.rollout.programme.policy import Power
from domain.rollout.programme.state import ProgrammeState
from domain.rollout.triggers import systemic


def reason_of(issue: IssueClass) -> str:
    return f"{rules.SYSTEMIC}{issue}"


def affected(state: ProgrammeState, issue: IssueClass) -> frozenset[str]:
    """The locations that have this issue now."""
    return frozenset(one for one, record in state.locations.items() if issue in record.issues)


def systemic_now(order: RolloutOrder, state: ProgrammeState) -> tuple[IssueClass, ...]:
    """Whatever was decided about it."""
    deployed = sum(record.deployed for record in state.locations.values())
    return tuple(
        issue
        for issue in IssueClass
        if issue in systemic(dict.fromkeys(affected(state, issue), issue), deployed, order.policy.triggers)
    )


def to_pause_for(order: RolloutOrder, state: ProgrammeState) -> tuple[IssueClass, ...]:
    """Systemic issues that reach beyond the locations with which an executive resumed all the same."""
    return tuple(
        issue
        for issue in systemic_now(order, state)
        if not affected(state, issue) <= state.accepted.get(issue, frozenset())
    )


def forget_recovered(state: ProgrammeState) -> None:
    """Who recovers is not accepted any more: falling ill again counts anew."""
    state.accepted = {issue: left for issue, ids in state.accepted.items() if (left := ids & affected(state, issue))}


def may_resume(order: RolloutOrder, state: ProgrammeState, asked: acts.ResumeProgramme) -> None:
    """Pending resolution: while an issue that paused it is systemic still, only with an explicit reason to override.

    Resuming what was resumed is allowed and changes nothing. Raises `Forbidden`, `Refused` (`programme.over`,
    `programme.not_paused`, `programme.still_systemic` with the locations that are affected).
    """
    rules.may_act(state)
    rules.require(order.policy.programme, Power.RESUME, asked.actor)
    held = rules.systemic_holds(state)
    if not held and state.last_resumed_at is None:
        raise Refused("programme.not_paused", "no systemic issue pauses this programme")
    reasons = {hold.reason for hold in held}
    lasting = [issue for issue in systemic_now(order, state) if reason_of(issue) in reasons]
    if lasting and asked.override is None:
        ill = sorted(frozenset().union(*(affected(state, issue) for issue in lasting)))
        raise Refused(
            "programme.still_systemic",
            "the issue is still systemic; resolve it, or give a reason to override",
            missing=tuple(f"resolved:{one}" for one in ill),
        )


def accept(order: RolloutOrder, state: ProgrammeState) -> None:
    """Take the locations that are ill now for granted: only a further one pauses the programme again."""
    state.accepted = {issue: affected(state, issue) for issue in systemic_now(order, state)}
