"""Requests, systemic issues, and downtime by day (X-04, X-09, decisions 36 and 37)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

from domain.actors import Actor
from domain.clock import Span
from domain.errors import Forbidden
from domain.local_time import DAY, span, zone_of
from domain.rollout.news import IssueClass
from domain.rollout.triggers.monitor import Met
from domain.rollout.triggers.news import Outage
from domain.rollout.triggers.policy import TriggerPolicy
from domain.rollout.triggers.spans import joined, within
from domain.work_calendar import WorkCalendar, working_time_between


def may_request_rollback(policy: TriggerPolicy, actor: Actor) -> None:
    """X-04: whatever state the location is in. Raises `Forbidden` (`rollback.not_a_requester`)."""
    if actor.role not in policy.requesters:
        raise Forbidden("rollback.not_a_requester", "a provider or the office manager of the location asks for this")


def requested(evidence_id: str, at: datetime) -> Met:
    """X-04: a request meets its trigger at once."""
    return Met(issue=IssueClass.REQUESTED, at=at, evidence=f"request:{evidence_id}")


def systemic(issues: Mapping[str, IssueClass], deployed: int, policy: TriggerPolicy) -> tuple[IssueClass, ...]:
    """The classes that are systemic, of the issues that locations have now, by location id (decision 37).

    `deployed` is how many locations have gone live, whether or not they are rolled back now.
    """
    affected = Counter(issues.values())
    return tuple(
        issue
        for issue in IssueClass
        if affected[issue] >= policy.systemic_locations and affected[issue] * 100 > policy.systemic_percent * deployed
    )


def downtime_by_day(outages: Iterable[Outage], calendar: WorkCalendar, now: datetime) -> dict[date, timedelta]:
    """How long the system was down in business hours, on each local day that had an outage (decision 36).

    For reports: it works with time zones, so never within a workflow. Raises `Invalid` (`calendar.never_open`,
    `time_zone.unknown`).
    """
    down = joined(Span(start=one.began_at, end=one.ended_at or now) for one in outages)
    zone = zone_of(calendar.time_zone)
    found: dict[date, timedelta] = {}
    for one in down:
        day, last = one.start.astimezone(zone).date(), one.end.astimezone(zone).date()
        while day <= last:
            begins, ends = span(day, time.min, time.min, zone)
            for part in within((one,), begins, ends):
                counted = working_time_between(part.start, part.end, calendar)
                found[day] = found.get(day, timedelta()) + counted
            day += DAY
    return found
