"""What a Rollout workflow shows after each step."""

from __future__ import annotations

from typing import Literal

from domain.rollout.snapshot import RolloutCaseSnapshot


class ProgrammeSnapshot(RolloutCaseSnapshot):
    process: Literal["Rollout"] = "Rollout"
