"""The programme file: a dental group, its people and its locations, as planned by its operations (R-05, T, N, S, W).

Shapes and single values are checked here; domain/rollout/program_file.py checks what one entry says of another.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.model import Value
from domain.rollout.people import Function
from domain.work_calendar import OpeningHours, WorkCalendar

Slug = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
"""An opaque business id within a programme: part of workflow ids, so never a name of a person."""
Text = Annotated[str, Field(min_length=1, max_length=200)]
Percent = Annotated[Decimal, Field(ge=0, le=100)]


class PracticeSystemName(StrEnum):
    DENTRIX = "dentrix"
    EAGLESOFT = "eaglesoft"
    OPEN_DENTAL = "open_dental"
    OTHER = "other"


class PracticeSystem(Value):
    """The practice management system of a location (T-05, T-06, S-05)."""

    name: PracticeSystemName
    version: str = Field(pattern=r"^[A-Za-z]?\d+(\.\d+){0,3}$", examples=["G7.3", "21", "22.1"])
    versions_behind: int = Field(default=0, ge=0)
    """How many major versions the installed one is behind the vendor's current one."""
    supported: bool = True
    """By its maker."""


class Link(StrEnum):
    FIBRE = "fibre"
    CABLE = "cable"
    DSL = "dsl"
    OTHER = "other"


class Stability(StrEnum):
    STABLE = "stable"
    INCONSISTENT = "inconsistent"
    UNRELIABLE = "unreliable"


class Network(Value):
    down_mbps: Decimal = Field(ge=0, le=1_000_000)
    up_mbps: Decimal = Field(ge=0, le=1_000_000)
    link: Link = Link.OTHER
    stability: Stability = Stability.STABLE
    it_managed: bool = False


class Workstations(Value):
    """T-02, T-04, S-02."""

    count: int = Field(ge=1, le=10_000)
    under_three_years: int = Field(ge=0)
    meeting_minimum: int = Field(ge=0)
    """Windows 10 or 11 or macOS 10.15 or later, 8 GB of memory, a current browser."""


class Adoption(StrEnum):
    """How the staff took to technology before (S-03)."""

    DOCUMENTED_SUCCESS = "documented_success"
    RECENT_MINIMAL_ISSUES = "recent_minimal_issues"
    MIXED = "mixed"
    SIGNIFICANT_RESISTANCE = "significant_resistance"
    ACTIVE_RESISTANCE = "active_resistance"


class TrainingProgramme(StrEnum):
    FORMAL = "formal"
    INFORMAL = "informal"
    NONE = "none"


class Staffing(Value):
    annual_turnover_percent: Percent
    adoption: Adoption
    training: TrainingProgramme = TrainingProgramme.NONE


class OfficeManager(StrEnum):
    TECH_FORWARD = "tech_forward"
    STRONG = "strong"
    WILLING = "willing"
    RESISTANT = "resistant"
    NONE = "none"


class Provider(StrEnum):
    ENGAGED = "engaged"
    SUPPORTIVE = "supportive"
    WILLING = "willing"
    NEUTRAL = "neutral"
    RESISTANT = "resistant"


class ChampionFacts(Value):
    """S-06, W-03."""

    office_manager: OfficeManager
    provider: Provider
    confirmed: bool = False
    """Somebody has agreed to be the champion."""


class IntegrationEffort(StrEnum):
    """What it takes to connect the location's systems (S-05)."""

    PRE_VALIDATED = "pre_validated"
    MINOR_DIFFERENCES = "minor_differences"
    SOME_WORK = "some_work"
    LIMITED_API = "limited_api"
    UNSUPPORTED = "unsupported"


class MajorChange(Value):
    """A renovation, a provider's departure or the like (S-11, W-03). First and last day."""

    what: Text
    begins: date
    ends: date


class Factor(StrEnum):
    """The five factors of readiness (S-01)."""

    IT = "it"
    STAFF = "staff"
    VOLUME = "volume"
    TECH_STACK = "tech_stack"
    CHAMPION = "champion"


