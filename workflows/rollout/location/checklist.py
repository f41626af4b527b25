"""What the location has to do and prove, chased until it is done (T-02 to T-09, N-08 to N-12, B-12, B-13)."""

from __future__ import annotations

from temporalio import workflow

from activities.calendars import business_days
from activities.contracts import StepDetail
from activities.rollout_contracts import BusinessDaysInput
from domain.actors import Actor, Audience
from domain.rollout.location import acts, rules
from domain.rollout.location.state import Baseline, LocationEvent, Speed
from domain.rollout.tasks import CompleteTask, CompleteTasks, TaskSpec, TaskState, TaskStatus, WaiveTask
from workflows.case import refusals, tell
from workflows.options import RECORD
from workflows.rollout.location.base import LocationCase

BASELINE = "baseline"


class ChecklistTrack(LocationCase):
    async def open_checklist(self) -> None:
        """Every task with its day, and its clock."""
        specs = rules.checklist(self.order)
        numbers = tuple(sorted({spec.due_business_day for spec in specs if spec.due_business_day is not None}))
        asked = BusinessDaysInput(starts_on=self.order.starts_on, calendar=self.order.program_calendar, numbers=numbers)
        found = await workflow.execute_local_activity(business_days, asked, **RECORD)
        ends = dict(zip(numbers, found.ends, strict=True))
        for spec in specs:
            due = rules.task_due(self.policy, spec, ends, self.state.planned)
            self.state.tasks[spec.task_id] = TaskState(due=due)
            self._chase(spec)
        self.expect_baseline()

    def replan_checklist(self) -> None:
        """Another launch: what is due by it is due anew."""
        for spec in rules.checklist(self.order):
            task = self.state.tasks[spec.task_id]
            if spec.due_business_day is None and task.status is TaskStatus.OPEN:
                due = rules.task_due(self.policy, spec, {}, self.state.planned)
                self.state.tasks[spec.task_id] = task.model_copy(update={"due": due})
                self._chase(spec)
        self.expect_baseline()

    def _chase(self, spec: TaskSpec) -> None:
        clock, due = f"task:{spec.task_id}", self.state.tasks[spec.task_id].due
        if due is None:
            self.clocks.cancel(clock, "no day is set")
            return
        chase = self.policy.chases[spec.party]
        self.clocks.arm_for(chase.of(clock, spec.owner), due - chase.lead)

    def expect_baseline(self) -> None:
        due = rules.baseline_due(self.policy, self.state)
        if self.state.baseline_validated:
            return
        if due is None:
            self.clocks.cancel(BASELINE, "no day is set")
        else:
            self.clocks.arm_for(self.policy.baseline, due - self.policy.baseline_lead)

    @workflow.update
    async def complete_task(self, request: CompleteTask) -> acts.LocationReceipt:
        async with self.asked():
            if self.is_known():
                return self.receipt()
            rules.may_complete_task(self.order, self.state, request)
            self._end_task(request.task_id, TaskStatus.DONE, request.actor, request.evidence_id)
            detail = StepDetail(subject=request.task_id)
            return await self.act(LocationEvent.TASK_DONE, request.actor, detail)

    @complete_task.validator
    def _complete_task_allowed(self, request: CompleteTask) -> None:
        with refusals():
            self.check(lambda: rules.may_complete_task(self.order, self.state, request))

    @workflow.update
    async def complete_tasks(self, request: CompleteTasks) -> acts.LocationReceipt:
        """Several at once: one step, and either all of them are done or none."""
        async with self.asked():
            if self.is_known():
                return self.receipt()
            rules.may_complete_tasks(self.order, self.state, request)
            for task_id in request.task_ids:
                self._end_task(task_id, TaskStatus.DONE, request.actor, request.evidence_id)
            detail = StepDetail(subject=" ".join(request.task_ids))
            return await self.act(LocationEvent.TASKS_DONE, request.actor, detail)

    @complete_tasks.validator
    def _complete_tasks_allowed(self, request: CompleteTasks) -> None:
        with refusals():
            self.check(lambda: rules.may_complete_tasks(self.order, self.state, request))

    @workflow.update
    async def waive_task(self, request: WaiveTask) -> acts.LocationReceipt:
        """Without it: by whom and why stays on record. Never a critical one."""
        async with self.asked():
            if self.is_known():
                return self.receipt()
            rules.may_waive_task(self.order, self.state, request)
            self._end_task(request.task_id, TaskStatus.WAIVED, request.actor)
            detail = StepDetail(subject=request.task_id, code=request.reason)
            return await self.act(LocationEvent.TASK_WAIVED, request.actor, detail)

    @waive_task.validator
    def _waive_task_allowed(self, request: WaiveTask) -> None:
        with refusals():
            self.check(lambda: rules.may_waive_task(self.order, self.state, request))

    def _end_task(self, task_id: str, status: TaskStatus, by: Actor, evidence_id: str | None = None) -> None:
        ended = {"status": status, "ended_at": workflow.now(), "by": by, "evidence_id": evidence_id}
        self.state.tasks[task_id] = self.state.tasks[task_id].model_copy(update=ended)
        if status is TaskStatus.DONE:
            self.clocks.meet(f"task:{task_id}", by)
        else:
            self.clocks.waive(f"task:{task_id}", by, "task waived")

    @workflow.update
    async def measure_network(self, request: acts.MeasureNetwork) -> acts.LocationReceipt:
        """A measurement that meets the minimum does the task; one that does not asks for a remedy (T-03)."""
        async with self.asked():
            if self.is_known():
                return self.receipt()
            rules.may_measure(self.order, self.state, request)
            passed = rules.meets(self.policy.minimums, request)
            self.state.speed = Speed(
                at=workflow.now(), by=request.actor, passed=passed, **request.model_dump(exclude={"actor"})
            )
            if passed:
                self._end_task(self.policy.measured_task, TaskStatus.DONE, request.actor, request.evidence_id)
            told = () if passed else (tell(Audience.IT_LEAD, "rollout_network_too_slow"),)
            detail = StepDetail(subject=request.evidence_id, code="passed" if passed else "too_slow")
            return await self.act(LocationEvent.NETWORK_MEASURED, request.actor, detail, told)

    @measure_network.validator
    def _measure_network_allowed(self, request: acts.MeasureNetwork) -> None:
        with refusals():
            self.check(lambda: rules.may_measure(self.order, self.state, request))

    @workflow.update
    async def record_practice_system(self, request: acts.RecordPracticeSystem) -> acts.LocationReceipt:
        """What is installed now (T-05, T-06)."""
        async with self.asked():
            if self.is_known():
                return self.receipt()
            rules.may_record_practice_system(self.order, self.state, request)
            self.state.practice_system = request.practice_system
            detail = StepDetail(subject=request.evidence_id, code=request.practice_system.version)
            return await self.act(LocationEvent.PRACTICE_SYSTEM_RECORDED, request.actor, detail)

    @record_practice_system.validator
    def _record_practice_system_allowed(self, request: acts.RecordPracticeSystem) -> None:
        with refusals():
            self.check(lambda: rules.may_record_practice_system(self.order, self.state, request))

    @workflow.update
    async def validate_baseline(self, request: acts.ValidateBaseline) -> acts.LocationReceipt:
        """The regional manager vouches for it, or says that it is not accurate (B-12)."""
        async with self.asked():
            if self.is_known():
                return self.receipt()
            rules.may_validate_baseline(self.state, request)
            self.state.baseline = Baseline(
                at=workflow.now(), by=request.actor, accurate=request.accurate, evidence_id=request.evidence_id
            )
            detail = StepDetail(subject=request.evidence_id)
            if not request.accurate:
                told = (tell(Audience.OFFICE_MANAGER, "rollout_baseline_rejected"),)
                return await self.act(LocationEvent.BASELINE_REJECTED, request.actor, detail, told)
            self.clocks.meet(BASELINE, request.actor)
            return await self.act(LocationEvent.BASELINE_VALIDATED, request.actor, detail)

    @validate_baseline.validator
    def _validate_baseline_allowed(self, request: acts.ValidateBaseline) -> None:
        with refusals():
            self.check(lambda: rules.may_validate_baseline(self.state, request))
