"""Policy data: day plan, check-ins, artefacts (W-06 to W-09, decision 30)."""

from __future__ import annotations

from datetime import time, timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from domain.actors import Notice
from domain.clock import ClockPolicy, MilestoneKind
from domain.model import Value
from domain.rollout.phases import WavePhase


class DayKind(StrEnum):
    SESSION = "session"
    """People are told that it is on: a review, a training, a day of work."""
    LAUNCH = "launch"
    CHECK_IN = "check_in"
    DOCUMENT = "document"
    """Somebody writes it; the item has the name of the artefact."""
    EVALUATION = "evaluation"
    """The gate opens."""


class Artefact(StrEnum):
    RETROSPECTIVE = "retrospective"
    METRICS_REVIEW = "metrics_review"
    LESSONS_LEARNED = "lessons_learned"
    PLAYBOOK_UPDATE = "playbook_update"


class DayItem(Value):
    """An entry of the day plan. Of a location it happens at its local time, of the centre at the central team's."""

    item_id: str = Field(pattern="^[a-z0-9_]+$")
    requirement: str
    kind: DayKind
    week: int = Field(ge=1)
    """Of the wave."""
    weekdays: tuple[int, ...] = Field(min_length=1)
    """1 is Monday, 7 is Sunday."""
    at: time
    local: bool
    """Of each location, or else of the centre."""
    phase: WavePhase
    """Where the wave stands from here on."""
    minutes: int | None = Field(default=None, ge=1)
    recurs: bool = False
    """Comes again in every week that a no-go adds."""
    notices: tuple[Notice, ...] = ()

    @model_validator(mode="after")
    def _well_formed(self) -> Self:
        if any(not 1 <= day <= 7 for day in self.weekdays):
            raise ValueError("weekdays are 1 to 7")
        if self.kind is DayKind.DOCUMENT and self.item_id not in set(Artefact):
            raise ValueError("an item for a document has the name of the artefact")
        return self


class WavePolicy(Value):
    pilot_days: tuple[DayItem, ...]
    """W-06 to W-08."""
    later_days: tuple[DayItem, ...]
    """W-09."""
    launch_patience: timedelta
    """So long after its time a launch that was held up still happens on that day."""
    check_in: ClockPolicy
    """From when it is due; the warning is when the backup may come instead (L-03)."""
    document: ClockPolicy
    """For a retrospective or a review, from its item of the day plan."""
    closing: ClockPolicy
    """For what has to be written after a go (W-02)."""
    closing_needs: tuple[Artefact, ...]
    search_weeks: int = Field(ge=2)
    """How many weeks ahead another day for a launch or an evaluation is looked for."""
    kept_ids: int = Field(ge=1)
    """How many of the latest acts are known again when somebody repeats them in a later run."""
    history_limit: int = Field(ge=20)
    """Events of one run's history, after which a fresh run goes on with the wave."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for days in (self.pilot_days, self.later_days):
            kinds = [item.kind for item in days]
            if kinds.count(DayKind.LAUNCH) != 1 or kinds.count(DayKind.EVALUATION) != 1:
                raise ValueError("a day plan has one launch and one evaluation")
            if len({item.item_id for item in days}) < len(days):
                raise ValueError("items of a day plan have names of their own")
        if not any(milestone.kind is MilestoneKind.WARN for milestone in self.check_in.milestones):
            raise ValueError("the clock of a check-in says when the backup may come")
        return self

    def days(self, *, pilot: bool) -> tuple[DayItem, ...]:
        return self.pilot_days if pilot else self.later_days

    @property
    def backup_after(self) -> timedelta:
        return next(each.after for each in self.check_in.milestones if each.kind is MilestoneKind.WARN)
