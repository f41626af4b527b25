"""Changes of the plan while it runs: only hard rules, and only waves that have not started (W-01, T-04, S-11)."""

from __future__ import annotations

from collections import Counter

from domain.errors import Invalid, NotFound, Refused
from domain.rollout.orders import RolloutOrder
from domain.rollout.plan import Deferred, Plan, PlannedWave
from domain.rollout.planning.policy import WaveRange
from domain.rollout.programme import acts, rules
from domain.rollout.programme.policy import Power
from domain.rollout.programme.state import ProgrammeState

MOVED = "moved"
PILOT = 1


def may_move(order: RolloutOrder, state: ProgrammeState, asked: acts.MoveLocation) -> None:
    """Raises `Forbidden`, `NotFound` (`location.unknown`, `wave.unknown`), `Refused` (`programme.over`,
    `programme.optimizing`, `location.deployed`, `wave.started`, `wave.full`, `wave.too_small`,
    `wave.outdated_hardware`).
    """
    rules.may_act(state)
    rules.require(order.policy.programme, Power.CHANGE_PLAN, asked.actor)
    rules.known_location(state, asked.location_id)
    if state.locations[asked.location_id].deployed:
        raise Refused("location.deployed", "the location has gone live")
    current = state.plan.wave_of(asked.location_id)
    if current is not None and current.number == asked.to_wave:
        return
    if current is not None:
        _not_started(state, current.number)
        if current.number == PILOT and len(current.locations) <= _range(order, PILOT).at_least:
            raise Refused("wave.too_small", "the pilot needs more locations than would be left")
    if asked.to_wave is not None:
        _may_join(order, state, asked.location_id, asked.to_wave)


def _may_join(order: RolloutOrder, state: ProgrammeState, location_id: str, number: int) -> None:
    wave = next((one for one in state.plan.waves if one.number == number), None)
    if wave is None:
        raise NotFound("wave.unknown", "the plan has no such wave")
    _not_started(state, number)
    most = _range(order, number).at_most
    if most is not None and len(wave.locations) >= most:
        raise Refused("wave.full", f"wave {number} holds at most {most} locations")
    if number == PILOT and location_id in _outdated(order):
        raise Refused("wave.outdated_hardware", "outdated hardware keeps a location out of wave 1")


def _not_started(state: ProgrammeState, number: int) -> None:
    """Nor a later one: waves come in their order."""
    _still_in_waves(state)
    if any(record.started_at is not None and started >= number for started, record in state.waves.items()):
        raise Refused("wave.started", f"wave {number} has started, or a later one has")


def _still_in_waves(state: ProgrammeState) -> None:
    if state.optimization_from is not None:
        raise Refused("programme.optimizing", "the waves are over; the optimisation has begun")


def moved(plan: Plan, asked: acts.MoveLocation) -> Plan:
    """The plan with the location where it is wanted. Dates stay; the planner makes others."""
    without = [_without(wave, asked.location_id) for wave in plan.waves]
    waves = tuple(
        wave.model_copy(update={"locations": (*wave.locations, asked.location_id)})
        if wave.number == asked.to_wave
        else wave
        for wave in without
    )
    deferred = tuple(one for one in plan.deferred if one.location_id != asked.location_id)
    if asked.to_wave is None:
        deferred = (*deferred, Deferred(location_id=asked.location_id, reasons=(MOVED, asked.reason)))
    return plan.model_copy(update={"version": plan.version + 1, "waves": waves, "deferred": deferred})


def _without(wave: PlannedWave, location_id: str) -> PlannedWave:
    return wave.model_copy(update={"locations": tuple(one for one in wave.locations if one != location_id)})


def may_follow(order: RolloutOrder, state: ProgrammeState, asked: acts.FollowPlan) -> None:
    """Raises `Forbidden`, `Invalid` (`plan.malformed`), `NotFound` (`location.unknown`), `Refused` (`programme.over`,
    `plan.stale` when it is not the one after the plan that is followed, `plan.changes_started_wave`,
    `wave.outdated_hardware`, `programme.optimizing`).
    """
    rules.may_act(state)
    rules.require(order.policy.programme, Power.CHANGE_PLAN, asked.actor)
    _still_in_waves(state)
    plan = asked.plan
    if plan.version != state.plan.version + 1:
        raise Refused("plan.stale", f"the plan that is followed has version {state.plan.version}")
    _well_formed(state, plan)
    started = [number for number, record in state.waves.items() if record.started_at is not None]
    changed = [number for number in started if _set_of(plan, number) != _set_of(state.plan, number)]
    if changed:
        codes = tuple(f"wave:{number}" for number in changed)
        raise Refused("plan.changes_started_wave", "waves that have started stay as they are", missing=codes)
    first = next((wave for wave in plan.waves if wave.number == PILOT), None)
    if first is not None and not started and set(first.locations) & _outdated(order):
        raise Refused("wave.outdated_hardware", "outdated hardware keeps a location out of wave 1")


def _well_formed(state: ProgrammeState, plan: Plan) -> None:
    numbers = [wave.number for wave in plan.waves]
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        raise Invalid("plan.malformed", "waves are numbered from 1 without a gap")
    counted = Counter(one for wave in plan.waves for one in wave.locations)
    if any(times > 1 for times in counted.values()):
        raise Invalid("plan.malformed", "a location is in one wave only")
    for location_id in counted:
        rules.known_location(state, location_id)


def _set_of(plan: Plan, number: int) -> frozenset[str]:
    return frozenset(one for wave in plan.waves if wave.number == number for one in wave.locations)


def _outdated(order: RolloutOrder) -> frozenset[str]:
    return frozenset(one.location_id for one in order.locations if one.outdated_hardware)


def _range(order: RolloutOrder, number: int) -> WaveRange:
    ranges = order.policy.planning.waves
    return ranges[min(number, len(ranges)) - 1]
