"""Scorecards as the API answers them, and as lines for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.values import EXAMPLE_ID, Page
from domain.scorecard import (
    TIME_ZONE,
    Attendance,
    Figures,
    OpenEscalation,
    Period,
    Scorecard,
    Sla,
    SlaCounts,
    SlaFigures,
    TrendPoint,
)

_PERIOD = Period.of(datetime.fromisoformat("2026-03-02T00:00:00Z"), datetime.fromisoformat("2026-03-09T00:00:00Z"))
_ATTENDANCE = Attendance(attended_on_time=18, late=1, excused=1)
_NOTE = SlaFigures(
    name=Sla.NOTE, met=18, late=1, waived=1, timed=19, p50_seconds=5400, p90_seconds=61_000, p99_seconds=88_000,
    worst_seconds=90_000,
)  # fmt: skip
_WEEK = TrendPoint(
    week="2026-W10",
    starts_on=_PERIOD.weeks[0],
    attendance=_ATTENDANCE,
    slas=(SlaCounts(name=Sla.NOTE, met=18, late=1, waived=1),),
)
_FIGURES: dict[str, Any] = {
    "attendance": _ATTENDANCE.model_dump(mode="json"),
    "slas": [_NOTE.model_dump(mode="json")],
    "open_escalations": [{"level": 2, "unacknowledged": 1, "acknowledged": 0}],
}
_CARD: dict[str, Any] = {
    "clinician_id": EXAMPLE_ID,
    "from": "2026-03-02T00:00:00Z",
    "until": "2026-03-09T00:00:00Z",
    "time_zone": TIME_ZONE,
    **_FIGURES,
    "trend": [_WEEK.model_dump(mode="json")],
}
_LISTED: dict[str, Any] = {"clinician_id": EXAMPLE_ID, **_FIGURES}
_CORNERS = {name: _CARD[name] for name in ("from", "until")}


class ScorecardView(Scorecard):
    model_config = ConfigDict(json_schema_extra={"examples": [_CARD]}, populate_by_name=True)

    clinician_id: str | None = Field(description="Null for everybody together.")
    start: datetime = Field(alias="from")
    until: datetime = Field(description="The first moment after the period.")
    time_zone: str = Field(default=TIME_ZONE, description="Of the weeks.")


class ListedScorecard(Figures):
    model_config = ConfigDict(json_schema_extra={"examples": [_LISTED]})

    clinician_id: str


class ScorecardPage(Page[ListedScorecard]):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [_LISTED], "next_cursor": None, **_CORNERS}]}, populate_by_name=True
    )

    start: datetime = Field(alias="from")
    until: datetime = Field(description="The first moment after the period.")


class ScorecardLine(BaseModel):
    """One figure, for a spreadsheet."""

    clinician_id: str | None
    section: str
    """attendance, sla, escalations or trend"""
    week: str | None = None
    name: str
    figure: str
    value: float | int | None


def scorecard_view(clinician_id: str | None, period: Period, card: Scorecard) -> ScorecardView:
    return ScorecardView(
        clinician_id=clinician_id,
        start=period.start,
        until=period.until,
        **{name: getattr(card, name) for name in Scorecard.model_fields},
    )


def listed(clinician_id: str, card: Scorecard) -> ListedScorecard:
    return ListedScorecard(clinician_id=clinician_id, **{name: getattr(card, name) for name in Figures.model_fields})


def scorecard_lines(clinician_id: str | None, card: Scorecard, *, with_trend: bool) -> Iterator[ScorecardLine]:
    """Every figure on a line of its own."""
    sections: list[tuple[str, str | None, str, Attendance | SlaCounts | OpenEscalation]] = [
        ("attendance", None, "visits", card.attendance),
        *(("sla", None, figures.name, figures) for figures in card.slas),
        *(("escalations", None, f"level {each.level}", each) for each in card.open_escalations),
    ]
    for point in card.trend if with_trend else ():
        sections.append(("trend", point.week, "visits", point.attendance))
        sections += [("trend", point.week, counts.name, counts) for counts in point.slas]
    for section, week, name, values in sections:
        for figure, value in values.model_dump(exclude={"name", "level"}).items():
            yield ScorecardLine(
                clinician_id=clinician_id, section=section, week=week, name=name, figure=figure, value=value
            )
