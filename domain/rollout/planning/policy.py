"""Policy data: W-01 to W-05, S-11, decisions 21, 25, 27, 28."""

from __future__ import annotations

from domain.model import Value


class PlanningPolicy(Value):
    pass
