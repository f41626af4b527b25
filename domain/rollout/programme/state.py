"""The state of a Rollout workflow."""

from __future__ import annotations

from domain.case import CaseProgress


class ProgrammeState(CaseProgress):
    pass
