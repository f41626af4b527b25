"""Bringing a location's history over, where there is one (D-01 to D-03)."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.errors import Refused
from domain.local_time import zone_of
from domain.rollout.integration.acts import AdvanceMigration, DecideMigration, RecordQuality, ScheduleImport
from domain.rollout.integration.policy import LowActivity, MigrationPolicy
from domain.rollout.integration.state import IntegrationState, MigrationStage, MigrationState, Quality
from domain.work_calendar import WorkCalendar, is_open

_ORDER = tuple(MigrationStage)
_PROVEN = (MigrationStage.TEST_VALIDATED, MigrationStage.DONE)
"""Stages that need evidence."""


def may_decide(state: IntegrationState) -> None:
    """Raises `Refused` (`migration.begun`)."""
    if state.migration.stage is not MigrationStage.NOT_BEGUN:
        raise Refused("migration.begun", "the migration has begun: whether it applies is settled")


def decide(state: IntegrationState, asked: DecideMigration) -> IntegrationState:
    return _with(state, {"applicable": asked.applicable})


def may_advance(state: IntegrationState, asked: AdvanceMigration, now: datetime) -> None:
    """Raises `Refused` (`migration.not_applicable`, `migration.out_of_order`, `migration.evidence_missing`,
    `migration.quality_needed`, `migration.schedule_needed`, `migration.too_early`, `integration.not_started`)."""
    if asked.to is MigrationStage.QUALITY_VALIDATED:
        raise Refused("migration.quality_needed", "record what the check found", missing=("quality",))
    if asked.to is MigrationStage.PRODUCTION_SCHEDULED:
        raise Refused("migration.schedule_needed", "schedule the import", missing=("import_at",))
    _follows(state, asked.to)
    if asked.to in _PROVEN and asked.evidence_id is None:
        raise Refused("migration.evidence_missing", "this stage needs evidence", missing=("evidence",))
    due = state.migration.import_at
    if asked.to is MigrationStage.DONE and due is not None and now < due:
        raise Refused("migration.too_early", "the import is scheduled for later", earliest=due)


def advance(state: IntegrationState, asked: AdvanceMigration, now: datetime) -> IntegrationState:
    return _reach(state, asked.to, now, evidence_id=asked.evidence_id)


def may_record_quality(state: IntegrationState) -> None:
    """D-02: before anything is imported; one that failed is repeated. Raises as `may_advance` does."""
    _follows(state, MigrationStage.QUALITY_VALIDATED)


def record_quality(
    state: IntegrationState, policy: MigrationPolicy, asked: RecordQuality, now: datetime
) -> IntegrationState:
    """The stage is reached when the faults are within policy; otherwise the counts are kept."""
    counts = asked.model_dump(exclude={"actor"})
    faults = asked.duplicates + asked.wrong_formats + asked.missing_fields
    quality = Quality(at=now, by=asked.actor, passed=faults <= policy.allowed_faults, **counts)
    checked = _with(state, {"quality": quality, "checks": state.migration.checks + 1})
    if not quality.passed:
        return checked
    return _reach(checked, MigrationStage.QUALITY_VALIDATED, now, evidence_id=asked.evidence_id)


def may_schedule(state: IntegrationState, asked: ScheduleImport, now: datetime) -> None:
    """Also again, while it has not run. Raises as `may_advance` does, and `migration.in_the_past`."""
    if state.migration.stage is not MigrationStage.PRODUCTION_SCHEDULED:
        _follows(state, MigrationStage.PRODUCTION_SCHEDULED)
    if asked.at <= now:
        raise Refused("migration.in_the_past", "an import is scheduled for the future", earliest=now)


def schedule(state: IntegrationState, asked: ScheduleImport, now: datetime) -> IntegrationState:
    return _reach(_with(state, {"import_at": asked.at}), MigrationStage.PRODUCTION_SCHEDULED, now)


def next_stage(state: MigrationState) -> MigrationStage | None:
    """None when nothing is to be done."""
    if not state.applicable or state.stage is MigrationStage.DONE:
        return None
    return _ORDER[_ORDER.index(state.stage) + 1]


def is_low_activity(at: datetime, calendar: WorkCalendar, policy: LowActivity) -> bool:
    """Weekend or evening where the location is, and not open (D-02). For the API: it reckons with time zones."""
    local = at.astimezone(zone_of(calendar.time_zone))
    evening = local.time() >= policy.evening_from or local.time() < policy.evening_until
    return (evening or local.isoweekday() in policy.weekend) and not is_open(at, calendar)


def require_low_activity(at: datetime, calendar: WorkCalendar, policy: LowActivity) -> None:
    """Raises `Refused` (`migration.busy_period`) with the next moment that would do."""
    if not is_low_activity(at, calendar, policy):
        raise Refused(
            "migration.busy_period",
            "an import runs at the weekend or in the evening, while the location is closed",
            earliest=_next_low_activity(at, calendar, policy),
        )


def _next_low_activity(at: datetime, calendar: WorkCalendar, policy: LowActivity) -> datetime | None:
    """To the quarter of an hour, within a week: None for a location that never closes."""
    quarter = timedelta(minutes=15)
    first = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    tries = (first + number * quarter for number in range(1, 7 * 24 * 4))
    return next((each for each in tries if is_low_activity(each, calendar, policy)), None)


def _follows(state: IntegrationState, to: MigrationStage) -> None:
    if state.started_at is None:
        raise Refused("integration.not_started", "the integration has not begun", missing=("integration.started",))
    if not state.migration.applicable:
        raise Refused("migration.not_applicable", "there is no history to bring over", missing=("migration.decided",))
    due = next_stage(state.migration)
    if due is not to:
        raise Refused("migration.out_of_order", "another stage comes first", missing=(due,) if due else ())


def _reach(
    state: IntegrationState, stage: MigrationStage, now: datetime, *, evidence_id: str | None = None
) -> IntegrationState:
    evidence = state.migration.evidence
    if evidence_id is not None:
        evidence = {**evidence, stage: evidence_id}
    return _with(state, {"stage": stage, "since": now, "evidence": evidence})


def _with(state: IntegrationState, changes: dict[str, object]) -> IntegrationState:
    return state.model_copy(update={"migration": state.migration.model_copy(update=changes)})
