"""Inputs of the four workflows of a rollout. `carried` is what an earlier run hands on when it continues as new."""

from __future__ import annotations

from datetime import date, datetime

from domain.actors import Actor
from domain.model import Value
from domain.rollout.gate.policy import GatePolicy
from domain.rollout.integration.policy import IntegrationPolicy
from domain.rollout.location.policy import LocationPolicy
from domain.rollout.location.state import LocationState
from domain.rollout.news import IssueClass, ProgrammeNews, WavePlanned
from domain.rollout.plan import Plan, PlannedWave
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import Hosting, PracticeSystem, Waiver
from domain.rollout.programme.state import ProgrammeState
from domain.rollout.rollback.policy import RollbackPolicy
from domain.rollout.training.policy import TrainingPolicy
from domain.rollout.triggers import TriggerPolicy
from domain.rollout.wave.policy import WavePolicy
from domain.rollout.wave.state import WaveState
from domain.work_calendar import WorkCalendar


class ProgramLocation(Value):
    """What the programme's workflow needs to know of a location."""

    location_id: str
    region: str
    calendar: WorkCalendar
    practice_system: PracticeSystem
    outdated_hardware: bool
    """T-04."""


class RolloutOrder(Value):
    """Workflow `Rollout`, `rollout:{program_id}`."""

    program_id: str
    starts_on: date
    calendar: WorkCalendar
    """Of the central team."""
    spend_cents: int
    hosting: Hosting = Hosting.CENTRALIZED
    """Until somebody decides (H-01)."""
    waivers: tuple[Waiver, ...] = ()
    """Of the programme file; more may be granted."""
    locations: tuple[ProgramLocation, ...]
    plan: Plan
    policy: RolloutPolicy
    ordered_by: Actor
    carried: ProgrammeState | None = None


class WaveOrder(Value):
    """Workflow `Wave`, `rollout:{program_id}:wave:{number}`. Started by the programme when the wave's turn has come."""

    program_id: str
    planned: PlannedWave
    calendar: WorkCalendar
    time_zones: dict[str, str]
    """Of each location, by id: IANA names."""
    regions: dict[str, str]
    policy_version: str
    policy: WavePolicy
    gate: GatePolicy
    pilot: bool
    news: ProgrammeNews
    """How the programme stands at the start."""
    carried: WaveState | None = None


class LocationOrder(Value):
    """Workflow `Location`, `rollout:{program_id}:location:{location_id}`, from the first day to the last."""

    program_id: str
    location: ProgramLocation
    program_calendar: WorkCalendar
    starts_on: date
    policy_version: str
    policy: LocationPolicy
    integration: IntegrationPolicy
    training: TrainingPolicy
    triggers: TriggerPolicy
    rollback: RollbackPolicy
    planned: WavePlanned
    news: ProgrammeNews
    carried: LocationState | None = None


class RollbackOrder(Value):
    """Workflow `Rollback`, `rollout:{program_id}:location:{location_id}:rollback:{number}`."""

    program_id: str
    location_id: str
    region: str
    wave: int | None
    number: int
    """The first of a location is 1."""
    issue: IssueClass
    triggered_at: datetime
    """When the trigger was met: the clocks count from here."""
    triggered_by: Actor
    disabled_at: datetime
    """When sending was switched off, in the same step that started this."""
    policy_version: str
    policy: RollbackPolicy
