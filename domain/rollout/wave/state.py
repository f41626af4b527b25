"""The state of a Wave workflow."""

from __future__ import annotations

from domain.case import CaseProgress


class WaveState(CaseProgress):
    pass
