"""The waves of a programme as a constraint model, for OR-Tools CP-SAT.

One worker, a fixed seed and limits that do not depend on the machine: the same question has the same answer. Heavy to
import, so only wave_planner.py does, when somebody plans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ortools.sat.python import cp_model
from ortools.sat.python.cp_model import BoolVarT, CpModel, CpSolver, LinearExpr, LinearExprT

from domain.rollout.planning.answers import SuggestedWaiver
from domain.rollout.planning.policy import PlanningPolicy
from domain.rollout.planning.rules import PILOT, Candidate, Rule, Survey, is_high, is_waived, location_violations
from domain.rollout.program import Waiver, WaiverRule

SEED = 1
EFFORT = 30.0
"""In the solver's deterministic time. A group of 50 takes less than one."""
RANKED_TOGETHER = 6
"""So many waves fit into one objective, as digits of a number."""

SET_RULES = (
    WaiverRule.PILOT_HIGH_VOLUME,
    WaiverRule.PILOT_LOW_VOLUME,
    WaiverRule.PILOT_COMMON_CONFIGURATION,
    WaiverRule.PILOT_REGIONS,
)
SHAPE_RULES = (Rule.PILOT_SIZE, Rule.WAVE_CAPACITY, Rule.WAVE_EMPTY, Rule.MOVED)

WaiverKey = tuple[WaiverRule, str | None]


@dataclass(frozen=True)
class Question:
    candidates: tuple[Candidate, ...]
    """Those to be placed, the readiest first."""
    survey: Survey
    policy: PlanningPolicy
    waivers: tuple[Waiver, ...]
    extra_waves: bool
    moved: Mapping[str, int]
    """Locations that somebody put into a wave."""
    settled: Mapping[str, int]
    """Locations of waves that have started: those stay as they are, and no rule is asked about them any more."""

    @property
    def started(self) -> frozenset[int]:
        return frozenset(self.settled.values())

    @property
    def waves(self) -> range:
        possible = self.policy.possible_waves(len(self.candidates), extra_waves=self.extra_waves)
        return range(1, max(possible, *self.started, 0) + 1)


def best(question: Question) -> dict[str, int] | None:
    """The wave of each location; None when no plan is possible.

    First the ranges of W-01 are kept, then early waves are filled, then pilots meet as many of the preferred criteria
    as they can (W-04); then the readiest location gets the earliest wave it can, then the next, and so on.
    """
    waves = _Waves(question)
    goal = waves.goal()
    waves.model.minimize(goal)
    if not waves.solve():
        return None
    waves.model.add(goal == waves.solver.value(goal))
    digits = len(question.waves) + 1
    ranked = question.candidates
    for first in range(0, len(ranked), RANKED_TOGETHER):
        numbers = [waves.number(one.location_id) for one in ranked[first : first + RANKED_TOGETHER]]
        waves.hint()
        waves.model.minimize(LinearExpr.sum([digits ** (len(numbers) - 1 - i) * n for i, n in enumerate(numbers)]))
        waves.solve()
        for number, value in [(number, waves.solver.value(number)) for number in numbers]:
            waves.model.add(number == value)
    return {one.location_id: waves.solver.value(waves.number(one.location_id)) for one in ranked}


def is_possible(question: Question, *, without: frozenset[str] = frozenset()) -> bool:
    """Whether there is a plan when these rules do not count."""
    return _Waves(question, without=without).solve()


def conflict(question: Question) -> tuple[str, ...]:
    """Rules that leave no plan together, while any one less would: found by leaving out one after the other."""
    kept = list(_rules_in_play(question))
    everything = frozenset(kept)
    for rule in tuple(kept):
        rest = everything - {*kept} | {rule}
        if not is_possible(question, without=rest):
            kept.remove(rule)
    return tuple(kept)


