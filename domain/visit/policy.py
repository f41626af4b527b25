"""Every number of a visit (spec: parameters, decisions 03 to 08)."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from domain.clock import ClockPolicy
from domain.model import Value
from domain.visit.states import NoteStatus, Obligation, VisitType


class MinimumWait(Value):
    """How long a clinician waits for the patient of a visit that is planned for at least so many minutes."""

    from_minutes: int = Field(ge=0)
    wait: timedelta


class VisitPolicy(Value):
    version: str
    reminders: ClockPolicy
    """For the patient; its times count from `reminders_lead` before the start, with which it ends."""
    reminders_lead: timedelta
    join: ClockPolicy
    """Whether the clinician comes in time (V-01, V-03); its times count from `join_lead` before the start."""
    join_lead: timedelta
    join_earliest: timedelta
    """How long before the start one may join."""
    join_allowance: timedelta
    """A clinician who joins so much after the start is still on time (decision 03)."""
    absence: ClockPolicy
    """After a clinician did not come at all, until somebody takes it on (V-02)."""
    waiting: ClockPolicy
    """For the clinician who waits for the patient, from when the minimum wait is over; at its end it is called off."""
    minimum_waits: tuple[MinimumWait, ...]
    """In rising order; the last that fits counts (V-05, V-06, decision 04)."""
    call_attempts: int = Field(ge=1)
    call_spacing: timedelta
    """Calls closer together than this count as one attempt (decision 06)."""
    wrap_up: ClockPolicy
    """For a visit in progress that nobody completes, from its planned end."""
    obligations: dict[Obligation, ClockPolicy]
    """From completion (V-10 to V-12)."""
    obligation_watch: timedelta
    """So long after completion what is still owed is recorded as breached for good, and the visit closes."""
    note_requires: dict[VisitType, NoteStatus]
    """Whether a draft satisfies the clock of the note (decision 08)."""
    disputable: ClockPolicy
    """How long the patient may dispute a no-show, from the flag."""
    dispute_decision: ClockPolicy
    excusable: timedelta
    """So long a clinician's absence waits for somebody, and so long after the end it may be excused (decision 03)."""
    horizon: timedelta
    """How far ahead a visit may be scheduled."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if set(self.obligations) != set(Obligation) or set(self.note_requires) != set(VisitType):
            raise ValueError("every obligation and every type of visit needs its policy")
        starts = [each.from_minutes for each in self.minimum_waits]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError("minimum waits begin at 0 minutes and rise")
        return self

    def minimum_wait(self, duration_minutes: int) -> timedelta:
        return [each.wait for each in self.minimum_waits if each.from_minutes <= duration_minutes][-1]
