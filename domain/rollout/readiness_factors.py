"""How the five factors of readiness are scored (S-02 to S-06, decisions 24 and 25).

Each factor has several criteria, each of which leaves some scores open. The lowest that a criterion leaves open is the
score: a fast line does not make up for old machines. Where the requirements are silent:

- 100 Mbps without fibre count as 4; less than the minimum of T-03 as inconsistent connectivity, 2.
- "Most" workstations are 75 percent, a "majority" is more than half, "significantly behind" is four versions.
- No training at all leaves 3 open, the highest score for which S-03 asks for none.
- A percentile counts those below and half of those alike, so that the top fifth of 30 locations is six of them.
- The majority's configuration is the most common one; where several are equally common, each is.
- Another imaging beside the most common practice system is a minor difference; another practice system is supported
  work; one that nothing integrates (I-08) is 1.
- A willing provider beside an office manager who is resistant or missing makes 3; a resistant provider beside a willing
  office manager 2. The highest score needs somebody who has agreed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from domain.model import Value
from domain.rollout.program import (
    Factor,
    LocationFacts,
    Network,
    OfficeManager,
    PracticeSystemName,
    Provider,
    Stability,
)
from domain.rollout.readiness import (
    ChampionEdges,
    FactorScore,
    InfrastructureEdges,
    NetworkMinimum,
    ReadinessPolicy,
    Reason,
    StaffEdges,
    TechStackEdges,
    climb,
)

TOP = 5
Configuration = tuple[str, str]


class Group(Value):
    """What a location is compared with: all locations of its programme, itself among them."""

    visits: tuple[int, ...]
    common: frozenset[Configuration]
    """The most common configurations."""

    def percentile(self, visits: int) -> Decimal:
        below = sum(other < visits for other in self.visits)
        alike = sum(other == visits for other in self.visits)
        return Decimal(100 * (2 * below + alike)) / (2 * len(self.visits))


def group_of(locations: Iterable[LocationFacts]) -> Group:
    known = tuple(locations)
    counts = Counter(one.configuration for one in known)
    most = max(counts.values(), default=0)
    return Group(
        visits=tuple(sorted(one.monthly_visits for one in known)),
        common=frozenset(kind for kind, number in counts.items() if number == most),
    )


def below_network_minimum(network: Network, minimum: NetworkMinimum) -> bool:
    """T-03."""
    return network.down_mbps < minimum.down_mbps or network.up_mbps < minimum.up_mbps


def score_factors(facts: LocationFacts, group: Group, policy: ReadinessPolicy) -> tuple[FactorScore, ...]:
    """One for each factor, in the order of S-01. A score by hand stands, with its author."""
    by_hand = {one.factor: one for one in facts.scores}
    reasons = {
        Factor.IT: _infrastructure(facts, policy.infrastructure, policy.network),
        Factor.STAFF: _staff(facts, policy.staff),
        Factor.VOLUME: _volume(facts, group, policy),
        Factor.TECH_STACK: _tech_stack(facts, group, policy.tech_stack),
        Factor.CHAMPION: _champion(facts, policy.champion),
    }
    return tuple(
        FactorScore(
            factor=factor,
            score=by_hand[factor].score,
            reasons=reasons[factor],
            author=by_hand[factor].author,
            note=by_hand[factor].reason,
        )
        if factor in by_hand
        else _lowest(factor, reasons[factor])
        for factor in Factor
    )


def _lowest(factor: Factor, reasons: tuple[Reason, ...]) -> FactorScore:
    score = min(reason.allows for reason in reasons)
    marked = tuple(reason.model_copy(update={"decisive": reason.allows == score < TOP}) for reason in reasons)
    return FactorScore(factor=factor, score=score, reasons=marked)


def _reason(code: str, measured: object, allows: int) -> Reason:
    return Reason(code=code, measured=str(measured), allows=allows, met=allows == TOP)


def _capped(code: str, measured: object, cap: int, *, unless: bool) -> Reason:
    return _reason(code, measured, TOP if unless else cap)


def _percent(part: int, whole: int) -> Decimal:
    return Decimal(100 * part) / whole


def _infrastructure(facts: LocationFacts, edges: InfrastructureEdges, minimum: NetworkMinimum) -> tuple[Reason, ...]:
    network, machines, system = facts.network, facts.workstations, facts.practice_system
    young = _percent(machines.under_three_years, machines.count)
    old = _percent(machines.count - machines.meeting_minimum, machines.count)
    stability = {
        Stability.STABLE: TOP,
        Stability.INCONSISTENT: edges.inconsistent,
        Stability.UNRELIABLE: edges.unreliable,
    }
    enough = not below_network_minimum(network, minimum)
    return (
        _reason("bandwidth_mbps", network.down_mbps, climb(edges.bandwidth_mbps, network.down_mbps)),
        _capped("network_minimum", f"{network.down_mbps}/{network.up_mbps}", edges.inconsistent, unless=enough),
        _capped("fibre", network.link, edges.not_fibre, unless=network.link == "fibre"),
        _reason("stability", network.stability, stability[network.stability]),
        _capped("network_managed_by_it", network.it_managed, edges.network_unmanaged, unless=network.it_managed),
        _reason("workstations_under_three_years_percent", _shown(young), climb(edges.under_three_years_percent, young)),
        _reason("workstations_outdated_percent", _shown(old), climb(edges.outdated_percent, old)),
        _reason(
            "versions_behind", system.versions_behind, climb(edges.versions_behind, Decimal(system.versions_behind))
        ),
        _capped(
            "practice_system_supported", system.supported, edges.practice_system_unsupported, unless=system.supported
        ),
    )


def _staff(facts: LocationFacts, edges: StaffEdges) -> tuple[Reason, ...]:
    staffing = facts.staffing
    turnover = staffing.annual_turnover_percent
    return (
        _reason("turnover_percent", turnover, climb(edges.turnover_percent, turnover)),
        _reason("adoption", staffing.adoption, edges.adoption[staffing.adoption]),
        _reason("training", staffing.training, edges.training[staffing.training]),
    )


def _volume(facts: LocationFacts, group: Group, policy: ReadinessPolicy) -> tuple[Reason, ...]:
    percentile = group.percentile(facts.monthly_visits)
    return (_reason("volume_percentile", _shown(percentile), climb(policy.volume_percentile, percentile)),)


def _tech_stack(facts: LocationFacts, group: Group, edges: TechStackEdges) -> tuple[Reason, ...]:
    name, _ = facts.configuration
    if name == PracticeSystemName.OTHER:
        fits = edges.unknown_practice_system
    elif facts.configuration in group.common:
        fits = TOP
    elif any(name == common for common, _ in group.common):
        fits = edges.other_imaging
    else:
        fits = edges.other_practice_system
    return (
        _reason("integration", facts.integration, edges.integration[facts.integration]),
        _reason("configuration", f"{name}, {facts.imaging}", fits),
    )


def _champion(facts: LocationFacts, edges: ChampionEdges) -> tuple[Reason, ...]:
    manager, provider = facts.champion.office_manager, facts.champion.provider
    confirmed = _capped(
        "champion_confirmed", facts.champion.confirmed, edges.unconfirmed, unless=facts.champion.confirmed
    )
    if manager in edges.office_manager:
        return (
            _reason("office_manager", manager, edges.office_manager[manager]),
            _reason("provider", provider, edges.provider[provider]),
            confirmed,
        )
    if provider in edges.provider_candidates:
        return (_reason("provider_alone", provider, edges.provider_alone), confirmed)
    resisted = OfficeManager.RESISTANT is manager or Provider.RESISTANT is provider
    return (
        _reason("no_candidate", f"{manager}, {provider}", edges.resisted if resisted else edges.no_candidate),
        confirmed,
    )


def _shown(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"))
