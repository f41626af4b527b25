"""Reports on a programme: its board, the evidence for a gate, figures against the baseline, the return."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from domain.rollout.baseline import BaselineMetric, Unit
from domain.rollout.cadences import Cadence
from domain.rollout.forecast import ProgrammeForecast
from domain.rollout.gate.evidence import Metric
from domain.rollout.holds import Hold
from domain.rollout.phases import LocationPhase, ProgrammePhase, RollbackPhase, WavePhase
from domain.rollout.programme.state import Slip


class BoardWave(BaseModel):
    number: int
    phase: WavePhase
    locations: list[str]
    planned_from: date
    planned_to: date
    forecast_from: date
    forecast_to: date
    extended_weeks: int
    holds: list[Hold]
    evaluation_at: datetime | None
    gate_result: str | None = Field(description="Of the evaluation that is open: pass, fail or inconclusive.")
    missing: list[str] = Field(description="What keeps it from closing, as codes.")


class BoardLocation(BaseModel):
    """A line of the board in CSV too."""

    location_id: str
    region: str
    wave: int | None
    phase: LocationPhase
    holds: list[str] = Field(description="Reasons, as codes.")
    planned_go_live_at: datetime | None
    live_at: datetime | None
    comms_percent: int = Field(description="How much of its communication is switched on.")
    baseline_validated: bool
    missing: list[str] = Field(description="For its go-live, as codes.")
    issue: str | None = Field(description="Of the rollback that is open.")
    rollbacks: int
    next_deadline: datetime | None


class BoardRollback(BaseModel):
    location_id: str
    number: int
    phase: RollbackPhase
    issues: list[str]
    triggered_at: datetime
    enabled_percent: int
    missing: list[str] = Field(description="For the next stage of the re-enabling, as codes.")
    next_deadline: datetime | None


class Board(BaseModel):
    program_id: str
    phase: ProgrammePhase | None = Field(description="Null until the programme has begun.")
    as_of: datetime | None
    starts_on: date | None
    planned_end: date | None
    forecast: ProgrammeForecast | None
    slips: list[Slip]
    holds: list[Hold]
    missing: list[str] = Field(description="What the next wave waits for, as codes.")
    tasks_open: int
    tasks_late: int
    waves: list[BoardWave]
    locations: list[BoardLocation]
    rollbacks: list[BoardRollback] = Field(description="Those that are not over.")


class EvidenceLine(BaseModel):
    metric: Metric
    location_id: str | None = Field(description="Null: over all locations of the wave.")
    value: Decimal | None
    numerator: int | None
    denominator: int | None
    source: str
    as_of: datetime | None
    submitted_by: str | None


class EvidenceReport(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": "smile",
                    "wave": 1,
                    "since": "2026-03-19T15:00:00Z",
                    "until": "2026-04-03T22:00:00Z",
                    "items": [
                        {
                            "metric": "uptime",
                            "location_id": None,
                            "value": "99.7",
                            "numerator": 1292112,
                            "denominator": 1296000,
                            "source": "vendor_dashboard",
                            "as_of": "2026-04-03T22:00:00Z",
                            "submitted_by": None,
                        }
                    ],
                }
            ]
        }
    )

    program_id: str
    wave: int
    since: datetime = Field(description="The first go-live of the wave.")
    until: datetime
    items: list[EvidenceLine] = Field(description="What is not known is left out.")


class ComparisonLine(BaseModel):
    """A metric of one location, or of all together, against its baseline."""

    location_id: str | None = Field(description="Null: all locations that have both figures.")
    stretch: str = Field(examples=["day_30"])
    first_day: date
    last_day: date
    metric: BaselineMetric
    unit: Unit
    baseline: Decimal | None
    baseline_literal: Decimal | None = Field(description="As the playbook words it (decision 23).")
    value: Decimal | None
    value_literal: Decimal | None
    change: Decimal | None = Field(description="Value less baseline; points where the unit is percent.")
    better: bool | None


class MetricsReport(BaseModel):
    program_id: str
    first_day: date
    last_day: date
    items: list[ComparisonLine]


class RoiLine(BaseModel):
    location_id: str | None = Field(description="Null: all locations together.")
    stretch: str = Field(examples=["day_30", "weeks_17_to_20"])
    first_day: date
    last_day: date
    over: bool = Field(description="False while days of it are still to come.")
    hours_saved: Decimal | None = Field(description="Of the front desk, over the stretch.")
    no_show_change: Decimal | None = Field(description="Points.")
    no_shows_avoided: Decimal | None
    recall_change: Decimal | None = Field(description="Points.")
    recalls_gained: Decimal | None
    saved_cents: int | None = Field(description="Null without prices.")


class RoiReport(BaseModel):
    program_id: str
    spend_cents: int
    saved_cents: int | None = Field(description="Over the checkpoints after the go-lives, of all locations.")
    net_cents: int | None
    items: list[RoiLine]
    metrics: list[ComparisonLine]


class DowntimeDay(BaseModel):
    location_id: str
    day: date = Field(description="Local.")
    minutes: int = Field(description="Of the opening hours, all outages of the day together (decision 36).")


class DowntimeReport(BaseModel):
    items: list[DowntimeDay]


class RegularReport(BaseModel):
    """A report that was sent on its day (A-03): how things stood then."""

    id: str = Field(examples=["rollout:smile:report:board_report:2026-Q2:all"])
    cadence: Cadence
    period: str = Field(examples=["2026-Q2", "2026-04", "2026-W14", "2026-04-01"])
    at: datetime
    region: str | None
    location_id: str | None = Field(description="Both null: of the whole programme.")
    phase: ProgrammePhase
    planned_end: date
    forecast_end: date
    locations: int
    live: int
    rolled_back: int
    on_hold: int
    tasks_open: int
    tasks_late: int
    critical_issues: int = Field(description="Open issues of severity 1.")
