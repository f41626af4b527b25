"""What a Wave workflow shows after each step."""

from __future__ import annotations

from typing import Literal

from domain.rollout.snapshot import RolloutCaseSnapshot


class WaveSnapshot(RolloutCaseSnapshot):
    process: Literal["Wave"] = "Wave"
