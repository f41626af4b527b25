"""Requests and answers about readiness and plans."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from api.schemas.rollouts import example
from domain.rollout.plan import Plan
from domain.rollout.planning.answers import Explanation, Move, SuggestedWaiver
from domain.rollout.program import Slug
from domain.rollout.program_findings import Finding
from domain.rollout.readiness import Assessment, Band, FactorScore
from domain.rollout.resurvey import Resurvey

_SHORT_SCORE = {"factor": "champion", "score": 4, "reason": "The office manager leads the training herself."}


class NewReadiness(Resurvey):
    """Facts measured anew, scores by hand, or factors that are to be worked out again. What is left out stays."""

    model_config = example(
        {"scores": [_SHORT_SCORE]},
        {
            "facts": {"network": {"down_mbps": "120", "up_mbps": "40", "link": "fibre", "it_managed": True}},
            "withdrawn": ["it"],
        },
    )


class AssessmentView(BaseModel):
    location_id: str
    region: str
    scores: list[FactorScore] = Field(description="One for each factor, with the reasons or the author.")
    volume_percentile: Decimal = Field(description="Of the monthly visits among the programme's locations.")
    composite: Decimal = Field(description="To two places; the band is decided on the unrounded value.")
    band: Band
    recommended_wave: int | None = Field(description="Null: deferred, to be remedied first.")
    planned_wave: int | None = Field(description="In the plan that is followed.")


class ReadinessMatrix(BaseModel):
    program_id: str
    items: list[AssessmentView] = Field(description="The readiest first; those that the caller may see.")


class MatrixLine(BaseModel):
    """S-08, for a spreadsheet."""

    location_id: str
    it: int
    staff: int
    volume: int
    tech_stack: int
    champion: int
    composite: Decimal
    band: Band
    recommended_wave: int | None
    planned_wave: int | None


class EntryView(BaseModel):
    entry_id: str
    found: Resurvey
    author: str = Field(description="Id of the member.")
    composite: Decimal = Field(description="As it was then, to two places.")
    band: Band
    entered_at: datetime


class LocationReadiness(BaseModel):
    assessment: AssessmentView
    entries: list[EntryView] = Field(description="What was found out since the programme was placed, latest first.")


class LocationChange(Resurvey):
    """What if this were found out about a location?"""

    model_config = example({"location_id": "downtown", "scores": [_SHORT_SCORE]})

    location_id: Slug


class WhatIf(BaseModel):
    model_config = example(
        {
            "changes": [{"location_id": "downtown", "facts": {"baseline_reliable": True}}],
            "waivers": [{"rule": "pilot_regions"}],
            "moves": [{"location_id": "uptown", "wave": 2}],
        }
    )

    changes: list[LocationChange] = Field(default_factory=list, max_length=60)
    waivers: list[SuggestedWaiver] = Field(
        default_factory=list, max_length=60, description="As if granted, beside those that are."
    )
    moves: list[Move] = Field(default_factory=list, max_length=60)
    extra_waves: bool | None = Field(default=None, description="Null: as in the programme.")


class Difference(BaseModel):
    location_id: str
    from_wave: int | None
    to_wave: int | None


class PlanAnswer(BaseModel):
    """Either a plan or why there is none."""

    possible: bool
    plan: Plan | None
    explanation: Explanation | None = Field(description="Without a plan: rules that conflict, waivers that would help.")
    readiness: list[Assessment] = Field(description="The readiest first.")
    differences: list[Difference] = Field(default_factory=list, description="From the plan that is followed.")
    warnings: list[Finding] = Field(default_factory=list, description="Of the programme file.")