def waiver_sets(question: Question) -> tuple[tuple[SuggestedWaiver, ...], ...]:
    """Sets of waivers that make a plan possible, the smallest first; none contains another. Empty when none helps."""
    waves = _Waves(question, may_waive=True)
    waived = waves.waived
    waves.model.minimize(
        LinearExpr.sum([(1_000_000 + place) * literal for place, literal in enumerate(waived.values())])
    )
    found: list[tuple[WaiverKey, ...]] = []
    while len(found) < question.policy.suggestions and waves.solve():
        chosen = tuple(key for key, literal in waived.items() if waves.solver.boolean_value(literal))
        if found and len(chosen) > question.policy.waivers_together:
            break
        found.append(chosen)
        waves.model.add_bool_or([~waived[key] for key in chosen])
        if not chosen:
            break
    return tuple(tuple(SuggestedWaiver(rule=rule, location_id=location) for rule, location in one) for one in found)


def _rules_in_play(question: Question) -> tuple[str, ...]:
    """What comes first leaves a conflict first: what bars single locations says most, rules about all pilots least."""
    about_locations = {
        violation.rule
        for one in question.candidates
        for wave in question.waves
        for violation in location_violations(one, wave, question.survey, question.policy)
    }
    shape = [rule for rule in SHAPE_RULES if rule is not Rule.MOVED or question.moved]
    return (*SET_RULES, *shape, *sorted(about_locations))


