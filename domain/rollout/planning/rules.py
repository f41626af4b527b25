"""Which location may be in which wave (W-03 to W-05, S-10, S-11, T-04, B-15, I-08, decision 27).

A violation says which rule forbids it, with what was measured, and which waiver of the VP of Operations would allow it.
Upcoming changes (S-11) count from the start of the integration to the end of the pilot (W-03).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from domain.model import Value
from domain.rollout.planning.dates import dated, integration_from
from domain.rollout.planning.policy import PlanningPolicy
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import (
    Factor,
    IntegrationEffort,
    LocationFacts,
    PracticeSystemName,
    Programme,
    Waiver,
    WaiverRule,
)
from domain.rollout.readiness import Assessment, Band, shown
from domain.rollout.readiness_factors import Configuration, group_of
from domain.rollout.readiness_matrix import assess
from domain.rollout.workstations import outdated

PILOT = 1


class Rule(StrEnum):
    """Rules that nobody waives. Those that may be waived are `WaiverRule`."""

    PRACTICE_SYSTEM_UNSUPPORTED = "practice_system_unsupported"
    READINESS_TOO_LOW = "readiness_too_low"
    OUTDATED_HARDWARE = "outdated_hardware"
    BAND = "band"
    PILOT_SIZE = "pilot_size"
    WAVE_CAPACITY = "wave_capacity"
    WAVE_EMPTY = "wave_empty"
    MOVED = "moved"
    """Somebody put it there, or took it out."""
    BUFFER = "buffer"
    NOT_PLACED_ONCE = "not_placed_once"


class Violation(Value):
    rule: str
    """Value of a `Rule` or a `WaiverRule`."""
    location_id: str | None = None
    """None: a rule about the whole set of pilots, or about a wave."""
    wave: int | None = None
    detail: dict[str, str] = Field(default_factory=dict)
    """What was measured and what is asked for."""
    waivable_by: WaiverRule | None = None


class Candidate(Value):
    """A location as the planner sees it."""

    facts: LocationFacts
    assessment: Assessment
    common: bool
    """It has the most common configuration."""
    preferred: tuple[str, ...]
    """The preferred criteria that it meets (W-04)."""

    @property
    def location_id(self) -> str:
        return self.facts.location_id


class Survey(Value):
    """All that the rules look at."""

    candidates: tuple[Candidate, ...]
    """The readiest first, then by id."""
    pilot_from: date
    """When the integration of the pilots begins."""
    pilot_to: date
    waivers: tuple[Waiver, ...]


def survey(programme: Programme, policy: RolloutPolicy) -> Survey:
    group = group_of(programme.locations)
    candidates = [
        _candidate(facts, assess(facts, group, policy.readiness), group.common, policy.planning)
        for facts in programme.locations
    ]
    pilot = dated(((),), programme.starts_on, programme.calendar, policy.planning)[0]
    return Survey(
        candidates=tuple(sorted(candidates, key=lambda one: (-one.assessment.composite, one.location_id))),
        pilot_from=integration_from(pilot, policy.planning),
        pilot_to=pilot.ends_on,
        waivers=programme.waivers,
    )


def _candidate(
    facts: LocationFacts, assessment: Assessment, common: frozenset[Configuration], policy: PlanningPolicy
) -> Candidate:
    least, most = policy.pilot.preferred_percentile
    adoption = facts.staffing.adoption in {"documented_success", "recent_minimal_issues"}
    preferred = {
        "common_configuration": facts.configuration in common,
        "medium_volume": least <= assessment.percentile <= most,
        "near_central_team": facts.near_central_team,
        "adoption_history": adoption,
    }
    return Candidate(
        facts=facts,
        assessment=assessment,
        common=facts.configuration in common,
        preferred=tuple(code for code, met in preferred.items() if met),
    )


def deferrals(candidate: Candidate) -> tuple[Violation, ...]:
    """Why it is in no wave at all: nothing integrates its systems (I-08, S-05), or it has to be remedied first."""
    return tuple(_deferrals(candidate))


def _deferrals(candidate: Candidate) -> Iterator[Violation]:
    facts, assessment = candidate.facts, candidate.assessment
    unsupported = (
        facts.practice_system.name is PracticeSystemName.OTHER
        or facts.integration is IntegrationEffort.UNSUPPORTED
        or assessment.score(Factor.TECH_STACK) == 1
    )
    if unsupported:
        detail = {"practice_system": facts.practice_system.name, "integration": facts.integration}
        yield Violation(rule=Rule.PRACTICE_SYSTEM_UNSUPPORTED, location_id=facts.location_id, detail=detail)
    if assessment.band is Band.DEFER:
        yield Violation(
            rule=Rule.READINESS_TOO_LOW,
            location_id=facts.location_id,
            detail={"composite": str(shown(assessment.composite))},
        )


def location_violations(candidate: Candidate, wave: int, survey: Survey, policy: PlanningPolicy) -> list[Violation]:
    """What forbids this location in this wave, waived or not."""
    found = [*deferrals(candidate)]
    if wave == PILOT:
        found += _hard_in_pilot(candidate)
        found += (
            Violation(
                rule=rule, location_id=candidate.location_id, wave=PILOT, detail=detail, waivable_by=WaiverRule(rule)
            )
            for rule, met, detail in _pilot_rules(candidate, survey, policy)
            if not met
        )
    elif (earliest := candidate.assessment.recommended_wave) is not None and wave < earliest:
        detail = {"composite": str(candidate.assessment.shown), "earliest_wave": str(earliest)}
        found.append(Violation(rule=Rule.BAND, location_id=candidate.location_id, wave=wave, detail=detail))
    return found


def _hard_in_pilot(candidate: Candidate) -> Iterator[Violation]:
    machines = candidate.facts.workstations
    if outdated(machines):
        detail = {"workstations": str(machines.count), "meeting_minimum": str(machines.meeting_minimum)}
        yield Violation(rule=Rule.OUTDATED_HARDWARE, location_id=candidate.location_id, wave=PILOT, detail=detail)


def _pilot_rules(
    candidate: Candidate, survey: Survey, policy: PlanningPolicy
) -> Iterator[tuple[WaiverRule, bool, dict[str, str]]]:
    facts, pilot = candidate.facts, policy.pilot
    changes = [
        change
        for change in facts.major_changes
        if change.begins <= survey.pilot_to and change.ends >= survey.pilot_from
    ]
    yield (
        WaiverRule.PILOT_COMPOSITE,
        candidate.assessment.composite >= pilot.composite,
        {"composite": str(candidate.assessment.shown), "at_least": str(pilot.composite)},
    )
    yield WaiverRule.PILOT_CHAMPION, facts.champion.confirmed, {}
    yield (
        WaiverRule.PILOT_MAJOR_CHANGE,
        not changes,
        {"changes": str(len(changes)), "pilot": f"{survey.pilot_from}/{survey.pilot_to}"},
    )
    yield WaiverRule.PILOT_REGIONAL_MANAGER, facts.regional_manager_engaged, {"region": facts.region}
    yield (
        WaiverRule.PILOT_PREFERRED,
        len(candidate.preferred) >= pilot.preferred,
        {"met": ",".join(candidate.preferred), "at_least": str(pilot.preferred)},
    )
    yield WaiverRule.PILOT_BASELINE, facts.baseline_reliable, {}
    yield WaiverRule.PILOT_ROLLBACK_TOLERABLE, facts.rollback_tolerable, {}


def set_violations(pilots: Iterable[Candidate], policy: PlanningPolicy) -> list[Violation]:
    """What the pilots lack together (S-11, W-05, decision 27), waived or not."""
    chosen = tuple(pilots)
    counts = {
        WaiverRule.PILOT_HIGH_VOLUME: (sum(is_high(one, policy) for one in chosen), policy.pilot.high_volume),
        WaiverRule.PILOT_LOW_VOLUME: (sum(not is_high(one, policy) for one in chosen), policy.pilot.low_volume),
        WaiverRule.PILOT_COMMON_CONFIGURATION: (sum(one.common for one in chosen), policy.pilot.common_configuration),
        WaiverRule.PILOT_REGIONS: (len({one.facts.region for one in chosen}), policy.pilot.regions),
    }
    return [
        Violation(
            rule=rule, wave=PILOT, detail={"found": str(found), "at_least": str(wanted)}, waivable_by=WaiverRule(rule)
        )
        for rule, (found, wanted) in counts.items()
        if found < wanted
    ]


def is_high(candidate: Candidate, policy: PlanningPolicy) -> bool:
    percentile: Decimal = candidate.assessment.percentile
    return percentile >= policy.pilot.high_volume_percentile


def is_waived(violation: Violation, waivers: tuple[Waiver, ...]) -> bool:
    return any(
        waiver.rule is violation.waivable_by and waiver.location_id == violation.location_id for waiver in waivers
    )


def standing(violations: Iterable[Violation], waivers: tuple[Waiver, ...]) -> tuple[Violation, ...]:
    """Those that nobody has waived."""
    return tuple(one for one in violations if not is_waived(one, waivers))
