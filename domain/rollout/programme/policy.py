"""Policy data: checklists, approvals, their clocks (T, N, A, H, P)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from domain.actors import Audience, Notice
from domain.clock import ClockPolicy, Milestone, MilestoneKind
from domain.model import Value
from domain.rollout.news import Clearance
from domain.rollout.people import Function
from domain.rollout.tasks import Party, TaskSpec


class Power(StrEnum):
    """What only some may do."""

    COMPLETE_ANY_TASK = "complete_any_task"
    """The owner of a task completes it too."""
    WAIVE_TASK = "waive_task"
    DECIDE_HOSTING = "decide_hosting"
    APPROVE_PILOT = "approve_pilot"
    CHANGE_PLAN = "change_plan"
    GRANT_WAIVER = "grant_waiver"
    HOLD = "hold"
    RESUME = "resume"
    CANCEL = "cancel"


class OwnerNotice(Value):
    template: str


class Chase(Value):
    """How something is asked for that somebody owes by a day: its owner by every such milestone, others by name."""

    lead: timedelta
    """The clock's times count from so long before it is due."""
    clock: ClockPolicy
    owner: dict[MilestoneKind, OwnerNotice]

    def clock_for(self, name: str, owners: tuple[Function, ...]) -> ClockPolicy:
        """With the owners told first; nobody twice by one milestone."""
        steps = tuple(self._telling(step, owners) for step in self.clock.milestones)
        return self.clock.model_copy(update={"name": name, "milestones": steps})

    def _telling(self, step: Milestone, owners: tuple[Function, ...]) -> Milestone:
        letter = self.owner.get(step.kind)
        if letter is None:
            return step
        told = [Audience(owner) for owner in owners]
        own = tuple(Notice(audience=audience, template=letter.template) for audience in told)
        others = tuple(notice for notice in step.notices if notice.audience not in told)
        return step.model_copy(update={"notices": own + others})


class Approver(Value):
    """Somebody whose approval a rollout needs (A-01)."""

    function: Function
    covers: tuple[str, ...]
    """What they approve: stable codes."""
    only_when_material: bool = False


class CompliancePoint(Value):
    """One of the ten (P-01 to P-10). Any of its owners attests it."""

    point_id: str = Field(pattern="^p_[0-9]{2}$")
    title: str
    requirement: str
    owners: tuple[Function, ...] = Field(min_length=1)
    needs: tuple[str, ...] = ()
    """Tasks to be done before it can pass."""


class Hours(Value):
    least: int
    most: int


class ProgrammePolicy(Value):
    tasks: tuple[TaskSpec, ...]
    """Of the pre-implementation, with their days."""
    optimization_tasks: tuple[TaskSpec, ...]
    """Due with the end of the programme (Z-04)."""
    chases: dict[Party, Chase]
    approvers: tuple[Approver, ...]
    material_spend_cents: int = Field(ge=0)
    """From here on the Board approves too (A-01)."""
    approvals_due_business_day: int = Field(ge=1)
    approval_chase: Chase
    compliance: tuple[CompliancePoint, ...]
    compliance_due_business_day: int = Field(ge=1)
    compliance_chase: Chase
    pilot_due_business_day: int = Field(ge=1)
    pilot_chase: Chase
    stakeholder_notices: tuple[Notice, ...]
    """Who hears of the schedule once the pilots are chosen (A-02)."""
    wave_clearances: frozenset[Clearance]
    """Without which no wave starts."""
    start_grace: timedelta
    """So long into its Monday a wave waits for what is missing, before it slips by a week."""
    reforecasts_kept: int = Field(ge=1)
    overrun_notices: tuple[Notice, ...]
    """When the programme is forecast to take longer than it may (R-06)."""
    pause_notices: tuple[Notice, ...]
    """When a systemic issue stops everything (X-10), and when that is over."""
    resume_notices: tuple[Notice, ...]
    slip_notices: tuple[Notice, ...]
    hosting_task: str
    """Done by the decision on hosting (H-01)."""
    baseline_effort_hours: Hours
    """Across all locations (B-16); an estimate that is shown."""
    authority: dict[Power, frozenset[str]]
    """Functions, and `system_admin`."""
    history_limit: int = Field(ge=1)
    """A run with so many events is followed by a fresh one."""
    kept_act_ids: int = Field(ge=1)
    """Of how many acts the ids are handed on, so that a repeat is known in the next run."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if set(self.chases) != set(Party) or set(self.authority) != set(Power):
            raise ValueError("every party needs its chase, and every power somebody who has it")
        ids = [spec.task_id for spec in self.all_tasks]
        needed = {need for spec in self.all_tasks for need in spec.needs}
        needed |= {need for point in self.compliance for need in point.needs}
        needed.add(self.hosting_task)
        if len(set(ids)) < len(ids) or not needed <= set(ids):
            raise ValueError("tasks have ids of their own and need tasks that exist")
        return self

    @property
    def all_tasks(self) -> tuple[TaskSpec, ...]:
        return self.tasks + self.optimization_tasks

    def approvers_for(self, spend_cents: int) -> tuple[Approver, ...]:
        """Whose approval is mandatory for a programme that costs so much."""
        material = spend_cents >= self.material_spend_cents
        return tuple(one for one in self.approvers if material or not one.only_when_material)
