"""Requests and answers about programmes, their locations and their processes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from domain.rollout.location.view import LocationSnapshot
from domain.rollout.location_csv import CellFinding
from domain.rollout.people import Function
from domain.rollout.plan import Plan
from domain.rollout.program import ChampionFacts, HandScore, LocationFacts, MajorChange, PracticeSystem, Staffing
from domain.rollout.program_findings import Finding
from domain.rollout.programme.view import ProgrammeSnapshot
from domain.rollout.rollback.view import RollbackSnapshot
from domain.rollout.wave.view import WaveSnapshot

SLUG = r"^[a-z0-9][a-z0-9-]{0,39}$"
ProgramId = Annotated[str, Path(pattern=SLUG, examples=["bright-2026"])]
LocationId = Annotated[str, Path(pattern=SLUG, examples=["downtown"])]
WaveNumber = Annotated[int, Path(ge=1, le=50, examples=[1])]
RollbackNumber = Annotated[int, Path(ge=1, le=1000, examples=[1])]
SlugCursor = Annotated[str | None, Query(pattern=SLUG, description="`next_cursor` of the page before.")]
Live = Annotated[bool, Query(description="Ask the workflow itself. 409 `case.not_running`.")]

PROGRAMME_FILE = "A programme file; `GET /rollouts/schema` is its JSON schema. Write YAML or JSON."


def example(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": list(examples)})


class Findings(BaseModel):
    model_config = example(
        {
            "valid": False,
            "findings": [
                {
                    "code": "program.start_not_monday",
                    "path": "starts_on",
                    "detail": "day 1 of a programme is a Monday",
                    "severity": "error",
                }
            ],
        }
    )

    valid: bool = Field(description="There is no error; warnings do not count.")
    findings: list[Finding]


class LocationsRead(BaseModel):
    """A list of locations, for the `locations` of a programme file."""

    locations: list[LocationFacts] = Field(description="Empty when anything is wrong.")
    findings: list[CellFinding]


class ProgrammeView(BaseModel):
    program_id: str
    name: str
    starts_on: date
    plan: Plan = Field(description="As it was at the start; `progress` has the one that is followed now.")
    state: str | None = Field(description="A `ProgrammePhase`; null until its process has taken its first step.")
    created_at: datetime
    progress: ProgrammeSnapshot | None = Field(
        description="What its process shows. Null before its first step, and for members of a part of the programme."
    )
    warnings: list[Finding] = Field(default_factory=list, description="Of the file; only in the answer to placing it.")


class ProgrammeSummary(BaseModel):
    program_id: str
    name: str
    starts_on: date
    state: str | None = Field(description="A `ProgrammePhase`; null until its process has taken its first step.")
    created_at: datetime


class Survey(BaseModel):
    """What was found out about people; for the system administrators, executives and regional administrators."""

    staffing: Staffing
    champion: ChampionFacts
    major_changes: list[MajorChange]
    scores: list[HandScore]
    regional_manager_engaged: bool


class LocationSummary(BaseModel):
    location_id: str
    program_id: str
    region: str
    name: str
    time_zone: str
    practice_system: PracticeSystem
    imaging: str
    state: str | None = Field(description="A `LocationPhase`; null until its process has taken its first step.")


class LocationView(LocationSummary):
    monthly_visits: int
    survey: Survey | None
    progress: LocationSnapshot | None = Field(description="What its process shows; null before its first step.")


class WaveView(BaseModel):
    program_id: str
    number: int
    progress: WaveSnapshot


class RollbackView(BaseModel):
    location_id: str
    number: int
    progress: RollbackSnapshot


FunctionName = Annotated[Function, Field(examples=[Function.CHAMPION])]
