"""Checklists: what somebody has to do or prove, by when, and what waits for it (T, N, A, B, H)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.errors import NotFound, Refused
from domain.model import Value
from domain.rollout.news import Clearance
from domain.rollout.people import Function


class Party(StrEnum):
    """The playbook's marks (decision 2)."""

    INTERNAL = "internal"
    VENDOR = "vendor"
    EXECUTIVE = "executive"


class LocationCount(Value):
    """From how many locations something is wanted (N-10)."""

    least: int = Field(ge=0)
    most: int = Field(ge=1)


class TaskSpec(Value):
    """An entry of a checklist, as policy data."""

    task_id: str = Field(pattern="^[a-z0-9_]+$")
    title: str
    requirement: str
    """Number in the requirements, such as `N-02`."""
    party: Party
    owner: Function
    due_business_day: int | None = Field(default=None, ge=1)
    """Of the programme (decision 22)."""
    from_business_day: int | None = Field(default=None, ge=1)
    """Where the playbook names a range of days: the first of them."""
    critical: bool = False
    evidence_required: bool = True
    needs: tuple[str, ...] = ()
    """Tasks to be done before this one."""
    locations: LocationCount | None = None
    """It is done for so many locations, which are named."""
    grants: Clearance | None = None
    """What its being done grants to the locations; a waiver grants nothing."""


class TaskStatus(StrEnum):
    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


class TaskState(Value):
    status: TaskStatus = TaskStatus.OPEN
    due: datetime | None = None
    ended_at: datetime | None = None
    by: Actor | None = None
    evidence_id: str | None = None
    """Of the record that holds the evidence."""
    location_ids: tuple[str, ...] = ()
    """For which it was done, where that is asked for."""


class CompleteTask(Value):
    actor: Actor
    task_id: str
    evidence_id: str | None = None
    location_ids: tuple[str, ...] = ()


class CompleteTasks(Value):
    """Several at once, on the same evidence: all of them, or none."""

    actor: Actor
    task_ids: tuple[str, ...]
    evidence_id: str | None = None


class WaiveTask(Value):
    actor: Actor
    task_id: str
    reason: str
    """A stable code."""


def spec_of(specs: tuple[TaskSpec, ...], task_id: str) -> TaskSpec:
    """Raises `NotFound` (`task.unknown`)."""
    found = next((spec for spec in specs if spec.task_id == task_id), None)
    if found is None:
        raise NotFound("task.unknown", "there is no such task")
    return found


def may_complete(specs: tuple[TaskSpec, ...], states: dict[str, TaskState], asked: CompleteTask) -> None:
    """Raises `NotFound`, `Refused` (`task.over`, `task.blocked` with what is missing, `task.evidence_missing`,
    `task.location_count`).
    """
    spec = spec_of(specs, asked.task_id)
    if states[asked.task_id].status is not TaskStatus.OPEN:
        raise Refused("task.over", "the task is done or waived already")
    if waits_for := tuple(need for need in spec.needs if states[need].status is TaskStatus.OPEN):
        raise Refused("task.blocked", "other tasks come first", missing=waits_for)
    if spec.evidence_required and asked.evidence_id is None:
        raise Refused("task.evidence_missing", "the task is done when there is evidence of it", missing=("evidence",))
    wanted = spec.locations
    if wanted is not None and not wanted.least <= len(set(asked.location_ids)) <= wanted.most:
        raise Refused("task.location_count", f"name {wanted.least} to {wanted.most} locations", missing=("locations",))


def may_waive(specs: tuple[TaskSpec, ...], states: dict[str, TaskState], asked: WaiveTask) -> None:
    """Critical tasks are not waived. Raises `NotFound`, `Refused` (`task.over`, `task.critical`)."""
    spec = spec_of(specs, asked.task_id)
    if states[asked.task_id].status is not TaskStatus.OPEN:
        raise Refused("task.over", "the task is done or waived already")
    if spec.critical:
        raise Refused("task.critical", "a critical task is not waived")


def open_tasks(specs: tuple[TaskSpec, ...], states: dict[str, TaskState]) -> tuple[TaskSpec, ...]:
    return tuple(spec for spec in specs if states[spec.task_id].status is TaskStatus.OPEN)


def one_by_one(specs: tuple[TaskSpec, ...], asked: CompleteTasks) -> tuple[CompleteTask, ...]:
    """Each of the tasks, after those of them that it needs. Raises `NotFound` (`task.unknown`)."""
    wanted = {task_id: spec_of(specs, task_id) for task_id in asked.task_ids}
    ordered: list[str] = []
    while len(ordered) < len(wanted):
        left = [spec for task_id, spec in wanted.items() if task_id not in ordered]
        waiting = {spec.task_id for spec in left}
        ordered.append(next(spec.task_id for spec in left if waiting.isdisjoint(spec.needs)))
    return tuple(CompleteTask(actor=asked.actor, task_id=one, evidence_id=asked.evidence_id) for one in ordered)