class _Waves:
    """Variables and constraints of one question."""

    def __init__(self, question: Question, *, without: frozenset[str] = frozenset(), may_waive: bool = False) -> None:
        self.question = question
        self.without = without
        self.may_waive = may_waive
        self.model = CpModel()
        self.solver = CpSolver()
        self.solver.parameters.random_seed = SEED
        self.solver.parameters.num_workers = 1
        self.solver.parameters.max_deterministic_time = EFFORT
        self.waived: dict[WaiverKey, BoolVarT] = {}
        self.placed = {
            (one.location_id, wave): self.model.new_bool_var(f"{one.location_id} in {wave}")
            for one in question.candidates
            for wave in question.waves
        }
        self.used = {wave: self.model.new_bool_var(f"wave {wave}") for wave in question.waves}
        for one in question.candidates:
            places = [self.placed[one.location_id, wave] for wave in question.waves]
            if one.location_id in question.moved and not self._counts(Rule.MOVED):
                self.model.add_at_most_one(places)  # perhaps it is there only because somebody put it into a wave
            else:
                self.model.add_exactly_one(places)
        self._keep_what_is_settled()
        self._keep_shape()
        self._keep_location_rules()
        if PILOT not in question.started:
            self._keep_set_rules()

    def solve(self) -> bool:
        return self.solver.solve(self.model) in {cp_model.OPTIMAL, cp_model.FEASIBLE}

    def hint(self) -> None:
        """The last solution is where the next search begins."""
        values = {literal: self.solver.boolean_value(literal) for literal in self.placed.values()}
        self.model.clear_hints()  # type: ignore[no-untyped-call]  # has no annotation
        for literal, value in values.items():
            self.model.add_hint(literal, value)

    def number(self, location_id: str) -> LinearExprT:
        return LinearExpr.sum([wave * self.placed[location_id, wave] for wave in self.question.waves])

    def goal(self) -> LinearExpr:
        """What is minimized, as digits of one number: places short of W-01, late waves, preferred criteria not met."""
        question = self.question
        most_preferred = sum(len(one.preferred) for one in question.candidates) + 1
        latest = len(question.waves) * len(question.candidates) + 1
        late = LinearExpr.sum([self.number(one.location_id) for one in question.candidates])
        preferred = LinearExpr.sum(
            [len(one.preferred) * self.placed[one.location_id, PILOT] for one in question.candidates]
        )
        short = LinearExpr.sum([self._short(wave) for wave in question.waves])
        return short * (latest * most_preferred) + late * most_preferred - preferred

    def _size(self, wave: int) -> LinearExpr:
        return LinearExpr.sum([self.placed[one.location_id, wave] for one in self.question.candidates])

    def _short(self, wave: int) -> LinearExprT:
        least, _ = self.question.policy.capacity(wave, extra_waves=self.question.extra_waves)
        short = self.model.new_int_var(0, least, f"short {wave}")
        self.model.add(short >= least * self.used[wave] - self._size(wave))
        return short

    def _keep_what_is_settled(self) -> None:
        """Nobody leaves a wave that has started, and nobody joins it."""
        settled = self.question.settled
        for (location_id, wave), placed in self.placed.items():
            if location_id in settled or wave in self.question.started:
                self.model.add(placed == (settled.get(location_id) == wave))

    def _keep_shape(self) -> None:
        """The pilot's range and the other waves' upper limits hold; no wave is left out (W-01)."""
        number = len(self.question.candidates)
        for wave in self.question.waves:
            least, most = self.question.policy.capacity(wave, extra_waves=self.question.extra_waves)
            size = self._size(wave)
            self.model.add(size >= self.used[wave])
            self.model.add(size <= number * self.used[wave])
            if wave in self.question.started:
                continue
            if wave == PILOT and self._counts(Rule.PILOT_SIZE):
                self.model.add(size >= least)
            if most is not None and self._counts(Rule.PILOT_SIZE if wave == PILOT else Rule.WAVE_CAPACITY):
                self.model.add(size <= most)
            if wave > PILOT and self._counts(Rule.WAVE_EMPTY):
                self.model.add_implication(self.used[wave], self.used[wave - 1])
        if self._counts(Rule.MOVED):
            for location_id, wave in self.question.moved.items():
                self.model.add(self.placed[location_id, wave] == 1)

    def _keep_location_rules(self) -> None:
        question = self.question
        for one in question.candidates:
            if one.location_id in question.settled:
                continue
            for wave in question.waves:
                for violation in location_violations(one, wave, question.survey, question.policy):
                    if not self._counts(violation.rule) or is_waived(violation, question.waivers):
                        continue
                    placed = self.placed[one.location_id, wave]
                    if (waiver := self._waiver(violation.waivable_by, one.location_id)) is not None:
                        self.model.add_implication(placed, waiver)
                    else:
                        self.model.add(placed == 0)

    def _keep_set_rules(self) -> None:
        policy, candidates = self.question.policy, self.question.candidates
        pilot = policy.pilot
        high = {one.location_id for one in candidates if is_high(one, policy)}
        common = {one.location_id for one in candidates if one.common}
        everybody = {one.location_id for one in candidates}
        self._at_least(WaiverRule.PILOT_HIGH_VOLUME, self._pilots(high), pilot.high_volume)
        self._at_least(WaiverRule.PILOT_LOW_VOLUME, self._pilots(everybody - high), pilot.low_volume)
        self._at_least(WaiverRule.PILOT_COMMON_CONFIGURATION, self._pilots(common), pilot.common_configuration)
        self._at_least(WaiverRule.PILOT_REGIONS, self._regions(), pilot.regions)

    def _pilots(self, among: set[str]) -> list[BoolVarT]:
        return [self.placed[location_id, PILOT] for location_id in sorted(among)]

    def _regions(self) -> list[BoolVarT]:
        """One for each region, true only when a pilot is there."""
        regions = sorted({one.facts.region for one in self.question.candidates})
        represented = {region: self.model.new_bool_var(f"pilot in {region}") for region in regions}
        for region, literal in represented.items():
            there = {one.location_id for one in self.question.candidates if one.facts.region == region}
            self.model.add_bool_or([*self._pilots(there), ~literal])
        return list(represented.values())

    def _at_least(self, rule: WaiverRule, literals: list[BoolVarT], number: int) -> None:
        if not self._counts(rule) or any(w.rule is rule and w.location_id is None for w in self.question.waivers):
            return
        constraint = self.model.add(LinearExpr.sum(literals) >= number)
        if (waiver := self._waiver(rule, None)) is not None:
            constraint.only_enforce_if(~waiver)

    def _counts(self, rule: str) -> bool:
        return rule not in self.without

    def _waiver(self, rule: WaiverRule | None, location_id: str | None) -> BoolVarT | None:
        """The literal that this waiver is granted, where waivers are looked for."""
        if not self.may_waive or rule is None:
            return None
        key = (rule, location_id)
        if key not in self.waived:
            self.waived[key] = self.model.new_bool_var(f"waive {rule} {location_id or ''}")
        return self.waived[key]
