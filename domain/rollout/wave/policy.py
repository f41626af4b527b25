"""Policy data: day plan, check-ins, artefacts (W-06 to W-09, decision 30)."""

from __future__ import annotations

from domain.model import Value


class WavePolicy(Value):
    pass
