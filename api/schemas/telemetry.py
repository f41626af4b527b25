"""Requests and answers about telemetry, incidents, issues and answers of champions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.acts import Text
from api.values import EXAMPLE_ID, Time
from domain.actors import Actor
from domain.rollout.telemetry import Batch, IssueKind
from domain.rollout.triggers import IncidentKind

MORNING = "2026-03-02T16:00:00Z"
NOON = "2026-03-02T19:00:00Z"


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class NewBatch(Batch):
    """A batch of telemetry. Everything in it is stored, or nothing is."""

    model_config = _example(
        batch_id="vendor-2026-03-02-17",
        entries=[
            {
                "kind": "sync",
                "source": "integration_logs",
                "begins": MORNING,
                "ends": NOON,
                "total": 120,
                "part": 1,
            },
            {"kind": "watch", "source": "vendor_dashboard", "begins": MORNING, "ends": NOON},
        ],
    )


class BatchReceipt(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"batch_id": "vendor-2026-03-02-17", "outcome": "accepted", "entries": 2}]}
    )

    batch_id: str
    outcome: Literal["accepted", "duplicate"]
    entries: int


class NewIncident(BaseModel):
    model_config = _example(kind="wrong_time", occurred_at=NOON, description="The reminder named the wrong hour.")

    kind: IncidentKind
    occurred_at: Time
    description: Text


class IncidentView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "location_id": "downtown",
                    "kind": "wrong_time",
                    "occurred_at": NOON,
                    "description": "The reminder named the wrong hour.",
                    "reported_by": {"role": "front_desk", "id": EXAMPLE_ID},
                    "reported_at": NOON,
                    "confirmed_by": None,
                    "confirmed_at": None,
                }
            ]
        }
    )

    id: str
    location_id: str
    kind: IncidentKind
    occurred_at: datetime
    description: str
    reported_by: Actor
    reported_at: datetime
    confirmed_by: Actor | None = Field(description="Null while nobody has confirmed it: then it has no consequence.")
    confirmed_at: datetime | None


class NewIssue(BaseModel):
    model_config = _example(severity=1, kind="sync_outage", description="No appointment has synced since eight.")

    severity: Annotated[int, Field(ge=1, le=4, description="1 is the worst and lets no gate pass.")]
    kind: IssueKind
    description: Text


class IssueView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "location_id": "downtown",
                    "severity": 1,
                    "kind": "sync_outage",
                    "description": "No appointment has synced since eight.",
                    "opened_by": {"role": "it_lead", "id": EXAMPLE_ID},
                    "opened_at": MORNING,
                    "resolved_by": None,
                    "resolved_at": None,
                }
            ]
        }
    )

    id: str
    location_id: str
    severity: int
    kind: IssueKind
    description: str
    opened_by: Actor
    opened_at: datetime
    resolved_by: Actor | None
    resolved_at: datetime | None


class NewConfidence(BaseModel):
    model_config = _example(score=4)

    score: Annotated[int, Field(ge=1, le=5, description="How ready the location is; 5 is the best.")]


class ConfidenceView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": EXAMPLE_ID, "location_id": "downtown", "member_id": EXAMPLE_ID, "score": 4, "answered_at": NOON}
            ],
        },
        from_attributes=True,
    )

    id: str
    location_id: str
    member_id: str
    score: int
    answered_at: datetime
