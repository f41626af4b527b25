"""Opening hours. Time zones change with their database, so a replay must not work them out anew."""

from __future__ import annotations

from temporalio import activity

from activities.contracts import OpeningHoursInput, OpeningHoursResult
from domain.clock import Span
from domain.work_calendar import opening_times


@activity.defn
async def opening_hours(asked: OpeningHoursInput) -> OpeningHoursResult:
    """Raises `Invalid` (`calendar.never_open`, `time_zone.unknown`)."""
    found = opening_times(asked.start, asked.enough, asked.calendar)
    return OpeningHoursResult(hours=tuple(Span(start=start, end=end) for start, end in found))
