"""Requests about a running programme (spec/rollout.md, processes R, T, N, H, P, A, X)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field, StringConstraints

from api.schemas.acts import Text
from api.schemas.rollouts import example
from domain.rollout.people import Function
from domain.rollout.planning.answers import Move
from domain.rollout.program import Hosting, Slug, WaiverRule

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A stable code; what there is to say goes into the note."""
ProgrammeClock = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}(:[a-z0-9_]{1,40})?$")]
TaskId = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$", examples=["n_02"])]
PointId = Annotated[str, Path(pattern=r"^p_[0-9]{2}$", examples=["p_01"])]
HoldReason = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["budget"])]
Approver = Annotated[Function, Path(examples=[Function.CFO])]

NOTE = "It is encrypted."


class TaskDone(BaseModel):
    model_config = example({"evidence": "Signed on both sides; contract 2026-17."}, {})

    evidence: Text | None = Field(default=None, description=NOTE)
    location_ids: list[Slug] = Field(
        default_factory=list, max_length=60, description="Where the task asks for them: sample datasets, say."
    )


class TaskWaived(BaseModel):
    model_config = example({"reason": "no_such_system"})

    reason: Code


class NewHosting(BaseModel):
    model_config = example({"hosting": "centralized", "rationale": "One report over all locations."})

    hosting: Hosting
    rationale: Text | None = Field(default=None, description=NOTE)


class Attested(BaseModel):
    model_config = example({"passed": True, "evidence": "TLS 1.3 on every endpoint, scanned on March 3."})

    passed: bool
    evidence: Text | None = Field(default=None, description=f"Needed for a point that passes. {NOTE}")


class ApprovalDecision(BaseModel):
    model_config = example({"approve": False, "note": "The budget line is not signed."})

    approve: bool
    note: Text | None = Field(default=None, description=NOTE)


class PilotSelection(BaseModel):
    model_config = example({"locations": ["downtown", "uptown", "harbour"]})

    locations: list[Slug] = Field(min_length=1, max_length=60, description="All of wave 1, so that nothing has moved.")


class LocationMove(BaseModel):
    model_config = example({"to_wave": 3, "reason": "renovation"})

    to_wave: int | None = Field(default=None, ge=1, le=50, description="Null: out of its wave, to wait.")
    reason: Code


class NewPlan(BaseModel):
    model_config = example({"moves": [{"location_id": "uptown", "wave": 2}]}, {})

    moves: list[Move] = Field(default_factory=list, max_length=60)
    extra_waves: bool | None = Field(default=None, description="Null: as in the programme.")


class NewHold(BaseModel):
    model_config = example({"reason": "budget", "note": "Until the board has met."})

    reason: Code
    note: Text | None = Field(default=None, description=NOTE)


class Resumption(BaseModel):
    model_config = example({}, {"override": "fix_is_rolling_out", "note": "Two of three are back already."})

    override: Code | None = Field(default=None, description="Needed while the issue is systemic still.")
    note: Text | None = Field(default=None, description=NOTE)


class NewWaiver(BaseModel):
    model_config = example({"rule": "pilot_regions", "reason": "All pilots are in the region of the central team."})

    rule: WaiverRule
    location_id: Slug | None = Field(default=None, description="Null: for the whole set of pilots.")
    reason: Text = Field(description=NOTE)


class ProgrammeCancellation(BaseModel):
    model_config = example({"reason": "budget"})

    reason: Code
    note: Text | None = Field(default=None, description=NOTE)


class ProgrammeEscalation(BaseModel):
    model_config = example({"clock": "task:n_05"}, {"clock": "approval:cfo"})

    clock: ProgrammeClock
