"""What makes a location roll back, and when an issue is systemic (X-01 to X-04, X-09, decisions 35 to 37)."""

from domain.rollout.triggers.monitor import (
    Met,
    Monitor,
    Watch,
    judge,
    observe,
    outage_clock,
    report_outage,
    sync_clock,
    too_long,
    watch_from,
)
from domain.rollout.triggers.news import (
    IncidentKind,
    MessageIncident,
    Outage,
    SyncSample,
    TelemetryNews,
)
from domain.rollout.triggers.policy import OUTAGE, SYNC_FAILING, TriggerPolicy
from domain.rollout.triggers.rules import downtime_by_day, may_request_rollback, requested, systemic

__all__ = [
    "OUTAGE",
    "SYNC_FAILING",
    "IncidentKind",
    "MessageIncident",
    "Met",
    "Monitor",
    "Outage",
    "SyncSample",
    "TelemetryNews",
    "TriggerPolicy",
    "Watch",
    "downtime_by_day",
    "judge",
    "may_request_rollback",
    "observe",
    "outage_clock",
    "report_outage",
    "requested",
    "sync_clock",
    "systemic",
    "too_long",
    "watch_from",
]
