"""Which location in which wave, and when (W, S-11, decisions 21, 25, 27, 28); docs/decisions/0014.

Everything is worked out from the programme file and the policy; nothing is started or stored. Answers take up to a few
seconds of processor time: call these from a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.errors import Invalid, NotFound, Refused
from domain.rollout.plan import Deferred, Plan, PlannedWave
from domain.rollout.planning.answers import Ahead, Conflict, Explanation, Move, WhyNot
from domain.rollout.planning.dates import whole
from domain.rollout.planning.rules import (
    PILOT,
    Rule,
    Survey,
    deferrals,
    location_violations,
    set_violations,
    standing,
    survey,
)
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import Programme
from domain.rollout.readiness_factors import below_network_minimum

if TYPE_CHECKING:
    from wave_model import Question

Moves = tuple[Move, ...]


def plan(
    programme: Programme, policy: RolloutPolicy, *, moved: Moves = (), settled: tuple[PlannedWave, ...] = ()
) -> Plan:
    """The best plan under the rules, with what was moved by hand where it was put.

    `settled` are waves that have started: they stay, with their dates.

    Raises `Refused` (`plan.impossible`, with the rules that conflict), `Invalid` (`plan.wave_unknown`,
    `calendar.never_open`), `NotFound` (`location.unknown`).
    """
    from wave_model import best, conflict

    seen = survey(programme, policy)
    question = _question(programme, policy, seen, moved, settled)
    placed = best(question)
    if placed is None:
        raise Refused("plan.impossible", "no plan keeps all rules", missing=conflict(question))
    groups = tuple(
        tuple(location_id for location_id, wave in placed.items() if wave == number)
        for number in range(1, max(placed.values()) + 1)
    )
    dated = whole(groups, programme.starts_on, programme.calendar, policy.planning, settled=settled)
    warnings = (*dated.warnings, *_about_locations(dated, seen, policy))
    return dated.model_copy(update={"deferred": _deferred(seen, moved, dated), "warnings": warnings})


def explain(
    programme: Programme, policy: RolloutPolicy, *, moved: Moves = (), settled: tuple[PlannedWave, ...] = ()
) -> Explanation:
    """Why no plan is possible, and which waivers would help: single ones, then pairs. Raises as `plan` does."""
    from wave_model import is_possible, waiver_sets

    seen = survey(programme, policy)
    question = _question(programme, policy, seen, moved, settled)
    deferred = tuple(violation for one in seen.candidates for violation in deferrals(one))
    if is_possible(question):
        return Explanation(possible=True, deferred=deferred)
    return Explanation(possible=False, conflicts=_conflicts(question), waivers=waiver_sets(question), deferred=deferred)


def why_not(
    programme: Programme,
    policy: RolloutPolicy,
    location_id: str,
    wave: int,
    *,
    current: Plan | None = None,
    settled: tuple[PlannedWave, ...] = (),
) -> WhyNot:
    """Why the plan does not have this location in that wave. `current` is the plan meant; None: the one made now.

    Raises `NotFound` (`location.unknown`), `Invalid` (`plan.wave_unknown`, `calendar.never_open`).
    """
    from wave_model import is_possible, waiver_sets

    seen = survey(programme, policy)
    question = _question(programme, policy, seen, (Move(location_id=location_id, wave=wave),), settled)
    candidate = next(one for one in seen.candidates if one.location_id == location_id)
    violations = standing(location_violations(candidate, wave, seen, policy.planning), programme.waivers)
    allowed = is_possible(question)
    if current is None:
        current = _plan_or_none(programme, policy)
    there = current.wave_of(location_id) if current else None
    return WhyNot(
        location_id=location_id,
        wave=wave,
        planned_wave=there.number if there else None,
        allowed=allowed,
        violations=violations,
        conflicts=() if allowed or violations else _conflicts(question),
        waivers=() if allowed else waiver_sets(question),
        ahead=_ahead(seen, current, wave) if allowed else (),
    )


def _question(
    programme: Programme, policy: RolloutPolicy, seen: Survey, moved: Moves, settled: tuple[PlannedWave, ...]
) -> Question:
    from wave_model import Question

    stays = {location_id: wave.number for wave in settled for location_id in wave.locations}
    into = {move.location_id: move.wave for move in moved if move.wave is not None}
    out = {move.location_id for move in moved if move.wave is None}
    if {move.location_id for move in moved} - {one.location_id for one in seen.candidates}:
        raise NotFound("location.unknown", "the programme has no such location")
    question = Question(
        candidates=tuple(
            one
            for one in seen.candidates
            if one.location_id in {*into, *stays} or not (one.location_id in out or deferrals(one))
        ),
        survey=seen,
        policy=policy.planning,
        waivers=programme.waivers,
        extra_waves=programme.extra_waves,
        moved=into,
        settled=stays,
    )
    if any(wave not in question.waves for wave in into.values()):
        raise Invalid("plan.wave_unknown", f"waves are numbered 1 to {question.waves[-1]}")
    return question


def _deferred(seen: Survey, moved: Moves, made: Plan) -> tuple[Deferred, ...]:
    out = {move.location_id for move in moved if move.wave is None}
    reasons = {
        one.location_id: (
            *(violation.rule for violation in deferrals(one)),
            *((str(Rule.MOVED),) if one.location_id in out else ()),
        )
        for one in seen.candidates
        if made.wave_of(one.location_id) is None
    }
    return tuple(Deferred(location_id=key, reasons=found) for key, found in reasons.items() if found)


def _about_locations(made: Plan, seen: Survey, policy: RolloutPolicy) -> Iterator[str]:
    for one in seen.candidates:
        if below_network_minimum(one.facts.network, policy.readiness.network):
            yield f"network_below_minimum:{one.location_id}"
        wave = made.wave_of(one.location_id)
        changes = one.facts.major_changes
        if wave and any(change.begins <= wave.ends_on and change.ends >= wave.starts_on for change in changes):
            yield f"major_change:{one.location_id}"


def _conflicts(question: Question) -> tuple[Conflict, ...]:
    from wave_model import conflict

    rules = conflict(question)
    planning = question.policy
    found = [
        violation
        for one in question.candidates
        for wave in question.waves
        for violation in location_violations(one, wave, question.survey, planning)
    ]
    found += set_violations(question.candidates, planning)
    remaining = standing(found, question.waivers)
    return tuple(Conflict(rule=rule, violations=tuple(one for one in remaining if one.rule == rule)) for rule in rules)


def _plan_or_none(programme: Programme, policy: RolloutPolicy) -> Plan | None:
    try:
        return plan(programme, policy)
    except Refused:
        return None


def _ahead(seen: Survey, current: Plan | None, wave: int) -> tuple[Ahead, ...]:
    there = next((one.locations for one in current.waves if one.number == wave), ()) if current else ()
    return tuple(
        Ahead(
            location_id=one.location_id,
            composite=str(one.assessment.shown),
            preferred=one.preferred if wave == PILOT else (),
        )
        for one in seen.candidates
        if one.location_id in there
    )
