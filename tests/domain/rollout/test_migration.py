"""History is brought over stage by stage, checked before it is imported, at a quiet time (D-01 to D-03)."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from domain.errors import Refused
from domain.rollout.integration import migration
from domain.rollout.integration.acts import AdvanceMigration, DecideMigration, RecordQuality, ScheduleImport
from domain.rollout.integration.state import IntegrationState, MigrationStage
from domain.work_calendar import OpeningHours, WorkCalendar
from tests.domain.rollout.integrations import HOUR, IT, NOW, POLICY, started

Stage = MigrationStage
LOW = POLICY.migration.low_activity
CALENDAR = WorkCalendar(
    time_zone="America/New_York",
    hours=(
        *(OpeningHours(weekday=day, opens=time(8), closes=time(17)) for day in range(1, 5)),
        OpeningHours(weekday=5, opens=time(8), closes=time(20)),
        OpeningHours(weekday=6, opens=time(9), closes=time(13)),
    ),
)


def applicable() -> IntegrationState:
    return migration.decide(started(), DecideMigration(actor=IT, applicable=True))


def to(stage: MigrationStage, evidence_id: str | None = "e-1") -> AdvanceMigration:
    return AdvanceMigration(actor=IT, to=stage, evidence_id=evidence_id)


def quality(duplicates: int = 0, wrong_formats: int = 0, missing_fields: int = 0) -> RecordQuality:
    return RecordQuality(
        actor=IT, records=900, duplicates=duplicates, wrong_formats=wrong_formats, missing_fields=missing_fields
    )


def at(stage: MigrationStage) -> IntegrationState:
    """A migration that has just reached this stage."""
    state = applicable()
    for each in tuple(Stage)[1 : tuple(Stage).index(stage) + 1]:
        if each is Stage.QUALITY_VALIDATED:
            migration.may_record_quality(state)
            state = migration.record_quality(state, POLICY.migration, quality(), NOW)
        elif each is Stage.PRODUCTION_SCHEDULED:
            asked = ScheduleImport(actor=IT, at=NOW + HOUR)
            migration.may_schedule(state, asked, NOW)
            state = migration.schedule(state, asked, NOW)
        else:
            migration.may_advance(state, to(each), NOW + HOUR)
            state = migration.advance(state, to(each), NOW + HOUR)
    return state


def refusal(state: IntegrationState, asked: AdvanceMigration, now: datetime = NOW) -> Refused:
    with pytest.raises(Refused) as refused:
        migration.may_advance(state, asked, now)
    return refused.value


def test_goes_through_its_stages_in_order() -> None:
    done = at(Stage.DONE).migration
    assert (done.stage, migration.next_stage(done)) == (Stage.DONE, None)
    assert set(done.evidence) == {
        Stage.TEMPLATE_REQUESTED,
        Stage.EXPORTED,
        Stage.IMPORTED_IN_TEST,
        Stage.TEST_VALIDATED,
        Stage.DONE,
    }


@pytest.mark.parametrize("stage", [Stage.EXPORTED, Stage.IMPORTED_IN_TEST, Stage.TEST_VALIDATED, Stage.DONE])
def test_skips_no_stage(stage: MigrationStage) -> None:
    found = refusal(applicable(), to(stage))
    assert (found.code, found.missing) == ("migration.out_of_order", ("template_requested",))


def test_nothing_is_imported_before_its_quality_was_checked() -> None:
    exported = at(Stage.EXPORTED)
    assert refusal(exported, to(Stage.IMPORTED_IN_TEST)).missing == ("quality_validated",)
    assert refusal(exported, to(Stage.QUALITY_VALIDATED)).code == "migration.quality_needed"


@pytest.mark.parametrize("fault", ["duplicates", "wrong_formats", "missing_fields"])
def test_a_single_fault_fails_the_check_and_it_is_repeated(fault: str) -> None:
    failed = migration.record_quality(at(Stage.EXPORTED), POLICY.migration, quality(**{fault: 1}), NOW).migration
    assert failed.quality is not None
    assert (failed.stage, failed.checks, failed.quality.faults, failed.quality.passed) == (
        Stage.EXPORTED,
        1,
        1,
        False,
    )
    state = started().model_copy(update={"migration": failed})
    again = migration.record_quality(state, POLICY.migration, quality(), NOW).migration
    assert (again.stage, again.checks) == (Stage.QUALITY_VALIDATED, 2)


def test_needs_evidence_of_the_validation_in_test_and_of_the_end() -> None:
    assert refusal(at(Stage.IMPORTED_IN_TEST), to(Stage.TEST_VALIDATED, None)).code == "migration.evidence_missing"
    scheduled = at(Stage.PRODUCTION_SCHEDULED)
    assert refusal(scheduled, to(Stage.DONE, None), NOW + HOUR).code == "migration.evidence_missing"


def test_the_production_import_is_scheduled_and_may_be_moved() -> None:
    validated = at(Stage.TEST_VALIDATED)
    assert refusal(validated, to(Stage.PRODUCTION_SCHEDULED)).code == "migration.schedule_needed"
    later = ScheduleImport(actor=IT, at=NOW + 5 * HOUR)
    moved = migration.schedule(at(Stage.PRODUCTION_SCHEDULED), later, NOW)
    migration.may_schedule(moved, later, NOW)
    found = refusal(moved, to(Stage.DONE), NOW + HOUR)
    assert (found.code, found.earliest) == ("migration.too_early", NOW + 5 * HOUR)


def test_no_import_is_scheduled_for_the_past() -> None:
    with pytest.raises(Refused) as refused:
        migration.may_schedule(at(Stage.TEST_VALIDATED), ScheduleImport(actor=IT, at=NOW), NOW)
    assert refused.value.code == "migration.in_the_past"


def test_is_for_locations_with_a_history_and_an_integration() -> None:
    assert refusal(started(), to(Stage.TEMPLATE_REQUESTED)).code == "migration.not_applicable"
    unstarted = migration.decide(IntegrationState(), DecideMigration(actor=IT, applicable=True))
    assert refusal(unstarted, to(Stage.TEMPLATE_REQUESTED)).code == "integration.not_started"


def test_whether_it_applies_is_settled_once_it_has_begun() -> None:
    migration.may_decide(applicable())
    with pytest.raises(Refused) as refused:
        migration.may_decide(at(Stage.TEMPLATE_REQUESTED))
    assert refused.value.code == "migration.begun"


# January 2026 in New York is five hours behind UTC; the 16th is a Friday.
@pytest.mark.parametrize(
    ("when", "quiet"),
    [
        (datetime(2026, 1, 14, 15, 0, tzinfo=UTC), False),  # Wednesday 10:00
        (datetime(2026, 1, 14, 22, 30, tzinfo=UTC), False),  # 17:30, closed, and not evening yet
        (datetime(2026, 1, 14, 23, 0, tzinfo=UTC), True),  # 18:00
        (datetime(2026, 1, 15, 10, 59, tzinfo=UTC), True),  # Thursday 05:59
        (datetime(2026, 1, 15, 11, 0, tzinfo=UTC), False),  # 06:00
        (datetime(2026, 1, 16, 23, 30, tzinfo=UTC), False),  # Friday 18:30, and open
        (datetime(2026, 1, 17, 1, 0, tzinfo=UTC), True),  # Friday 20:00, closed
        (datetime(2026, 1, 17, 15, 0, tzinfo=UTC), False),  # Saturday 10:00, and open
        (datetime(2026, 1, 17, 18, 0, tzinfo=UTC), True),  # Saturday 13:00, closed
        (datetime(2026, 1, 18, 17, 0, tzinfo=UTC), True),  # Sunday noon
    ],
)
def test_runs_at_the_weekend_or_in_the_evening_while_the_location_is_closed(when: datetime, quiet: bool) -> None:
    assert migration.is_low_activity(when, CALENDAR, LOW) is quiet


def test_says_when_a_quiet_time_begins() -> None:
    migration.require_low_activity(datetime(2026, 1, 18, 17, tzinfo=UTC), CALENDAR, LOW)
    with pytest.raises(Refused) as refused:
        migration.require_low_activity(datetime(2026, 1, 14, 15, 7, tzinfo=UTC), CALENDAR, LOW)
    assert (refused.value.code, refused.value.earliest) == (
        "migration.busy_period",
        datetime(2026, 1, 14, 23, tzinfo=UTC),
    )


def test_finds_no_quiet_time_where_it_never_closes() -> None:
    always = WorkCalendar(
        time_zone="UTC", hours=tuple(OpeningHours(weekday=day, opens=time(0), closes=time(0)) for day in range(1, 8))
    )
    with pytest.raises(Refused) as refused:
        migration.require_low_activity(NOW, always, LOW)
    assert refused.value.earliest is None


def test_travels_through_json_unchanged() -> None:
    state = at(Stage.DONE)
    assert IntegrationState.model_validate_json(state.model_dump_json()) == state
