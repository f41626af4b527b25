"""What the API tells a location of a stored batch of telemetry."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from domain.model import Value


class SyncSample(Value):
    """How many appointments of a stretch of time were to be synchronized, and how many of them were not."""

    from_at: datetime
    until_at: datetime
    total: int = Field(ge=0)
    failed: int = Field(ge=0)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.until_at <= self.from_at:
            raise ValueError("a sample ends after it begins")
        if self.failed > self.total:
            raise ValueError("no more can fail than there are")
        return self


class Outage(Value):
    """The system is or was down for the location. Told again when it ends, or when more is known."""

    outage_id: str
    """Opaque."""
    began_at: datetime
    ended_at: datetime | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.ended_at is not None and self.ended_at < self.began_at:
            raise ValueError("an outage ends after it begins")
        return self


class IncidentKind(StrEnum):
    """X-02."""

    WRONG_PATIENT = "wrong_patient"
    WRONG_TIME = "wrong_time"
    WRONG_CONTENT = "wrong_content"


class MessageIncident(Value):
    """A message that went wrong, confirmed by a person."""

    incident_id: str
    """Opaque."""
    kind: IncidentKind
    confirmed_at: datetime


class TelemetryNews(Value):
    """Signal `telemetry_reported`, API to location. Safe to repeat, in any order."""

    batch_id: str
    samples: tuple[SyncSample, ...] = ()
    outages: tuple[Outage, ...] = ()
    """Begun, ended or both. One that has ended names its beginning too."""
    incidents: tuple[MessageIncident, ...] = ()
