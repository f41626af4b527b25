"""Credential events and conduct reports: reported, triaged, resolved, each in its time (K-01 to K-04, V-17, V-18)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from db.tables import new_id
from domain.clock import SlaState
from domain.licences import LicenceStatus
from domain.review import ReviewReceipt, ReviewStage, Severity
from embedded.rehearsal import Rehearsal
from tests.workflows.standards import DAY, file_report, invite_clinician, record_licence

HOUR = timedelta(hours=1)
LATE = [("operations", "triage_late"), ("provider_success", "triage_late")]


@pytest.fixture
async def clinician_id(world: Rehearsal) -> str:
    return await invite_clinician(world)


async def test_a_credential_event_goes_from_report_to_resolution(world: Rehearsal, clinician_id: str) -> None:
    event = await file_report(world, clinician_id, "board_action", known_for=2 * HOUR)
    assert await event.notices() == [("operations", "report_filed")]
    await world.advance(HOUR)
    assert (await event.triage(Severity.HIGH)).stage is ReviewStage.TRIAGED
    seen = await event.status()
    assert (seen.severity, seen.assigned_to, seen.sla_state) == (Severity.HIGH, "operations-1", SlaState.ON_TIME)
    receipt = await event.resolve("no_action")
    assert receipt == ReviewReceipt(sequence=3, stage=ReviewStage.RESOLVED)
    assert (await event.notices())[-1] == ("clinician", "credential_event_resolved")
    handle = world.client.get_workflow_handle(event.case_id, result_type=ReviewReceipt)
    assert await handle.result() == receipt


@pytest.mark.parametrize(("known_for", "late"), [(24 * HOUR, False), (24 * HOUR + timedelta(minutes=1), True)])
async def test_a_report_later_than_promptly_is_flagged_and_counts(
    world: Rehearsal, clinician_id: str, known_for: timedelta, late: bool
) -> None:
    event = await file_report(world, clinician_id, "legal_action", known_for=known_for)
    seen = await event.status()
    assert (seen.late_report, seen.stage, seen.sla_state) == (late, ReviewStage.REPORTED, SlaState.ON_TIME)
    assert (await event.steps())[0].detail == ({"code": "late"} if late else {})
    assert (await event.triage()).stage is ReviewStage.TRIAGED


async def test_a_late_triage_escalates_until_somebody_takes_it_on(world: Rehearsal, clinician_id: str) -> None:
    event = await file_report(world, clinician_id, "board_action")
    await world.advance(20 * HOUR + timedelta(minutes=1))
    assert await event.notices() == [("operations", "report_filed")] * 2
    await world.advance(4 * HOUR)
    assert (await event.notices())[2:] == LATE
    assert ((await event.recorded()).sla_state, (await event.recorded()).unacknowledged) == ("breached", True)
    await event.acknowledge("triage")
    assert not (await event.recorded()).unacknowledged
    await world.advance(2 * DAY)
    assert (await event.notices())[2:] == LATE
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await event.acknowledge("resolution")
    assert code(refusal.value) == "escalation.none"
    await event.triage()
    assert (await event.status()).sla_state is SlaState.ON_TIME


async def test_a_late_triage_climbs_the_ladder_while_nobody_does(world: Rehearsal, clinician_id: str) -> None:
    event = await file_report(world, clinician_id, "board_action")
    await world.advance(49 * HOUR)
    assert (await event.notices())[2:] == LATE * 2
    assert (await event.status()).escalation_level == 2


@pytest.mark.parametrize(("severity", "days"), [(Severity.HIGH, 3), (Severity.MEDIUM, 7), (Severity.LOW, 14)])
async def test_a_conduct_report_is_due_by_its_severity(
    world: Rehearsal, clinician_id: str, severity: Severity, days: int
) -> None:
    report = await file_report(world, clinician_id, "conduct", process="ConductReport")
    await report.triage(severity)
    await world.advance(days * DAY - HOUR)
    assert (await report.status()).sla_state is SlaState.AT_RISK
    await world.advance(2 * HOUR)
    assert (await report.status()).sla_state is SlaState.BREACHED
    await report.resolve("coaching")
    assert (await report.notices())[-1] == ("provider_success", "conduct_resolved")


async def test_a_conduct_report_never_reaches_the_board_or_the_letters_of_its_clinician(
    world: Rehearsal, clinician_id: str
) -> None:
    report = await file_report(world, clinician_id, "off_platform_referral", process="ConductReport")
    await world.advance(25 * HOUR)
    await report.triage()
    await report.resolve("suspension_recommended")
    row = await report.recorded()
    assert (row.clinician_id, row.snapshot["subject_id"]) == (None, clinician_id)
    assert "patient-1" not in str(row.snapshot)
    assert "clinician" not in {audience for audience, _ in await report.notices()}


async def test_the_stages_are_passed_in_order_and_once(world: Rehearsal, clinician_id: str) -> None:
    report = await file_report(world, clinician_id, "conduct", process="ConductReport")
    for act, expected in (
        (report.resolve("warning"), "review.not_triaged"),
        (report.acknowledge("triage"), "escalation.none"),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await act
        assert code(refusal.value) == expected
    await report.triage()
    for again, expected in (
        (report.triage(), "review.already_triaged"),
        (report.resolve("clinician_blocked"), "review.outcome_unfit"),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await again
        assert code(refusal.value) == expected
    await report.resolve("unfounded")
    assert await report.events() == ["reported", "triaged", "resolved"]


async def test_an_outcome_that_blocks_suspends_the_licences(world: Rehearsal, clinician_id: str) -> None:
    licence = await record_licence(world, clinician_id, 300 * DAY)
    event = await file_report(world, clinician_id, "legal_action")
    await event.triage()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await event.resolve("clinician_blocked")
    assert code(refusal.value) == "review.no_licence"
    await event.resolve("clinician_blocked", licence.order.licence_id)
    await licence.happened("licence_suspended")
    row = await licence.row()
    assert (row.status, row.reason) == (LicenceStatus.SUSPENDED, "review_outcome")


async def test_a_loss_waits_for_a_licence_whose_case_begins_later(world: Rehearsal, clinician_id: str) -> None:
    licence = await record_licence(world, clinician_id, 300 * DAY, start=False)
    event = await file_report(world, clinician_id, "license_suspended", licence_id=licence.order.licence_id)
    await world.advance(timedelta(minutes=1))
    await world.cases.start_licence(licence.order)
    await world.advance(timedelta(minutes=5))
    await licence.happened("licence_suspended")
    assert "licence_not_reached" not in await event.events()


async def test_a_person_is_told_of_a_loss_that_reaches_no_licence(world: Rehearsal, clinician_id: str) -> None:
    event = await file_report(world, clinician_id, "license_suspended", licence_id=new_id())
    await world.advance(2 * HOUR)
    await event.happened("licence_not_reached")
    assert ("operations", "licence_not_reached") in await event.notices()


async def test_starting_twice_reports_once(world: Rehearsal, clinician_id: str) -> None:
    event = await file_report(world, clinician_id, "board_action")
    await world.cases.start_review(event.order)
    await event.triage()
    assert await event.events() == ["reported", "triaged"]


def code(error: BaseException) -> str | None:
    cause = error.__cause__
    return cause.type if isinstance(cause, ApplicationError) else None
