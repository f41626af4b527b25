"""Telemetry: what is measured at a location, by whom, and what of it cannot be right (GG-02 to GG-07, X-01 to X-03)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.model import Value
from domain.rollout.baseline import BaselineMetric, BaselinePolicy, faults
from domain.rollout.news import IssueClass


class Source(StrEnum):
    """Where a fact comes from."""

    VENDOR_DASHBOARD = "vendor_dashboard"
    INTEGRATION_LOGS = "integration_logs"
    VENDOR_REPORTS = "vendor_reports"
    ISSUE_TRACKER = "issue_tracker"
    CHAMPION_ATTESTATION = "champion_attestation"
    SURVEY = "survey"
    PRACTICE_REPORTS = "practice_reports"
    """Of the practice management system."""
    TIME_STUDY = "time_study"
    HAND_ENTERED = "hand_entered"


MACHINES = frozenset({Source.VENDOR_DASHBOARD, Source.INTEGRATION_LOGS, Source.VENDOR_REPORTS, Source.ISSUE_TRACKER})
"""Sources behind which no person stands who could be the one to decide on what they say."""

EntryId = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")]
Count = Annotated[int, Field(ge=0, le=2_000_000_000)]


class _Entry(Value):
    source: Source


class _Share(_Entry):
    """A part of a whole, in a stretch of time."""

    begins: datetime
    ends: datetime
    """Aware; the stretch is half open."""
    total: Count
    part: Count


class SyncSample(_Share):
    """Appointments, and of those the ones that failed to sync (GG-03, X-01)."""

    kind: Literal["sync"] = "sync"


class WatchSample(_Entry):
    """The system was watched in this stretch: an outage in it would have been reported (GG-02)."""

    kind: Literal["watch"] = "watch"
    begins: datetime
    ends: datetime


class DeliverySample(_Share):
    """Messages to patients that were sent, and of those the delivered ones (GG-05)."""

    kind: Literal["delivery"] = "delivery"


class AdoptionSample(_Entry):
    """Staff who were trained, and of those the ones who use the system (GG-04)."""

    kind: Literal["adoption"] = "adoption"
    at: datetime
    total: Count
    part: Count


class OutageSample(_Entry):
    """The system is, or was, down. Report it again with its end (GG-02, X-03)."""

    kind: Literal["outage"] = "outage"
    outage_id: EntryId
    begins: datetime
    ends: datetime | None = None


class MetricSample(_Entry):
    """Counts of a metric of the baseline, so that it can be compared later on (Z-02)."""

    kind: Literal["metric"] = "metric"
    metric: BaselineMetric
    first_day: date
    last_day: date
    """Local; both count."""
    counts: dict[str, Decimal]


Entry = Annotated[
    SyncSample | DeliverySample | AdoptionSample | WatchSample | OutageSample | MetricSample,
    Field(discriminator="kind"),
]


class Batch(Value):
    batch_id: EntryId
    """Given by the sender: a batch that is sent again counts once."""
    entries: Annotated[tuple[Entry, ...], Field(min_length=1, max_length=1000)]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class IssueKind(StrEnum):
    """What an issue is about. The first four are critical whenever they are open (decision 32)."""

    PRIVACY = "privacy"
    PATIENT_SAFETY = "patient_safety"
    SYNC_OUTAGE = "sync_outage"
    SYSTEM_OUTAGE = "system_outage"
    SYNC_ERROR = "sync_error"
    MESSAGE_DELIVERY = "message_delivery"
    CONFIGURATION = "configuration"
    TRAINING = "training"
    HARDWARE = "hardware"
    OTHER = "other"


CRITICAL_KINDS = frozenset(
    {IssueKind.PRIVACY, IssueKind.PATIENT_SAFETY, IssueKind.SYNC_OUTAGE, IssueKind.SYSTEM_OUTAGE}
)

CRITICAL = 1
"""The severity that no gate lets pass (GG-06)."""

KIND_OF_ROLLBACK: dict[str, IssueKind] = {
    IssueClass.SYNC_FAILURE: IssueKind.SYNC_OUTAGE,
    IssueClass.WRONG_MESSAGE: IssueKind.PRIVACY,
    IssueClass.OUTAGE: IssueKind.SYSTEM_OUTAGE,
}


class Finding(Value):
    """One thing that is wrong with an entry."""

    entry: int
    """Its place in the batch; the first is 0."""
    code: str


def findings(batch: Batch, now: datetime, policy: BaselinePolicy) -> tuple[Finding, ...]:
    """Everything that is wrong with a batch, so that it is put right in one go."""
    found = [
        Finding(entry=number, code=code)
        for number, entry in enumerate(batch.entries)
        for code in _faults(entry, now, policy)
    ]
    return (*found, *_twice(batch))


def _faults(entry: Entry, now: datetime, policy: BaselinePolicy) -> Iterator[str]:
    if isinstance(entry, SyncSample | DeliverySample | AdoptionSample) and entry.part > entry.total:
        yield "telemetry.part_exceeds_total"
    if isinstance(entry, MetricSample):
        yield from faults(policy.spec(entry.metric), entry.counts)
        if entry.first_day > entry.last_day:
            yield "telemetry.ends_before_it_begins"
        return
    yield from _fault_of_times(entry, now)


def _fault_of_times(
    entry: SyncSample | DeliverySample | AdoptionSample | WatchSample | OutageSample, now: datetime
) -> Iterator[str]:
    begins, ends = (entry.at, None) if isinstance(entry, AdoptionSample) else (entry.begins, entry.ends)
    if begins.tzinfo is None or (ends is not None and ends.tzinfo is None):
        yield "telemetry.time_zone_missing"
        return
    if ends is not None and ends <= begins:
        yield "telemetry.ends_before_it_begins"
    if max(begins, ends or begins) > now:
        yield "telemetry.in_future"


def _twice(batch: Batch) -> Iterator[Finding]:
    """One outage said twice in a batch: nobody could tell which of both is true."""
    seen: set[str] = set()
    for number, entry in enumerate(batch.entries):
        if not isinstance(entry, OutageSample):
            continue
        if entry.outage_id in seen:
            yield Finding(entry=number, code="telemetry.outage_twice")
        seen.add(entry.outage_id)
