"""The step machine: nothing before its gates, in order, by its owners, with samples, a watch and two signatures."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.actors import Actor
from domain.errors import CarewaveError, Forbidden, Invalid, NotFound, Refused
from domain.rollout.integration import rules
from domain.rollout.integration.acts import CompleteIntegrationStep, RunValidation, StartIntegration
from domain.rollout.integration.policy import Operation
from domain.rollout.integration.state import IntegrationState
from domain.rollout.integration.validation import (
    ValidationCase,
    ValidationReport,
    ValidationResult,
    all_passed,
    failed_cases,
    may_message,
    require_test_name,
)
from domain.rollout.integration.versions import at_least
from domain.rollout.news import Clearance
from domain.rollout.program import PracticeSystem, PracticeSystemName
from tests.domain.rollout.integrations import (
    CLEARED,
    DENTRIX,
    HOUR,
    IT,
    MACHINE,
    MANAGER,
    NOW,
    OTHER,
    POLICY,
    VENDOR,
    do,
    owner,
    reach,
    sample,
    sign,
    started,
    starting,
)

OPEN_DENTAL = POLICY.machine(PracticeSystemName.OPEN_DENTAL)


@pytest.mark.parametrize(
    ("version", "minimum", "enough"),
    [
        ("G7.3", "G7.3", True),
        ("g7.3", "G7.3", True),
        ("G7.10", "G7.3", True),
        ("G8", "G7.3", True),
        ("G7.3.1", "G7.3", True),
        ("G7.2.9", "G7.3", False),
        ("G7", "G7.3", False),
        ("G6.9", "G7.3", False),
        ("17.3", "G7.3", False),
        ("H1", "G7.3", True),
        ("21", "21", True),
        ("21.0", "21", True),
        ("21", "21.0", True),
        ("20.99", "21", False),
        ("9", "21", False),
        ("22.1", "22.1", True),
        ("22.10", "22.1", True),
        ("22.01", "22.1", True),
        ("22", "22.1", False),
        ("21.9", "22.1", False),
    ],
)
def test_compares_versions_as_their_makers_count_them(version: str, minimum: str, enough: bool) -> None:
    assert at_least(version, minimum) is enough


@pytest.mark.parametrize("version", ["", "G", "7.", "G7.3 SP1", "GG7", "-1"])
def test_refuses_a_version_that_is_none(version: str) -> None:
    with pytest.raises(Invalid) as refusal:
        at_least(version, "1")
    assert refusal.value.code == "integration.version_unreadable"


@pytest.mark.parametrize("step_id", [step.step_id for step in MACHINE.steps])
def test_no_step_is_done_before_the_start(step_id: str) -> None:
    asked = CompleteIntegrationStep(actor=IT, step_id=step_id, evidence_id="e")
    with pytest.raises(Refused) as refusal:
        rules.may_complete_step(IntegrationState(), MACHINE, asked)
    assert refusal.value.code == "integration.not_started"


def start_refusal(
    system: PracticeSystem = DENTRIX,
    clearances: frozenset[Clearance] = CLEARED,
    confirmed: frozenset[str] = MACHINE.prerequisites,
    state: IntegrationState | None = None,
    hours: int | None = 0,
) -> Refused:
    opens_at = None if hours is None else NOW + hours * HOUR
    asked = StartIntegration(actor=IT, confirmed=confirmed)
    with pytest.raises(Refused) as refusal:
        rules.may_start(state or IntegrationState(), POLICY, system, clearances, opens_at, asked, NOW)
    return refusal.value


def test_starts_when_everything_is_there() -> None:
    rules.may_start(IntegrationState(), POLICY, DENTRIX, CLEARED, NOW, starting(), NOW)
    state = started()
    assert (state.started_at, state.started_by) == (NOW, IT)


@pytest.mark.parametrize(
    ("clearances", "missing"),
    [
        (frozenset(), ("clearance.baa", "clearance.credentials")),
        (frozenset({Clearance.BAA}), ("clearance.credentials",)),
        (frozenset({Clearance.CREDENTIALS, Clearance.CONSENT}), ("clearance.baa",)),
    ],
)
def test_no_integration_before_the_agreement_and_the_credentials(
    clearances: frozenset[Clearance], missing: tuple[str, ...]
) -> None:
    refusal = start_refusal(clearances=clearances)
    assert (refusal.code, refusal.missing) == ("integration.not_ready", missing)


def test_names_everything_that_is_missing_at_once() -> None:
    old = PracticeSystem(name=PracticeSystemName.DENTRIX, version="G7.2")
    assert start_refusal(old, frozenset(), frozenset({"server_reachable"})).missing == (
        "clearance.baa",
        "clearance.credentials",
        "practice_system.version",
        "prerequisite.administrative_credentials",
    )


def test_another_practice_system_works_by_hand_or_is_deferred() -> None:
    refusal = start_refusal(OTHER)
    assert (refusal.code, refusal.missing) == ("integration.unsupported", ("practice_system.supported",))
    assert rules.missing(IntegrationState(), POLICY, OTHER) == ("integration.unsupported",)


def test_waits_for_the_week_before_its_wave() -> None:
    refusal = start_refusal(hours=1)
    assert (refusal.code, refusal.earliest) == ("integration.too_early", NOW + HOUR)
    assert start_refusal(hours=None).code == "integration.too_early"


def test_starts_once() -> None:
    assert start_refusal(state=started()).code == "integration.started"


@pytest.mark.parametrize("system", POLICY.machines)
def test_goes_through_all_steps_in_order(system: PracticeSystemName) -> None:
    machine = POLICY.machine(system)
    state = started()
    for spec in machine.steps:
        assert rules.next_step(state, machine) == spec
        state = do(state, machine, spec)
    assert rules.steps_done(state, machine)


@pytest.mark.parametrize("step_id", [step.step_id for step in MACHINE.steps[1:]])
def test_no_step_comes_before_its_turn(step_id: str) -> None:
    asked = CompleteIntegrationStep(actor=owner(rules.step_of(MACHINE, step_id)), step_id=step_id, evidence_id="e")
    with pytest.raises(Refused) as refusal:
        rules.may_complete_step(started(), MACHINE, asked)
    assert (refusal.value.code, refusal.value.missing) == ("integration.out_of_order", ("request_package",))


def completion_error(step_id: str, actor: Actor, evidence_id: str | None = "e-1") -> CarewaveError:
    asked = CompleteIntegrationStep(actor=actor, step_id=step_id, evidence_id=evidence_id)
    with pytest.raises(CarewaveError) as error:
        rules.may_complete_step(reach(MACHINE, step_id), MACHINE, asked)
    return error.value


def test_a_step_is_done_once() -> None:
    asked = CompleteIntegrationStep(actor=VENDOR, step_id="request_package")
    with pytest.raises(Refused) as refusal:
        rules.may_complete_step(reach(MACHINE, "install_connector"), MACHINE, asked)
    assert refusal.value.code == "integration.step_done"


def test_knows_no_step_of_another_system() -> None:
    with pytest.raises(NotFound) as error:
        rules.step_of(MACHINE, "configure_odbc")
    assert error.value.code == "integration.step_unknown"


@pytest.mark.parametrize(
    ("step_id", "actor"),
    [
        ("request_package", IT),
        ("request_package", MANAGER),
        ("configure_credentials", VENDOR),
        ("configure_credentials", MANAGER),
        ("map_fields", MANAGER),
    ],
)
def test_a_step_is_for_its_owners(step_id: str, actor: Actor) -> None:
    error = completion_error(step_id, actor)
    assert isinstance(error, Forbidden)
    assert error.code == "integration.not_owner"


@pytest.mark.parametrize(
    ("step_id", "role"),
    [
        ("request_package", "vendor_support"),
        ("map_fields", "vendor_customer_success"),
        ("map_fields", "it_lead"),
        ("configure_credentials", "system_admin"),
    ],
)
def test_central_it_and_every_contact_at_the_vendor_act_for_theirs(step_id: str, role: str) -> None:
    asked = CompleteIntegrationStep(actor=Actor(role=role, id="m-1"), step_id=step_id)
    rules.may_complete_step(reach(MACHINE, step_id), MACHINE, asked)


def test_an_error_prone_step_needs_evidence() -> None:
    assert completion_error("validate_two_way_sync", IT, None).code == "integration.evidence_missing"


def test_a_sample_is_not_just_ticked_off() -> None:
    assert completion_error("validate_patient_data", IT).code == "integration.sample_needed"


PATIENTS = rules.step_of(MACHINE, "validate_patient_data")


def test_a_sample_of_fifty_that_all_match_passes() -> None:
    state = do(reach(MACHINE, PATIENTS.step_id), MACHINE, PATIENTS)
    step = state.step(PATIENTS.step_id)
    assert step.done_at == NOW
    assert step.sample is not None
    assert step.sample.passed


def test_one_record_that_does_not_match_fails_the_sample_and_it_is_repeated() -> None:
    state = rules.record_sample(reach(MACHINE, PATIENTS.step_id), MACHINE, sample(PATIENTS, matched=49), NOW)
    step = state.step(PATIENTS.step_id)
    assert step.sample is not None
    assert (step.done_at, step.tries, step.sample.checked, step.sample.matched) == (None, 1, 50, 49)
    assert rules.next_step(state, MACHINE) == PATIENTS

    again = do(state, MACHINE, PATIENTS).step(PATIENTS.step_id)
    assert (again.done_at, again.tries) == (NOW, 2)


@pytest.mark.parametrize(
    ("checked", "matched", "code"),
    [
        (49, 49, "integration.sample_too_small"),
        (0, 0, "integration.sample_too_small"),
        (50, 51, "integration.sample_impossible"),
    ],
)
def test_refuses_a_sample_that_proves_nothing(checked: int, matched: int, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        rules.may_record_sample(
            reach(MACHINE, PATIENTS.step_id), MACHINE, sample(PATIENTS, checked=checked, matched=matched)
        )
    assert refusal.value.code == code


@pytest.mark.parametrize("missing", Operation)
def test_open_dental_is_seen_to_create_to_modify_and_to_cancel(missing: Operation) -> None:
    spec = rules.step_of(OPEN_DENTAL, "test_appointments")
    taken = sample(spec, matched=3, operations=frozenset(Operation) - {missing})
    state = rules.record_sample(reach(OPEN_DENTAL, spec.step_id), OPEN_DENTAL, taken, NOW)
    assert state.step(spec.step_id).done_at is None


def test_no_sample_is_recorded_where_none_is_taken() -> None:
    asked = sample(PATIENTS, matched=50).model_copy(update={"step_id": "configure_credentials"})
    with pytest.raises(Refused) as refusal:
        rules.may_record_sample(reach(MACHINE, "configure_credentials"), MACHINE, asked)
    assert refusal.value.code == "integration.not_a_sample"


WATCH = "enable_and_monitor"
ENABLE = CompleteIntegrationStep(actor=IT, step_id=WATCH)


def test_the_watch_is_done_when_it_ends_without_a_failure() -> None:
    watched = rules.complete_step(reach(MACHINE, WATCH), MACHINE, ENABLE, NOW)
    assert watched.step(WATCH).done_at is None
    assert rules.monitored_step(watched, MACHINE) == rules.step_of(MACHINE, WATCH)

    ended = rules.monitor_ended(watched, MACHINE, NOW + 24 * HOUR)
    assert ended.step(WATCH).done_at == NOW + 24 * HOUR
    assert rules.monitored_step(ended, MACHINE) is None


def test_a_sync_failure_begins_the_watch_anew() -> None:
    watched = rules.complete_step(reach(MACHINE, WATCH), MACHINE, ENABLE, NOW)
    failed = rules.monitor_failed(watched, MACHINE, NOW + 20 * HOUR)
    step = failed.step(WATCH)
    assert (step.monitored_since, step.restarts, step.done_at) == (NOW + 20 * HOUR, 1, None)


def test_a_sync_failure_before_or_after_the_watch_changes_nothing_of_it() -> None:
    before, after = reach(MACHINE, WATCH), reach(MACHINE)
    assert rules.monitor_failed(before, MACHINE, NOW) == before
    assert rules.monitor_failed(after, MACHINE, NOW) == after
    assert rules.monitor_ended(before, MACHINE, NOW) == before


def test_the_watch_is_begun_once() -> None:
    watched = rules.complete_step(reach(MACHINE, WATCH), MACHINE, ENABLE, NOW)
    with pytest.raises(Refused) as refusal:
        rules.may_complete_step(watched, MACHINE, ENABLE)
    assert refusal.value.code == "integration.monitoring"


SIGN_OFF = rules.step_of(MACHINE, "sign_off")


def test_one_signature_is_not_enough() -> None:
    signing = sign("it_lead", SIGN_OFF)
    state = rules.sign_off(reach(MACHINE, "sign_off"), MACHINE, signing, NOW)
    assert not rules.steps_done(state, MACHINE)
    with pytest.raises(Refused) as refusal:
        rules.may_complete_step(state, MACHINE, CompleteIntegrationStep(actor=IT, step_id="sign_off"))
    assert (refusal.value.code, refusal.value.missing) == (
        "integration.signatures_needed",
        ("signature.office_manager",),
    )


@pytest.mark.parametrize(
    ("function", "person", "code"),
    [
        ("it_lead", "p-other", "integration.signed"),
        ("office_manager", "p-it_lead", "integration.same_person"),
        ("system_admin", "p-other", "integration.not_owner"),
        ("champion", "p-other", "integration.not_owner"),
    ],
)
def test_the_second_signature_is_of_another_function_and_another_person(function: str, person: str, code: str) -> None:
    signed = rules.sign_off(reach(MACHINE, "sign_off"), MACHINE, sign("it_lead", SIGN_OFF), NOW)
    with pytest.raises(CarewaveError) as error:
        rules.may_sign_off(signed, MACHINE, sign(function, SIGN_OFF, person))
    assert error.value.code == code


@pytest.mark.parametrize("order", [("it_lead", "office_manager"), ("office_manager", "it_lead")])
def test_both_may_sign_in_any_order(order: tuple[str, str]) -> None:
    state = reach(MACHINE, "sign_off")
    for function in order:
        rules.may_sign_off(state, MACHINE, sign(function, SIGN_OFF))
        state = rules.sign_off(state, MACHINE, sign(function, SIGN_OFF), NOW)
    assert rules.steps_done(state, MACHINE)


def test_only_the_last_step_is_signed() -> None:
    with pytest.raises(Refused) as refusal:
        rules.may_sign_off(
            reach(MACHINE, "configure_credentials"),
            MACHINE,
            sign("it_lead", SIGN_OFF).model_copy(update={"step_id": "configure_credentials"}),
        )
    assert refusal.value.code == "integration.not_a_sign_off"


def report(*failing: ValidationCase, cases: tuple[ValidationCase, ...] = tuple(ValidationCase)) -> ValidationReport:
    results = tuple(ValidationResult(case=case, passed=case not in failing, evidence=("seen",)) for case in cases)
    return ValidationReport(key="k", began_at=NOW, ended_at=NOW + HOUR, results=results)


def test_nine_cases_that_pass_open_the_gate() -> None:
    state = rules.validated(rules.start_validation(reach(MACHINE), RunValidation(actor=IT)), report())
    assert all_passed(POLICY.validation, state.validation)
    assert rules.missing(state, POLICY, DENTRIX) == ()


@pytest.mark.parametrize("failing", ValidationCase)
def test_each_case_that_fails_keeps_it_closed(failing: ValidationCase) -> None:
    state = rules.validated(reach(MACHINE), report(failing))
    assert failed_cases(POLICY.validation, report(failing)) == (failing,)
    assert rules.missing(state, POLICY, DENTRIX) == ("integration.validation",)


def test_a_case_that_was_not_run_has_not_passed() -> None:
    eight = report(cases=tuple(ValidationCase)[1:])
    assert failed_cases(POLICY.validation, eight) == (ValidationCase.NEW_APPOINTMENT,)
    assert not all_passed(POLICY.validation, None)


def test_what_passed_before_does_not_count_while_or_after_another_run_fails() -> None:
    running = rules.start_validation(rules.validated(reach(MACHINE), report()), RunValidation(actor=IT))
    assert rules.missing(running, POLICY, DENTRIX) == ("integration.validation",)
    failed = rules.validation_failed(running, "gateway.unavailable")
    assert rules.missing(failed, POLICY, DENTRIX) == ("integration.validation",)
    assert (failed.validation_error, failed.validation_runs) == ("gateway.unavailable", 1)


def test_one_run_at_a_time_in_a_test_environment_that_is_there() -> None:
    running = rules.start_validation(started(), RunValidation(actor=IT))
    for state, tasks, code in (
        (IntegrationState(), (), "integration.not_started"),
        (running, (), "validation.running"),
        (started(), ("test_named",), "validation.test_environment_missing"),
    ):
        with pytest.raises(Refused) as refusal:
            rules.may_run_validation(state, tasks)
        assert refusal.value.code == code
    rules.may_run_validation(started(), ())


@pytest.mark.parametrize("name", ["Downtown", "test - Downtown", "TEST -", "TEST - ", " TEST - Downtown", ""])
def test_a_test_location_is_called_one(name: str) -> None:
    with pytest.raises(Refused) as refusal:
        require_test_name(POLICY.validation, name)
    assert refusal.value.code == "test_location.name"


def test_a_test_location_reaches_nobody() -> None:
    require_test_name(POLICY.validation, "TEST - Downtown")
    may_message(POLICY.validation, "TEST - Downtown", "+12025550143")
    may_message(POLICY.validation, "Downtown", "+12025551234")
    for number in ("+12025551234", "+442071838750", "+120255501430", "2025550143"):
        with pytest.raises(Refused) as refusal:
            may_message(POLICY.validation, "TEST - Downtown", number)
        assert refusal.value.code == "test_location.real_number"


def test_lists_every_function_that_owns_a_step() -> None:
    assert rules.owners_of(POLICY) == (
        "it_lead",
        "office_manager",
        "vendor_account_manager",
        "vendor_technical_specialist",
    )


def test_an_open_migration_keeps_the_gate_closed() -> None:
    state = rules.validated(reach(MACHINE), report())
    open_one = state.model_copy(update={"migration": state.migration.model_copy(update={"applicable": True})})
    assert rules.missing(open_one, POLICY, DENTRIX) == ("integration.migration",)


def test_the_estimates_of_dentrix_add_up() -> None:
    minutes = sum(step.minutes or 0 for step in MACHINE.steps)
    assert timedelta(minutes=minutes) == timedelta(hours=27, minutes=15)