class HandScore(Value):
    """A score entered by a person instead of one worked out from facts."""

    factor: Factor
    score: int = Field(ge=1, le=5)
    author: Text
    """Opaque id of who entered it."""
    reason: Text


class LocationFacts(Value):
    """One location, as surveyed."""

    location_id: Slug
    name: Text
    region: Slug
    time_zone: str
    """IANA name."""
    hours: tuple[OpeningHours, ...]
    """Local opening hours."""
    holidays: frozenset[date] = frozenset()
    monthly_visits: int = Field(ge=0, le=1_000_000)
    practice_system: PracticeSystem
    imaging: Text
    integration: IntegrationEffort
    network: Network
    workstations: Workstations
    staffing: Staffing
    champion: ChampionFacts
    major_changes: tuple[MajorChange, ...] = ()
    regional_manager_engaged: bool = False
    near_central_team: bool = False
    """Or near the vendor's support (W-04)."""
    rollback_tolerable: bool = True
    """A temporary rollback would not significantly disrupt operations (W-05)."""
    baseline_reliable: bool = True
    """B-15."""
    scores: tuple[HandScore, ...] = ()

    @property
    def calendar(self) -> WorkCalendar:
        return WorkCalendar(time_zone=self.time_zone, hours=self.hours, holidays=self.holidays)

    @property
    def configuration(self) -> tuple[str, str]:
        """Practice system and imaging: locations that share both are alike to integrate."""
        return (self.practice_system.name, self.imaging)


class Person(Value):
    """Somebody of the programme. Their contact data is stored in the database only."""

    key: Slug
    function: Function
    name: Text = Field(repr=False)
    email: str = Field(repr=False, pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)
    phone: str | None = Field(default=None, repr=False, pattern=r"^\+[1-9]\d{6,14}$")
    """E.164."""
    subject: str | None = Field(default=None, max_length=200)
    """`sub` of their tokens, where they use the API."""
    region: Slug | None = None
    location_id: Slug | None = None


class WaiverRule(StrEnum):
    """Rules of the planner that the VP of Operations may waive (decision 27). Hard rules are not among them."""

    PILOT_COMPOSITE = "pilot_composite"
    PILOT_CHAMPION = "pilot_champion"
    PILOT_MAJOR_CHANGE = "pilot_major_change"
    PILOT_REGIONAL_MANAGER = "pilot_regional_manager"
    PILOT_PREFERRED = "pilot_preferred"
    PILOT_BASELINE = "pilot_baseline"
    PILOT_ROLLBACK_TOLERABLE = "pilot_rollback_tolerable"
    PILOT_HIGH_VOLUME = "pilot_high_volume"
    PILOT_LOW_VOLUME = "pilot_low_volume"
    PILOT_COMMON_CONFIGURATION = "pilot_common_configuration"
    PILOT_REGIONS = "pilot_regions"


class Waiver(Value):
    """Without a location it is for a rule about the whole set of pilots."""

    rule: WaiverRule
    location_id: Slug | None = None
    granted_by: Text
    """Opaque id of the VP of Operations."""
    reason: Text


class Hosting(StrEnum):
    CENTRALIZED = "centralized"
    LOCATION_LEVEL = "location_level"


class Programme(Value):
    """The whole file."""

    program_id: Slug
    name: Text
    starts_on: date = Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))
    """Day 1, a Monday."""
    calendar: WorkCalendar
    """Of the central team: business days are counted by it."""
    spend_cents: int = Field(ge=0, le=10**14)
    hosting: Hosting = Hosting.CENTRALIZED
    """H-01."""
    extra_waves: bool = False
    """Split what is left for wave 4 into waves of at most 12 (decision 28)."""
    people: tuple[Person, ...]
    locations: tuple[LocationFacts, ...]
    waivers: tuple[Waiver, ...] = ()
