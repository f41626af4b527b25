"""Before the first wave: tasks, hosting, the compliance list, approvals, the pilots (T, N, H, P, A, S-11)."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from activities.contracts import StepDetail
from domain.actors import Audience, Notice
from domain.rollout import tasks
from domain.rollout.people import Function
from domain.rollout.program import Waiver
from domain.rollout.programme import acts, rules
from domain.rollout.programme.acts import ProgrammeEvent, ProgrammeReceipt
from domain.rollout.programme.beginning import COMPLIANCE, PILOT, approval_clock, of_approval, of_pilot, task_clock
from domain.rollout.programme.state import (
    Approval,
    ApprovalStatus,
    Attestation,
    ComplianceMark,
    HostingDecision,
    PilotApproval,
)
from domain.rollout.tasks import CompleteTask, TaskStatus, WaiveTask
from workflows.case import refusals, tell
from workflows.rollout.programme_base import ProgrammeCase


class ChecklistTrack(ProgrammeCase):
    @workflow.update
    async def complete_task(self, request: CompleteTask) -> ProgrammeReceipt:
        async with self.asked():
            if not self.known():
                rules.may_complete(self.order, self.state, request)
                await self._end_task(request, TaskStatus.DONE, ProgrammeEvent.TASK_DONE)
            return self.receipt()

    @complete_task.validator
    def _complete_task_allowed(self, request: CompleteTask) -> None:
        with refusals():
            if not self.known():
                rules.may_complete(self.order, self.state, request)

    @workflow.update
    async def waive_task(self, request: WaiveTask) -> ProgrammeReceipt:
        """It is not asked for any more. Critical ones are never waived."""
        async with self.asked():
            if not self.known():
                rules.may_waive(self.order, self.state, request)
                await self._end_task(request, TaskStatus.WAIVED, ProgrammeEvent.TASK_WAIVED)
            return self.receipt()

    @waive_task.validator
    def _waive_task_allowed(self, request: WaiveTask) -> None:
        with refusals():
            if not self.known():
                rules.may_waive(self.order, self.state, request)

    async def _end_task(self, request: CompleteTask | WaiveTask, status: TaskStatus, event: ProgrammeEvent) -> None:
        clock, known = task_clock(request.task_id), self.state.tasks[request.task_id]
        done: dict[str, Any] = {"status": status, "ended_at": workflow.now(), "by": request.actor}
        code: str | None = None
        if isinstance(request, CompleteTask):
            done |= {"evidence_id": request.evidence_id, "location_ids": request.location_ids}
            self.clocks.meet(clock, request.actor)
        else:
            code = request.reason
            self.clocks.waive(clock, request.actor, request.reason)
        self.state.tasks[request.task_id] = known.model_copy(update=done)
        if status is TaskStatus.DONE and request.task_id == self.policy.hosting_task:
            confirmed = {"at": workflow.now(), "by": request.actor, "evidence_id": done.get("evidence_id")}
            self.state.hosting = self.state.hosting.model_copy(update=confirmed)
        await self.act(event, request, StepDetail(subject=request.task_id, code=code))
        self.drop(clock)

    @workflow.update
    async def decide_hosting(self, request: acts.DecideHosting) -> ProgrammeReceipt:
        """H-01: the decision is on record, and with it the task is done."""
        async with self.asked():
            if not self.known():
                rules.may_decide_hosting(self.order, self.state, request)
                self.state.hosting = HostingDecision(
                    hosting=request.hosting, at=workflow.now(), by=request.actor, evidence_id=request.evidence_id
                )
                task_id = self.policy.hosting_task
                task = self.state.tasks[task_id]
                if task.status is TaskStatus.OPEN:
                    done = {"status": TaskStatus.DONE, "ended_at": workflow.now(), "by": request.actor}
                    self.state.tasks[task_id] = task.model_copy(update=done)
                self.clocks.meet(task_clock(task_id), request.actor)
                await self.act(ProgrammeEvent.HOSTING_DECIDED, request, StepDetail(code=request.hosting))
                self.drop(task_clock(task_id))
            return self.receipt()

    @decide_hosting.validator
    def _decide_hosting_allowed(self, request: acts.DecideHosting) -> None:
        with refusals():
            if not self.known():
                rules.may_decide_hosting(self.order, self.state, request)

    @workflow.update
    async def attest_compliance(self, request: acts.AttestCompliance) -> ProgrammeReceipt:
        """A point may fail again after it passed: then nobody goes live until it passes anew."""
        async with self.asked():
            if not self.known():
                rules.may_attest(self.order, self.state, request)
                status = Attestation.PASS if request.passed else Attestation.FAIL
                self.state.compliance[request.point_id] = ComplianceMark(
                    status=status, at=workflow.now(), by=request.actor, evidence_id=request.evidence_id
                )
                whole = all(mark.status is Attestation.PASS for mark in self.state.compliance.values())
                if whole:
                    self.clocks.meet(COMPLIANCE, request.actor)
                detail = StepDetail(subject=request.point_id, code=status, due=workflow.now())
                failed = (tell(Audience.PROJECT_MANAGER, "rollout_compliance_failed"),)
                told = () if request.passed else failed
                await self.act(ProgrammeEvent.COMPLIANCE_ATTESTED, request, detail, told)
                if whole:
                    self.drop(COMPLIANCE)
            return self.receipt()

    @attest_compliance.validator
    def _attest_allowed(self, request: acts.AttestCompliance) -> None:
        with refusals():
            if not self.known():
                rules.may_attest(self.order, self.state, request)

    @workflow.update
    async def approve(self, request: acts.DecideApproval) -> ProgrammeReceipt:
        """A-01: in the function of the actor. Approving what one has approved changes nothing."""
        async with self.asked():
            if not self.known():
                function = rules.may_decide_approval(self.state, request.actor, approve=True)
                if self.state.approvals[function].status is not ApprovalStatus.APPROVED:
                    clock = approval_clock(function)
                    self.clocks.meet(clock, request.actor)
                    await self._decide(function, ApprovalStatus.APPROVED, request, ProgrammeEvent.APPROVED)
                    self.drop(clock)
            return self.receipt()

    @approve.validator
    def _approve_allowed(self, request: acts.DecideApproval) -> None:
        with refusals():
            if not self.known():
                rules.may_decide_approval(self.state, request.actor, approve=True)

    @workflow.update
    async def reject(self, request: acts.DecideApproval) -> ProgrammeReceipt:
        """No wave starts until this function approves anew; it is asked for that by its clock."""
        async with self.asked():
            if not self.known():
                function = rules.may_decide_approval(self.state, request.actor, approve=False)
                if self.state.approvals[function].status is not ApprovalStatus.REJECTED:
                    if approval_clock(function) not in self.state.clocks:
                        self.arm(of_approval(self.order, self.state, function))
                    told = (
                        tell(Audience.PROJECT_MANAGER, "rollout_approval_rejected"),
                        tell(Audience.VP_OPERATIONS, "rollout_approval_rejected"),
                    )
                    await self._decide(function, ApprovalStatus.REJECTED, request, ProgrammeEvent.REJECTED, told)
            return self.receipt()

    @reject.validator
    def _reject_allowed(self, request: acts.DecideApproval) -> None:
        with refusals():
            if not self.known():
                rules.may_decide_approval(self.state, request.actor, approve=False)

    async def _decide(
        self,
        function: Function,
        status: ApprovalStatus,
        request: acts.DecideApproval,
        event: ProgrammeEvent,
        told: tuple[Notice, ...] = (),
    ) -> None:
        now = workflow.now()
        self.state.approvals[function] = Approval(
            status=status, due=self.state.approvals[function].due, at=now, by=request.actor, note_id=request.note_id
        )
        await self.act(event, request, StepDetail(subject=function, due=now), told)

    @workflow.update
    async def approve_pilot(self, request: acts.ApprovePilot) -> ProgrammeReceipt:
        """S-11. The stakeholders hear of the schedule and the selection, the first time (A-02)."""
        async with self.asked():
            if not self.known():
                rules.may_approve_pilot(self.order, self.state, request)
                if not rules.pilot_approved(self.state):
                    self.state.pilot = PilotApproval(locations=request.locations, at=workflow.now(), by=request.actor)
                    self.clocks.meet(PILOT, request.actor)
                    told = self.policy.stakeholder_notices if self.state.stakeholders_told_at is None else ()
                    self.state.stakeholders_told_at = self.state.stakeholders_told_at or workflow.now()
                    detail = StepDetail(due=workflow.now())
                    await self.act(ProgrammeEvent.PILOT_APPROVED, request, detail, told)
                    self.drop(PILOT)
            return self.receipt()

    @approve_pilot.validator
    def _approve_pilot_allowed(self, request: acts.ApprovePilot) -> None:
        with refusals():
            if not self.known():
                rules.may_approve_pilot(self.order, self.state, request)

    def ask_for_pilot_again(self) -> None:
        """Another selection needs another approval."""
        waiting = not rules.pilot_approved(self.state) and not rules.any_wave_started(self.state)
        if waiting and PILOT not in self.state.clocks:
            self.arm(of_pilot(self.order, self.state))

    @workflow.update
    async def grant_waiver(self, request: acts.GrantWaiver) -> ProgrammeReceipt:
        """Decision 27: on record, for the planner. The same waiver again changes nothing."""
        async with self.asked():
            if not self.known():
                rules.may_grant_waiver(self.order, self.state, request)
                known = {(waiver.rule, waiver.location_id) for waiver in self.state.waivers}
                if (request.rule, request.location_id) not in known:
                    waiver = Waiver(
                        rule=request.rule,
                        location_id=request.location_id,
                        granted_by=request.actor.id,
                        reason=request.reason,
                    )
                    self.state.waivers = (*self.state.waivers, waiver)
                    subject = f"{request.rule}:{request.location_id}" if request.location_id else request.rule
                    await self.act(ProgrammeEvent.WAIVER_GRANTED, request, StepDetail(subject=subject))
            return self.receipt()

    @grant_waiver.validator
    def _grant_waiver_allowed(self, request: acts.GrantWaiver) -> None:
        with refusals():
            if not self.known():
                rules.may_grant_waiver(self.order, self.state, request)

    def open_optimization_tasks(self) -> tuple[tasks.TaskSpec, ...]:
        return tasks.open_tasks(self.policy.optimization_tasks, self.state.tasks)
