"""What a Location workflow shows after each step."""

from __future__ import annotations

from typing import Literal

from domain.rollout.snapshot import RolloutCaseSnapshot


class LocationSnapshot(RolloutCaseSnapshot):
    process: Literal["Location"] = "Location"
