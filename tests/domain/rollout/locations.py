"""A location that has everything for its launch, made by the rules themselves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain import policy
from domain.actors import Actor
from domain.rollout.integration import acts as integration_acts
from domain.rollout.integration import rules as integration
from domain.rollout.integration.policy import StepKind
from domain.rollout.integration.state import IntegrationState
from domain.rollout.integration.validation import ValidationReport, ValidationResult
from domain.rollout.location import rules
from domain.rollout.location.state import Baseline, LocationState
from domain.rollout.news import Clearance, ProgrammeNews, WavePlanned
from domain.rollout.orders import LocationOrder, ProgramLocation
from domain.rollout.people import Function
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import PracticeSystem, PracticeSystemName
from domain.rollout.tasks import TaskState, TaskStatus
from domain.rollout.training import acts as training_acts
from domain.rollout.training import champions
from domain.rollout.training import rules as training
from domain.rollout.training.policy import CertificationStep
from domain.rollout.training.state import Slot, TrainingState
from tests.domain.rollout.groups import CALENDAR

DAY = timedelta(days=1)
PROGRAM = "p-1"
EVERYTHING = frozenset(Clearance)
POLICY = policy.load().rollout
DENTRIX = PracticeSystem(name=PracticeSystemName.DENTRIX, version="G7.5")


def actor(function: Function, person: str = "1") -> Actor:
    return Actor(role=function, id=f"{function}-{person}")


IT = actor(Function.IT_LEAD)
TRAINER = actor(Function.VENDOR_CUSTOMER_SUCCESS)
MANAGER = actor(Function.OFFICE_MANAGER)
REGION = actor(Function.REGIONAL_MANAGER)
CHAMPION = actor(Function.CHAMPION)
BACKUP = actor(Function.BACKUP_CHAMPION)


def location_order(
    now: datetime,
    *,
    location_id: str = "downtown",
    outdated: bool = False,
    system: PracticeSystem = DENTRIX,
    rules_of: RolloutPolicy = POLICY,
    **changes: Any,
) -> LocationOrder:
    """Its wave is the first; its preparation may begin now, and its launch is in two weeks."""
    planned = WavePlanned(sequence=1, wave=1, integration_from=now, go_live_at=now + 14 * DAY)
    return LocationOrder(
        **{
            "program_id": PROGRAM,
            "location": ProgramLocation(
                location_id=location_id,
                region="north",
                calendar=CALENDAR,
                practice_system=system,
                outdated_hardware=outdated,
            ),
            "program_calendar": CALENDAR,
            "starts_on": monday_after(now),
            "policy_version": rules_of.version,
            "policy": rules_of.location,
            "integration": rules_of.integration,
            "training": rules_of.training,
            "triggers": rules_of.triggers,
            "rollback": rules_of.rollback,
            "planned": planned,
            "news": ProgrammeNews(sequence=1, clearances=EVERYTHING),
        }
        | changes
    )


def monday_after(now: datetime) -> date:
    return now.date() + (7 - now.weekday()) * DAY


def ready(order: LocationOrder, now: datetime) -> LocationState:
    """Of a location that has everything."""
    done = TaskState(status=TaskStatus.DONE, ended_at=now, by=IT, evidence_id="evidence-1")
    return LocationState(
        planned=order.planned,
        news=order.news,
        preparing_since=now,
        tasks={spec.task_id: done for spec in rules.checklist(order)},
        baseline=Baseline(at=now, by=REGION, accurate=True),
        integration=integrated(order, now),
        training=trained(order, now),
    )


def integrated(order: LocationOrder, now: datetime) -> IntegrationState:
    machine = order.integration.machine(order.location.practice_system.name)
    start = integration_acts.StartIntegration(actor=IT, confirmed=machine.prerequisites)
    state = integration.start(IntegrationState(), start, now)
    for step in machine.steps:
        about: dict[str, Any] = {"step_id": step.step_id, "evidence_id": "evidence-1"}
        if step.sample:
            counts = {"checked": step.sample.size, "matched": step.sample.size, "operations": step.sample.operations}
            sample = integration_acts.RecordSample(actor=IT, **counts, **about)
            state = integration.record_sample(state, machine, sample, now)
        elif step.kind is StepKind.SIGN_OFF:
            for owner in step.owners:
                signed = integration_acts.SignOff(actor=actor(owner), person_id=f"staff-{owner}", **about)
                state = integration.sign_off(state, machine, signed, now)
        else:
            done = integration_acts.CompleteIntegrationStep(actor=IT, **about)
            state = integration.complete_step(state, machine, done, now)
        if step.kind is StepKind.MONITOR:
            state = integration.monitor_ended(state, machine, now)
    return integration.validated(state, report(order, now))


def report(order: LocationOrder, now: datetime, *, failed: str | None = None) -> ValidationReport:
    results = tuple(
        ValidationResult(case=spec.case, passed=spec.case != failed, evidence=("seen",))
        for spec in order.integration.validation.cases
    )
    return ValidationReport(key="run-1", began_at=now, ended_at=now, results=results)


def trained(order: LocationOrder, now: datetime) -> TrainingState:
    state = TrainingState()
    for slot, person in ((Slot.PRIMARY, CHAMPION), (Slot.BACKUP, BACKUP)):
        asked = training_acts.NominateChampion(
            actor=MANAGER,
            slot=slot,
            member_id=person.id,
            scores=dict.fromkeys(order.training.champion.weights, 4),
            tenure_months=12,
        )
        state = champions.nominate(state, order.training, asked, now)
    state = certified(order, state, now)
    for course in order.training.courses:
        group = training_acts.RecordTraining(actor=CHAMPION, group=course.group, trained=3, total=3)
        state = training.record_training(state, group, now)
    return state


def certified(order: LocationOrder, state: TrainingState, now: datetime) -> TrainingState:
    for step in CertificationStep:
        if step is CertificationStep.QUIZ:
            quiz = training_acts.RecordQuiz(actor=TRAINER, slot=Slot.PRIMARY, percent=Decimal(90))
            state = champions.record_quiz(state, order.training, quiz, now)
        else:
            asked = training_acts.RecordCertificationStep(actor=TRAINER, slot=Slot.PRIMARY, step=step)
            state = champions.certify(state, asked, now)
    return state
