"""What a Wave workflow shows after each step."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from domain.case import WaitsFor, progress
from domain.model import Value
from domain.rollout.gate.judging import overall
from domain.rollout.gate.results import Result, Verdict
from domain.rollout.gate.state import Gate, GateDecision, GateInput
from domain.rollout.holds import Holds
from domain.rollout.orders import WaveOrder
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase, WavePhase
from domain.rollout.snapshot import RolloutCaseSnapshot
from domain.rollout.wave import days, rules
from domain.rollout.wave.policy import Artefact, DayKind
from domain.rollout.wave.state import CheckIns, Filed, WaveState


class DayView(Value):
    item_id: str
    requirement: str
    kind: DayKind
    day: date
    time_zone: str
    at: datetime
    """Aware UTC."""
    minutes: int | None
    local: bool
    """At each location in this time zone, or else for the centre."""
    reached_at: datetime | None


class WaveLocation(Value):
    location_id: str
    phase: LocationPhase | None
    """None: it has not reported yet."""
    deployed: bool
    launched_at: datetime | None
    """When it was told that its launch had come."""
    rollbacks: int
    missing: tuple[str, ...]
    check_ins: CheckIns


class GateView(Value):
    """The evaluation that is open."""

    attempt: int
    opened_at: datetime
    since: datetime
    until: datetime
    collected_at: datetime
    evidence_hash: str
    result: Result
    verdicts: tuple[Verdict, ...]
    inputs: dict[Function, GateInput]
    inputs_due: datetime
    submitters: tuple[str, ...]
    """Who submitted evidence, and so does not decide."""


class WaveSnapshot(RolloutCaseSnapshot):
    process: Literal["Wave"] = "Wave"
    phase: WavePhase
    pilot: bool
    starts_on: date
    ends_on: date
    """As planned."""
    days: tuple[DayView, ...]
    locations: tuple[WaveLocation, ...]
    not_live: tuple[str, ...]
    """Their launch has come, and they could not go live."""
    artefacts: dict[Artefact, Filed]
    unwritten: tuple[Artefact, ...]
    """What is missing for the wave to close."""
    gate: GateView | None
    decisions: tuple[GateDecision, ...]
    """One for each evaluation that is over, the first first."""
    evaluation_at: datetime | None
    """When it is evaluated next."""
    extended_weeks: int
    slipped_weeks: int
    """By how many weeks the launch had to wait."""
    passed_at: datetime | None
    closed_at: datetime | None


def phase(order: WaveOrder, state: WaveState) -> WavePhase:
    """Where the wave stands."""
    if state.over:
        return WavePhase.CLOSED if state.closed_at is not None else WavePhase.CANCELLED
    if rules.held(order, state):
        return WavePhase.ON_HOLD
    if state.passed_at is not None:
        return WavePhase.LEARNING
    if state.gate is not None:
        return WavePhase.EVALUATING
    if state.decisions:
        return WavePhase.EXTENDED
    reached = [each for each in state.agenda if each.reached_at is not None]
    return days.items(order)[reached[-1].item_id].phase if reached else WavePhase.PLANNED


def snapshot(order: WaveOrder, state: WaveState) -> WaveSnapshot:
    where = phase(order, state)
    return WaveSnapshot.model_validate(
        {
            **progress(state),
            "business_state": where,
            "policy_version": order.policy_version,
            "waits_for": waits_for(order, state),
            "program_id": order.program_id,
            "wave": order.planned.number,
            "holds": rules.programme(order, state).holds,
            "phase": where,
            "pilot": order.pilot,
            "starts_on": order.planned.starts_on,
            "ends_on": order.planned.ends_on,
            "days": _days(order, state),
            "locations": tuple(_location(state, one) for one in order.planned.locations),
            "not_live": rules.not_live(order, state),
            "artefacts": state.artefacts,
            "unwritten": rules.unwritten(order, state),
            "gate": _gate(state.gate) if state.gate else None,
            "decisions": state.decisions,
            "evaluation_at": _evaluation_at(order, state),
            "extended_weeks": state.extended_weeks,
            "slipped_weeks": days.slipped_weeks(order, state),
            "passed_at": state.passed_at,
            "closed_at": state.closed_at,
        }
    )


def waits_for(order: WaveOrder, state: WaveState) -> tuple[WaitsFor, ...]:
    if state.over:
        return ()
    waits = [WaitsFor(who="executives", what=f"lifting the hold {hold.reason}") for hold in _holds(order, state)]
    if state.passed_at is not None:
        waits += [WaitsFor(who=Function.PROJECT_MANAGER, what=one) for one in rules.unwritten(order, state)]
    elif state.gate is not None:
        missing = [one for one in order.gate.advisers if one not in state.gate.inputs]
        waits += [WaitsFor(who=function, what="input to the gate") for function in missing]
        waits.append(WaitsFor(who=order.gate.decider, what="the decision at the gate"))
    due = [one for one, known in state.check_ins.items() if known.since is not None]
    waits += [WaitsFor(who=Function.CHAMPION, what=f"check-in of {one}") for one in due]
    return tuple(waits)


def _holds(order: WaveOrder, state: WaveState) -> Holds:
    return rules.programme(order, state).holds


def _days(order: WaveOrder, state: WaveState) -> tuple[DayView, ...]:
    items = days.items(order)
    return tuple(
        DayView.model_validate(
            {
                **items[each.item_id].model_dump(include={"item_id", "requirement", "kind", "minutes", "local"}),
                **each.model_dump(include={"day", "time_zone", "at", "reached_at"}),
            }
        )
        for each in state.agenda
    )


def _location(state: WaveState, location_id: str) -> WaveLocation:
    known = state.locations.get(location_id)
    return WaveLocation(
        location_id=location_id,
        phase=known.phase if known else None,
        deployed=known.deployed if known else False,
        launched_at=state.launched.get(location_id),
        rollbacks=known.rollbacks if known else 0,
        missing=known.missing if known else (),
        check_ins=state.check_ins.get(location_id, CheckIns()),
    )


def _gate(gate: Gate) -> GateView:
    period = gate.snapshot.period
    return GateView(
        attempt=gate.attempt,
        opened_at=gate.opened_at,
        since=period.since,
        until=period.until,
        collected_at=gate.snapshot.collected_at,
        evidence_hash=gate.snapshot.hash,
        result=overall(gate.verdicts),
        verdicts=gate.verdicts,
        inputs=gate.inputs,
        inputs_due=gate.inputs_due,
        submitters=tuple(sorted({each for one in gate.snapshot.evidence for each in one.people})),
    )


def _evaluation_at(order: WaveOrder, state: WaveState) -> datetime | None:
    items = days.items(order)
    evaluations = (each for each in state.agenda if items[each.item_id].kind is DayKind.EVALUATION)
    return next((each.at for each in evaluations if each.reached_at is None), None)
