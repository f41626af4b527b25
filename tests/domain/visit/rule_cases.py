"""Every rule of the visit, with the states in which it allows its act and those in which it refuses."""

from __future__ import annotations

from typing import Any

from domain.access import Role
from domain.case import may_acknowledge
from domain.clock import arm, fire
from domain.visit import rules
from domain.visit.state import Dispute, VisitState
from domain.visit.states import BEFORE, CLOSED, Obligation, VisitStage, VisitStatus
from domain.visit_calls import CallOutcome
from tests.domain.rule_checks import Case, refused
from tests.domain.visit.builders import (
    CLINICIAN,
    PATIENT,
    POLICY,
    START,
    SUPPORT,
    a_call,
    a_state,
    after,
    an_order,
    completed,
    in_progress,
    settled,
    waiting,
)


def at(*stages: VisitStage, **fields: Any) -> tuple[VisitState, ...]:
    return tuple(a_state(stage, **fields) for stage in stages)


def all_but(*stages: VisitStage, **fields: Any) -> tuple[VisitState, ...]:
    return at(*(stage for stage in VisitStage if stage not in stages), **fields)


def flagged(dispute: Dispute | None = None) -> VisitState:
    return waiting(0, 1, stage=VisitStage.PATIENT_NO_SHOW, ended_at=after(5), ended_by=CLINICIAN, dispute=dispute)


def called_off(by: Any, *, ended: float = -60, joined: float | None = None) -> VisitState:
    came = None if joined is None else after(joined)
    return a_state(VisitStage.CANCELLED, ended_at=after(ended), ended_by=by, clinician_joined_at=came)


def escalated(minute: float) -> VisitState:
    clock, _ = fire(arm(POLICY.join, START - POLICY.join_lead), after(minute))
    return a_state(VisitStage.CLINICIAN_LATE, clocks={"join": clock})


ORDER, LONG = an_order(), an_order(duration_minutes=30)
BEGUN = BEFORE | {VisitStage.IN_PROGRESS}
MOVABLE = (VisitStage.SCHEDULED, VisitStage.CLINICIAN_LATE)
DISPUTED = Dispute(opened_at=after(60), opened_by=PATIENT)
DECIDED = DISPUTED.model_copy(update={"upheld": True, "decided_by": SUPPORT})
LATE, NEVER = VisitStage.CLINICIAN_LATE, VisitStage.CLINICIAN_NO_SHOW

SCHEDULING = [
    Case(rules.may_schedule, (START, START), (POLICY,), ()),
    Case(rules.may_schedule, (START + POLICY.horizon, START), (POLICY,), ()),
    Case(rules.may_schedule, (START, after(0.01)), (), refused("visit.in_the_past", POLICY)),
    Case(rules.may_schedule, (after(1) + POLICY.horizon, START), (), refused("visit.too_far_ahead", POLICY)),
    Case(
        rules.may_reschedule,
        (POLICY, after(60), START),
        (*at(*MOVABLE), *at(*MOVABLE, patient_joined_at=START)),
        refused("visit.not_scheduled", *all_but(*MOVABLE), in_progress(), waiting()),
    ),
    Case(rules.may_reschedule, (POLICY, after(-1), START), (), refused("visit.in_the_past", *at(*MOVABLE))),
    Case(
        rules.may_join,
        (POLICY, after(-30)),
        at(*sorted(BEGUN)),
        refused("visit.over", *all_but(*sorted(BEGUN))),
    ),
    Case(rules.may_join, (POLICY, after(-31)), (), refused("visit.too_early", *at(*sorted(BEGUN)))),
    *(
        Case(
            rules.may_cancel,
            (ORDER, role, START),
            (*at(*sorted(BEFORE)), *((waiting(),) if role is not Role.CLINICIAN else ())),
            refused("visit.not_scheduled", *all_but(*sorted(BEFORE)), in_progress()),
        )
        for role in (Role.CLINICIAN, Role.PATIENT, Role.SUPPORT, Role.OPERATIONS)
    ),
    Case(rules.may_cancel, (ORDER, Role.CLINICIAN, after(4.99)), (), refused("visit.wait_not_over", waiting())),
    Case(
        rules.may_cancel,
        (ORDER, Role.CLINICIAN, after(5)),
        (waiting(), waiting(joined=-30)),
        refused("visit.wait_not_over", waiting(joined=1)),
    ),
    Case(rules.may_cancel, (LONG, Role.CLINICIAN, after(9.99)), (), refused("visit.wait_not_over", waiting())),
]

