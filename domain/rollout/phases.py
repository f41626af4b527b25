"""Where each process of a rollout stands. Phases are computed from the state, never stored; values are unique."""

from __future__ import annotations

from enum import StrEnum


class ProgrammePhase(StrEnum):
    """R-05, X-10."""

    PRE_IMPLEMENTATION = "PRE_IMPLEMENTATION"
    PILOT = "PILOT"
    EXPANSION = "EXPANSION"
    OPTIMIZATION = "OPTIMIZATION"
    PAUSED_SYSTEMIC = "PAUSED_SYSTEMIC"
    ON_HOLD = "ON_HOLD"
    COMPLETE = "PROGRAM_COMPLETE"
    CANCELLED = "PROGRAM_CANCELLED"


class WavePhase(StrEnum):
    """W-06 to W-09, GG."""

    PLANNED = "WAVE_PLANNED"
    TRAINING = "WAVE_TRAINING"
    GO_LIVE = "WAVE_GO_LIVE"
    STABILIZING = "WAVE_STABILIZING"
    EVALUATING = "WAVE_EVALUATING"
    EXTENDED = "WAVE_EXTENDED"
    """A no-go: it is evaluated again every week."""
    LEARNING = "WAVE_LEARNING"
    """The gate is passed; lessons and playbook are outstanding."""
    ON_HOLD = "WAVE_ON_HOLD"
    CLOSED = "WAVE_CLOSED"
    CANCELLED = "WAVE_CANCELLED"


class LocationPhase(StrEnum):
    WAITING = "LOCATION_WAITING"
    """For its turn."""
    PREPARING = "LOCATION_PREPARING"
    READY = "LOCATION_READY"
    """Everything is there for its go-live."""
    LIVE = "LOCATION_LIVE"
    ROLLED_BACK = "LOCATION_ROLLED_BACK"
    RE_ENABLING = "LOCATION_RE_ENABLING"
    ON_HOLD = "LOCATION_ON_HOLD"
    """Before its go-live, while something holds it."""
    CLOSED = "LOCATION_CLOSED"
    """The programme is over."""


class RollbackPhase(StrEnum):
    """X-05 to X-07."""

    IMMEDIATE = "ROLLBACK_IMMEDIATE"
    SHORT_TERM = "ROLLBACK_SHORT_TERM"
    AWAITING_FIX = "ROLLBACK_AWAITING_FIX"
    FIX_VALIDATED = "ROLLBACK_FIX_VALIDATED"
    ROOT_CAUSE_CONFIRMED = "ROLLBACK_ROOT_CAUSE_CONFIRMED"
    RE_ENABLING = "ROLLBACK_RE_ENABLING"
    RESOLVED = "ROLLBACK_RESOLVED"
    CANCELLED = "ROLLBACK_CANCELLED"
    """By an operator: communication stays off until another rollback of the location is resolved."""


OVER = (
    ProgrammePhase.COMPLETE,
    ProgrammePhase.CANCELLED,
    WavePhase.CLOSED,
    WavePhase.CANCELLED,
    LocationPhase.CLOSED,
    RollbackPhase.RESOLVED,
    RollbackPhase.CANCELLED,
)
"""In which an execution may have ended."""
