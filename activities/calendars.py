"""Opening hours. Time zones change with their database, so a replay must not work them out anew."""

from __future__ import annotations

from temporalio import activity

from activities.contracts import OpeningHoursInput, OpeningHoursResult
from activities.rollout_contracts import BusinessDaysInput, BusinessDaysResult, MomentsInput, MomentsResult
from domain.clock import Span
from domain.rollout.moments import end_of_business_day, moment
from domain.work_calendar import opening_times


@activity.defn
async def opening_hours(asked: OpeningHoursInput) -> OpeningHoursResult:
    """Raises `Invalid` (`calendar.never_open`, `time_zone.unknown`)."""
    found = opening_times(asked.start, asked.enough, asked.calendar)
    return OpeningHoursResult(hours=tuple(Span(start=start, end=end) for start, end in found))


@activity.defn
async def moments(asked: MomentsInput) -> MomentsResult:
    """Raises `Invalid` (`time_zone.unknown`)."""
    return MomentsResult(moments=tuple(map(moment, asked.local)))


@activity.defn
async def business_days(asked: BusinessDaysInput) -> BusinessDaysResult:
    """Raises `Invalid` (`calendar.never_open`, `time_zone.unknown`)."""
    return BusinessDaysResult(
        ends=tuple(end_of_business_day(asked.starts_on, number, asked.calendar) for number in asked.numbers)
    )
