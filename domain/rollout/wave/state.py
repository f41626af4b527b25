"""The state of a Wave workflow."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.case import CaseProgress
from domain.model import Value
from domain.rollout.gate.state import Gate, GateDecision
from domain.rollout.news import LocationNews, ProgrammeNews, WaveNews
from domain.rollout.wave.policy import Artefact


class WaveEvent(StrEnum):
    STARTED = "wave_started"
    DAY_REACHED = "wave_day_reached"
    LAUNCH_DUE = "wave_launch_due"
    LAUNCH_MOVED = "wave_launch_moved"
    CHECK_INS_DUE = "wave_check_ins_due"
    CHECKED_IN = "wave_checked_in"
    LOCATION_CHANGED = "wave_location_changed"
    HELD = "wave_held"
    RELEASED = "wave_released"
    ARTEFACT_FILED = "wave_artefact_filed"
    CLOSED = "wave_closed"
    CANCELLED = "wave_cancelled"
    GATE_OPENED = "gate_opened"
    GATE_REFRESHED = "gate_evidence_collected"
    GATE_CHANGED = "gate_evidence_changed"
    GATE_INPUT = "gate_input_given"
    GATE_NO_INPUT = "gate_no_input"
    GATE_GO = "gate_go"
    GATE_NO_GO = "gate_no_go"
    GATE_EXPIRED = "gate_expired"


class Entry(Value):
    """An item of the day plan on its day: for the locations of one time zone, or for the centre."""

    item_id: str
    day: date
    time_zone: str
    at: datetime
    """Aware UTC."""
    reached_at: datetime | None = None

    @property
    def key(self) -> tuple[str, date, str]:
        return (self.item_id, self.day, self.time_zone)


class CheckIns(Value):
    """Of one location."""

    day: date | None = None
    """Of the check-in that is due; None when none is."""
    since: datetime | None = None
    done: int = 0
    late: int = 0
    missed: tuple[date, ...] = ()
    last_at: datetime | None = None
    last_by: Actor | None = None


class Filed(Value):
    evidence_id: str
    at: datetime
    by: Actor


class WaveState(CaseProgress):
    agenda: tuple[Entry, ...] = ()
    """In the order of their times, reached ones included."""
    launch_days: dict[str, date] = Field(default_factory=dict)
    """By time zone: days to which launches were moved."""
    news: ProgrammeNews | None = None
    """The latest; None: how the programme stood at the start."""
    locations: dict[str, LocationNews] = Field(default_factory=dict)
    """The latest of each."""
    launched: dict[str, datetime] = Field(default_factory=dict)
    """When each location was told that its launch had come."""
    check_ins: dict[str, CheckIns] = Field(default_factory=dict)
    artefacts: dict[Artefact, Filed] = Field(default_factory=dict)
    gate: Gate | None = None
    attempts: int = 0
    """How many evaluations there were."""
    decisions: tuple[GateDecision, ...] = ()
    extended_weeks: int = 0
    incidents_since: datetime | None = None
    """The start of the extension, after a no-go."""
    passed_at: datetime | None = None
    """When the gate was passed."""
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    reported: WaveNews | None = None
    """What the programme was told last."""
    seen: tuple[str, ...] = ()
    """Ids of acts done, as those of an earlier run are not known to Temporal any more."""

    @property
    def over(self) -> bool:
        return self.closed_at is not None or self.cancelled_at is not None
