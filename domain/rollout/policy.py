"""Every number of a rollout: one section for each topic, each defined beside its rules."""

from __future__ import annotations

from domain.model import Value
from domain.rollout.baseline import BaselinePolicy
from domain.rollout.cadences import CadencePolicy
from domain.rollout.gate.policy import GatePolicy
from domain.rollout.integration.policy import IntegrationPolicy
from domain.rollout.location.policy import LocationPolicy
from domain.rollout.planning.policy import PlanningPolicy
from domain.rollout.program_rules import FilePolicy
from domain.rollout.programme.policy import ProgrammePolicy
from domain.rollout.readiness import ReadinessPolicy
from domain.rollout.rollback.policy import RollbackPolicy
from domain.rollout.settings import SettingsPolicy
from domain.rollout.training.policy import TrainingPolicy
from domain.rollout.triggers import TriggerPolicy
from domain.rollout.wave.policy import WavePolicy


class RolloutPolicy(Value):
    version: str
    file: FilePolicy
    settings: SettingsPolicy
    readiness: ReadinessPolicy
    planning: PlanningPolicy
    programme: ProgrammePolicy
    wave: WavePolicy
    gate: GatePolicy
    location: LocationPolicy
    integration: IntegrationPolicy
    training: TrainingPolicy
    baseline: BaselinePolicy
    triggers: TriggerPolicy
    rollback: RollbackPolicy
    cadences: CadencePolicy
