"""Requests and answers about the training at a location (L)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from api.schemas.acts import Text
from api.schemas.rollouts import example
from api.values import EXAMPLE_ID, RecordId
from domain.rollout.training.policy import (
    CertificationPolicy,
    CertificationStep,
    ChampionPolicy,
    Course,
    Criterion,
    ResistancePoint,
    RoleGroup,
)
from domain.rollout.training.state import (
    Adoption,
    Champion,
    GroupTraining,
    NewHire,
    Slot,
    Takeover,
)

SlotPath = Annotated[Slot, Path(examples=["primary"])]
GroupPath = Annotated[RoleGroup, Path(examples=["front_desk"])]
HireId = Annotated[RecordId, Path()]
Reason = Annotated[str, Field(pattern=r"^[a-z_]{1,60}(\.[a-z_]{1,60})?$")]
People = Annotated[int, Field(ge=0, le=10_000)]


class Nomination(BaseModel):
    model_config = example(
        {
            "slot": "primary",
            "member_id": EXAMPLE_ID,
            "scores": {
                "technical_comfort": 4,
                "peer_influence": 5,
                "availability": 3,
                "communication": 4,
                "tenure": 5,
            },
            "tenure_months": 30,
        }
    )

    slot: Slot
    member_id: RecordId = Field(description="A champion or backup champion of the location, by the member's id.")
    scores: dict[Criterion, Annotated[int, Field(ge=0, le=10)]]
    tenure_months: int = Field(ge=0, le=1200, description="At the location.")


class Replacement(BaseModel):
    model_config = example({"reason": "left_the_location"})

    reason: Reason = Field(description="A stable code.")


class CertificationDone(BaseModel):
    model_config = example({"step": "e_learning"})

    step: CertificationStep


class QuizResult(BaseModel):
    model_config = example({"percent": "86.5"})

    percent: Decimal = Field(ge=0, le=100, max_digits=5, decimal_places=2)


class GroupTrained(BaseModel):
    model_config = example({"trained": 6, "total": 7, "evidence": "Session of Wednesday, list at the front desk."})

    trained: People
    total: People
    evidence: Text | None = Field(default=None, description="It is encrypted.")


class NewHireRegistration(BaseModel):
    model_config = example({"group": "front_desk", "starts_on": "2026-03-02"})

    group: RoleGroup
    starts_on: date = Field(ge=date(2000, 1, 1), le=date(2100, 1, 1), description="Their first day, locally.")


class AdoptionReport(BaseModel):
    model_config = example({"using": 11, "feedback": "Two of the hygienists ask for a shorter list."})

    using: People = Field(description="How many of those trained use the system.")
    feedback: Text | None = Field(default=None, description="It is encrypted.")


class GroupView(BaseModel):
    group: RoleGroup
    minutes: int
    recorded: GroupTraining | None
    complete: bool


class TrainingView(BaseModel):
    location_id: str
    champions: dict[Slot, Champion]
    takeovers: list[Takeover]
    groups: list[GroupView]
    new_hires: list[NewHire]
    trained: int
    total: int
    reports: int
    report: Adoption | None = Field(description="The latest weekly report.")
    attestation: Adoption | None = Field(description="The latest, which feeds the gate (GG-04).")
    missing: list[str] = Field(description="For the go-live, as stable codes.")


class Curriculum(BaseModel):
    """What is taught, to whom, how long, and what it takes to be certified."""

    courses: list[Course]
    certification: CertificationPolicy
    champion: ChampionPolicy
    champion_block: timedelta
    staff_block: timedelta
    resistance: list[ResistancePoint]
    provider_messages: list[str]
