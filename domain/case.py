"""What every process shows of itself after a step."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from domain import clock as sla
from domain.clock import Clock, SlaState, Stretch
from domain.errors import Refused
from domain.model import Value

SEVERITY = (SlaState.ON_TIME, SlaState.PAUSED, SlaState.AT_RISK, SlaState.BREACHED)


class WaitsFor(Value):
    """Who has to do what for the case to move."""

    who: str
    what: str


class ClockView(Value):
    name: str
    state: SlaState
    running: bool
    armed_at: datetime
    deadline: datetime | None
    breached_at: datetime | None
    outcome: str | None
    escalation_level: int
    acknowledged: bool
    may_breach: bool = True
    ended_at: datetime | None = None


class Explanation(Value):
    """A clock with every second of its life accounted for."""

    clock: ClockView
    milestones: tuple[sla.Fired, ...]
    stretches: tuple[Stretch, ...]


class CaseProgress(BaseModel):
    """What the state of every process holds: its latest step and its clocks."""

    sequence: int = 0
    clocks: dict[str, Clock] = Field(default_factory=dict)


class CaseSnapshot(Value):
    """A case after a step: opaque ids, times, amounts, no patient data."""

    business_state: str
    sequence: int
    policy_version: str
    waits_for: tuple[WaitsFor, ...]
    next_deadline: datetime | None
    sla_state: SlaState
    escalation_level: int
    clocks: tuple[ClockView, ...]


def clock_view(name: str, clock: Clock) -> ClockView:
    return ClockView(
        name=name,
        state=sla.sla_state(clock),
        running=clock.running,
        armed_at=clock.armed_at,
        deadline=sla.deadline(clock),
        breached_at=clock.breached_at,
        outcome=clock.outcome,
        escalation_level=clock.escalation_level,
        acknowledged=clock.acknowledged_at is not None,
        may_breach=clock.policy.may_breach,
        ended_at=clock.ended_at,
    )


def clock_views(clocks: dict[str, Clock]) -> tuple[ClockView, ...]:
    return tuple(clock_view(name, clock) for name, clock in clocks.items())


def progress(state: CaseProgress) -> dict[str, Any]:
    """What the snapshots of all processes have in common, by field."""
    clocks = clock_views(state.clocks)
    return {
        "sequence": state.sequence,
        "next_deadline": next_deadline(clocks),
        "sla_state": worst(clocks),
        "escalation_level": highest_level(clocks),
        "clocks": clocks,
    }


def may_acknowledge(state: CaseProgress, clock: str) -> None:
    """An escalation is taken on once its clock has breached or climbed, and while it is not over."""
    known = state.clocks.get(clock)
    if known is None or known.escalation_level == 0 or known.outcome is not None:
        raise Refused("escalation.none", "this clock has not escalated")


def next_deadline(views: tuple[ClockView, ...]) -> datetime | None:
    return min((view.deadline for view in views if view.running and view.deadline), default=None)


def worst(views: tuple[ClockView, ...]) -> SlaState:
    """The state of the clock that is worst off, among those not over."""
    return max((view.state for view in views if view.outcome is None), key=SEVERITY.index, default=SlaState.ON_TIME)


def highest_level(views: tuple[ClockView, ...]) -> int:
    return max((view.escalation_level for view in views if view.outcome is None), default=0)


def explain(clocks: dict[str, Clock], now: datetime) -> tuple[Explanation, ...]:
    return tuple(
        Explanation(clock=clock_view(name, clock), milestones=clock.fired, stretches=sla.explain(clock, now))
        for name, clock in clocks.items()
    )


def card(view: CaseSnapshot, *remarks: str) -> str:
    """The workflow's current details in the Temporal UI, in Markdown."""
    lines = [f"**{view.business_state}** · step {view.sequence} · {view.sla_state}"]
    lines += [f"- waits for **{wait.who}**: {wait.what}" for wait in view.waits_for]
    lines += [f"- clock `{c.name}` due {c.deadline:%Y-%m-%d %H:%M} UTC" for c in view.clocks if c.deadline]
    lines += [f"- clock `{c.name}` is paused" for c in view.clocks if c.state is SlaState.PAUSED]
    lines += [f"- {remark}" for remark in remarks]
    return "\n".join(lines)
