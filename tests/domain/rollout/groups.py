"""Groups of locations for tests of readiness and planning."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

from domain import policy
from domain.rollout.program import (
    Adoption,
    ChampionFacts,
    Factor,
    HandScore,
    IntegrationEffort,
    Link,
    LocationFacts,
    Network,
    OfficeManager,
    PracticeSystem,
    PracticeSystemName,
    Programme,
    Provider,
    Staffing,
    TrainingProgramme,
    Workstations,
)
from domain.work_calendar import OpeningHours, WorkCalendar

POLICY = policy.load().rollout
MONDAY = date(2026, 1, 5)
HOURS = tuple(OpeningHours(weekday=day, opens=time(8), closes=time(17)) for day in range(1, 6))
CALENDAR = WorkCalendar(time_zone="America/Chicago", hours=HOURS)
REGIONS = ("north", "south", "west")
FACTORS = tuple(Factor)


def location(location_id: str = "downtown", **changed: Any) -> LocationFacts:
    """A location with the highest score for everything but its volume."""
    facts: dict[str, Any] = {
        "location_id": location_id,
        "name": location_id.title(),
        "region": "north",
        "time_zone": "America/Chicago",
        "hours": HOURS,
        "monthly_visits": 1000,
        "practice_system": PracticeSystem(name=PracticeSystemName.DENTRIX, version="G7.5"),
        "imaging": "dexis",
        "integration": IntegrationEffort.PRE_VALIDATED,
        "network": Network(down_mbps=Decimal(200), up_mbps=Decimal(50), link=Link.FIBRE, it_managed=True),
        "workstations": Workstations(count=10, under_three_years=10, meeting_minimum=10),
        "staffing": Staffing(
            annual_turnover_percent=Decimal(10),
            adoption=Adoption.DOCUMENTED_SUCCESS,
            training=TrainingProgramme.FORMAL,
        ),
        "champion": ChampionFacts(office_manager=OfficeManager.TECH_FORWARD, provider=Provider.ENGAGED, confirmed=True),
        "regional_manager_engaged": True,
    }
    return LocationFacts(**facts | changed)


def by_hand(*scores: int, author: str = "m-1") -> tuple[HandScore, ...]:
    """Scores in the order of S-07: infrastructure, staff, volume, tech stack, champion."""
    return tuple(
        HandScore(factor=factor, score=score, author=author, reason="seen on site")
        for factor, score in zip(FACTORS, scores, strict=True)
    )


def programme(*locations: LocationFacts, **changed: Any) -> Programme:
    told: dict[str, Any] = {
        "program_id": "bright",
        "name": "Bright Dental",
        "starts_on": MONDAY,
        "calendar": CALENDAR,
        "spend_cents": 0,
        "people": (),
        "locations": locations,
    }
    return Programme(**told | changed)


def group(number: int, *, ready: int = 6, low: int = 0) -> tuple[LocationFacts, ...]:
    """So many locations over three regions: some fit for the pilot, some of the third band, the others in between."""
    return tuple(_member(place, ready, low, number) for place in range(number))


def _member(place: int, ready: int, low: int, number: int) -> LocationFacts:
    volume = 1 + 4 * place // number
    scores = (5, 5, volume, 5, 5) if place < ready else (3, 4, volume, 4, 4)
    if place >= number - low:
        scores = (2, 2, volume, 2, 2)
    # Odd places are busy, even ones are not: the ready ones are of both kinds.
    visits = 500 + 10 * place if place % 2 else 2500 - 10 * place
    return location(f"l{place:02}", region=REGIONS[place % 3], monthly_visits=visits, scores=by_hand(*scores))
