"""The nine validation cases against a simulated practice system: well, and with each fault (C-05 to C-13)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.rollout_contracts import ValidationInput
from activities.rollout_ports import Change, MessageKind, PatientText
from activities.validation import ValidationActivities
from config import Settings
from domain import policy
from domain.errors import GatewayRejected, GatewayUnavailable, Refused
from domain.rollout.integration.validation import (
    ValidationCase,
    ValidationReport,
    ValidationResult,
    all_passed,
    failed_cases,
)
from domain.rollout.program import PracticeSystemName
from embedded.practice_system import Fault, SimulatedPractice, SimulatedTwin, SimulatedTwins
from wiring import validation_twins

POLICY = policy.load().rollout.integration.validation
ASKED = ValidationInput(
    key="rollout:smile:location:downtown:validation:1",
    program_id="smile",
    location_id="downtown",
    practice_system=PracticeSystemName.DENTRIX,
    policy=POLICY,
)
Case = ValidationCase


@pytest.fixture
def twins() -> SimulatedTwins:
    return SimulatedTwins(POLICY)


@pytest.fixture
def twin(twins: SimulatedTwins) -> SimulatedTwin:
    return twins.of("smile", "downtown")


async def run(twins: SimulatedTwins | None, asked: ValidationInput = ASKED) -> ValidationReport:
    return await ActivityEnvironment().run(ValidationActivities(twins).run_validation, asked)


def result(report: ValidationReport, case: ValidationCase) -> ValidationResult:
    return next(one for one in report.results if one.case is case)


async def test_all_nine_pass_where_all_is_well(twins: SimulatedTwins) -> None:
    report = await run(twins)
    assert [one.case for one in report.results] == list(Case)
    assert all_passed(POLICY, report)
    assert report.ended_at > report.began_at


async def test_says_how_long_each_change_took(twins: SimulatedTwins) -> None:
    report = await run(twins)
    assert {one.case: one.latency_ms for one in report.results if one.latency_ms is not None} == dict.fromkeys(
        (
            Case.NEW_APPOINTMENT,
            Case.APPOINTMENT_MODIFIED,
            Case.APPOINTMENT_CANCELLED,
            Case.PHONE_CHANGED,
            Case.CONFIRMATION,
            Case.CALLBACK,
        ),
        2000,
    )


async def test_keeps_evidence_without_data_of_anybody(twins: SimulatedTwins) -> None:
    report = await run(twins)
    assert result(report, Case.APPOINTMENT_CANCELLED).evidence == (
        "booked",
        "seen",
        "cancelled",
        "seen_cancelled",
        "nothing_sent",
    )
    assert result(report, Case.OPT_OUT).evidence == ("stop_received", "opted_out", "text_blocked")
    text = report.model_dump_json()
    assert POLICY.phone not in text
    assert "patient-" not in text


WAITING = (Case.NEW_APPOINTMENT, Case.APPOINTMENT_MODIFIED, Case.APPOINTMENT_CANCELLED, Case.PHONE_CHANGED)


@pytest.mark.parametrize(
    ("fault", "failing", "why"),
    [
        (Fault.STALE, WAITING[1:], "not_seen"),
        (Fault.SLOW, tuple(Case), "not_seen"),
        (Fault.DOWN, tuple(Case), "unavailable"),
        (Fault.WRONG_PATIENT, (Case.REMINDER, Case.CONVERSATION), "wrong_patient"),
        (Fault.CANCELLATION_SENT, (Case.APPOINTMENT_CANCELLED,), "cancellation_sent"),
        (Fault.REMINDERS_LEFT, (Case.APPOINTMENT_CANCELLED,), "reminders_left"),
        (Fault.OPT_OUT_IGNORED, (Case.OPT_OUT,), "not_opted_out"),
        (Fault.REMINDER_LOST, (Case.REMINDER,), "not_delivered"),
        (Fault.CONFIRMATION_LOST, (Case.CONFIRMATION,), "not_written"),
        (Fault.CALLBACK_LOST, (Case.CALLBACK,), "front_desk_not_told"),
        (Fault.REPLIES_LOST, (Case.CONVERSATION,), "not_logged"),
    ],
)
async def test_each_fault_fails_its_cases_and_no_other(
    twins: SimulatedTwins, fault: Fault, failing: tuple[ValidationCase, ...], why: str
) -> None:
    twins.break_with("smile", "downtown", fault)
    report = await run(twins)
    assert failed_cases(POLICY, report) == failing
    assert {result(report, case).evidence[-1] for case in failing} == {why}


@pytest.mark.parametrize(("seconds", "passes"), [(0, True), (299, True), (300, True), (301, False)])
async def test_five_minutes_are_in_time_and_a_second_more_is_not(
    twins: SimulatedTwins, monkeypatch: pytest.MonkeyPatch, seconds: int, passes: bool
) -> None:
    monkeypatch.setattr("embedded.practice_system.faults.PROMPT", timedelta(seconds=seconds))
    one = result(await run(twins), Case.NEW_APPOINTMENT)
    assert one.passed is passes
    if passes:
        assert one.latency_ms == seconds * 1000


async def test_is_late_by_the_time_of_arrival_however_soon_somebody_looks(
    twins: SimulatedTwins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedded.practice_system.faults.PROMPT", timedelta(seconds=303))
    seldom = ASKED.model_copy(update={"policy": POLICY.model_copy(update={"poll_every": timedelta(seconds=200)})})
    one = result(await run(twins, seldom), Case.NEW_APPOINTMENT)
    assert (one.passed, one.latency_ms, one.evidence) == (False, 303_000, ("booked", "seen", "too_late"))


async def test_rides_out_a_short_outage(twins: SimulatedTwins, twin: SimulatedTwin) -> None:
    twin.simulation.outage_calls = 20
    assert all_passed(POLICY, await run(twins))


async def test_a_repeated_run_does_nothing_twice(twins: SimulatedTwins, twin: SimulatedTwin) -> None:
    first = await run(twins)
    patients, sent = len(twin.practice.phones), len(twin.platform.sent)
    again = await run(twins)
    assert (len(twin.practice.phones), len(twin.platform.sent)) == (patients, sent)
    assert again.results == first.results


async def test_another_run_starts_afresh(twins: SimulatedTwins, twin: SimulatedTwin) -> None:
    await run(twins)
    patients = len(twin.practice.phones)
    await run(twins, ASKED.model_copy(update={"key": f"{ASKED.key}0"}))
    assert len(twin.practice.phones) == 2 * patients


async def test_a_location_is_not_disturbed_by_the_fault_of_another(twins: SimulatedTwins) -> None:
    twins.break_with("smile", "uptown", Fault.DOWN)
    assert all_passed(POLICY, await run(twins))


async def test_lives_while_it_waits(twins: SimulatedTwins) -> None:
    beats: list[object] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details[0])
    twins.break_with("smile", "downtown", Fault.STALE)
    await environment.run(ValidationActivities(twins).run_validation, ASKED)
    assert set(beats) == set(Case)
    assert beats.count(Case.PHONE_CHANGED) > POLICY.latency_limit / POLICY.poll_every


async def test_validates_nothing_where_no_practice_system_is_configured() -> None:
    with pytest.raises(Refused) as refusal:
        await run(None)
    assert refusal.value.code == "validation.not_configured"


def test_production_has_none_configured_and_the_embedded_stack_simulates_one() -> None:
    assert validation_twins(Settings(simulated_practice_systems=False)) is None
    assert isinstance(validation_twins(Settings(simulated_practice_systems=True)), SimulatedTwins)


async def test_refuses_to_run_against_a_location_that_is_no_test(twins: SimulatedTwins, twin: SimulatedTwin) -> None:
    twin.name = "Downtown"
    with pytest.raises(Refused) as refusal:
        await run(twins)
    assert refusal.value.code == "test_location.name"
    assert twin.practice.phones == {}


async def test_a_test_location_never_texts_a_real_number(twin: SimulatedTwin) -> None:
    patient = await twin.practice.add_patient("p", "+12025551234")
    booked = await twin.practice.book("b", patient.record_id, twin.now() + timedelta(days=3))
    await twin.wait(timedelta(seconds=5))
    for act in (
        twin.platform.remind("r", booked.record_id),
        twin.platform.write_to("w", patient.record_id),
    ):
        with pytest.raises(Refused) as refusal:
            await act
        assert refusal.value.code == "test_location.real_number"
    assert twin.platform.sent == []
    assert await twin.platform.messages(booked.record_id) == ()


async def test_writes_to_made_up_patients_only(twins: SimulatedTwins, twin: SimulatedTwin) -> None:
    await run(twins)
    assert set(twin.platform.sent) == {POLICY.phone}


class ReadOnly(SimulatedPractice):
    async def move(self, key: str, record_id: str, starts_at: datetime) -> Change:
        raise GatewayRejected("practice_system.read_only", "the connector may not write")


async def test_a_refusal_of_the_practice_system_fails_the_case_with_its_code(
    twins: SimulatedTwins, twin: SimulatedTwin
) -> None:
    twin.practice = twin.platform.practice = ReadOnly(twin.simulation)
    report = await run(twins)
    assert failed_cases(POLICY, report) == (Case.APPOINTMENT_MODIFIED,)
    assert result(report, Case.APPOINTMENT_MODIFIED).evidence[-1] == "practice_system.read_only"


async def test_the_practice_system_knows_no_record_that_it_was_not_given(twin: SimulatedTwin) -> None:
    with pytest.raises(GatewayRejected) as refusal:
        await twin.practice.move("m", "appointment-unknown", twin.now())
    assert refusal.value.code == "practice_system.record_unknown"


async def test_the_practice_system_that_is_down_says_so(twins: SimulatedTwins, twin: SimulatedTwin) -> None:
    twins.break_with("smile", "downtown", Fault.DOWN)
    with pytest.raises(GatewayUnavailable):
        await twin.practice.read("appointment-1")


async def test_a_text_that_arrives_twice_is_logged_once(twin: SimulatedTwin) -> None:
    patient = await twin.practice.add_patient("p", POLICY.phone)
    first = await twin.platform.receive("t", patient.record_id, PatientText.QUESTION)
    assert await twin.platform.receive("t", patient.record_id, PatientText.QUESTION) == first
    logged = await twin.platform.messages(patient.record_id)
    assert [message.kind for message in logged] == [MessageKind.CONVERSATION]
