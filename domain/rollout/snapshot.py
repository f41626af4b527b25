"""What every process of a rollout shows of itself: whose it is, and what holds it."""

from __future__ import annotations

from domain.case import CaseSnapshot
from domain.rollout.holds import Holds


class RolloutCaseSnapshot(CaseSnapshot):
    program_id: str
    region: str | None = None
    location_id: str | None = None
    wave: int | None = None
    holds: Holds = ()
