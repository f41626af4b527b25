"""Requests and answers about waves and the gates behind them (W-06 to W-09, GG)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, Field

from api.schemas.acts import Text
from api.schemas.rollouts import SLUG, example
from domain.case import WaitsFor
from domain.rollout.gate.state import Advice, Decision, GateDecision
from domain.rollout.phases import WavePhase
from domain.rollout.wave.policy import Artefact
from domain.rollout.wave.view import GateView

WaveClock = Annotated[str, Path(pattern=r"^[a-z_]{1,40}(:[a-z0-9-]{1,40})?$", examples=["check_in:downtown"])]


class WaveSummary(BaseModel):
    number: int
    state: WavePhase
    starts_on: date
    ends_on: date = Field(description="As planned.")
    locations: list[str]
    live: list[str] = Field(description="Those that have gone live.")
    not_live: list[str] = Field(description="Those whose launch has come and that could not go live.")
    evaluation_at: datetime | None = Field(description="When it is evaluated next.")
    extended_weeks: int
    slipped_weeks: int
    closed_at: datetime | None
    waits_for: list[WaitsFor]


class NewCheckIn(BaseModel):
    model_config = example({"location_id": "downtown", "note": "Two staff still call every patient."})

    location_id: Annotated[str, Field(pattern=SLUG)]
    note: Text | None = Field(default=None, description="What was said. It is encrypted.")


class NewArtefact(BaseModel):
    model_config = example({"artefact": "lessons_learned", "text": "Train the front desk twice."})

    artefact: Artefact
    text: Text = Field(description="The document, or where it is kept. It is encrypted.")


class NewGateInput(BaseModel):
    model_config = example({"advice": "go", "note": "Providers are content."})

    advice: Literal[Advice.GO, Advice.NO_GO]
    note: Text | None = Field(default=None, description="It is encrypted.")


class NewGateDecision(BaseModel):
    model_config = example({"decision": "go", "evidence_hash": "9f" * 32, "reason": "Everything passes."})

    decision: Literal[Decision.GO, Decision.NO_GO]
    evidence_hash: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the evidence that was decided on.")
    reason: Text
    override_reason: Text | None = Field(
        default=None, description="Why it is a go although evidence is inconclusive. What fails is never overridden."
    )


class WaveGate(BaseModel):
    program_id: str
    number: int
    state: WavePhase
    evaluation_at: datetime | None = Field(description="When the gate opens next.")
    gate: GateView | None = Field(description="The evaluation that is open: criteria, evidence, inputs.")
    decisions: list[GateDecision] = Field(description="One for each evaluation that is over, in their order.")
    notes: dict[str, str] = Field(description="What people wrote with inputs and decisions, by id.")
