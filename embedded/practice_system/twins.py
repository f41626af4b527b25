"""The TEST twins of all locations (the port `Twins`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.rollout.integration.validation import ValidationPolicy
from domain.rollout.program import PracticeSystemName
from embedded.practice_system.faults import Fault, Simulation
from embedded.practice_system.platform import SimulatedPlatform
from embedded.practice_system.practice import SimulatedPractice


@dataclass
class SimulatedTwin:
    name: str
    simulation: Simulation
    practice: SimulatedPractice
    platform: SimulatedPlatform

    def now(self) -> datetime:
        return self.simulation.now

    async def wait(self, duration: timedelta) -> None:
        self.simulation.now += duration


class SimulatedTwins:
    """One for each location, made when it is first asked for and kept while this process lives."""

    def __init__(self, policy: ValidationPolicy) -> None:
        self._policy = policy
        self._twins: dict[tuple[str, str], SimulatedTwin] = {}

    async def twin(self, program_id: str, location_id: str, system: PracticeSystemName) -> SimulatedTwin:
        del system  # all three behave alike here
        return self.of(program_id, location_id)

    def of(self, program_id: str, location_id: str) -> SimulatedTwin:
        known = self._twins.get((program_id, location_id))
        return known or self._twins.setdefault((program_id, location_id), self._made(location_id))

    def break_with(self, program_id: str, location_id: str, *faults: Fault) -> None:
        """From now on it has these faults, and no others."""
        self.of(program_id, location_id).simulation.faults = set(faults)

    def _made(self, location_id: str) -> SimulatedTwin:
        name = f"{self._policy.test_name_prefix}{location_id}"
        simulation = Simulation()
        practice = SimulatedPractice(simulation)
        return SimulatedTwin(name, simulation, practice, SimulatedPlatform(name, simulation, practice, self._policy))
