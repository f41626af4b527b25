"""What is known of a live location by its telemetry, and what follows (X-01 to X-03, decisions 35 and 36).

Batches come late, twice, in any order, overlapping and with gaps. So the monitor holds what is known of each moment
and judges that. Where several samples speak of a moment, a healthy one wins: it disproves that the sync fails
*continuously*. A sample without appointments proves nothing: it bridges two parts of a failing stretch, but does not
begin or lengthen one. Silence bridges them for as long as `silence_tolerated`, at their end too; after a longer one
nobody knows, and the stretch is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from domain.clock import ClockPolicy, Milestone, MilestoneKind, Span
from domain.model import Value
from domain.rollout.news import IssueClass
from domain.rollout.triggers.news import MessageIncident, Outage, SyncSample, TelemetryNews
from domain.rollout.triggers.policy import OUTAGE, SYNC_FAILING, TriggerPolicy
from domain.rollout.triggers.spans import joined, length, within, without
from domain.work_calendar import WorkCalendar

FOREVER = datetime.max.replace(tzinfo=UTC)


class Met(Value):
    """A trigger is met."""

    issue: IssueClass
    at: datetime
    """When that was so, aware UTC; the clocks of a rollback count from when it is learned."""
    evidence: str
    """Opaque: what shows it."""


class KnownOutage(Outage):
    reported: bool = False
    """It has met the trigger."""


class Monitor(Value):
    """What is known of a location since it is watched: from its go-live, or from its latest re-enabling."""

    watched_from: datetime
    sync_from: datetime | None = None
    """What was before has met the trigger already."""
    failing: tuple[Span, ...] = ()
    healthy: tuple[Span, ...] = ()
    idle: tuple[Span, ...] = ()
    """Without appointments."""
    outages: tuple[KnownOutage, ...] = ()
    incidents: tuple[str, ...] = ()
    """Ids of those that have met the trigger."""


class Watch(Value):
    """What the location does now: it sets its clocks by this and acts on what is met."""

    sync_since: datetime | None = None
    """Since when the sync is failing: `sync_clock` runs from then. None: it is cancelled."""
    outage_since: datetime | None = None
    """Since when the system is down: `outage_clock` runs from then. None: it is cancelled."""
    to_measure: tuple[Span, ...] = ()
    """Outages that are over and may have been too long: with the opening hours from their start, `too_long` tells."""
    met: tuple[Met, ...] = ()
    """At once."""


def sync_clock(policy: TriggerPolicy) -> ClockPolicy:
    """When it ends, `judge` says whether the trigger is met."""
    limit = _limit(policy, policy.sync_failing_longer_than)
    return ClockPolicy(name=SYNC_FAILING, milestones=(*policy.sync_failing, limit))


def outage_clock(policy: TriggerPolicy, calendar: WorkCalendar) -> ClockPolicy:
    """When it ends, the trigger is met: `report_outage`."""
    limit = _limit(policy, policy.outage_longer_than)
    return ClockPolicy(name=OUTAGE, milestones=(*policy.outage, limit), calendar=calendar)


def _limit(policy: TriggerPolicy, longer_than: timedelta) -> Milestone:
    return Milestone(name="trigger", kind=MilestoneKind.END, after=longer_than + policy.resolution)


def watch_from(monitor: Monitor, at: datetime) -> Monitor:
    """From a re-enabling on only what comes after it counts. An outage that goes on counts from then."""
    ongoing = (one for one in monitor.outages if one.ended_at is None or one.ended_at > at)
    return Monitor(
        watched_from=at,
        outages=tuple(one.model_copy(update={"began_at": max(one.began_at, at), "reported": False}) for one in ongoing),
        incidents=monitor.incidents,
    )


def observe(monitor: Monitor, news: TelemetryNews, policy: TriggerPolicy, now: datetime) -> tuple[Monitor, Watch]:
    """Learn from a batch, and judge. The same news again changes nothing more."""
    known = downtimes(monitor)
    monitor = _with_samples(monitor, news.samples, policy, now)
    monitor = _with_outages(monitor, news.outages, policy, now)
    monitor, wrong = _with_incidents(monitor, news.incidents, policy)
    monitor, watch = judge(monitor, policy, now)
    limit = policy.outage_longer_than + policy.resolution
    ended = (span for span in downtimes(monitor) if span not in known and span.end != FOREVER)
    to_measure = tuple(span for span in ended if span.end - span.start >= limit)
    return monitor, watch.model_copy(update={"to_measure": to_measure, "met": (*wrong, *watch.met)})


def judge(monitor: Monitor, policy: TriggerPolicy, now: datetime) -> tuple[Monitor, Watch]:
    """What holds now; asked too when the clock of the failing sync ends. A stretch meets the trigger once."""
    limit = policy.sync_failing_longer_than
    found = stretches(monitor, policy)
    current = _current(found, monitor, policy, now)
    lasted = [Span(start=one.start, end=now if one == current else one.end) for one in found]
    too_long_ones = [one for one in lasted if one.end - one.start > limit]
    met: tuple[Met, ...] = ()
    if too_long_ones:
        first = too_long_ones[0].start
        met = (Met(issue=IssueClass.SYNC_FAILURE, at=first + limit, evidence=f"sync:{first.isoformat()}"),)
        monitor = monitor.model_copy(update={"sync_from": too_long_ones[-1].end})
        current = current if current and current.start >= too_long_ones[-1].end else None
    return monitor, Watch(
        sync_since=current.start if current else None,
        outage_since=next((span.start for span in downtimes(monitor) if span.end == FOREVER), None),
        met=met,
    )


def stretches(monitor: Monitor, policy: TriggerPolicy) -> tuple[Span, ...]:
    """Each from where the sync is known to have begun to fail to where that was last known."""
    counts_from = monitor.sync_from or monitor.watched_from
    failing = within(without(monitor.failing, monitor.healthy), counts_from, FOREVER)
    watched = without(joined((*failing, *monitor.idle), policy.silence_tolerated), monitor.healthy)
    parts = (within(failing, one.start, one.end) for one in watched)
    return tuple(Span(start=part[0].start, end=part[-1].end) for part in parts if part)


def _current(found: tuple[Span, ...], monitor: Monitor, policy: TriggerPolicy, now: datetime) -> Span | None:
    """The stretch that goes on as far as anybody knows."""
    if not found or now - found[-1].end > policy.silence_tolerated:
        return None
    well_since = any(one.end > found[-1].end for one in monitor.healthy)
    return None if well_since else found[-1]


def downtimes(monitor: Monitor) -> tuple[Span, ...]:
    """Continuous outages that have not met the trigger; one that goes on ends never. Outages that touch are one."""
    spans = joined(_downtime(one) for one in monitor.outages)
    reported = [_downtime(one) for one in monitor.outages if one.reported]
    return tuple(span for span in spans if not within(reported, span.start, span.end))


def _downtime(outage: KnownOutage) -> Span:
    return Span(start=outage.began_at, end=outage.ended_at or FOREVER)


def too_long(span: Span, hours: Iterable[Span], policy: TriggerPolicy) -> bool:
    """X-03. `hours` are opening hours from the start of the outage on, enough for more than the limit."""
    return length(within(hours, span.start, span.end)) > policy.outage_longer_than


def report_outage(monitor: Monitor, since: datetime, at: datetime) -> tuple[Monitor, Met | None]:
    """The outage that began then has been too long; `at` that moment. One that was reported is not met again."""
    span = next((one for one in downtimes(monitor) if one.start == since), None)
    if span is None:
        return monitor, None
    part_of_it = [one for one in monitor.outages if span.start <= one.began_at < span.end]
    outages = tuple(one.model_copy(update={"reported": True}) if one in part_of_it else one for one in monitor.outages)
    met = Met(issue=IssueClass.OUTAGE, at=at, evidence=f"outage:{part_of_it[0].outage_id}")
    return monitor.model_copy(update={"outages": outages}), met


def _with_samples(monitor: Monitor, samples: tuple[SyncSample, ...], policy: TriggerPolicy, now: datetime) -> Monitor:
    oldest = max(monitor.watched_from, now - policy.late_accepted)
    heard: dict[str, list[Span]] = {"failing": [], "healthy": [], "idle": []}
    for sample in samples:
        heard[_condition(sample, policy)].append(Span(start=sample.from_at, end=sample.until_at))
    known = {name: within(joined((*getattr(monitor, name), *spans)), oldest, now) for name, spans in heard.items()}
    return monitor.model_copy(update=known)


def _condition(sample: SyncSample, policy: TriggerPolicy) -> str:
    if not sample.total:
        return "idle"
    return "failing" if sample.failed * 100 > policy.sync_failed_percent * sample.total else "healthy"


def _with_outages(monitor: Monitor, outages: tuple[Outage, ...], policy: TriggerPolicy, now: datetime) -> Monitor:
    known = {one.outage_id: one for one in monitor.outages}
    for heard in outages:
        old = known.get(heard.outage_id)
        began = max(monitor.watched_from, min(heard.began_at, old.began_at) if old else heard.began_at)
        ends = [end for end in (heard.ended_at, old.ended_at if old else None) if end is not None]
        if ends and max(ends) <= max(began, now - policy.late_accepted):
            known.pop(heard.outage_id, None)
            continue
        known[heard.outage_id] = KnownOutage(
            outage_id=heard.outage_id,
            began_at=began,
            ended_at=max(ends, default=None),
            reported=old.reported if old else False,
        )
    recent = (one for one in known.values() if one.ended_at is None or one.ended_at > now - policy.late_accepted)
    return monitor.model_copy(update={"outages": tuple(sorted(recent, key=lambda one: (one.began_at, one.outage_id)))})


def _with_incidents(
    monitor: Monitor, incidents: tuple[MessageIncident, ...], policy: TriggerPolicy
) -> tuple[Monitor, tuple[Met, ...]]:
    new = {one.incident_id: one for one in incidents if one.incident_id not in monitor.incidents}
    met = tuple(
        Met(issue=IssueClass.WRONG_MESSAGE, at=one.confirmed_at, evidence=f"incident:{one.incident_id}")
        for one in new.values()
    )
    kept = (*monitor.incidents, *new)[-policy.incidents_kept :]
    return monitor.model_copy(update={"incidents": kept}), met
