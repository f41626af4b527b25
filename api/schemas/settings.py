"""Requests and answers about the settings of a rollout."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from api.schemas.rollouts import example
from domain.rollout.settings import Drift, Kind, Origin, Scope, SettingSpec

SettingKey = Annotated[str, Path(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,60}$", examples=["reminders.offsets_hours"])]


class SettingView(BaseModel):
    key: str
    requirement: str
    title: str
    scope: Scope
    kind: Kind
    value: Any = Field(description="What holds; null: nothing is set.")
    origin: Origin = Field(description="Where it comes from.")
    default: Any
    choices: list[str]
    least: int | None
    most: int | None
    longest: int


class NewValue(BaseModel):
    model_config = example({"value": [72, 24, 2]})

    value: Any = Field(description="Of the kind that the catalogue names.")


class Observed(BaseModel):
    """What is in use at a location, as found there."""

    model_config = example({"values": {"reminders.offsets_hours": [24]}})

    values: dict[str, Any] = Field(min_length=1, max_length=200, description="By key.")


class DriftView(Drift):
    location_id: str
    observed_at: datetime | None


class DriftReport(BaseModel):
    items: list[DriftView]
    never_observed: list[str] = Field(description="Locations where nobody has looked yet.")


def setting_view(spec: SettingSpec, value: object, origin: Origin) -> SettingView:
    told = spec.model_dump(exclude={"choices", "guided"})
    return SettingView(**told, choices=list(spec.choices), value=value, origin=origin)
