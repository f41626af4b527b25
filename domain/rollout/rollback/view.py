"""What a Rollback workflow shows after each step."""

from __future__ import annotations

from typing import Literal

from domain.rollout.snapshot import RolloutCaseSnapshot


class RollbackSnapshot(RolloutCaseSnapshot):
    process: Literal["Rollback"] = "Rollback"
