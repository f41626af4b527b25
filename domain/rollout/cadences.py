"""Who is told how things stand, and how often (A-03, H-09)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from domain.actors import Notice
from domain.model import Value
from domain.rollout.phases import OVER, LocationPhase, ProgrammePhase, WavePhase


class Cadence(StrEnum):
    BOARD_REPORT = "board_report"
    EXECUTIVE_REPORT = "executive_report"
    REGIONAL_REPORT = "regional_report"
    CHAMPION_CHECK = "champion_check"
    CHAMPION_REPORT = "champion_report"
    CREDENTIAL_AUDIT = "credential_audit"


class Every(StrEnum):
    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"


class Condition(StrEnum):
    """When a cadence applies to a running programme."""

    ALWAYS = "always"
    ACTIVE_WAVE = "active_wave"
    """For the locations of a wave that has started and is not closed."""
    GO_LIVE = "go_live"
    """For the locations of a wave in its days of go-live."""
    DEPLOYED = "deployed"
    """For the locations that have gone live."""


class Scope(StrEnum):
    """What one report is about."""

    PROGRAMME = "programme"
    REGION = "region"
    LOCATION = "location"


class CadenceSpec(Value):
    cadence: Cadence
    requirement: str
    every: Every
    condition: Condition
    scope: Scope
    notices: tuple[Notice, ...]
    cron: str
    """When its schedule starts it, in UTC. A period has one report of each place, however often that is."""


class CadencePolicy(Value):
    cadences: tuple[CadenceSpec, ...]
    active_phases: frozenset[WavePhase]
    go_live_phases: frozenset[WavePhase]

    def spec(self, cadence: Cadence) -> CadenceSpec | None:
        """None for one that a programme of an older policy does not know."""
        return next((spec for spec in self.cadences if spec.cadence is cadence), None)


class LocationState(Value):
    """What of a location decides whether a cadence is due, and what a report says of it."""

    location_id: str
    region: str
    phase: LocationPhase
    wave_phase: WavePhase | None = None
    """Of its wave; None before that has started."""
    deployed: bool = False
    open_rollback: bool = False


class ProgrammeState(Value):
    program_id: str
    phase: ProgrammePhase
    locations: tuple[LocationState, ...] = ()


class Place(Value):
    """What one report is about: the programme, a region or a location of it."""

    region: str | None = None
    location_id: str | None = None

    def holds(self, location: LocationState) -> bool:
        return self.region in {None, location.region} and self.location_id in {None, location.location_id}


class Report(Value):
    """How things stand at a place: counts and codes, nothing of any person."""

    cadence: Cadence
    program_id: str
    period: str
    place: Place
    at: datetime
    phase: ProgrammePhase
    planned_end: date
    forecast_end: date
    spend_cents: int
    locations: int
    live: int
    rolled_back: int
    on_hold: int
    tasks_open: int
    tasks_late: int
    critical_issues: int
    """Open issues of severity 1."""

    @property
    def report_id(self) -> str:
        place = self.place.location_id or self.place.region or "all"
        return f"rollout:{self.program_id}:report:{self.cadence}:{self.period}:{place}"


def due(policy: CadencePolicy, cadence: Cadence, on: date, state: ProgrammeState) -> str | None:
    """The key of the period, such as `2027-Q1`, in which a report is due; None when the cadence does not apply now.

    `on` is the local day of the central team.
    """
    spec = policy.spec(cadence)
    if spec is None or not places(policy, spec, state):
        return None
    return period_key(spec.every, on)


def places(policy: CadencePolicy, spec: CadenceSpec, state: ProgrammeState) -> tuple[Place, ...]:
    """What there is to report on, sorted; nothing once the programme is over."""
    if state.phase in OVER:
        return ()
    concerned = [one for one in state.locations if _applies(policy, spec.condition, one)]
    if spec.condition is not Condition.ALWAYS and not concerned:
        return ()
    match spec.scope:
        case Scope.PROGRAMME:
            return (Place(),)
        case Scope.REGION:
            return tuple(Place(region=region) for region in sorted({one.region for one in concerned}))
        case Scope.LOCATION:
            found = sorted(concerned, key=lambda one: one.location_id)
            return tuple(Place(region=one.region, location_id=one.location_id) for one in found)


def _applies(policy: CadencePolicy, condition: Condition, location: LocationState) -> bool:
    match condition:
        case Condition.ALWAYS:
            return True
        case Condition.ACTIVE_WAVE:
            return location.wave_phase in policy.active_phases
        case Condition.GO_LIVE:
            return location.wave_phase in policy.go_live_phases
        case Condition.DEPLOYED:
            return location.deployed


def period_key(every: Every, on: date) -> str:
    """`2027-Q1`, `2027-02`, `2027-W05` (ISO 8601) or `2027-02-01`."""
    match every:
        case Every.QUARTER:
            return f"{on.year}-Q{(on.month + 2) // 3}"
        case Every.MONTH:
            return f"{on:%Y-%m}"
        case Every.WEEK:
            year, week, _ = on.isocalendar()
            return f"{year}-W{week:02}"
        case Every.DAY:
            return on.isoformat()


def in_words(report: Report) -> str:
    """The figures of a report as lines of a letter."""
    lines = [
        f"Programme {report.program_id}, {report.period}: {report.phase}",
        f"Locations live: {report.live} of {report.locations}; rolled back: {report.rolled_back};"
        f" on hold: {report.on_hold}",
        f"Tasks open: {report.tasks_open}; late: {report.tasks_late}",
        f"Open issues of severity 1: {report.critical_issues}",
        f"End planned: {report.planned_end}; forecast: {report.forecast_end}",
    ]
    if report.cadence is Cadence.EXECUTIVE_REPORT:
        lines.append(f"Budget: ${report.spend_cents / 100:,.2f}")
    if where := report.place.location_id or report.place.region:
        lines.insert(1, f"Of {where}")
    return "\n".join(lines)
