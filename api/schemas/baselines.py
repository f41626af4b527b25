"""Requests and answers about baselines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.roster import Day
from domain.actors import Actor
from domain.rollout.baseline import BaselineMetric, Unit, WindowKind
from domain.rollout.telemetry import Source

COUNTS: dict[str, Any] = {"scheduled": "1240", "missed_without_notice": "74", "cancelled_within_24_h": "41"}
PERIOD: dict[str, Any] = {"first_day": "2026-01-01", "last_day": "2026-03-31"}

Count = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class Collection(BaseModel):
    """One metric, as collected (B-02)."""

    metric: BaselineMetric
    first_day: Day
    last_day: Day = Field(description="Local; both days count.")
    counts: Annotated[dict[str, Count], Field(max_length=20)]
    method: Source
    reliable: bool = Field(default=True, description="Whether whoever collected it vouches for it (B-15).")


class NewBaseline(BaseModel):
    model_config = _example(
        metrics=[{"metric": "no_show_rate", **PERIOD, "counts": COUNTS, "method": "practice_reports"}]
    )

    metrics: Annotated[list[Collection], Field(min_length=1, max_length=20)]


class MetricView(BaseModel):
    """A metric of the registry, with what a location has of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "metric": "no_show_rate",
                    "requirement": "B-03",
                    "definition": "Appointments missed without 24 h notice, of all scheduled",
                    "collection_method": "Report of the practice system",
                    "unit": "percent",
                    "window": "trailing_days",
                    "window_length": 90,
                    "optional": False,
                    **PERIOD,
                    "counts": COUNTS,
                    "bucketed": "5.97",
                    "playbook_literal": "9.27",
                    "reliable": True,
                    "method": "practice_reports",
                    "collected_by": {"role": "office_manager", "id": "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"},
                    "collected_at": "2026-04-01T16:00:00Z",
                }
            ]
        }
    )

    metric: BaselineMetric
    requirement: str
    definition: str
    collection_method: str
    unit: Unit
    window: WindowKind
    window_length: int
    optional: bool
    first_day: date | None
    last_day: date | None
    counts: dict[str, Decimal] | None = Field(description="Null while it has not been collected.")
    bucketed: Decimal | None = Field(description="Over mutually exclusive buckets (decision 23).")
    playbook_literal: Decimal | None = Field(description="Exactly as the playbook words it.")
    reliable: bool | None
    method: Source | None
    collected_by: Actor | None
    collected_at: datetime | None


class BaselineView(BaseModel):
    location_id: str
    metrics: list[MetricView]
    complete: bool
    missing: list[str] = Field(description="Codes of what is not collected, or not reliable (B-15).")
    due: datetime | None = Field(description="A week before the pilot's go-live (B-13); null while there is no plan.")
    validated_by: Actor | None = Field(description="The regional manager who found it accurate (B-12).")
    validated_at: datetime | None


class BaselineLine(BaseModel):
    """One metric of one location, for the comparison across locations (B-14)."""

    location_id: str
    region: str
    metric: BaselineMetric
    unit: Unit
    first_day: date | None
    last_day: date | None
    bucketed: Decimal | None
    playbook_literal: Decimal | None
    reliable: bool | None
    location_complete: bool = Field(description="False flags a location that is not for wave 1 (B-15).")
    validated: bool


class BaselineComparison(BaseModel):
    items: list[BaselineLine]
    incomplete: list[str] = Field(description="Locations whose baseline is incomplete or unreliable (B-15).")
    effort_hours: tuple[int, int] = Field(description="Estimate over all locations, from and to (B-16).")


class TemplateLine(BaseModel):
    """A line of the reporting template: one count to fill in (B-11)."""

    location_id: str
    metric: BaselineMetric
    definition: str
    collection_method: str
    window: WindowKind
    window_length: int
    optional: bool
    first_day: str
    last_day: str
    count: str
    value: str
