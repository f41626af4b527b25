"""The one SLA clock, as pure functions over an immutable state.

A clock runs from when it is armed, may pause, and passes milestones: reminders, a warning, the breach, escalations.
Its time is the time that *counts*: pauses do not, and with opening hours nor does what lies outside them. All times are
aware UTC.
"""

from domain.clock.acting import LATE_AFTER, acknowledge, arm, arm_for, end, fire, pause, resume
from domain.clock.explaining import SlaState, Stretch, explain, sla_state
from domain.clock.model import (
    Clock,
    ClockPolicy,
    Fired,
    Milestone,
    MilestoneKind,
    Outcome,
    Pause,
    Repeat,
    Span,
)
from domain.clock.times import deadline, due_at, elapsed, hours_needed, next_due, pending

__all__ = [
    "LATE_AFTER",
    "Clock",
    "ClockPolicy",
    "Fired",
    "Milestone",
    "MilestoneKind",
    "Outcome",
    "Pause",
    "Repeat",
    "SlaState",
    "Span",
    "Stretch",
    "acknowledge",
    "arm",
    "arm_for",
    "deadline",
    "due_at",
    "elapsed",
    "end",
    "explain",
    "fire",
    "hours_needed",
    "next_due",
    "pause",
    "pending",
    "resume",
    "sla_state",
]
