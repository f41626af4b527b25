"""Who comes, when, and what follows when the clinician does not (V-01 to V-03)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

from activities.contracts import StepDetail
from domain.actors import SYSTEM, Actor, Audience
from domain.clock import Fired, MilestoneKind
from domain.econsult.acts import FollowUpNews
from domain.visit import acts, rules
from domain.visit.states import BEFORE, VisitEvent, VisitStage
from workflows.case import milestone_detail, refusals, tell
from workflows.visit.base import VisitCase

REMINDERS = "reminders"
JOIN = "join"
WAITING = "waiting"
ABSENCE = "absence"
WRAP_UP = "wrap_up"


class AttendanceTrack(VisitCase):
    def expect_both(self) -> None:
        """Set the clocks by the start of the visit."""
        self.clocks.arm_for(self.policy.reminders, self.state.starts_at - self.policy.reminders_lead)
        self.clocks.arm_for(self.policy.join, self.state.starts_at - self.policy.join_lead)

    @workflow.update
    async def clinician_joined(self, request: acts.Act) -> acts.VisitReceipt:
        """The clinician is there: the join clock is met, late or not."""
        async with self.asked():
            rules.may_join(self.state, self.policy, workflow.now())
            if self.state.clinician_joined_at is not None:
                return self.receipt()
            self.state.clinician_joined_at = workflow.now()
            self.clocks.meet(JOIN, request.actor)
            late = rules.was_missed(self.state, self.policy.join_allowance)
            told = []
            if self.state.patient_joined_at is not None:
                self._begin()
            else:
                self.state.stage = VisitStage.WAITING_FOR_PATIENT
                over = rules.wait_is_over_at(self.state, self.order)
                assert over is not None
                self.clocks.arm_for(self.policy.waiting, over)
                told.append(tell(Audience.PATIENT, "clinician_waiting"))
            detail = StepDetail(code="late" if late else None)
            return await self.record(VisitEvent.CLINICIAN_JOINED, request.actor, detail, notices=told)

    @clinician_joined.validator
    def _clinician_joined_allowed(self, request: acts.Act) -> None:
        with refusals():
            rules.may_join(self.state, self.policy, workflow.now())

    @workflow.update
    async def patient_joined(self, request: acts.Act) -> acts.VisitReceipt:
        """The patient is there: from now on it can be no no-show (V-09)."""
        async with self.asked():
            rules.may_join(self.state, self.policy, workflow.now())
            if self.state.patient_joined_at is not None:
                return self.receipt()
            self.state.patient_joined_at = workflow.now()
            self.clocks.cancel(REMINDERS, "the patient is there")
            if self.state.clinician_joined_at is not None:
                self._begin()
            elif self.state.stage is VisitStage.SCHEDULED:
                self.state.stage = VisitStage.WAITING_FOR_CLINICIAN
            return await self.record(VisitEvent.PATIENT_JOINED, request.actor)

    @patient_joined.validator
    def _patient_joined_allowed(self, request: acts.Act) -> None:
        with refusals():
            rules.may_join(self.state, self.policy, workflow.now())

    def _begin(self) -> None:
        self.state.stage = VisitStage.IN_PROGRESS
        self.clocks.cancel(WAITING, "the patient is there")
        self.clocks.cancel(REMINDERS, "the visit has begun")
        planned_end = self.state.starts_at + timedelta(minutes=self.order.duration_minutes)
        self.clocks.arm_for(self.policy.wrap_up, max(workflow.now(), planned_end))

    @workflow.update
    async def reschedule(self, request: acts.Reschedule) -> acts.VisitReceipt:
        """Another time for the same visit; nobody is late for the old one any more."""
        async with self.asked():
            rules.may_reschedule(self.state, self.policy, request.starts_at, workflow.now())
            self.clocks.cancel_all("rescheduled")
            self.state.stage = VisitStage.SCHEDULED
            self.state.starts_at = request.starts_at
            self.state.times_rescheduled += 1
            self.state.patient_joined_at = None
            self.state.excused_by = self.state.excuse = None  # that was of the old time
            self.expect_both()
            self.tell_econsult(FollowUpNews.MOVED)
            detail = StepDetail(subject=f"time:{self.state.times_rescheduled}", due=request.starts_at)
            told = (
                tell(Audience.PATIENT, "visit_rescheduled"),
                tell(Audience.CLINICIAN, "visit_rescheduled_clinician"),
            )
            return await self.record(VisitEvent.RESCHEDULED, request.actor, detail, notices=told)

    @reschedule.validator
    def _reschedule_allowed(self, request: acts.Reschedule) -> None:
        with refusals():
            rules.may_reschedule(self.state, self.policy, request.starts_at, workflow.now())

    @workflow.update
    async def cancel(self, request: acts.CancelVisit) -> acts.VisitReceipt:
        async with self.asked():
            rules.may_cancel(self.state, self.order, request.actor.role, workflow.now())
            return await self.call_off(request.actor, request.reason)

    @cancel.validator
    def _cancel_allowed(self, request: acts.CancelVisit) -> None:
        with refusals():
            rules.may_cancel(self.state, self.order, request.actor.role, workflow.now())

    @workflow.signal
    async def follow_up_declined(self, request: acts.Act) -> None:
        """The patient wants no follow-up visit, says the eConsult."""
        async with self.turn():
            if self.state.stage in BEFORE:
                await self.call_off(request.actor, "declined", known_to_econsult=True)

    async def call_off(self, actor: Actor, reason: str, *, known_to_econsult: bool = False) -> acts.VisitReceipt:
        self.end(VisitStage.CANCELLED, actor, reason)
        if not known_to_econsult:
            self.tell_econsult(FollowUpNews.NOT_HELD)
        told = (tell(Audience.PATIENT, "visit_cancelled"), tell(Audience.CLINICIAN, "visit_cancelled_clinician"))
        return await self.record(VisitEvent.CANCELLED, actor, StepDetail(code=reason), notices=told)

    @workflow.update
    async def excuse_absence(self, request: acts.ExcuseAbsence) -> acts.VisitReceipt:
        """Operations accept why a clinician was late or away; the scorecard shows it apart (decision 03)."""
        async with self.asked():
            rules.may_excuse(self.state, self.policy)
            self.state.excused_by = request.actor
            self.state.excuse = request.reason
            self.clocks.waive(ABSENCE, request.actor, request.reason)
            return await self.record(VisitEvent.ABSENCE_EXCUSED, request.actor, StepDetail(code=request.reason))

    @excuse_absence.validator
    def _excuse_allowed(self, request: acts.ExcuseAbsence) -> None:
        with refusals():
            rules.may_excuse(self.state, self.policy)

    async def absence_is_taken_on(self) -> None:
        await self._while_excusable(lambda: self.clocks.is_acknowledged(ABSENCE) or self.state.excused_by is not None)

    async def absence_is_excusable(self) -> None:
        """A missed visit is open to an excuse for a while: why it was missed may come out later."""
        if rules.was_missed(self.state, self.policy.join_allowance):
            await self._while_excusable(lambda: self.state.excused_by is not None)

    async def _while_excusable(self, settled: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                settled, timeout=self.policy.excusable, timeout_summary="watching over the clinician's absence"
            )

    async def on_join_milestone(self, fired: Fired) -> None:
        if fired.kind is MilestoneKind.BREACH:
            self.state.stage = VisitStage.CLINICIAN_LATE
        if fired.kind is MilestoneKind.END:
            await self._clinician_did_not_come(fired)
        else:
            await self.record(VisitEvent.CLOCK_MILESTONE, detail=milestone_detail(JOIN, fired), notices=fired.notices)

    async def _clinician_did_not_come(self, fired: Fired) -> None:
        self.end(VisitStage.CLINICIAN_NO_SHOW, SYSTEM, "clinician_no_show")
        self.clocks.arm(self.policy.absence, at=fired.due)
        self.tell_econsult(FollowUpNews.NOT_HELD)
        told = (
            tell(Audience.PATIENT, "visit_not_held"),
            tell(Audience.CLINICIAN, "visit_missed"),
            tell(Audience.SUPPORT, "clinician_absent"),
        )
        await self.record(VisitEvent.CLINICIAN_NO_SHOW, detail=milestone_detail(JOIN, fired), notices=told)
