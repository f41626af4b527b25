"""Policy data: criteria and clocks of a gate (GG-01 to GG-09, decisions 31 to 34)."""

from __future__ import annotations

from domain.model import Value


class GatePolicy(Value):
    pass
