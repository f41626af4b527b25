"""Requests and answers about the integration of a location (I, C, D)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from api.schemas.acts import Text
from api.schemas.rollouts import example
from api.values import Line, Time
from domain.rollout.integration.policy import Operation, StepId, StepSpec
from domain.rollout.integration.state import MigrationStage, MigrationState, StepState
from domain.rollout.integration.validation import ValidationReport
from domain.rollout.people import Function
from domain.rollout.program import PracticeSystem

StepPath = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$", examples=["map_fields"])]
Count = Annotated[int, Field(ge=0, le=10_000_000)]
OptionalText = Annotated[Text | None, Field(description="It is encrypted.")]


class IntegrationStart(BaseModel):
    model_config = example(
        {"confirmed": ["server_reachable", "administrative_credentials"], "evidence": "Checked with the office."}
    )

    confirmed: set[StepId] = Field(max_length=20, description="Prerequisites that were checked.")
    evidence: OptionalText = None


class StepCompletion(BaseModel):
    model_config = example({"evidence": "The test appointment of 10:00 was on the platform at 10:01."})

    evidence: OptionalText = None


class SampleTaken(BaseModel):
    model_config = example({"checked": 50, "matched": 50, "evidence": "Record numbers are in the protocol."})

    checked: Count
    matched: Count
    operations: set[Operation] = Field(default_factory=set, description="Those that were seen to work.")
    evidence: OptionalText = None


class StepSignature(BaseModel):
    model_config = example({"function": "it_lead"})

    function: Function = Field(description="For which the caller signs; they must have it.")
    evidence: OptionalText = None


class NewTestLocation(BaseModel):
    model_config = example({"name": "TEST - Downtown"})

    name: Line


class MigrationDecision(BaseModel):
    model_config = example({"applicable": True})

    applicable: bool = Field(description="Whether history is brought over.")


class StageReached(BaseModel):
    model_config = example({"stage": "template_requested"})

    stage: MigrationStage
    evidence: OptionalText = None


class QualityChecked(BaseModel):
    model_config = example({"records": 4200, "duplicates": 0, "wrong_formats": 3, "missing_fields": 0})

    records: int = Field(ge=1, le=10_000_000)
    duplicates: Count
    wrong_formats: Count
    missing_fields: Count
    evidence: OptionalText = None


class ImportTime(BaseModel):
    model_config = example({"at": "2026-03-14T18:00:00Z"})

    at: Time = Field(description="At the weekend or in the evening, while the location is closed.")


class StepView(BaseModel):
    spec: StepSpec
    state: StepState
    due: bool = Field(description="It is this step's turn.")


class IntegrationView(BaseModel):
    location_id: str
    practice_system: PracticeSystem
    supported: bool = Field(description="False: keep the manual workflow, or defer the location (I-08).")
    minimum_version: str | None
    version_suffices: bool
    prerequisites: list[str]
    optional_prerequisites: list[str]
    started_at: datetime | None
    confirmed: list[str]
    steps: list[StepView] = Field(description="In their order.")
    validating: bool
    validation_runs: int
    validation: ValidationReport | None = Field(description="The latest run of the nine cases.")
    validation_error: str | None = Field(description="Code, when the latest run came to no report.")
    failed_cases: list[str] = Field(description="Those that did not pass, or were not run.")
    migration: MigrationState
    missing: list[str] = Field(description="For the go-live, as stable codes.")
