"""Requests and answers about what a location has to do and prove, and what of its communication is on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field, StringConstraints, field_validator

from api.schemas.acts import Text
from api.schemas.rollouts import example
from domain.actors import Actor
from domain.rollout.location.comms import Capability, MessageChannel
from domain.rollout.location.state import Baseline, Speed
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase
from domain.rollout.program import PracticeSystem, PracticeSystemName
from domain.rollout.tasks import Party, TaskStatus

TaskName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")]
TaskId = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$", examples=["firewall"])]
LateClock = Annotated[
    str, Path(pattern=r"^[a-z_]{1,40}(:[a-z0-9_-]{1,60})?$", examples=["task:firewall", "baseline", "go_live"])
]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,59}$")]
Mbps = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=2)]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]?\d{1,4}(\.\d{1,6}){0,3}$")]


class TaskDone(BaseModel):
    model_config = example({"evidence": "Rule 12 of the firewall, checked with the vendor's probe."}, {})

    evidence: Text | None = Field(default=None, description="It is encrypted.")


class TasksDone(BaseModel):
    model_config = example({"task_ids": ["firewall", "browsers"], "evidence": "Checked on the round of Tuesday."})

    task_ids: list[TaskName] = Field(min_length=1, max_length=50, json_schema_extra={"uniqueItems": True})
    evidence: Text | None = Field(default=None, description="It is encrypted.")

    @field_validator("task_ids")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(value))


class TaskWaiver(BaseModel):
    model_config = example({"reason": "not_applicable"})

    reason: Code


class NetworkMeasurement(BaseModel):
    model_config = example({"down_mbps": "94.2", "up_mbps": "21.7", "evidence": "Wired, at the front desk, 10:05."})

    down_mbps: Mbps
    up_mbps: Mbps
    evidence: Text


class Installed(BaseModel):
    model_config = example({"name": "dentrix", "version": "G7.3", "evidence": "Upgraded over the weekend."})

    name: PracticeSystemName
    version: Version
    versions_behind: int = Field(default=0, ge=0, le=100)
    evidence: Text | None = None


class BaselineVerdict(BaseModel):
    model_config = example({"accurate": True}, {"accurate": False, "note": "Recalls are counted twice."})

    accurate: bool = Field(description="Whether the regional manager vouches for the data (B-12).")
    note: Text | None = None


class ChecklistItem(BaseModel):
    task_id: str
    title: str
    requirement: str
    party: Party
    owner: Function
    critical: bool = Field(description="No go-live before it is done; it cannot be waived.")
    needs: tuple[str, ...]
    status: TaskStatus
    due: datetime | None
    ended_at: datetime | None
    by: Actor | None


class LaunchView(BaseModel):
    """How far a location is on its way to its launch."""

    location_id: str
    state: LocationPhase
    wave: int | None
    planned_go_live_at: datetime | None
    live_at: datetime | None
    missing: list[str] = Field(description="What the launch lacks, as stable codes.")
    practice_system: PracticeSystem
    network: Speed | None = Field(description="The latest measurement.")
    baseline: Baseline | None
    baseline_due: datetime | None
    items: list[ChecklistItem]


class CommsView(BaseModel):
    location_id: str
    enabled_percent: int = Field(description="Of the recipients. The location's process sets it.")
    reason: str = Field(description="A stable code: why it is so.")
    since: datetime | None
    capabilities: list[Capability]
    channels: list[MessageChannel]


class CommsSwitches(BaseModel):
    """Those that are named change."""

    model_config = example({"reviews": False, "voice": False})

    reminders: bool | None = None
    recall: bool | None = None
    scheduling: bool | None = None
    reviews: bool | None = None
    two_way: bool | None = None
    sms: bool | None = None
    email: bool | None = None
    voice: bool | None = None
