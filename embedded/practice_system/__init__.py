"""A simulated practice system and the platform that serves it: TEST twins in memory, with faults on demand."""

from embedded.practice_system.faults import Fault
from embedded.practice_system.platform import SimulatedPlatform
from embedded.practice_system.practice import SimulatedPractice
from embedded.practice_system.twins import SimulatedTwin, SimulatedTwins

__all__ = ["Fault", "SimulatedPlatform", "SimulatedPractice", "SimulatedTwin", "SimulatedTwins"]