NO_SHOW = [
    Case(
        rules.may_call_patient,
        (START,),
        (waiting(), waiting(joined=-10), waiting(0, 1, 2)),
        (
            *refused("visit.over", *all_but(*sorted(BEFORE), clinician_joined_at=START), in_progress()),
            *refused("visit.clinician_absent", *at(*sorted(BEFORE))),
        ),
    ),
    Case(rules.may_call_patient, (after(-0.01),), (), refused("visit.not_begun", waiting(joined=-10))),
    Case(
        rules.may_flag_no_show,
        (ORDER, after(5)),
        (
            waiting(0, 1),
            waiting(0, 0.5, 1),  # the first and the last are a minute apart
            waiting(*(a_call(n, outcome) for n, outcome in enumerate((CallOutcome.BUSY, CallOutcome.MACHINE)))),
            waiting(a_call(0, CallOutcome.ANSWERED), 1, joined=-30),
        ),
        (
            *refused("visit.patient_joined", in_progress(), *at(*sorted(BEFORE), patient_joined_at=START), completed()),
            *refused("visit.over", *all_but(*sorted(BEFORE))),
            *refused(
                "visit.no_show_unproven",
                *at(*sorted(BEFORE)),
                waiting(),
                waiting(0),
                waiting(0, 0.99),
                waiting(-1, 0),  # before the start: the patient was not expected yet
                waiting(0, 1, joined=0.01),  # the wait begins when a late clinician comes
                waiting(0, a_call(1, None)),
                waiting(0, a_call(1, CallOutcome.FAILED)),
                waiting(0, a_call(1, CallOutcome.CANCELED)),
            ),
        ),
    ),
    Case(rules.may_flag_no_show, (ORDER, after(4.99)), (), refused("visit.no_show_unproven", waiting(0, 1))),
    Case(rules.may_flag_no_show, (LONG, after(9.99)), (), refused("visit.no_show_unproven", waiting(0, 1))),
    Case(rules.may_flag_no_show, (LONG, after(10)), (waiting(0, 1),), ()),
    Case(
        rules.may_dispute_no_show,
        (after(60), after(59)),
        (flagged(),),
        (
            *refused("no_show.none", *all_but(VisitStage.PATIENT_NO_SHOW)),
            *refused("no_show.already_disputed", flagged(DISPUTED), flagged(DECIDED)),
        ),
    ),
    Case(rules.may_dispute_no_show, (after(60), after(60)), (), refused("no_show.final", flagged())),
    Case(rules.may_dispute_no_show, (None, after(60)), (), refused("no_show.final", flagged())),
    Case(
        rules.may_decide_dispute,
        (),
        (flagged(DISPUTED),),
        refused("no_show.not_disputed", *at(*VisitStage), flagged(), flagged(DECIDED)),
    ),
]

AFTERWARDS = [
    Case(
        rules.may_complete,
        (START,),
        (in_progress(),),
        refused("visit.not_in_progress", *all_but(VisitStage.IN_PROGRESS), completed()),
    ),
    Case(rules.may_complete, (after(-1),), (), refused("visit.not_begun", in_progress())),
    *(
        Case(
            rule,
            (obligation,),
            (
                completed(),
                *(completed(stage) for stage in sorted(CLOSED)),
                completed(settled={Obligation.NOTE: settled()}),
            ),
            (
                *refused("visit.not_completed", *at(*VisitStage), in_progress()),
                *refused("obligation.settled", completed(settled={obligation: settled()})),
            ),
        )
        for rule in (rules.may_settle, rules.may_waive)
        for obligation in (Obligation.PRESCRIPTIONS, Obligation.LABS, Obligation.IMAGING)
    ),
    Case(
        rules.may_settle,
        (Obligation.NOTE,),
        (),
        refused("note.platform_note_needed", completed(), *at(*VisitStage)),
    ),
    Case(
        rules.may_waive,
        (Obligation.NOTE,),
        (completed(),),
        refused("obligation.settled", completed(settled={Obligation.NOTE: settled()})),
    ),
    Case(
        rules.may_save_note,
        (),
        (in_progress(), completed(), *(completed(stage) for stage in sorted(CLOSED))),
        refused("visit.not_begun", *all_but(VisitStage.IN_PROGRESS), waiting(), flagged()),
    ),
    Case(
        rules.may_note,
        (),
        (VisitStatus.IN_PROGRESS, VisitStatus.COMPLETED),
        (
            *refused("visit.cancelled", VisitStatus.CANCELLED),
            *refused("visit.not_held", VisitStatus.NO_SHOW),
            *refused("visit.not_begun", VisitStatus.SCHEDULED),
        ),
    ),
    Case(
        rules.may_excuse,
        (POLICY,),
        (
            *at(LATE, NEVER),
            in_progress().model_copy(update={"clinician_joined_at": after(5.01)}),
            completed().model_copy(update={"clinician_joined_at": after(5.01)}),
            called_off(CLINICIAN),
            called_off(PATIENT, ended=6),  # who was tired of waiting
            called_off(SUPPORT, ended=8, joined=7),
        ),
        (
            *refused(
                "visit.attended",
                *all_but(LATE, NEVER),
                in_progress(),
                completed(),
                in_progress().model_copy(update={"clinician_joined_at": after(5)}),
                called_off(PATIENT),
                called_off(SUPPORT, ended=5),
                called_off(CLINICIAN, ended=6, joined=0),  # waited in vain, then called it off (V-09)
                flagged().model_copy(update={"stage": VisitStage.CANCELLED}),  # the no-show was overturned
            ),
            *refused("visit.already_excused", *at(LATE, NEVER, excused_by=SUPPORT)),
        ),
    ),
    Case(
        may_acknowledge,
        ("join",),
        (escalated(5), escalated(20)),
        refused("escalation.none", *at(*VisitStage), escalated(4.99)),
    ),
]

CASES = [*SCHEDULING, *NO_SHOW, *AFTERWARDS]
