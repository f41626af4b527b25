"""Requests and answers about rollbacks (X-04 to X-07)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field

from api.schemas.acts import Text
from api.schemas.rollouts import example
from domain.rollout.location.acts import RequestReason
from domain.rollout.phases import LocationPhase
from domain.rollout.rollback.state import FixKind

StepId = Annotated[str, Path(pattern=r"^[a-z_]{1,60}$", examples=["vendor_notified"])]
RollbackCursor = Annotated[
    str | None,
    Query(
        pattern=r"^rollout:[a-z0-9-]{1,40}:location:[a-z0-9-]{1,40}:rollback:\d{1,4}$",
        description="`next_cursor` of the page before.",
    ),
]
OnlyOpen = Annotated[bool, Query(alias="open", description="Only those that are not over.")]


class NewRollbackRequest(BaseModel):
    model_config = example({"reason": "clinical_impact", "impact": "Reminders name the wrong provider."})

    reason: RequestReason
    impact: Text = Field(description="What it does to care or to the practice. It is encrypted.")


class RollbackRequested(BaseModel):
    location_id: str
    rollback: int | None = Field(description="Number of the rollback that is open now.")
    state: LocationPhase


class StepDone(BaseModel):
    model_config = example({"note": "Ticket 4711 with the vendor's support."}, {})

    note: Text | None = Field(default=None, description="It is encrypted.")


class NewFix(BaseModel):
    model_config = example({"kind": "fix", "description": "Connector 4.2.1 retries after a lock."})

    kind: FixKind
    description: Text


class FixTest(BaseModel):
    model_config = example({"passed": True, "evidence": "Ran 100 appointments through the test location."})

    passed: bool
    evidence: Text = Field(description="What was tried in the test environment, and what came of it.")


class RootCause(BaseModel):
    model_config = example({"evidence": "A lock in the practice system; the fix waits for it."})

    evidence: Text = Field(description="What the root cause was, and why it is resolved.")
